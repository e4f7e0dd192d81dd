import type { ClientFrame, Entry, ReceiveMessage, ServerFrame } from "../protocol.ts";
import { deletion } from "./deletion.ts";
import { edit } from "./edit.ts";
import type { AnyKind, Kind } from "./kind.ts";
import { message } from "./message.ts";
import { reaction } from "./reaction.ts";

/** Every kind of entry, by the action of its entries. The compiler refuses a table in which one is missing. */
export const KINDS = {
  receive_message: message,
  message_edited: edit,
  message_deleted: deletion,
  message_reacted: reaction,
} satisfies { [Action in Exclude<Entry["action"], "unknown_entry">]: { tells: Action } };

/** The frames that ask for an entry. */
export type EntryFrame = Extract<ClientFrame, { action: (typeof KINDS)[keyof typeof KINDS]["asks"] }>;

/** The kind of an entry; undefined if this version does not know it, as when a newer server sent it. */
export function kindOf({ action }: { action: string }): Kind | undefined {
  return Object.hasOwn(KINDS, action) ? KINDS[action as keyof typeof KINDS] as AnyKind as Kind : undefined;
}

const BY_ASKED = new Map(Object.values<AnyKind>(KINDS).map((kind) => [kind.asks, kind as Kind]));

/** The kind that a frame asks for; undefined if this version does not know it. */
export function kindAskedBy({ action }: { action: string }): Kind | undefined {
  return BY_ASKED.get(action);
}

/** Whether a frame is a message. An entry of an unknown kind is not. */
export function isMessage(frame: ServerFrame): frame is ReceiveMessage {
  return kindOf(frame)?.begin !== undefined;
}

/** What every entry has, and what others say about it; the rest of a message is what its kind fixes, and its document. */
const HEADER = ["action", "room", "seq", "user", "date", "id", "replies"];

/** A message after an entry that is about it. An entry of an unknown kind changes nothing. */
export function changed(shown: ReceiveMessage, entry: Entry): ReceiveMessage {
  const { apply } = kindOf(entry) ?? {};
  if (!apply) return shown;
  const kept = [...HEADER, ...kindOf(shown)?.fixed ?? []];
  const [fixed, document] = [true, false].map((isKept) =>
    Object.fromEntries(Object.entries(shown).filter(([name]) => kept.includes(name) === isKept))
  );
  return { ...fixed, ...apply(document, entry) } as ReceiveMessage;
}
