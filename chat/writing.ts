import type { Draft, Outcome } from "./storage.ts";
import type { Lobby } from "./chat.ts";
import { checkText } from "./users/names.ts";
import type { DeleteMessage, EditMessage, Entry, Member, SendMessage } from "./protocol.ts";
import { Refusal } from "./errors.ts";

/** What a person may have kept; `room` in the form in which names are compared. */
export type Writing = SendMessage | EditMessage | DeleteMessage;

/** What became of it. `repeated`: the id had been used, and this is the first one's entry. */
export interface Kept {
  entry: Entry;
  repeated: boolean;
}

/**
 * Looks at what a person writes before anything is done about it.
 * @throws {Refusal} `text_empty`, `text_too_long`
 */
export function draftOf(lobby: Lobby, { user, name }: Member, frame: Writing): Draft {
  if (frame.action !== "delete_message") checkText(frame.text, lobby.limits.text);
  return frame.action === "send_message" ? { ...frame, user, from: name } : { ...frame, user };
}

/**
 * Has it kept. Members have been told of it when this resolves.
 * @param slowSeconds the room's least time between two messages of one person
 * @throws {Refusal} `forbidden`, `not_found`, `rate_limited`, `unavailable`
 */
export async function keep(lobby: Lobby, draft: Draft, slowSeconds: number): Promise<Kept> {
  const slow = slowSeconds > 0 && draft.action === "send_message";
  const outcome: Outcome = await (slow ? lobby.slowMode.append(draft, slowSeconds) : lobby.append(draft));
  if ("entry" in outcome) return outcome;
  switch (outcome.refused) {
    case "locked": {
      // The members here may not have heard of it.
      const room = lobby.roomHeld(draft.room);
      if (room?.settings.locked === false) room.refreshSettings();
      throw new Refusal("forbidden", "This room is locked: it can be read, and nobody can send for now.");
    }
    case "forbidden":
      throw new Refusal("forbidden", "Only its author can change a message.");
    case "not_found":
      throw new Refusal("not_found", "There is no such message any more. Nothing was changed.");
  }
}
