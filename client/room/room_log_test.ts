import assert from "node:assert/strict";
import type { Entry, ReceiveMessage, RoomJoined, ServerFrame } from "../../chat/protocol.ts";
import { joined, me, message } from "../../testing/clients/frames.ts";
import {
  applyEntry,
  applyJoin,
  arrivals,
  HELD_AFTER_TRIM,
  HELD_LIMIT,
  newerLoaded,
  olderLoaded,
  placeLoaded,
  readBegun,
  readEnded,
  READING_LIMIT,
  readingAt,
  refreshed,
  threadLoaded,
} from "./room_log.ts";
import { QUOTED_LIMIT, THREADS_LIMIT, withQuoted, withThread } from "./answers.ts";
import { emptyRoom, type RoomState } from "./room_state.ts";

const room = "general";
const edited = (seq: number, target: number, text: string): Entry => (
  { action: "message_edited", room, seq, target, user: "u2", text, date: seq }
);
const deleted = (seq: number, target: number): Entry => (
  { action: "message_deleted", room, seq, target, user: "u2", date: seq }
);
/** Of a kind that no version knows yet. */
const unknown = (seq: number, target: number) =>
  ({ ...deleted(seq, target), action: "message_of_tomorrow" }) as unknown as Entry;

function join(state: RoomState, more: Partial<RoomJoined> = {}): RoomState {
  return applyJoin(state, joined(more));
}

function add(state: RoomState, ...entries: Entry[]): RoomState {
  return entries.reduce((next, entry) => applyEntry(next, entry), state);
}

const inRoom = (...entries: Entry[]) => add(join(emptyRoom(room)), ...entries);
const texts = (state: RoomState) => state.messages.map(({ text }) => text);

Deno.test("an entry already seen is ignored", () => {
  assert.deepEqual(texts(inRoom(message(1), message(2), message(1), message(2))), ["text 1", "text 2"]);
});

Deno.test("an entry that does not follow the last one is not shown before what was missed", () => {
  const state = inRoom(message(1), message(3));
  assert.equal(state.hasGap, true);
  assert.deepEqual(texts(state), ["text 1"]);
  const complete = join(state, { recovered: true, seq: 3, messages: [message(2), message(3)] });
  assert.deepEqual(texts(complete), ["text 1", "text 2", "text 3"]);
  assert.equal(complete.hasGap, false);
});

Deno.test("entries of another room are not shown", () => {
  assert.deepEqual(texts(inRoom(message(1, { room: "elsewhere" }))), []);
});

Deno.test("a resume adds exactly what was missed, also edits, deletions and entries of an unknown kind", () => {
  const missed = [edited(3, 1, "better"), deleted(4, 2), unknown(5, 1), message(6)];
  const state = join(inRoom(message(1), message(2)), { recovered: true, seq: 6, messages: missed });
  assert.deepEqual(state.messages.map(({ text, edited, deleted }) => ({ text, edited, deleted })), [
    { text: "better", edited: 3, deleted: undefined },
    { text: undefined, edited: undefined, deleted: true },
    { text: "text 6", edited: undefined, deleted: undefined },
  ]);
  assert.equal(state.missingAfter, null);
  assert.deepEqual(state.position, { epoch: "e1", seq: 6 });
});

Deno.test("without a resume the newest page replaces the messages, and some may be missing before it", () => {
  const state = join(inRoom(message(1)), { seq: 99, messages: [message(98), message(99)], more: true });
  assert.deepEqual(texts(state), ["text 98", "text 99"]);
  assert.equal(state.missingAfter, 1);
  assert.equal(state.more, true);
});

Deno.test("the first page of a room misses nothing", () => {
  assert.equal(join(emptyRoom(room), { seq: 9, messages: [message(9)] }).missingAfter, null);
});

Deno.test("a page shows its messages, and nothing of the other entries in it", () => {
  assert.deepEqual(texts(join(emptyRoom(room), { seq: 9, messages: [message(7), deleted(8, 3), unknown(9, 7)] })), [
    "text 7",
  ]);
});

Deno.test("another epoch replaces all messages, whatever their numbers", () => {
  const state = join(inRoom(message(1), message(2)), {
    epoch: "e2",
    seq: 1,
    messages: [message(1, { text: "new" })],
  });
  assert.deepEqual(texts(state), ["new"]);
  assert.equal(state.missingAfter, 0);
  assert.deepEqual(add(state, message(2)).position, { epoch: "e2", seq: 2 });
});

