/**
 * A client's part of a room's log: consecutive messages around the reader, and the newest ones. Pure functions from one
 * state to the next.
 */
import { changed, isMessage } from "../../chat/entries/kinds.ts";
import type { Entry, HistoryPage, ReceiveMessage, RoomJoined, ServerFrame } from "../../chat/protocol.ts";
import { counted, countedLater, withAnswer, withThread } from "./answers.ts";
import type { RoomState, Stretch } from "./room_state.ts";

/** Messages kept of the newest ones, and how many remain when there are more. */
export const HELD_LIMIT = 1_000;
export const HELD_AFTER_TRIM = 800;
/** Messages kept around a reader who is up in the history. */
export const READING_LIMIT = 3_000;

/** The room after a `room_joined`: with what was missed, or with the newest page in place of what was newest there. */
export function applyJoin(room: RoomState, frame: RoomJoined): RoomState {
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
  const nothingNew = sameEpoch && frame.seq <= position.seq;
  if (frame.recovered || nothingNew) {
    const caughtUp = frame.messages.reduce((before, entry) => applyEntry(before, entry), next);
    const seq = Math.max(frame.seq, caughtUp.position?.seq ?? 0);
    return { ...caughtUp, position: { epoch: frame.epoch, seq } };
  }
  const page = { messages: frame.messages.filter(isMessage), more: frame.more };
  // Of what is held apart nobody tells how it has changed meanwhile.
  const moved = { ...next, ...NOTHING_APART, position: { epoch: frame.epoch, seq: frame.seq } };
  const missed = position !== null && room.messages.length > 0;
  // Who reads older messages goes on with them. What lies between them and the page can be loaded.
  if (missed && sameEpoch && !room.atNewest) {
    return meeting({ ...moved, ...noPages(moved), newest: page }, historyStart(room));
  }
  return {
    ...moved,
    ...page,
    ...noPages(moved),
    newest: null,
    missingAfter: missed ? (sameEpoch ? position.seq : 0) : sameEpoch ? missingAfter : null,
  };
}

/**
 * The room after one more entry. An entry already seen is ignored; one that does not follow the last only marks a gap.
 */
export function applyEntry(room: RoomState, entry: Entry): RoomState {
  if (entry.room !== room.name || !room.position || entry.seq <= room.position.seq) return room;
  if (entry.seq > room.position.seq + 1) return { ...room, hasGap: true };
  const moved: RoomState = { ...room, position: { epoch: room.position.epoch, seq: entry.seq } };
  const next = remembered(counted(withoutAhead(moved), entry), entry);
  if (!isMessage(entry)) return changedBy(next, entry);
  const typing = room.typing.filter((typist) => typist.user !== entry.user);
  return withNewest(withAnswer({ ...next, typing }, entry), entry);
}

/** What is loading now may have been read before this entry. */
function remembered(room: RoomState, entry: Entry): RoomState {
  const changesOthers = !isMessage(entry) || entry.reply_to !== undefined;
  return changesOthers && isReading(room) ? { ...room, pending: [...room.pending, entry] } : room;
}

/** The connection has caught up with all that was ahead of it. */
function withoutAhead(room: RoomState): RoomState {
  if (room.ahead.size === 0 || Math.max(...room.ahead.values()) >= room.position!.seq) return room;
  return { ...room, ahead: new Map() };
}

/** What an entry that is no message does to those that are there. */
function changedBy(room: RoomState, entry: Entry): RoomState {
  if (!("target" in entry)) return room;
  const { quoted, threads } = room;
  const other = quoted.get(entry.target);
  return {
    ...room,
    messages: withChange(room.messages, entry),
    newest: room.newest && { ...room.newest, messages: withChange(room.newest.messages, entry) },
    quoted: other ? new Map(quoted).set(entry.target, withChange([other], entry)[0]) : quoted,
    threads: threads.size === 0 ? threads : new Map(
      [...threads].map(([parent, thread]) => [parent, { ...thread, messages: withChange(thread.messages, entry) }]),
    ),
  };
}

/** With one more message behind the newest. A reader who is elsewhere has at most `READING_LIMIT` messages. */
function withNewest(room: RoomState, message: ReceiveMessage): RoomState {
  const append = ({ messages, more }: Stretch) => ({ messages: [...messages, message], more });
  if (room.newest) return { ...room, newest: trimmed(append(room.newest)) };
  if (room.atNewest) return released({ ...room, ...append(room) });
  if (room.messages.length < READING_LIMIT) return { ...room, ...append(room) };
  return { ...room, newest: append(endOf(room)) };
}

/** The entries of a frame that were new to the room, given its state before and after the frame. */
export function arrivals(before: RoomState, after: RoomState, frame: ServerFrame): Entry[] {
  const entries = isEntry(frame) ? [frame] : frame.action === "room_joined" && frame.recovered ? frame.messages : [];
  const [first, last] = [before.position?.seq ?? Infinity, after.position?.seq ?? 0];
  return entries.filter(({ room, seq }) => room === after.name && seq > first && seq <= last);
}

