import type { Command } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";

/** What is left of an entry whose id is remembered longer than the entry itself is kept. */
export function tombstone(command: Command, { seq, date }: { seq: number; date: number }): Entry {
  const { room, user, id } = command;
  switch (command.action) {
    case "send_message":
      return { action: "receive_message", room, seq, user, from: command.from, date, id, deleted: true };
    case "edit_message":
      return { action: "message_edited", room, seq, target: command.target, user, text: "", date, id };
    case "delete_message":
      return { action: "message_deleted", room, seq, target: command.target, user, date, id };
  }
}
