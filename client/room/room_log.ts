/**
 * A client's part of a room's log: consecutive messages around the reader, and the newest ones. Pure functions from one
 * state to the next.
 */
import { changed, isMessage } from "../../chat/entries/kinds.ts";
import type {
  Entry,
  HistoryPage,
  Reacted,
  ReactionChange,
  ReceiveMessage,
  RoomJoined,
  ServerFrame,
} from "../../chat/protocol.ts";
import { counted, countedLater, messageOf, withAnswer, withThread } from "./answers.ts";
import { type HeldMessage, inAllPlaces, type RoomState, type Stretch, withMessage } from "./room_state.ts";

/** Messages kept of the newest ones, and how many remain when there are more. */
export const HELD_LIMIT = 1_000;
export const HELD_AFTER_TRIM = 800;
/** Messages kept around a reader who is up in the history. */
export const READING_LIMIT = 3_000;

/**
 * The room after a `room_joined`: with what was missed, or with the newest page in place of what was newest there.
 * @param me one's own id
 */
export function applyJoin(room: RoomState, frame: RoomJoined, me?: string): RoomState {
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
    const caughtUp = frame.messages.reduce((before, entry) => applyEntry(before, entry, me), next);
    const seq = Math.max(frame.seq, caughtUp.position?.seq ?? 0);
    return { ...caughtUp, position: { epoch: frame.epoch, seq }, ahead: without(caughtUp.ahead, seq) };
  }
  const moved: RoomState = {
    ...next,
    // Of what is held apart nobody tells how it has changed meanwhile.
    ...NOTHING_APART,
    ...IDLE,
    pending: [],
    position: { epoch: frame.epoch, seq: frame.seq },
    ahead: sameEpoch ? without(room.ahead, frame.seq) : new Map(),
  };
  const { room: read, messages } = merged(moved, { ...frame, messages: frame.messages.filter(isMessage) }, me);
  const page = { messages, more: frame.more };
  const missed = position !== null && room.messages.length > 0;
  // Who reads older messages goes on with them. What lies between them and the page can be loaded.
  if (missed && sameEpoch && !room.atNewest) {
    return meeting({ ...read, newest: page }, historyStart(room));
  }
  return {
    ...read,
    ...page,
    newest: null,
    missingAfter: missed ? (sameEpoch ? position.seq : 0) : sameEpoch ? missingAfter : null,
  };
}

/**
 * The room after one more entry. An entry already seen is ignored; one that does not follow the last only marks a gap.
 * @param me one's own id
 */
export function applyEntry(room: RoomState, entry: Entry, me?: string): RoomState {
  if (entry.room !== room.name || !room.position || entry.seq <= room.position.seq) return room;
  if (entry.seq > room.position.seq + 1) return { ...room, hasGap: true };
  const moved: RoomState = { ...room, position: { epoch: room.position.epoch, seq: entry.seq } };
  const before = remembered(counted(moved, entry), entry);
  const next = { ...changedBy(before, entry, me), ahead: without(room.ahead, entry.seq) };
  if (!isMessage(entry)) return next;
  const typing = room.typing.filter((typist) => typist.user !== entry.user);
  return withNewest(withAnswer({ ...next, typing }, entry), entry);
}

/** What is loading now may have been read before this entry. */
function remembered(room: RoomState, entry: Entry): RoomState {
  const changesOthers = !isMessage(entry) || entry.reply_to !== undefined;
  return changesOthers && isReading(room) ? { ...room, pending: [...room.pending, entry] } : room;
}