Deno.test("a join without anything new only changes the members", () => {
  const members = [me, { user: "u2", name: "Mina" }];
  const state = join(inRoom(message(1)), { seq: 1, messages: [message(1)], members, count: 2 });
  assert.equal(state.missingAfter, null);
  assert.deepEqual(texts(state), ["text 1"]);
  assert.equal(state.count, 2);
});

Deno.test("an edit after the deletion does not bring a message back", () => {
  assert.equal(inRoom(message(1), deleted(2, 1), edited(3, 1, "")).messages[0].deleted, true);
});

const page = (seq: number, messages: ReceiveMessage[], more = false) => ({ epoch: "e1", seq, messages, more });
const numbers = (from: number, to: number) =>
  Array.from({ length: to - from + 1 }, (_, index) => message(from + index));
const seqs = ({ messages }: { messages: readonly ReceiveMessage[] }) => messages.map(({ seq }) => seq);

Deno.test("an older page comes first, with the changes that arrived while it was loading", () => {
  const room = join(emptyRoom("general"), { seq: 9, messages: [message(9)], more: true });
  const loading: RoomState = { ...room, older: "loading" };
  const changed = add(loading, edited(10, 8, "late"), unknown(11, 7));
  const state = olderLoaded(changed, page(9, [message(7), message(8)]));
  assert.deepEqual(texts(state), ["text 7", "late", "text 9"]);
  assert.deepEqual([state.more, state.older, state.pending], [false, "idle", []]);
});

Deno.test("a reader of another place has the messages around it, and the newest ones go on by themselves", () => {
  const before = join(emptyRoom(room), { seq: 100, messages: numbers(91, 100), more: true });
  const there = placeLoaded(before, page(100, numbers(20, 40), true));
  assert.deepEqual([seqs(there).at(0), seqs(there).at(-1), there.more], [20, 40, true]);
  const later = add(there, message(101), edited(102, 95, "better"), edited(103, 30, "good"));
  assert.equal(seqs(later).at(-1), 40, "what is new is not among what is read");
  assert.equal(later.messages.find(({ seq }) => seq === 30)?.text, "good");
  assert.deepEqual(seqs(later.newest!), [...seqs(before), 101]);
  const back = readingAt(later, true);
  assert.deepEqual([seqs(back).at(0), seqs(back).at(-1), back.newest], [91, 101, null]);
  assert.equal(back.messages.find(({ seq }) => seq === 95)?.text, "better");
});

Deno.test("newer pages lead on to the newest messages, each of which is there once", () => {
  let state = placeLoaded(
    join(emptyRoom(room), { seq: 60, messages: numbers(51, 60), more: true }),
    page(60, numbers(1, 20)),
  );
  state = newerLoaded(state, page(60, numbers(21, 40), true));
  assert.notEqual(state.newest, null);
  state = add(state, message(61));
  state = newerLoaded(state, page(60, numbers(41, 55), true));
  assert.deepEqual(seqs(state), seqs({ messages: numbers(1, 61) }));
  assert.deepEqual([state.newest, state.more, state.atNewest], [null, false, false]);
  // Between the last messages there is only what nobody sees, such as edits.
  const sparse = placeLoaded(
    join(emptyRoom(room), { seq: 60, messages: [message(60)], more: true }),
    page(60, numbers(1, 20)),
  );
  assert.deepEqual(seqs(newerLoaded(sparse, page(60, []))), [...seqs({ messages: numbers(1, 20) }), 60]);
});

Deno.test("a place that reaches the newest messages is one stretch with them", () => {
  const state = placeLoaded(
    join(emptyRoom(room), { seq: 60, messages: numbers(51, 60), more: true }),
    page(60, numbers(41, 55), true),
  );
  assert.deepEqual([seqs(state), state.newest], [seqs({ messages: numbers(41, 60) }), null]);
});

Deno.test("a join that can't resume leaves a reader of older messages where they are", () => {
  const reading = readingAt(inRoom(...numbers(1, 9)), false);
  const state = join(reading, { seq: 99, messages: numbers(90, 99), more: true });
  assert.deepEqual([seqs(state), seqs(state.newest!), state.missingAfter], [
    seqs(reading),
    seqs({ messages: numbers(90, 99) }),
    null,
  ]);
  assert.equal(
    join(reading, { epoch: "e2", seq: 99, messages: numbers(90, 99) }).newest,
    null,
    "old places mean nothing",
  );
});

