import assert from "node:assert/strict";
import { isMessage } from "../chat/entries/kinds.ts";
import type { Entry, MessageEdited } from "../chat/protocol.ts";
import { type ClientState, initialClientState } from "../client/client_state.ts";
import { me, message } from "../testing/clients/frames.ts";
import { keep, markRead, setMuted } from "./lib/kept_rooms.ts";
import { attention, initialState, newCount, shownTypists, type State, unreadOf } from "./state.ts";
import { apply, type Event } from "./store.ts";

const hidden: Event = { kind: "reading", visible: false, following: true };
const seen: Event = { kind: "reading", visible: true, following: true };
const up: Event = { kind: "reading", visible: true, following: false };
const mina = { user: "u2", name: "Mina" };

/** A client in `general` that has received everything up to `seq`. */
function clientAt(seq: number, epoch = "e1"): ClientState {
  const client = initialClientState("general");
  return { ...client, me, room: { ...client.room, position: { epoch, seq } } };
}

/** Somebody in `general` who has read everything up to `seq`. */
function reader(seq = 0): State {
  const rooms = markRead(keep([], "general", 0), "general", { epoch: "e1", seq });
  return { ...initialState(clientAt(seq)), rooms, isFresh: false };
}

function after(state: State, ...events: Event[]): State {
  return events.reduce(apply, state);
}

function arrive(state: State, ...entries: Entry[]): State {
  const { room } = state;
  const messages = [...room.messages, ...entries.filter(isMessage)];
  const position = { epoch: "e1", seq: entries.at(-1)!.seq };
  return apply(state, {
    kind: "client",
    client: { ...state, room: { ...room, messages, position } },
    arrived: entries,
  });
}

const line = (state: State) => state.newRun?.after ?? null;

Deno.test("an event that changes nothing returns the same state", () => {
  const state = reader();
  assert.equal(apply(state, seen), state);
});

Deno.test("the line New stands above the first message that nobody saw come, and never above one's own", () => {
  assert.equal(line(arrive(reader(), message(1))), null, "one saw it");
  assert.equal(line(arrive(after(reader(), hidden), message(1), message(2))), 0);
  assert.equal(line(arrive(after(reader(), up), message(1))), 0);
  assert.equal(line(arrive(after(reader(), hidden), message(1, { user: me.user }))), null);
});

Deno.test("only messages are new, not what changes them or is unknown", () => {
  const edit: MessageEdited = {
    action: "message_edited",
    room: "general",
    seq: 2,
    target: 1,
    ...mina,
    text: "",
    date: 2,
  };
  const unknown = { ...edit, action: "message_reacted", seq: 3 } as unknown as Entry;
  const state = arrive(after(reader(), hidden), edit, unknown);
  assert.deepEqual([unreadOf(state, "general").count, line(state)], [0, null]);
});

Deno.test("the line New stays while one reads, and is placed again when more comes unseen after all was read", () => {
  const back = after(arrive(after(reader(1), hidden), message(2), message(3)), seen);
  assert.equal(line(back), 1);
  assert.equal(line(arrive(back, message(4))), 1, "messages that come while they read don't move it");
  assert.equal(line(arrive(after(back, hidden), message(4))), 1, "nor while the others are unread");
  const read = { ...back, rooms: markRead(back.rooms, "general", { epoch: "e1", seq: 3 }) };
  assert.equal(line(arrive(after(read, hidden), message(4))), 3);
  assert.equal(line(arrive(back, message(4, { user: me.user }))), null, "whoever answers has read it");
  assert.equal(line(apply(back, { kind: "client", client: clientAt(1, "another"), arrived: [] })), null);
  assert.equal(line(after(back, { kind: "entered", meant: null, goal: null })), null);
});

Deno.test("what one says in a room counts as having read it, on whatever page", () => {
  const state = arrive(after(reader(), hidden), message(1), message(2, { user: me.user }));
  assert.equal(unreadOf(state, "general").count, 0);
});

Deno.test("on entry the line stands above what was not read; in a new room or another epoch all counts as read", () => {
  const entered = after(reader(5), { kind: "entered", meant: null, goal: null });
  const client = clientAt(9);
  const there = (state: State, client: ClientState) => apply(state, { kind: "client", client, arrived: [] });
  const withNews = { ...client, room: { ...client.room, messages: [message(5), message(9)] } };
  const state = there(entered, withNews);
  assert.deepEqual([line(state), state.goal, state.isFresh], [5, { seq: 5, at: "read" }, false]);
  assert.deepEqual(newCount(state), { count: 1, more: false });
  assert.equal(line(there(entered, client)), null);
  const other = there(entered, clientAt(9, "e2"));
  assert.deepEqual([line(other), other.rooms[0].read], [null, { epoch: "e2", seq: 9 }]);
  const first = there({ ...entered, rooms: keep([], "general", 0) }, withNews);
  assert.deepEqual([line(first), first.rooms[0].read], [null, { epoch: "e1", seq: 9 }]);
});

Deno.test("muted people are neither shown as typing nor counted as unread", () => {
  const typing = { ...reader().room, typing: [{ ...mina, until: 1 }] };
  assert.deepEqual(shownTypists({ ...reader(), room: typing }), typing.typing);
  const start = after({ ...reader(), room: typing }, { kind: "muted", muted: [mina] }, hidden);
  const state = arrive(start, message(1), message(2, { user: "u3", from: "Clara" }));
  assert.deepEqual([shownTypists(state), unreadOf(state, "general").count, line(state)], [[], 1, 1]);
});

Deno.test("what waits for the reader are messages in rooms that are not muted, and mentions in any", () => {
  const text = `hello @${me.name}!`;
  let state = arrive(after(reader(), hidden), message(1), message(2, { text }));
  assert.deepEqual(attention(state), { unread: 2, mentions: 1 });
  state = apply(state, { kind: "rooms", rooms: setMuted(state.rooms, "general", true) });
  assert.deepEqual(attention(state), { unread: 0, mentions: 1 });
});

Deno.test("the way back to an answer goes when one has gone on, and few messages are unfolded at once", () => {
  const left = apply(apply(reader(9), up), { kind: "answered", goal: { seq: 3, at: "answer" }, left: 8 });
  assert.equal(left.leftAnswer, 8);
  const there = apply(left, { kind: "goal", goal: null });
  assert.equal(apply(there, seen).leftAnswer, null, "at the newest message");
  assert.equal(apply(apply(left, seen), { kind: "goal", goal: null }).leftAnswer, null, "it led to the end");
  assert.equal(apply(there, { kind: "entered", meant: null, goal: null }).leftAnswer, null);
  const all = Array.from({ length: 40 }, (_, seq): Event => ({ kind: "unfolded", seq, open: true })).reduce(
    apply,
    there,
  );
  assert.deepEqual([all.unfolded.length, all.unfolded.at(-1)], [19, 39]);
  assert.deepEqual(apply(all, { kind: "unfolded", seq: 39, open: false }).unfolded.at(-1), 38);
});
