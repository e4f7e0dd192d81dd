import type { StoredEntry } from "../../chat/rulebook.ts";

/** The action by which an entry is told, by the one that asked for it: the old layout had the latter in its keys. */
export const TOLD_BY: Record<string, string> = {
  send_message: "receive_message",
  edit_message: "message_edited",
  delete_message: "message_deleted",
};

/**
 * What is left of an entry whose id is remembered longer than the entry itself. The old layout knew its place only: a
 * message gets the name that its author has now, and a change is about no message.
 */
export function tombstone(
  used: { seq: number; date: number; user: string; id: string; action: string },
  name: string | undefined,
): StoredEntry {
  const { action, ...place } = used;
  const told = TOLD_BY[action];
  const rest = told === "receive_message" ? { fixed: { from: name ?? "" } } : { target: 0 };
  return { ...place, ordinal: 0, action: told, ...rest };
}
