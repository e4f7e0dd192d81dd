import type { ClientFrame, Entry, ReceiveMessage } from "../protocol.ts";
import { deletion } from "./deletion.ts";
import { edit } from "./edit.ts";
import type { AnyKind, Kind } from "./kind.ts";
import { message } from "./message.ts";

/** Every kind of entry, by the action by which it is told. The compiler refuses one that is missing. */
export const KINDS = {
  receive_message: message,
  message_edited: edit,
  message_deleted: deletion,
} satisfies { [Action in Exclude<Entry["action"], "unknown_entry">]: { tells: Action } };

/** The frames that ask for an entry. */
export type EntryFrame = Extract<ClientFrame, { action: (typeof KINDS)[keyof typeof KINDS]["asks"] }>;

/** The kind of an entry, also of one that came from a newer server; undefined for what is not known. */
export function kindOf({ action }: { action: string }): Kind | undefined {
  return Object.hasOwn(KINDS, action) ? KINDS[action as keyof typeof KINDS] as AnyKind as Kind : undefined;
}

/** A message after an entry that is about it. */
export function changed(shown: ReceiveMessage, entry: Entry): ReceiveMessage {
  const { apply } = kindOf(entry) ?? {};
  if (!apply) return shown;
  const { action, room, seq, user, from, date, id, ...document } = shown;
  const fixed = id === undefined ? { from } : { from, id };
  return { action, room, seq, user, date, ...fixed, ...apply(document, entry) };
}
