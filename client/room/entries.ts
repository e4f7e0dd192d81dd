/** What entries do to the messages of a room, by the same functions that make the server's history. */
import { changed, kindOf } from "../../chat/entries/kinds.ts";
import type { Entry, ReceiveMessage, ServerFrame } from "../../chat/protocol.ts";

/** Whether an entry is a message. One of a kind that this client doesn't know is none. */
export function isMessage(entry: Entry): entry is ReceiveMessage {
  return kindOf(entry)?.begin !== undefined;
}

/** Whether a frame is an entry of a room's log, also of a kind that this client doesn't know. */
export function isEntry(frame: ServerFrame): frame is Entry {
  return "seq" in frame && "room" in frame && frame.action !== "room_joined";
}

/** The messages after an entry that may change one of them. */
export function withChange(messages: readonly ReceiveMessage[], entry: Entry): readonly ReceiveMessage[] {
  if (!("target" in entry)) return messages;
  const index = messages.findIndex((message) => message.seq === entry.target);
  // A deleted message stays deleted: an edit that a resume brings may be older than the deletion already shown.
  if (index < 0 || messages[index].deleted) return messages;
  return messages.with(index, changed(messages[index], entry));
}
