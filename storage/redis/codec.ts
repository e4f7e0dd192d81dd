import type { AppendResult, Command } from "../../chat/storage.ts";
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
export function toArguments(command: Command): string[] {
  const { action, room, user, id } = command;
  const isMessage = action === "send_message";
  const fixed = isMessage ? { user, from: command.from, id } : { target: command.target, user, id };
  return [
    room,
    KIND[action],
    user,
    id === undefined ? "" : `${user} ${action} ${id}`,
    isMessage ? "" : String(command.target),
    action === "delete_message" ? "" : JSON.stringify(command.text),
    JSON.stringify(fixed).slice(1, -1),
    action === "delete_message" && command.moderator ? "moderator" : isMessage && command.lookupOnly ? "again" : "",
  ];
}

export function toOutcome(command: Command, [kind, ...reply]: Reply): AppendResult {
  switch (kind) {
    case "kept":
      return { entry: toEntry(command, Number(reply[0]), Number(reply[1])), repeated: false };
    case "repeated":
      return { entry: JSON.parse(reply[0]), repeated: true };
    case "gone":
      return { entry: tombstone(command, { seq: Number(reply[0]), date: Number(reply[1]) }), repeated: true };
    case "refused":
      return { refused: reply[0] as "not_found" | "forbidden" | "locked" };
  }
}

function toEntry(command: Command, seq: number, date: number): Entry {
  const { room, user, id } = command;
  const more = id === undefined ? {} : { id };
  switch (command.action) {
    case "send_message":
      return { action: "receive_message", room, seq, user, from: command.from, text: command.text, date, ...more };
    case "edit_message":
      return { action: "message_edited", room, seq, target: command.target, user, text: command.text, date, ...more };
    case "delete_message":
      return { action: "message_deleted", room, seq, target: command.target, user, date, ...more };
  }
}
