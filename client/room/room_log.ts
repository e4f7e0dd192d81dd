/**
 * A client's part of a room's log: consecutive messages up to a position. Pure functions from one state to the next.
 */
import { isMessage } from "../../chat/entries/kinds.ts";
import type { Entry, HistoryPage, RoomJoined, ServerFrame } from "../../chat/protocol.ts";
import { isEntry, withChange } from "./entries.ts";
import type { RoomState } from "./room_state.ts";

/** Messages kept while the reader is at the newest one, and how many remain when there are more. */
export const HELD_LIMIT = 1_000;
export const HELD_AFTER_TRIM = 800;
/**
 * Messages kept while the reader is up in the history; beyond that the newest are left out until the reader comes back.
 */
export const READING_LIMIT = 3_000;

/**
 * The room after a `room_joined`: with what was missed, or with the newest page in place of what was there.
 * @param atNewest whether the reader is at the newest message
 */
export function applyJoin(room: RoomState, frame: RoomJoined, atNewest: boolean): RoomState {
  const { position, missingAfter } = room;
  const next: RoomState = {
    ...room,
    problem: null,
    joined: true,
    hasGap: false,
    members: frame.members,
    count: frame.count,
    locked: frame.locked,
    slowSeconds: frame.slow_seconds,
  };
  const sameEpoch = position?.epoch === frame.epoch;
  // Below 80 people the server joins us again only to bring the list of members back.
  const nothingNew = sameEpoch && frame.seq <= position.seq && !room.truncated;
  if (frame.recovered || nothingNew) {
    const caughtUp = frame.messages.reduce((before, entry) => applyEntry(before, entry, atNewest), next);
    const seq = Math.max(frame.seq, caughtUp.position?.seq ?? 0);
    return { ...caughtUp, position: { epoch: frame.epoch, seq } };
  }
  const missed = position !== null && !room.truncated;
  return {
    ...next,
    position: { epoch: frame.epoch, seq: frame.seq },
    messages: frame.messages.filter(isMessage),
    more: frame.more,
    history: "idle",
    pending: [],
    missingAfter: missed ? (sameEpoch ? position.seq : 0) : sameEpoch ? missingAfter : null,
    truncated: false,
  };
}

/**
 * The room after one more entry. An entry already seen is ignored; one that does not follow the last only marks a gap.
 * @param atNewest whether the reader is at the newest message
 */
export function applyEntry(room: RoomState, entry: Entry, atNewest: boolean): RoomState {
  if (entry.room !== room.name || !room.position || entry.seq <= room.position.seq) return room;
  if (entry.seq > room.position.seq + 1) return { ...room, hasGap: true };
  const next: RoomState = { ...room, position: { epoch: room.position.epoch, seq: entry.seq } };
  if (!isMessage(entry)) {
    const pending = room.history === "loading" ? [...room.pending, entry] : room.pending;
    return { ...next, pending, messages: withChange(room.messages, entry) };
  }
  const typing = room.typing.filter((typist) => typist.user !== entry.user);
  const isFull = !atNewest && room.messages.length >= READING_LIMIT;
  if (room.truncated || isFull) return { ...next, typing, truncated: true };
  const longer = { ...next, typing, messages: [...room.messages, entry] };
  return atNewest ? trim(longer) : longer;
}

/** The entries of a frame that were new to the room, given its state before and after the frame. */
export function arrivals(before: RoomState, after: RoomState, frame: ServerFrame): Entry[] {
  const entries = isEntry(frame) ? [frame] : frame.action === "room_joined" && frame.recovered ? frame.messages : [];
  const [first, last] = [before.position?.seq ?? Infinity, after.position?.seq ?? 0];
  return entries.filter(({ room, seq }) => room === after.name && seq > first && seq <= last);
}

/** Releases the oldest messages when there are very many. They load again when the reader scrolls up. */
export function trim(room: RoomState): RoomState {
  if (room.messages.length <= HELD_LIMIT) return room;
  return { ...room, messages: room.messages.slice(-HELD_AFTER_TRIM), more: true };
}

/** An older page holds what came before this `seq`. */
export function historyEnd(room: RoomState): number {
  return room.messages[0]?.seq ?? (room.position?.seq ?? 0) + 1;
}

export function historyRequested(room: RoomState): RoomState {
  return { ...room, history: "loading", pending: [] };
}

export function historyFailed(room: RoomState): RoomState {
  return { ...room, history: "failed", pending: [] };
}

/** The room with an older page before its messages. */
export function historyLoaded(room: RoomState, page: HistoryPage): RoomState {
  const end = room.messages[0]?.seq ?? Infinity;
  const changes = room.pending.filter((entry) => entry.seq > page.seq);
  const older = changes.reduce(withChange, page.messages.filter((message) => message.seq < end));
  const messages = [...older, ...room.messages];
  return {
    ...room,
    messages: messages.slice(0, READING_LIMIT),
    more: page.more,
    truncated: room.truncated || messages.length > READING_LIMIT,
    history: "idle",
    pending: [],
  };
}
