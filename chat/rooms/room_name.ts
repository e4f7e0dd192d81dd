import { ChatError } from "../errors.ts";
import { normaliseRoom, ROOM_NAME, ROOM_NAME_LIMIT } from "../protocol.ts";
import { codePoints } from "../limits/text_length.ts";

/**
 * The normalised form of a room's name, in which it is kept and compared.
 * @throws {ChatError} `bad_room`
 */
export function roomName(asked: string): string {
  // The length is checked first: normalising is expensive.
  const name = asked.length > 4 * ROOM_NAME_LIMIT ? "" : normaliseRoom(asked);
  if (!ROOM_NAME.test(name) || codePoints(name) > ROOM_NAME_LIMIT) {
    throw new ChatError(
      "bad_room",
      `A room's name has 1 to ${ROOM_NAME_LIMIT} letters, digits, "-" or "_". Choose another name.`,
    );
  }
  return name;
}

/** Whether `roomName` would take it. */
export function isRoomName(asked: string): boolean {
  try {
    return roomName(asked) !== "";
  } catch {
    return false;
  }
}
