import type { Draft } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";

/** What is left of an entry whose id is remembered longer than the entry itself is kept. */
export function tombstone(draft: Draft, { seq, date }: { seq: number; date: number }): Entry {
  const { room, user, id } = draft;
  switch (draft.action) {
    case "send_message":
      return { action: "receive_message", room, seq, user, from: draft.from, date, id, deleted: true };
    case "edit_message":
      return { action: "message_edited", room, seq, target: draft.target, user, text: "", date, id };
    case "delete_message":
      return { action: "message_deleted", room, seq, target: draft.target, user, date, id };
  }
}
