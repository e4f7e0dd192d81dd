import type { Draft, Outcome } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";
import { tombstone } from "../shared/tombstone.ts";

/** What `append` answers for each draft. */
export type Reply =
  | ["kept", seq: string, date: string]
  | ["repeated", entry: string]
  | ["gone", seq: string, date: string]
  | ["refused", why: "not_found" | "forbidden" | "locked"];

const KIND = { send_message: "m", edit_message: "e", delete_message: "d" } as const;

/**
 * A draft as `append` takes it: room, kind, user, key, target, words as JSON, the rest that never changes as the inside of a
 * JSON object, and whether it is a moderator's or only sent again.
 */
export function toArguments(draft: Draft): string[] {
  const { action, room, user, id } = draft;
  const isMessage = action === "send_message";
  const fixed = isMessage ? { user, from: draft.from, id } : { target: draft.target, user, id };
  return [
    room,
    KIND[action],
    user,
    id === undefined ? "" : `${user} ${action} ${id}`,
    isMessage ? "" : String(draft.target),
    action === "delete_message" ? "" : JSON.stringify(draft.text),
    JSON.stringify(fixed).slice(1, -1),
    action === "delete_message" && draft.moderator ? "moderator" : isMessage && draft.again ? "again" : "",
  ];
}

export function toOutcome(draft: Draft, [kind, ...reply]: Reply): Outcome {
  switch (kind) {
    case "kept":
      return { entry: toEntry(draft, Number(reply[0]), Number(reply[1])), repeated: false };
    case "repeated":
      return { entry: JSON.parse(reply[0]), repeated: true };
    case "gone":
      return { entry: tombstone(draft, { seq: Number(reply[0]), date: Number(reply[1]) }), repeated: true };
    case "refused":
      return { refused: reply[0] as "not_found" | "forbidden" | "locked" };
  }
}

function toEntry(draft: Draft, seq: number, date: number): Entry {
  const { room, user, id } = draft;
  const more = id === undefined ? {} : { id };
  switch (draft.action) {
    case "send_message":
      return { action: "receive_message", room, seq, user, from: draft.from, text: draft.text, date, ...more };
    case "edit_message":
      return { action: "message_edited", room, seq, target: draft.target, user, text: draft.text, date, ...more };
    case "delete_message":
      return { action: "message_deleted", room, seq, target: draft.target, user, date, ...more };
  }
}
