import assert from "node:assert/strict";
import type { Entry, RoomJoined, ServerFrame } from "../../chat/protocol.ts";
import { joined, me, message } from "../../testing/clients/frames.ts";
import {
  applyEntry,
  applyJoin,
  arrivals,
  HELD_AFTER_TRIM,
  HELD_LIMIT,
  historyLoaded,
  historyRequested,
  READING_LIMIT,
} from "./room_log.ts";
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
  ({ ...deleted(seq, target), action: "message_reacted" }) as unknown as Entry;

function join(state: RoomState, more: Partial<RoomJoined> = {}): RoomState {
  return applyJoin(state, joined(more), true);
}

function add(state: RoomState, ...entries: Entry[]): RoomState {
  return entries.reduce((next, entry) => applyEntry(next, entry, true), state);
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

Deno.test("an older page comes first, with the changes that arrived while it was loading", () => {
  const loading = historyRequested(join(emptyRoom(room), { seq: 9, messages: [message(9)], more: true }));
  const changed = add(loading, edited(10, 8, "late"), unknown(11, 7));
  const page = { epoch: "e1", seq: 9, messages: [message(7), message(8)], more: false };
  const state = historyLoaded(changed, page);
  assert.deepEqual(texts(state), ["text 7", "late", "text 9"]);
  assert.equal(state.more, false);
});

Deno.test("at the newest message the oldest are released, and can be loaded again", () => {
  const state = inRoom(...Array.from({ length: HELD_LIMIT + 1 }, (_, index) => message(index + 1)));
  assert.equal(state.messages.length, HELD_AFTER_TRIM);
  assert.equal(state.messages.at(-1)?.seq, HELD_LIMIT + 1);
  assert.equal(state.more, true);
});

Deno.test("up in the history nothing is taken away: past the limit the newest are left out", () => {
  const entries = Array.from({ length: READING_LIMIT + 10 }, (_, index) => message(index + 1));
  const state = entries.reduce((next, entry) => applyEntry(next, entry, false), inRoom());
  assert.equal(state.messages.length, READING_LIMIT);
  assert.equal(state.messages[0].seq, 1);
  assert.equal(state.truncated, true);
  const back = join(state, { seq: READING_LIMIT + 10, messages: [message(READING_LIMIT + 10)], more: true });
  assert.equal(back.messages.at(-1)?.seq, READING_LIMIT + 10);
  assert.equal(back.missingAfter, null);
});

Deno.test("entries arrive once: live or with a resume, but not with a page that replaces the messages", () => {
  const before = inRoom(message(1));
  const count = (frame: ServerFrame, after: RoomState) => arrivals(before, after, frame).map(({ seq }) => seq);
  assert.deepEqual(count(message(2), add(before, message(2))), [2]);
  assert.deepEqual(count(message(1), add(before, message(1))), []);
  assert.deepEqual(count(message(3), add(before, message(3))), []);
  const resume = joined({ recovered: true, seq: 3, messages: [message(1), message(2), message(3)] });
  assert.deepEqual(count(resume, applyJoin(before, resume, true)), [2, 3]);
  const page = joined({ seq: 3, messages: [message(2), message(3)] });
  assert.deepEqual(count(page, applyJoin(before, page, true)), []);
});