/**
 * Whether a `room_joined` has left messages as they were before, and does not tell how they have been changed since.
 */
export function missesChanges(before: RoomState, after: RoomState, frame: RoomJoined): boolean {
  const isBehind = !frame.recovered && before.position !== null && frame.seq > before.position.seq;
  return isBehind && after.messages.length > 0 && after.messages[0] === before.messages[0];
}

/** The room with its messages as a page has them, where that is newer. */
export function refreshed(room: RoomState, page: HistoryPage): RoomState {
  const read = new Map(pageOf(room, page).map((message) => [message.seq, message]));
  const refresh = (messages: readonly ReceiveMessage[]) =>
    messages.map((message) => {
      const other = read.get(message.seq);
      return other ? withReplies(newerOf(message, other), isAhead(room, message, page) ? message : other) : message;
    });
  // Meanwhile the reader may have gone to another place: then these are the newest.
  const newest = room.newest && { ...room.newest, messages: refresh(room.newest.messages) };
  return { ...room, messages: refresh(room.messages), newest, ahead: aheadWith(room, page) };
}

/** Whether more is known of a message's counts than a page tells. */
function isAhead(room: RoomState, { seq }: ReceiveMessage, page: HistoryPage): boolean {
  return (room.ahead.get(seq) ?? 0) > page.seq;
}

function withReplies({ replies: _, ...message }: ReceiveMessage, { replies }: ReceiveMessage): ReceiveMessage {
  return replies === undefined ? message : { ...message, replies };
}

/** Whichever of two states of a message came later. */
function newerOf(one: ReceiveMessage, other: ReceiveMessage): ReceiveMessage {
  if (one.deleted || other.deleted) return one.deleted ? one : other;
  return (other.edited ?? 0) > (one.edited ?? 0) ? other : one;
}

/** The room of a reader who is at the newest message, or who is not. */
export function readingAt(room: RoomState, atNewest: boolean): RoomState {
  if (!atNewest) return room.atNewest ? { ...room, atNewest } : room;
  if (room.newest) return { ...room, ...room.newest, ...noPages(room), newest: null, atNewest };
  return released(room.atNewest ? room : { ...room, atNewest });
}

/** A page that is loading is to be joined to the oldest message: until it has come, that one stays. */
function released(room: RoomState): RoomState {
  const { messages, more } = isLoading(room) ? room : trimmed(room);
  return messages === room.messages ? room : { ...room, messages, more };
}

/** Without the oldest messages when there are very many. They load again when the reader scrolls up. */
function trimmed(stretch: Stretch): Stretch {
  return stretch.messages.length <= HELD_LIMIT ? stretch : endOf(stretch);
}

function endOf({ messages, more }: Stretch): Stretch {
  return { messages: messages.slice(-HELD_AFTER_TRIM), more: more || messages.length > HELD_AFTER_TRIM };
}

const NOTHING_APART = { reads: new Set<symbol>(), ahead: new Map(), quoted: new Map(), threads: new Map() } as const;

/** The fields of a room for which no page is loading. */
function noPages({ reads, pending }: RoomState): Pick<RoomState, "older" | "newer" | "pending"> {
  return { older: "idle", newer: "idle", pending: reads.size === 0 ? [] : pending };
}

/** The room before a page is requested. */
export function pageRequested(room: RoomState, request: "older" | "newer", other: Partial<RoomState> = {}): RoomState {
  return { ...room, ...other, pending: isReading(room) ? room.pending : [], [request]: "loading" };
}

export function pagesStopped(room: RoomState): RoomState {
  return { ...room, ...noPages(room) };
}

export function pageFailed(room: RoomState, request: "older" | "newer"): RoomState {
  return { ...room, ...noPages(room), [request]: "failed" };
}

/** The room before something else is read from the server, which `read` names. */
export function readBegun(room: RoomState, read: symbol): RoomState {
  return { ...room, pending: isReading(room) ? room.pending : [], reads: new Set(room.reads).add(read) };
}

/** The room after that: what was read is to be taken first. */
export function readEnded(room: RoomState, read: symbol): RoomState {
  const reads = new Set(room.reads);
  if (!reads.delete(read)) return room;
  const next = { ...room, reads };
  return isReading(next) ? next : { ...next, pending: [] };
}

function isReading(room: RoomState): boolean {
  return isLoading(room) || room.reads.size > 0;
}

/** Whether a page was requested. There is one request at a time. */
export function isLoading({ older, newer }: RoomState): boolean {
  return older === "loading" || newer === "loading";
}

/** An older page holds what came before this `seq`. */
export function historyEnd(room: RoomState): number {
  return room.messages[0]?.seq ?? (room.position?.seq ?? 0) + 1;
}

/** A newer page holds what came after this `seq`. */
export function historyStart(room: RoomState): number {
  return room.messages.at(-1)?.seq ?? 0;
}

