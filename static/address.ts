import { DEFAULT_ROOM, ROOM_NAME_LIMIT } from "../chat/protocol.ts";

/** The form in which the server keeps and compares room names. */
function normalise(text: string): string {
  return text.trim().normalize("NFC").toLowerCase().normalize("NFC");
}

/**
 * The room that someone means by `text`, or null if no room can be called so. A leading `#` is habit, not name, and a
 * name of several words is one with hyphens.
 */
export function roomNamed(text: string): string | null {
  const room = normalise(text.trim().replace(/^#/, "")).replace(/\s+/g, "-");
  const size = [...room].length;
  return size >= 1 && size <= ROOM_NAME_LIMIT && /^[\p{L}\p{M}\p{Nd}_-]+$/u.test(room) ? room : null;
}

/** The room that an address shows: `/` is the default one. Null for an address that names none. */
export function roomAt(pathname: string): string | null {
  if (!pathname.startsWith("/r/")) return DEFAULT_ROOM;
  try {
    const room = normalise(decodeURIComponent(pathname.slice("/r/".length).replace(/\/$/, "")));
    return roomNamed(room) === room ? room : null;
  } catch {
    return null; // "%" followed by what is no UTF-8
  }
}

/** The address of a room, to put in the location bar or to give to a friend. */
export function pathOf(room: string): string {
  return room === DEFAULT_ROOM ? "/" : `/r/${encodeURIComponent(room)}`;
}
