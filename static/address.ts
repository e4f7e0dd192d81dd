import { DEFAULT_ROOM, normaliseRoom, ROOM_NAME, ROOM_NAME_LIMIT } from "../chat/protocol.ts";

/**
 * The room that someone means by `text`, or null if no room can be called so. A leading `#` is habit, not name, and a
 * name of several words is one with hyphens.
 */
export function roomNamed(text: string): string | null {
  const room = normaliseRoom(text.trim().replace(/^#/, "").trim()).replace(/\s+/g, "-");
  const size = [...room].length;
  return size >= 1 && size <= ROOM_NAME_LIMIT && ROOM_NAME.test(room) ? room : null;
}

/** The room that an address shows: `/` is the default one. Null for an address that names none. */
export function roomAt(pathname: string): string | null {
  if (!pathname.startsWith("/r/")) return DEFAULT_ROOM;
  try {
    const room = normaliseRoom(decodeURIComponent(pathname.slice("/r/".length).replace(/\/$/, "")));
    return roomNamed(room) === room ? room : null;
  } catch {
    return null; // "%" followed by what is no UTF-8
  }
}

/** The address of a room, to put in the location bar or to give to a friend. */
export function pathOf(room: string): string {
  return room === DEFAULT_ROOM ? "/" : `/r/${encodeURIComponent(room)}`;
}
