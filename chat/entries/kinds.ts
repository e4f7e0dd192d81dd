import type { ClientFrame, Entry, ReceiveMessage } from "../protocol.ts";
import { deletion } from "./deletion.ts";
import { edit } from "./edit.ts";
import type { AnyKind, Kind } from "./kind.ts";
import { message } from "./message.ts";

/** Every kind of entry, by the action of its entries. The compiler refuses a table in which one is missing. */
export const KINDS = {
  receive_message: message,
  message_edited: edit,
  message_deleted: deletion,
} satisfies { [Action in Exclude<Entry["action"], "unknown_entry">]: { tells: Action } };

/** The frames that ask for an entry. */
export type EntryFrame = Extract<ClientFrame, { action: (typeof KINDS)[keyof typeof KINDS]["asks"] }>;

/** The kind of an entry; undefined if this version does not know it, as when a newer server sent it. */
export function kindOf({ action }: { action: string }): Kind | undefined {
  return Object.hasOwn(KINDS, action) ? KINDS[action as keyof typeof KINDS] as AnyKind as Kind : undefined;
}

/** A message after an entry that is about it. An entry of an unknown kind changes nothing. */
export function changed(shown: ReceiveMessage, entry: Entry): ReceiveMessage {
  const { apply } = kindOf(entry) ?? {};
  if (!apply) return shown;
  const { action, room, seq, user, from, date, id, ...document } = shown;
  const fixed = id === undefined ? { from } : { from, id };
  return { action, room, seq, user, date, ...fixed, ...apply(document, entry) };
}