/** What an entry does to messages that are there, unless they have it already. */
function changedBy(room: RoomState, entry: Entry, me?: string): RoomState {
  if (!("target" in entry) || entry.seq <= (room.ahead.get(entry.target) ?? 0)) return room;
  const { target } = entry;
  return inAllPlaces(room, (messages) => withMessage(messages, target, (message) => afterChange(message, entry, me)));
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

/** The room with its messages as a page has them. */
export function refreshed(room: RoomState, page: HistoryPage, me?: string): RoomState {
  return merged(room, page, me).room;
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

const NOTHING_APART = { reads: new Set<symbol>(), quoted: new Map(), threads: new Map() } as const;
const IDLE = { older: "idle", newer: "idle" } as const;

/** The fields of a room for which no page is loading. */
function noPages({ reads, pending }: RoomState): Pick<RoomState, "older" | "newer" | "pending"> {
  return { ...IDLE, pending: reads.size === 0 ? [] : pending };
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
export function olderLoaded(before: RoomState, page: HistoryPage, me?: string): RoomState {
  const { room, messages: read } = merged(before, page, me);
  const end = historyEnd(room);
  const messages = [...read.filter(({ seq }) => seq < end), ...room.messages];
  const loaded = {
    ...room,
    ...noPages(room),
    messages: messages.slice(0, READING_LIMIT),
    more: page.more,
    newest: messages.length > READING_LIMIT ? room.newest ?? endOf(room) : room.newest,
  };
  // Where nothing was around the reader yet, the page may be that of the newest.
  return room.messages.length === 0 ? meeting(loaded, historyStart(loaded)) : loaded;
}

/** The room with a newer page behind its messages, which are those of a reader of older ones. */
export function newerLoaded(before: RoomState, page: HistoryPage, me?: string): RoomState {
  if (!before.newest) return { ...before, ...noPages(before) };
  const { room, messages: read } = merged(before, page, me);
  const start = historyStart(room);
  const all = [...room.messages, ...read.filter(({ seq }) => seq > start)];
  const messages = all.slice(-READING_LIMIT);
  const more = room.more || all.length > READING_LIMIT;
  const next = { ...room, ...noPages(room), messages, more };
  return meeting(next, page.more ? historyStart(next) : page.seq);
}

/** The room with the messages around another place. */
export function placeLoaded(before: RoomState, page: HistoryPage, me?: string): RoomState {
  const { room, messages } = merged(before, page, me);
  const newest = room.newest ?? { messages: room.messages, more: room.more };
  const placed = { ...room, ...noPages(room), messages, more: page.more, newest, atNewest: false };
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
 * A page's messages with the changes that arrived while it was loading, and the room whose own messages are as the page
 * has them, unless they are newer. A page may be ahead of the connection, which is still to bring its last messages, and
 * whose next entries have changed the others already.
 */
export function merged(
  room: RoomState,
  page: HistoryPage,
  me?: string,
): { room: RoomState; messages: readonly HeldMessage[] } {
  const at = room.position?.seq ?? 0;
  const ahead = new Map(room.ahead);
  const later = room.pending.filter(({ seq }) => seq > page.seq);
  const held = withReacted(page.messages.filter(({ seq }) => seq <= at), page.reacted);
  const read = countedLater(held, page.messages, later, room).map((message) => {
    const shown = messageOf(room, message.seq);
    if (shown && (ahead.get(message.seq) ?? 0) > page.seq) return shown;
    if (page.seq > at) ahead.set(message.seq, page.seq);
    else ahead.delete(message.seq);
    return later.reduce<HeldMessage>((before, entry) => afterChange(before, entry, me), message);
  });
  const bySeq = new Map(read.map((message) => [message.seq, message]));
  const next = inAllPlaces(room, (all) => all.map((message) => bySeq.get(message.seq) ?? message));
  return { room: { ...next, ahead }, messages: read };
}

/** Those that later entries may still be in. */
function without(ahead: RoomState["ahead"], seq: number): RoomState["ahead"] {
  const isPast = ([, until]: [number, number]) => until <= seq;
  return ahead.entries().some(isPast) ? new Map(ahead.entries().filter((each) => !isPast(each))) : ahead;
}

/** The messages of a page, with what one has given them oneself. */
export function withReacted(messages: readonly ReceiveMessage[], reacted: Reacted = {}): readonly HeldMessage[] {
  return messages.map((message) => reacted[message.seq] ? { ...message, reacted: reacted[message.seq] } : message);
}

/** The room with one more page of the answers to a message. */
export function threadLoaded(before: RoomState, parent: number, page: HistoryPage, me?: string): RoomState {
  const { room, messages: read } = merged(before, page, me);
  const shown = room.threads.get(parent)?.messages ?? [];
  const start = shown.at(-1)?.seq ?? 0;
  const messages = [...shown, ...read.filter(({ seq }) => seq > start)];
  const loaded = withThread(room, parent, { messages, more: page.more, request: "idle" });
  // What was said while it was loading is behind the last page.
  const later = room.pending.filter((entry) => isMessage(entry) && entry.reply_to === parent && entry.seq > page.seq);
  return (later as ReceiveMessage[]).reduce(withAnswer, loaded);
}

/**
 * Frames with a place in a room that are no entries of its log. The compiler refuses a list in which one is missing.
 */
const NO_ENTRIES: Record<
  Exclude<Extract<ServerFrame, { room: string; seq: number }>, Entry>["action"] | "read_marked",
  true
> = {
  room_joined: true,
  // Of servers to come: a page that stays open over an update may meet it.
  read_marked: true,
};

/** Whether a frame is an entry of a room's log, also of a kind that this client doesn't know. */
export function isEntry(frame: ServerFrame): frame is Entry {
  return "seq" in frame && "room" in frame && !Object.hasOwn(NO_ENTRIES, frame.action);
}

/** The room of somebody else, who has given nothing as far as is known. */
export function withoutOwn(room: RoomState): RoomState {
  return inAllPlaces(room, (messages) => messages.map(({ reacted: _, ...message }) => message));
}

function afterChange(message: HeldMessage, entry: Entry, me?: string): HeldMessage {
  // A deleted message stays deleted: an edit that a resume brings may be older than the deletion already shown.
  if (message.deleted || !("target" in entry) || entry.target !== message.seq) return message;
  const { reacted = [], ...next }: HeldMessage = changed(message, entry);
  if (next.deleted) return next;
  const own = "changes" in entry ? entry.changes.filter(({ user }) => user === me).reduce(withOwn, reacted) : reacted;
  return own.length > 0 ? { ...next, reacted: own } : next;
}

/** What one has given, after one more of one's own changes. */
function withOwn(reacted: readonly string[], { emoji, on }: Pick<ReactionChange, "emoji" | "on">): readonly string[] {
  const others = reacted.filter((other) => other !== emoji);
  return on ? [...others, emoji] : others;
}
