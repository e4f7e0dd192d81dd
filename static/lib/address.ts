import { DEFAULT_ROOM, normaliseRoom, ROOM_NAME, ROOM_NAME_LIMIT } from "../../chat/protocol.ts";

/** Where an address leads: to a room and maybe a message in it, or nowhere, and which room may have been meant. */
export type Route = { room: string; seq?: number } | {
  room: null;
  problem: "bad_room" | "not_found";
  meant: string | null;
};

/**
 * The room that someone means by `text`, or null if no room can have that name. A leading `#` is dropped, and spaces
 * become hyphens.
 */
export function roomNamed(text: string): string | null {
  const room = normaliseRoom(text.trim().replace(/^#/, "").trim()).replace(/\s+/g, "-");
  const size = [...room].length;
  return size >= 1 && size <= ROOM_NAME_LIMIT && ROOM_NAME.test(room) ? room : null;
}

/**
 * The addresses of a chat.
 * @param base its path on the host, which ends with a slash; addresses without it are understood too
 */
export function addressesAt(base: string) {
  /**
   * Where an address leads. The top leads to the default room.
   * @param hash names a message of the room: `#123`
   */
  function routeAt(pathname: string, hash = ""): Route {
    const route = roomAt(pathname);
    if (route.room === null || !/^#[1-9]\d{0,14}$/.test(hash)) return route;
    return { room: route.room, seq: Number(hash.slice(1)) };
  }

  function roomAt(pathname: string): Route {
    const isBelow = `${pathname}/`.startsWith(base);
    const path = isBelow ? pathname.slice(base.length) : pathname.slice(1);
    if (path === "") return { room: DEFAULT_ROOM };
    const [, prefix, text] = /^(r\/)?([^/]*)\/?$/.exec(path) ?? [];
    const name = text ? decoded(text) : null;
    if (!prefix || !text) {
      const meant = name !== null && path !== "r" ? roomNamed(name) : null;
      return { room: null, problem: "not_found", meant };
    }
    const room = name === null ? null : normaliseRoom(name);
    const meant = name === null ? null : roomNamed(name);
    return room !== null && room === meant ? { room } : { room: null, problem: "bad_room", meant };
  }

  /** The address of a room, or of a message in it, for the location bar and for sharing. */
  function pathOf(room: string, seq?: number): string {
    if (seq !== undefined) return `${base}r/${encodeURIComponent(room)}#${seq}`;
    return room === DEFAULT_ROOM ? base : `${base}r/${encodeURIComponent(room)}`;
  }

  return { routeAt, pathOf };
}

/** Null where the text is not valid percent-encoding. */
function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