Deno.test("at the newest message the oldest are released, and can be loaded again", () => {
  const state = inRoom(...Array.from({ length: HELD_LIMIT + 1 }, (_, index) => message(index + 1)));
  assert.equal(state.messages.length, HELD_AFTER_TRIM);
  assert.equal(state.messages.at(-1)?.seq, HELD_LIMIT + 1);
  assert.equal(state.more, true);
});

Deno.test("up in the history nothing is taken away: past the limit the newest are apart", () => {
  const entries = numbers(1, READING_LIMIT + 10);
  const state = add(readingAt(inRoom(), false), ...entries);
  assert.deepEqual([state.messages.length, seqs(state)[0]], [READING_LIMIT, 1]);
  assert.equal(seqs(state.newest!).at(-1), READING_LIMIT + 10);
  const more = newerLoaded(state, page(READING_LIMIT + 10, numbers(READING_LIMIT + 1, READING_LIMIT + 10)));
  assert.deepEqual([seqs(more).at(-1), more.newest, more.more], [READING_LIMIT + 10, null, true]);
  assert.equal(seqs(readingAt(state, true)).at(-1), READING_LIMIT + 10);
  const full = { ...state, more: true };
  const older = olderLoaded(
    { ...full, newest: null, messages: numbers(51, READING_LIMIT + 50) },
    page(READING_LIMIT + 50, numbers(1, 50)),
  );
  assert.deepEqual([seqs(older).at(0), seqs(older).length, seqs(older.newest!).at(-1)], [
    1,
    READING_LIMIT,
    READING_LIMIT + 50,
  ]);
});

Deno.test("entries arrive once: live or with a resume, but not with a page that replaces the messages", () => {
  const before = inRoom(message(1));
  const count = (frame: ServerFrame, after: RoomState) => arrivals(before, after, frame).map(({ seq }) => seq);
  assert.deepEqual(count(message(2), add(before, message(2))), [2]);
  assert.deepEqual(count(message(1), add(before, message(1))), []);
  assert.deepEqual(count(message(3), add(before, message(3))), []);
  const resume = joined({ recovered: true, seq: 3, messages: [message(1), message(2), message(3)] });
  assert.deepEqual(count(resume, applyJoin(before, resume)), [2, 3]);
  const page = joined({ seq: 3, messages: [message(2), message(3)] });
  assert.deepEqual(count(page, applyJoin(before, page)), []);
});

const answer = (seq: number, to: number, more: Partial<ReceiveMessage> = {}) => message(seq, { reply_to: to, ...more });
const replies = (state: RoomState) => state.messages.map(({ replies }) => replies ?? 0);

Deno.test("each answer that is held and not deleted counts once, wherever it comes from", () => {
  const live = inRoom(message(1), answer(2, 1), answer(3, 1), answer(4, 2), deleted(5, 2));
  assert.deepEqual(replies(live), [1, 1, 0, 0], "what answers a deleted message still does");
  assert.deepEqual(replies(add(live, deleted(6, 3), edited(7, 1, "better"))), [0, 1, 0, 0]);
  const resumed = join(live, {
    recovered: true,
    seq: 8,
    messages: [answer(6, 1), answer(7, 1, { text: undefined, deleted: true }), deleted(8, 7)],
  });
  assert.deepEqual(replies(resumed).slice(0, 1), [2], "what was deleted meanwhile was never counted");
  // A page says up to where it counts. The connection may be behind it, or before it.
  const before = join(emptyRoom(room), { seq: 10, messages: [message(10)], more: true });
  const loading: RoomState = { ...before, older: "loading" };
  const ahead = olderLoaded(loading, page(12, [message(8, { replies: 2 }), message(9)]));
  assert.deepEqual(replies(add(ahead, answer(11, 8), deleted(12, 11), answer(13, 8))), [3, 0, 0, 0, 0]);
  const late = add(loading, answer(11, 8), answer(12, 8), deleted(13, 11));
  assert.deepEqual(replies(olderLoaded(late, page(11, [message(8, { replies: 1 }), message(9)]))), [1, 0, 0, 0, 0]);
});

