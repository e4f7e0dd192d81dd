/** What entries do to the messages of a room, by the same functions that make the server's history. */
import { changed } from "../../chat/entries/kinds.ts";
import type { Entry, ReceiveMessage, ServerFrame } from "../../chat/protocol.ts";

/**
 * Frames with a place in a room that are no entries of its log. The compiler refuses a list in which one is missing.
 */
const NO_ENTRIES: Record<Exclude<Extract<ServerFrame, { room: string; seq: number }>, Entry>["action"], true> = {
  room_joined: true,
};

/** Whether a frame is an entry of a room's log, also of a kind that this client doesn't know. */
export function isEntry(frame: ServerFrame): frame is Entry {
  return "seq" in frame && "room" in frame && !Object.hasOwn(NO_ENTRIES, frame.action);
}

/** The messages after an entry that may change one of them. */
export function withChange(messages: readonly ReceiveMessage[], entry: Entry): readonly ReceiveMessage[] {
  if (!("target" in entry)) return messages;
  const index = messages.findIndex((message) => message.seq === entry.target);
  // A deleted message stays deleted: an edit that a resume brings may be older than the deletion already shown.
  if (index < 0 || messages[index].deleted) return messages;
  return messages.with(index, changed(messages[index], entry));
}
