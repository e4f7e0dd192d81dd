import { normaliseRoom, ROOM_NAME, ROOM_NAME_LIMIT } from "../../chat/protocol.ts";
import type { Strings } from "../i18n/locale.ts";
import { roomNamed } from "./address.ts";

/** Why no room can have a name. */
export type RoomNameFault = { kind: "empty" } | { kind: "character"; character: string } | { kind: "long" };

/** Why no room is meant by what someone typed; null if one is, see `roomNamed`. */
export function roomNameFault(text: string): RoomNameFault | null {
  if (roomNamed(text) !== null) return null;
  const typed = normaliseRoom(text.trim().replace(/^#/, "")).replaceAll(/\s/g, "");
  if (typed === "") return { kind: "empty" };
  const bad = [...typed].find((character) => !ROOM_NAME.test(character));
  return bad === undefined ? { kind: "long" } : { kind: "character", character: visible(bad) };
}

/** The same in words; null if there is nothing wrong with it. */
export function roomNameProblem({ roomBad }: Strings, text: string): string | null {
  const fault = roomNameFault(text);
  if (fault === null) return null;
  if (fault.kind === "character") return roomBad.character(fault.character);
  return fault.kind === "empty" ? roomBad.empty() : roomBad.long(ROOM_NAME_LIMIT);
}

/** A character that can't be seen is named by its number. */
function visible(character: string): string {
  if (!/[\p{C}\p{Z}]/u.test(character)) return character;
  return `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
}