Deno.test("what is held apart goes on with what comes, until a join can't resume", () => {
  const read = Symbol();
  const at = join(emptyRoom(room), { seq: 60, messages: numbers(51, 60), more: true });
  const quoted = withQuoted(readEnded(readBegun(at, read), read), 7, message(7));
  const open = threadLoaded(
    add(
      readBegun(withThread(quoted, 3, { messages: [], more: true, request: "loading" }), read),
      answer(61, 3),
      edited(62, 5, "late"),
    ),
    3,
    page(60, [answer(5, 3), answer(52, 3)]),
  );
  const later = add(open, answer(63, 3), deleted(64, 52), edited(65, 7, "better"), answer(66, 4));
  assert.deepEqual(
    later.threads.get(3)?.messages.map(({ seq, text, deleted }) => deleted ? -seq : text),
    ["late", -52, "text 61", "text 63"],
  );
  assert.equal(later.quoted.get(7)?.text, "better");
  assert.equal(add(later, deleted(67, 7)).quoted.get(7)?.deleted, true);
  assert.deepEqual([later.pending.length > 0, readEnded(later, read).pending.length], [true, 0]);
  const lost = join(later, { seq: 99, messages: numbers(90, 99), more: true });
  assert.deepEqual([lost.quoted.size, lost.threads.size, lost.reads.size], [0, 0, 0]);
  const many = Array.from({ length: QUOTED_LIMIT + 9 }, (_, index) => index + 1);
  assert.equal(many.reduce((next, seq) => withQuoted(next, seq, null), at).quoted.size, QUOTED_LIMIT);
  const thread = { messages: [], more: false, request: "idle" } as const;
  assert.equal(many.reduce((next, seq) => withThread(next, seq, thread), at).threads.size, THREADS_LIMIT);
});

Deno.test("a reaction counts once, however far the page of its message was ahead of the connection", () => {
  const thumbs = (count: number) => [{ emoji: "👍", count, users: ["u2"] }];
  const reacted = (seq: number, target: number, user = `u${seq}`): Entry => (
    { action: "message_reacted", room, seq, target, changes: [{ user, from: user, emoji: "👍", on: true }], date: seq }
  );
  const page = (seq: number, ...messages: ReceiveMessage[]) => ({ epoch: "e1", seq, messages, more: false });
  const counts = (state: RoomState) => state.messages.map(({ reactions }) => reactions?.[0].count);
  const read = refreshed(inRoom(message(1), message(2)), page(4, message(1, { reactions: thumbs(2) })));
  // Another page was read before that one.
  const placed = placeLoaded(read, page(3, message(1, { reactions: thumbs(1) }), message(2)));
  assert.deepEqual(counts(placed), [2, undefined]);
  assert.deepEqual(counts(add(placed, reacted(3, 1), reacted(4, 1), reacted(5, 1), reacted(6, 2))), [3, 1]);
  // What is not there any more is as the next page has it.
  const elsewhere = { ...read, messages: [], more: true };
  const again = olderLoaded(elsewhere, page(3, message(1, { reactions: thumbs(1) })));
  assert.deepEqual(counts(add(again, reacted(3, 1), reacted(4, 1))), [2]);
  assert.equal(add(again, reacted(3, 1), reacted(4, 1)).ahead.size, 0, "the connection has caught up");
});

Deno.test("what one has given oneself is known from pages and from entries, also of another tab, until it is deleted", () => {
  const own = (seq: number, on: boolean): Entry => (
    {
      action: "message_reacted",
      room,
      seq,
      target: 1,
      changes: [{ user: me.user, from: "", emoji: "🎉", on }],
      date: 0,
    }
  );
  const reactions = [{ emoji: "👍", count: 9, users: [] }];
  const page = { seq: 1, messages: [message(1, { reactions })], reacted: { 1: ["👍"] } };
  const given = (...entries: Entry[]) =>
    entries.reduce((state, entry) => applyEntry(state, entry, me.user), join(emptyRoom(room), page)).messages[0]
      .reacted;
  assert.deepEqual(given(), ["👍"]);
  assert.deepEqual(given(own(2, true)), ["👍", "🎉"]);
  assert.deepEqual(given(own(2, true), own(3, false)), ["👍"]);
  assert.equal(given(deleted(2, 1)), undefined);
});
