import type { AppendResult, Command } from "./storage.ts";
import type { Services } from "./services.ts";
import { checkText } from "./limits/text_length.ts";
import type { DeleteMessage, EditMessage, Entry, Member, SendMessage } from "./protocol.ts";
import { ChatError } from "./errors.ts";

/** What a person may have kept; `room` in the form in which names are compared. */
export type Writing = SendMessage | EditMessage | DeleteMessage;

/** What became of it. `repeated`: the id had been used, and this is the first one's entry. */
export interface Kept {
  entry: Entry;
  repeated: boolean;
}

/**
 * Looks at what a person writes before anything is done about it.
 * @throws {ChatError} `text_empty`, `text_too_long`
 */
export function toCommand(services: Services, { user, name }: Member, frame: Writing): Command {
  if (frame.action !== "delete_message") checkText(frame.text, services.limits.text);
  return frame.action === "send_message" ? { ...frame, user, from: name } : { ...frame, user };
}

/**
 * Has it kept. Members have been told of it when this resolves.
 * @param slowSeconds the room's least time between two messages of one person
 * @throws {ChatError} `forbidden`, `not_found`, `rate_limited`, `unavailable`
 */
export async function keep(services: Services, command: Command, slowSeconds: number): Promise<Kept> {
  const slow = slowSeconds > 0 && command.action === "send_message";
  const result: AppendResult =
    await (slow ? services.slowMode.append(command, slowSeconds) : services.pipeline.append(command));
  if ("entry" in result) return result;
  switch (result.refused) {
    case "locked": {
      // The members here may not have heard of it.
      const room = services.rooms.find(command.room);
      if (room?.settings.locked === false) room.refreshSettings();
      throw new ChatError("forbidden", "This room is locked: it can be read, and nobody can send for now.");
    }
    case "forbidden":
      throw new ChatError("forbidden", result.message ?? "Only its author can change a message.");
    case "not_found":
      throw new ChatError("not_found", result.message ?? "There is no such message any more. Nothing was changed.");
    default:
      throw new ChatError(result.refused, result.message ?? "This can't be done here.");
  }
}