/** The room with an older page before its messages. */
export function olderLoaded(room: RoomState, page: HistoryPage): RoomState {
  const end = historyEnd(room);
  const messages = [...pageOf(room, page).filter(({ seq }) => seq < end), ...room.messages];
  const loaded = {
    ...room,
    ...noPages(room),
    ahead: aheadWith(room, page),
    messages: messages.slice(0, READING_LIMIT),
    more: page.more,
    newest: messages.length > READING_LIMIT ? room.newest ?? endOf(room) : room.newest,
  };
  // Where nothing was around the reader yet, the page may be that of the newest.
  return room.messages.length === 0 ? meeting(loaded, historyStart(loaded)) : loaded;
}

/** The room with a newer page behind its messages, which are those of a reader of older ones. */
export function newerLoaded(room: RoomState, page: HistoryPage): RoomState {
  if (!room.newest) return { ...room, ...noPages(room) };
  const start = historyStart(room);
  const all = [...room.messages, ...pageOf(room, page).filter(({ seq }) => seq > start)];
  const messages = all.slice(-READING_LIMIT);
  const more = room.more || all.length > READING_LIMIT;
  const next = { ...room, ...noPages(room), ahead: aheadWith(room, page), messages, more };
  return meeting(next, page.more ? historyStart(next) : page.seq);
}

/** The room with the messages around another place. */
export function placeLoaded(room: RoomState, page: HistoryPage): RoomState {
  const messages = pageOf(room, page);
  const newest = room.newest ?? { messages: room.messages, more: room.more };
  const ahead = aheadWith(room, page);
  const placed = { ...room, ...noPages(room), ahead, messages, more: page.more, newest, atNewest: false };
  return meeting(placed, historyStart(placed));
}

/**
 * The messages and the newest ones as one stretch, if they meet.
 * @param until all messages up to this `seq` are there
 */
function meeting(room: RoomState, until: number): RoomState {
  const { messages, newest } = room;
  if (!newest) return room;
  // Where none of the newest is loaded yet, all there are come before the next entry.
  const end = room.position && newest.more ? room.position.seq + 1 : 0;
  if ((newest.messages[0]?.seq ?? end) > until + 1) return room;
  const last = historyStart(room);
  return { ...room, messages: [...messages, ...newest.messages.filter(({ seq }) => seq > last)], newest: null };
}

/**
 * The messages of a page, with the changes that arrived while it was loading. A page may also be ahead of the
 * connection, which is still to bring its last messages.
 */
export function pageOf(room: RoomState, page: HistoryPage): readonly ReceiveMessage[] {
  const { pending, position } = room;
  const messages: readonly ReceiveMessage[] = page.messages.filter(({ seq }) => seq <= (position?.seq ?? 0));
  const later = pending.filter(({ seq }) => seq > page.seq);
  return later.reduce(withChange, countedLater(messages, page.messages, later, room));
}

/** The room with one more page of the answers to a message. */
export function threadLoaded(room: RoomState, parent: number, page: HistoryPage): RoomState {
  const before = room.threads.get(parent)?.messages ?? [];
  const start = before.at(-1)?.seq ?? 0;
  const messages = [...before, ...pageOf(room, page).filter(({ seq }) => seq > start)];
  const loaded = withThread(room, parent, { messages, more: page.more, request: "idle" });
  // What was said while it was loading is behind the last page.
  const later = room.pending.filter((entry) => isMessage(entry) && entry.reply_to === parent && entry.seq > page.seq);
  return (later as ReceiveMessage[]).reduce(withAnswer, loaded);
}

/** What the messages of a page count already, although the connection is still to bring it. */
function aheadWith({ ahead, position }: RoomState, page: HistoryPage): RoomState["ahead"] {
  const here = position?.seq ?? 0;
  if (page.seq <= here) return ahead;
  const next = new Map(ahead);
  // Those that the connection is still to bring are not taken from the page.
  for (const { seq } of page.messages) if (seq <= here) next.set(seq, Math.max(page.seq, next.get(seq) ?? 0));
  return next;
}

/**
 * Frames with a place in a room that are no entries of its log. The compiler refuses a list in which one is missing.
 */
const NO_ENTRIES: Record<Exclude<Extract<ServerFrame, { room: string; seq: number }>, Entry>["action"], true> = {
  room_joined: true,
};

/** Whether a frame is an entry of a room's log, also of a kind that this client doesn't know. */
export function isEntry(frame: ServerFrame): frame is Entry {
  return "seq" in frame && "room" in frame && !Object.hasOwn(NO_ENTRIES, frame.action);
}

/** The messages after an entry that may change one of them. */
export function withChange(messages: readonly ReceiveMessage[], entry: Entry): readonly ReceiveMessage[] {
  if (!("target" in entry)) return messages;
  const index = messages.findIndex((message) => message.seq === entry.target);
  // A deleted message stays deleted: an edit that a resume brings may be older than the deletion already shown.
  if (index < 0 || messages[index].deleted) return messages;
  return messages.with(index, changed(messages[index], entry));
}
