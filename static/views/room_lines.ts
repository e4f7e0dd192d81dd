/** The list of rooms: those that one has been in, then those open to everyone. */
import { roomOf } from "../../client/client_state.ts";
import { newestMessages } from "../../client/room/room_state.ts";
import { keptRoom } from "../lib/kept_rooms.ts";
import { NOTHING_UNREAD } from "../lib/unread.ts";
import { type State, unreadOf } from "../state.ts";

export interface RoomLine {
  readonly room: string;
  /** One has been in it; the others are open to everyone. */
  readonly kept: boolean;
  readonly isCurrent: boolean;
  readonly muted: boolean;
  readonly unread: number;
  readonly mentions: number;
  /** Who mentioned the reader. */
  readonly by: readonly string[];
  /** There are more unread messages than are counted. */
  readonly more: boolean;
}

/** @param collator the order of names */
export function roomLines(state: State, collator: Intl.Collator): RoomLine[] {
  const dates = new Map(state.rooms.map(({ room, date }) => [room, newestDate(state, room) ?? date]));
  const sorted = (rooms: string[]) =>
    rooms.sort((one, other) =>
      state.newestRoomFirst && dates.has(one)
        ? dates.get(other)! - dates.get(one)! || collator.compare(one, other)
        : collator.compare(one, other)
    );
  const kept = sorted(state.rooms.map(({ room }) => room));
  const open = sorted(state.listed.map(({ room }) => room).filter((room) => !keptRoom(state.rooms, room)));
  return [...kept.map((room) => lineOf(state, room, true)), ...open.map((room) => lineOf(state, room, false))];
}

function lineOf(state: State, room: string, kept: boolean): RoomLine {
  const isCurrent = state.room.name === room;
  const { count, mentions, by, more } = unreadOf(state, room);
  // What is unread in the room that one looks at is said there.
  const isSeen = isCurrent && state.visible;
  const muted = keptRoom(state.rooms, room)?.muted ?? false;
  const shown = isSeen ? NOTHING_UNREAD : { count, mentions, by, more };
  return {
    room,
    kept,
    isCurrent,
    muted,
    unread: shown.count,
    mentions: shown.mentions,
    by: shown.by,
    more: shown.more,
  };
}

/** When something was said last in a room that one is in; undefined if that is not known. */
function newestDate(state: State, name: string): number | undefined {
  const room = roomOf(state, name);
  return room && newestMessages(room).at(-1)?.date;
}

/** Whether two lines look the same. */
export function sameLine(one: RoomLine, other: RoomLine): boolean {
  return (Object.keys(one) as (keyof RoomLine)[]).every((key) => String(one[key]) === String(other[key]));
}
