/** The list of rooms: those that one has been in, then those open to everyone. */
import { keptRoom } from "../lib/kept_rooms.ts";
import { type State, unreadOf } from "../state.ts";

export interface RoomLine {
  readonly room: string;
  /** One has been in it; the others are open to everyone. */
  readonly kept: boolean;
  readonly isCurrent: boolean;
  readonly muted: boolean;
  readonly unread: number;
  readonly mentions: number;
  /** There are more unread messages than are counted. */
  readonly more: boolean;
}

/** @param collator the order of names */
export function roomLines(state: State, collator: Intl.Collator): RoomLine[] {
  const sorted = (rooms: string[]) => rooms.sort(collator.compare);
  const kept = sorted(state.rooms.map(({ room }) => room));
  const open = sorted(state.listed.map(({ room }) => room).filter((room) => !keptRoom(state.rooms, room)));
  return [...kept.map((room) => lineOf(state, room, true)), ...open.map((room) => lineOf(state, room, false))];
}

function lineOf(state: State, room: string, kept: boolean): RoomLine {
  const isCurrent = state.room.name === room;
  const { count, mentions, more } = unreadOf(state, room);
  // What one is looking at is not unread.
  const isSeen = isCurrent && state.visible && state.following;
  const muted = keptRoom(state.rooms, room)?.muted ?? false;
  return { room, kept, isCurrent, muted, unread: isSeen ? 0 : count, mentions: isSeen ? 0 : mentions, more };
}

/** Whether two lines look the same. */
export function sameLine(one: RoomLine, other: RoomLine): boolean {
  return (Object.keys(one) as (keyof RoomLine)[]).every((key) => one[key] === other[key]);
}
