/** What each kind of entry does to the messages of a room. A new kind is one more case of `effectOf`. */
import type { Entry, ReceiveMessage, ServerFrame } from "../../chat/protocol.ts";

export type EntryEffect =
  | { readonly kind: "adds"; readonly message: ReceiveMessage }
  | { readonly kind: "changes"; readonly target: number; readonly change: (message: ReceiveMessage) => ReceiveMessage }
  | { readonly kind: "none" };

export function effectOf(entry: Entry): EntryEffect {
  switch (entry.action) {
    case "receive_message":
      return { kind: "adds", message: entry };
    case "message_edited":
      return changes(entry.target, (message) => ({ ...message, text: entry.text, edited: entry.date }));
    case "message_deleted":
      return changes(entry.target, ({ text: _, ...rest }) => ({ ...rest, deleted: true }));
    default:
      entry satisfies never;
      return { kind: "none" }; // a newer server's: it takes its place in the log and changes nothing
  }
}

/** Whether a frame is an entry of a room's log, also of a kind that this client doesn't know. */
export function isEntry(frame: ServerFrame): frame is Entry {
  return "seq" in frame && "room" in frame && frame.action !== "room_joined";
}

/** The messages after an entry that changes one of them. */
export function withChange(messages: readonly ReceiveMessage[], entry: Entry): readonly ReceiveMessage[] {
  const effect = effectOf(entry);
  if (effect.kind !== "changes") return messages;
  const index = messages.findIndex((message) => message.seq === effect.target);
  // A deleted message stays deleted: an edit that a resume brings may be older than the deletion already shown.
  if (index < 0 || messages[index].deleted) return messages;
  return messages.with(index, effect.change(messages[index]));
}

/** The messages among entries, as a page of history or a join brings them. */
export function messagesIn(entries: readonly Entry[]): ReceiveMessage[] {
  return entries.map(effectOf).flatMap((effect) => effect.kind === "adds" ? [effect.message] : []);
}

function changes(target: number, change: (message: ReceiveMessage) => ReceiveMessage): EntryEffect {
  return { kind: "changes", target, change };
}
