/** The rooms that somebody has been in with this browser, and what they have read there. */
import type { Position } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";
import { roomNamed } from "./address.ts";

/** Rooms that are kept; past that, the one that was entered the longest ago goes. */
export const KEPT_LIMIT = 100;
export const KEPT_ROOMS_KEY = "parley.rooms";

export interface KeptRoom {
  readonly room: string;
  /** Nothing in it is unread, except what mentions the reader. */
  readonly muted: boolean;
  /** The last entry that was read; null before the first one. */
  readonly read: Position | null;
  /** When it was last entered, in milliseconds since 1970. */
  readonly date: number;
}

export function keptRoom(rooms: readonly KeptRoom[], room: string): KeptRoom | undefined {
  return rooms.find((kept) => kept.room === room);
}

/** With a room that is entered now. The newest is first. */
export function keep(rooms: readonly KeptRoom[], room: string, date: number): readonly KeptRoom[] {
  const kept = keptRoom(rooms, room) ?? { room, muted: false, read: null, date };
  return [{ ...kept, date }, ...forget(rooms, room)].slice(0, KEPT_LIMIT);
}

export function forget(rooms: readonly KeptRoom[], room: string): readonly KeptRoom[] {
  return rooms.filter((kept) => kept.room !== room);
}

export function setMuted(rooms: readonly KeptRoom[], room: string, muted: boolean): readonly KeptRoom[] {
  return rooms.map((kept) => kept.room === room ? { ...kept, muted } : kept);
}

/** What is read goes up only, except in another epoch. The same list comes back when nothing changes. */
export function markRead(rooms: readonly KeptRoom[], room: string, read: Position): readonly KeptRoom[] {
  const index = rooms.findIndex((kept) => kept.room === room);
  const before = rooms[index]?.read;
  if (index < 0 || before?.epoch === read.epoch && before.seq >= read.seq) return rooms;
  return rooms.with(index, { ...rooms[index], read });
}

/** Rooms as another tab has stored them. What was read here, and is not stored yet, counts too. */
export function withMarksOf(own: readonly KeptRoom[], stored: readonly KeptRoom[]): readonly KeptRoom[] {
  return own.reduce((rooms, { room, read }) => {
    const other = keptRoom(rooms, room)?.read;
    return read && (!other || other.epoch === read.epoch) ? markRead(rooms, room, read) : rooms;
  }, stored);
}

export function saveKeptRooms(storage: KeyValueStorage, rooms: readonly KeptRoom[]): void {
  storage.write(KEPT_ROOMS_KEY, rooms.length === 0 ? null : JSON.stringify(rooms));
}

/** Reads what the page stored before, in this or in another tab. */
export function loadKeptRooms(storage: KeyValueStorage): readonly KeptRoom[] {
  try {
    const value: unknown = JSON.parse(storage.read(KEPT_ROOMS_KEY) ?? "[]");
    if (!Array.isArray(value)) return [];
    const rooms = new Map(value.filter(isKeptRoom).map((kept) => [kept.room, kept]));
    return [...rooms.values()].slice(0, KEPT_LIMIT);
  } catch {
    return []; // not JSON: something else wrote it
  }
}

function isKeptRoom(value: unknown): value is KeptRoom {
  const { room, muted, read, date } = Object(value) as Partial<KeptRoom>;
  return typeof room === "string" && roomNamed(room) === room && typeof muted === "boolean" && Number.isFinite(date) &&
    (read === null || isPosition(read));
}

/** Whether the server can read it. If not, it would refuse each request to join the room. */
function isPosition(value: unknown): value is Position {
  const { epoch, seq } = Object(value) as Partial<Position>;
  return typeof epoch === "string" && /^[!-~]{1,200}$/.test(epoch) && Number.isSafeInteger(seq) && seq! >= 0;
}
