/**
 * What can happen to the page, and how its state changes: `apply(state, event)` returns the next state and touches
 * nothing else.
 */
import { isMessage } from "../chat/entries/kinds.ts";
import type { Entry, Member, Position } from "../chat/protocol.ts";
import { type ClientState, roomOf } from "../client/client_state.ts";
import { THREADS_LIMIT } from "../client/room/answers.ts";
import { newestMessages } from "../client/room/room_state.ts";
import { type KeptRoom, keptRoom, markRead } from "./lib/kept_rooms.ts";
import type { ListedRoom, Moderation } from "./lib/moderator.ts";
import { isNews, unreadIn } from "./lib/unread.ts";
import type { Goal, Notice, State } from "./state.ts";

export type Event =
  /** The client's state has changed; `arrived` are the new entries of the rooms, in each room's order. */
  | { kind: "client"; client: ClientState; arrived: readonly Entry[] }
  | { kind: "online"; online: boolean }
  /** Another room is about to be shown. `meant`: the room that an address without a room may have meant. */
  | { kind: "entered"; meant: string | null; goal: Goal | null }
  | { kind: "goal"; goal: Goal | null }
  /** The reader goes to what an answer answers, or comes back to it. */
  | { kind: "answered"; goal: Goal; left: number | null }
  /** The answers to a message are shown below it, or no more. */
  | { kind: "unfolded"; seq: number; open: boolean }
  | { kind: "reading"; visible: boolean; following: boolean }
  /** The reader has been at the first of the new messages. */
  | { kind: "new_visited" }
  | { kind: "rooms"; rooms: readonly KeptRoom[] }
  | { kind: "listed"; listed: readonly ListedRoom[] }
  | { kind: "room_order"; newestFirst: boolean }
  | { kind: "muted"; muted: readonly Member[] }
  | { kind: "moderation"; moderation: Moderation | null }
  | { kind: "notice"; notice: Notice | null };

/** Messages whose answers are shown at once: fewer than a client holds, since one more may be open in a dialog. */
const UNFOLDED_LIMIT = THREADS_LIMIT - 1;

/** The state after `event`. The same object comes back when the event changes nothing. */
export function apply(state: State, event: Event): State {
  switch (event.kind) {
    case "client":
      return received(state, event.client, event.arrived);
    case "online":
      return { ...state, online: event.online };
    case "entered": {
      const { meant, goal } = event;
      const anew = { newRun: null, isFresh: true, leftAnswer: null, unfolded: [] };
      return { ...state, meant, goal, notice: null, following: true, ...anew };
    }
    case "goal":
      if (event.goal === state.goal) return state;
      return { ...state, goal: event.goal, leftAnswer: !event.goal && state.following ? null : state.leftAnswer };
    case "answered":
      return { ...state, goal: event.goal, leftAnswer: event.left };
    case "unfolded": {
      const others = state.unfolded.filter((seq) => seq !== event.seq);
      return { ...state, unfolded: event.open ? [...others, event.seq].slice(-UNFOLDED_LIMIT) : others };
    }
    case "reading": {
      const { visible, following } = event;
      if (visible === state.visible && following === state.following) return state;
      // At the newest message one has gone on.
      return { ...state, visible, following, leftAnswer: following && !state.goal ? null : state.leftAnswer };
    }
    case "new_visited":
      return !state.newRun || state.newRun.visited ? state : { ...state, newRun: { ...state.newRun, visited: true } };
    case "rooms":
      return event.rooms === state.rooms ? state : { ...state, rooms: event.rooms };
    case "listed":
      return { ...state, listed: event.listed };
    case "room_order":
      return { ...state, newestRoomFirst: event.newestFirst };
    case "notice":
      return { ...state, notice: event.notice };
    case "muted":
      return { ...state, muted: event.muted };
    case "moderation":
      return { ...state, moderation: event.moderation };
  }
}

function received(state: State, client: ClientState, arrived: readonly Entry[]): State {
  const isSame = state.room.name === client.room.name;
  const before = isSame && isNewEpoch(state, client) ? { ...state, newRun: null, isFresh: true } : state;
  const next = arrived.reduce(placeNew, { ...before, ...client });
  if (!next.room.position) return next;
  if (next.isFresh) return decideNew(next, next.room.position);
  const isRead = next.visible && next.following && next.goal === null;
  return isRead ? { ...next, rooms: markRead(next.rooms, next.room.name, next.room.position) } : next;
}

/** The line "New" on entry: above what was not read the last time. It stays there. */
function decideNew(state: State, position: Position): State {
  const { room, rooms } = state;
  const read = keptRoom(rooms, room.name)?.read ?? null;
  // The first time, everything counts as read.
  if (read?.epoch !== position.epoch) {
    return { ...state, isFresh: false, rooms: markRead(rooms, room.name, position) };
  }
  if (unreadIn(room, read, state).count === 0) return { ...state, isFresh: false };
  const newRun = { after: read.seq, visited: false };
  return { ...state, isFresh: false, newRun, goal: state.goal ?? { seq: read.seq, at: "read" } };
}

/** The line "New" while one is in the room: above the first message that nobody saw come. */
function placeNew(state: State, entry: Entry): State {
  const room = roomOf(state, entry.room);
  if (!isMessage(entry) || !room?.position) return state;
  const isHere = room === state.room;
  if (entry.user === state.me?.user) {
    // Whoever answers has read what came before, on whatever page.
    const rooms = markRead(state.rooms, room.name, { epoch: room.position.epoch, seq: entry.seq });
    return { ...state, rooms, newRun: isHere ? null : state.newRun };
  }
  if (!isHere || !isNews(entry, state) || (state.visible && state.following)) return state;
  const read = keptRoom(state.rooms, room.name)?.read?.seq ?? Infinity;
  const before = newestMessages(room).findLast((message) => message.seq < entry.seq && isNews(message, state));
  if (state.newRun && before && before.seq > read) return state;
  return { ...state, newRun: { after: entry.seq - 1, visited: false } };
}

/** The room's old positions mean nothing any more. */
function isNewEpoch(before: ClientState, after: ClientState): boolean {
  return before.room.position !== null && before.room.position.epoch !== after.room.position?.epoch;
}
