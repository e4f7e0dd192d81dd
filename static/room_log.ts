/** The room's log as the page holds it: a stretch of messages without a hasGap, up to a position. Pure, like `store.ts`. */
import type { Entry, MessageDeleted, MessageEdited, ReceiveMessage, RoomJoined } from "../chat/protocol.ts";
import { isMuted } from "./lib/mutes.ts";
import { inRoom, type Message, type RoomState, type State } from "./state.ts";

/** Messages kept (and shown) while the reader is at the newest one, and how many remain when there are more. */
export const HELD_LIMIT = 1_000;
export const HELD_AFTER_TRIM = 800;
/** Messages kept while the reader is up in the history; beyond, the newest are left out until they come back down. */
export const READING_LIMIT = 3_000;
/** The room as the server hands it over: what was missed, or the newest page in place of what was held. */
export function joined(state: State, frame: RoomJoined): State {
  const { position, missingAfter, newAfter } = state.room;
  const present = {
    problem: null,
    joined: true,
    hasGap: false,
    members: frame.members,
    count: frame.count,
    locked: frame.locked,
    slowSeconds: frame.slow_seconds,
  };
  const sameLife = position?.epoch === frame.epoch;
  // Below 80 people the server joins us again only to bring the list of people back.
  const nothingNew = sameLife && frame.seq <= position.seq && !state.room.truncated;
  if (frame.recovered || nothingNew) {
    const next = frame.messages.reduce(applyEntry, inRoom(state, present));
    return inRoom(next, { position: { epoch: frame.epoch, seq: Math.max(frame.seq, next.room.position?.seq ?? 0) } });
  }
  const missed = position !== null && !state.room.truncated;
  return inRoom(state, {
    ...present,
    position: { epoch: frame.epoch, seq: frame.seq },
    messages: frame.messages.filter((entry) => entry.action === "receive_message").map(toMessage),
    more: frame.more,
    history: "idle",
    pending: [],
    missingAfter: missed ? (sameLife ? position.seq : 0) : sameLife ? missingAfter : null,
    newAfter: sameLife ? newAfter : null,
    truncated: false,
  });
}

/** One more entry of the log. What was seen is ignored; what does not follow only tells that there is a hole. */
export function applyEntry(state: State, entry: Entry): State {
  const { room } = state;
  if (entry.room !== room.name || !room.position || entry.seq <= room.position.seq) return state;
  if (entry.seq > room.position.seq + 1) return inRoom(state, { hasGap: true });
  const position = { epoch: room.position.epoch, seq: entry.seq };
  if (entry.action !== "receive_message") {
    const pending = room.history === "loading" ? [...room.pending, entry] : room.pending;
    return inRoom(state, { position, pending, messages: amend(room.messages, entry) });
  }
  const mine = entry.user === state.me?.user;
  const unseen = !mine && !isMuted(state.muted, entry.user) && !(state.visible && state.following);
  const unread = state.unread + (unseen ? 1 : 0);
  // Whoever answers has read what stands above.
  const newAfter = mine ? null : unseen && state.unread === 0 ? entry.seq - 1 : room.newAfter;
  const typing = room.typing.filter((typist) => typist.user !== entry.user);
  if (room.truncated || (!state.following && room.messages.length >= READING_LIMIT)) {
    return { ...inRoom(state, { position, typing, newAfter, truncated: true }), unread };
  }
  const messages = [...room.messages, toMessage(entry)];
  return { ...inRoom(state, { position, typing, newAfter, messages }), unread };
}

function amend(messages: readonly Message[], entry: MessageEdited | MessageDeleted): readonly Message[] {
  const index = messages.findIndex((message) => message.seq === entry.target);
  // What is deleted stays so: an edit that a resume brings may be older than the deletion already shown.
  if (index < 0 || messages[index].deleted) return messages;
  const gone = entry.action === "message_deleted";
  const amended = { ...messages[index], text: gone ? "" : entry.text, edited: !gone, deleted: gone };
  return messages.with(index, amended);
}

/** The room with an older page in front, read from the log when its head was `seq`. */
export function withOlder(
  room: RoomState,
  page: readonly ReceiveMessage[],
  seq: number,
  more: boolean,
): Partial<RoomState> {
  const first = room.messages[0]?.seq ?? Infinity;
  let older: readonly Message[] = page.filter((message) => message.seq < first).map(toMessage);
  for (const entry of room.pending) if (entry.seq > seq) older = amend(older, entry);
  const messages = [...older, ...room.messages];
  const truncated = room.truncated || messages.length > READING_LIMIT;
  return { messages: messages.slice(0, READING_LIMIT), more, truncated, history: "idle", pending: [] };
}

/** Lets the oldest go when there are very many; they can be had again by scrolling up. */
export function trim(state: State): State {
  const { messages } = state.room;
  if (!state.following || messages.length <= HELD_LIMIT) return state;
  return inRoom(state, { messages: messages.slice(-HELD_AFTER_TRIM), more: true });
}

function toMessage(frame: ReceiveMessage): Message {
  const { seq, user, from, text = "", date, id, edited, deleted = false } = frame;
  return { seq, user, from, text, date, id, edited: edited !== undefined && !deleted, deleted };
}
