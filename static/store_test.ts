import assert from "node:assert/strict";
import type { Entry, ReceiveMessage, RoomJoined, ServerFrame } from "../chat/protocol.ts";
import { add, emptyOutbox } from "../client/outbox.ts";
import { HELD_AFTER_TRIM, HELD_LIMIT, READING_LIMIT } from "../client/room/room_log.ts";
import { TYPING_SHOWN } from "../client/room/people.ts";
import { initialState, shownTypists, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

const room = "general";
const me = { user: "u1", name: "User 101" };
const welcome: ServerFrame = {
  action: "welcome",
  ...me,
  limits: { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 },
};

function message(seq: number, more: Partial<ReceiveMessage> = {}): ReceiveMessage {
  return { action: "receive_message", room, seq, user: "u2", from: "Mina", text: `text ${seq}`, date: seq, ...more };
}

function joined(more: Partial<RoomJoined> = {}): RoomJoined {
  return {
    action: "room_joined",
    room,
    epoch: "e1",
    seq: 0,
    recovered: false,
    messages: [],
    more: false,
    members: [me],
    count: 1,
    locked: false,
    slow_seconds: 0,
    ...more,
  };
}

function hear(state: State, ...frames: ServerFrame[]): State {
  return apply(state, { kind: "frames", frames, now: 0, jitter: 0 });
}

function after(state: State, ...events: Event[]): State {
  return events.reduce(apply, state);
}

function inRoom(...frames: ServerFrame[]): State {
  const connected = apply(initialState(room), { kind: "status", status: { kind: "connected" } });
  return hear(connected, welcome, joined(), ...frames);
}

function waiting(state: State, id: string, text = "mine"): State {
  const outbox = add(state.outbox, { action: "send_message", room, text, id }, 0);
  assert.ok(outbox);
  return apply(state, { kind: "outbox", outbox });
}

const texts = (state: State) => state.room.messages.map((entry) => entry.text);
const lost: Event = { kind: "status", status: { kind: "waiting", until: 1, refusal: null } };

Deno.test("an event never changes the state it was given", () => {
  const before = inRoom(message(1));
  const copy = structuredClone(before);
  hear(before, message(2), { action: "message_deleted", room, seq: 3, target: 1, user: "u2", date: 3 });
  assert.deepEqual(before, copy);
});

Deno.test("an entry already seen is ignored", () => {
  assert.deepEqual(texts(inRoom(message(1), message(2), message(1), message(2))), ["text 1", "text 2"]);
});

Deno.test("an entry that does not follow the last one is not shown but asks for the room again", () => {
  const state = inRoom(message(1), message(3));
  assert.equal(state.room.hasGap, true);
  assert.deepEqual(texts(state), ["text 1"]);
  const missed = joined({ recovered: true, seq: 3, messages: [message(2), message(3)] });
  const healed = hear(state, missed);
  assert.deepEqual(texts(healed), ["text 1", "text 2", "text 3"]);
  assert.equal(healed.room.hasGap, false);
});

Deno.test("entries of another room are not shown", () => {
  assert.deepEqual(texts(inRoom(message(1, { room: "elsewhere" }))), []);
});

Deno.test("a resume adds exactly what was missed, edits and deletions too", () => {
  const missed: Entry[] = [
    { action: "message_edited", room, seq: 3, target: 1, user: "u2", text: "better", date: 3 },
    { action: "message_deleted", room, seq: 4, target: 2, user: "u2", date: 4 },
    message(5),
  ];
  const state = hear(
    after(inRoom(message(1), message(2)), lost),
    joined({ recovered: true, seq: 5, messages: missed }),
  );
  assert.deepEqual(state.room.messages.map(({ text, edited, deleted }) => ({ text, edited, deleted })), [
    { text: "better", edited: true, deleted: false },
    { text: "", edited: false, deleted: true },
    { text: "text 5", edited: false, deleted: false },
  ]);
  assert.equal(state.room.missingAfter, null);
  assert.deepEqual(state.room.position, { epoch: "e1", seq: 5 });
});

Deno.test("without recovery the newest page takes the list's place, and something may be missing before it", () => {
  const state = hear(
    after(inRoom(message(1)), lost),
    joined({ seq: 99, messages: [message(98), message(99)], more: true }),
  );
  assert.deepEqual(texts(state), ["text 98", "text 99"]);
  assert.equal(state.room.missingAfter, 1);
  assert.equal(state.room.more, true);
});

Deno.test("the first page of a room misses nothing", () => {
  assert.equal(hear(initialState(room), welcome, joined({ seq: 9, messages: [message(9)] })).room.missingAfter, null);
});

Deno.test("another epoch drops what was held, whatever the numbers say", () => {
  const state = hear(
    inRoom(message(1), message(2)),
    joined({ epoch: "e2", seq: 1, messages: [message(1, { text: "new" })] }),
  );
  assert.deepEqual(texts(state), ["new"]);
  assert.equal(state.room.missingAfter, 0);
  assert.deepEqual(hear(state, message(2, { text: "next" })).room.position, { epoch: "e2", seq: 2 });
});

Deno.test("what waits to be sent outlives the loss of the list", () => {
  const state = hear(waiting(inRoom(message(1)), "a"), joined({ epoch: "e2" }));
  assert.equal(state.outbox.items.length, 1);
});

Deno.test("joined again with nothing new, only the people change", () => {
  const state = hear(
    inRoom(message(1)),
    joined({ seq: 1, messages: [message(1)], members: [me, { user: "u2", name: "Mina" }], count: 2 }),
  );
  assert.equal(state.room.missingAfter, null);
  assert.deepEqual(texts(state), ["text 1"]);
  assert.equal(state.room.count, 2);
});

Deno.test("our own copy turns what waits into a message, in one step", () => {
  const state = hear(waiting(inRoom(), "a"), message(1, { user: me.user, id: "a" }));
  assert.equal(state.outbox.items.length, 0);
  assert.equal(state.room.messages.length, 1);
});

Deno.test("someone else's message with our id acknowledges nothing", () => {
  assert.equal(hear(waiting(inRoom(), "a"), message(1, { id: "a" })).outbox.items.length, 1);
});

Deno.test("the answer to a repeated message acknowledges it and shows nothing twice", () => {
  const kept = inRoom(message(1, { user: me.user, id: "a" }));
  const state = hear(waiting(kept, "a"), message(1, { user: me.user, id: "a" }));
  assert.equal(state.outbox.items.length, 0);
  assert.equal(state.room.messages.length, 1);
});

Deno.test("a page that holds our message acknowledges it", () => {
  const state = hear(
    waiting(initialState(room), "a"),
    welcome,
    joined({ seq: 1, messages: [message(1, { user: me.user, id: "a" })] }),
  );
  assert.equal(state.outbox.items.length, 0);
});

Deno.test("a message for a room we have left is acknowledged all the same", () => {
  const state = after(waiting(inRoom(), "a"), { kind: "entered", room: "elsewhere" });
  assert.equal(hear(state, message(1, { user: me.user, id: "a" })).outbox.items.length, 0);
});

Deno.test("a frame too broken to be answered by id is the one under way", () => {
  const state = waiting(inRoom(), "a");
  const sent = after(state, { kind: "outbox", outbox: { ...state.outbox, inFlight: { id: "a", sentAt: 0 } } });
  const refused = hear(sent, { action: "error", code: "frame_too_large", message: "Too large." });
  assert.equal(refused.outbox.items[0].error?.code, "frame_too_large");
});

Deno.test("deleting what is gone already is done", () => {
  const outbox = add(emptyOutbox, { action: "delete_message", room, target: 1, id: "d" }, 0);
  assert.ok(outbox);
  const state = after(inRoom(message(1)), { kind: "outbox", outbox });
  const answered = hear(state, { action: "error", code: "not_found", message: "Gone.", id: "d" });
  assert.equal(answered.outbox.items.length, 0);
});

Deno.test("an edit that comes after the deletion brings nothing back", () => {
  const state = inRoom(
    message(1),
    { action: "message_deleted", room, seq: 2, target: 1, user: "u2", date: 2 },
    { action: "message_edited", room, seq: 3, target: 1, user: "u2", text: "", date: 3 },
  );
  assert.equal(state.room.messages[0].deleted, true);
});

Deno.test("an older page goes in front, and what changed while it was read is applied to it", () => {
  const start = hear(initialState(room), welcome, joined({ seq: 9, messages: [message(9)], more: true }));
  const asked = after(start, { kind: "history_requested" });
  const edited = hear(asked, {
    action: "message_edited",
    room,
    seq: 10,
    target: 8,
    user: "u2",
    text: "late",
    date: 10,
  });
  const page = [message(7), message(8)];
  const state = after(edited, { kind: "history_loaded", page: { epoch: "e1", seq: 9, messages: page, more: false } });
  assert.deepEqual(texts(state), ["text 7", "late", "text 9"]);
  assert.equal(state.room.more, false);
});

Deno.test("at the newest message the oldest are let go, and can be had again", () => {
  const frames = Array.from({ length: HELD_LIMIT + 1 }, (_, index) => message(index + 1));
  const state = inRoom(...frames);
  assert.equal(state.room.messages.length, HELD_AFTER_TRIM);
  assert.equal(state.room.messages.at(-1)?.seq, HELD_LIMIT + 1);
  assert.equal(state.room.more, true);
});

Deno.test("up in the history nothing is taken away; past the limit the newest are left out and only counted", () => {
  const reading = after(inRoom(), { kind: "reading", visible: true, following: false });
  const frames = Array.from({ length: READING_LIMIT + 10 }, (_, index) => message(index + 1));
  const state = hear(reading, ...frames);
  assert.equal(state.room.messages.length, READING_LIMIT);
  assert.equal(state.room.messages[0].seq, 1);
  assert.equal(state.room.truncated, true);
  assert.equal(state.unread, READING_LIMIT + 10);
  const back = hear(state, joined({ seq: READING_LIMIT + 10, messages: [message(READING_LIMIT + 10)], more: true }));
  assert.equal(back.room.messages.at(-1)?.seq, READING_LIMIT + 10);
  assert.equal(back.room.missingAfter, null);
});

Deno.test("other people's messages count as unread while nobody looks, one's own never", () => {
  const hidden = after(inRoom(), { kind: "reading", visible: false, following: true });
  const state = hear(hidden, message(1), message(2, { user: me.user }));
  assert.equal(state.unread, 1);
  assert.equal(after(state, { kind: "reading", visible: true, following: true }).unread, 0);
});

Deno.test("where what is new begins is marked for whoever comes back, until they answer or leave", () => {
  const hidden: Event = { kind: "reading", visible: false, following: true };
  const seen: Event = { kind: "reading", visible: true, following: true };
  const back = after(hear(after(inRoom(message(1)), hidden), message(2), message(3)), seen);
  assert.equal(back.newAfter, 1);
  assert.equal(hear(back, message(4)).newAfter, 1, "what comes while they read moves nothing");
  assert.equal(hear(after(hear(back, message(4)), hidden), message(5)).newAfter, 4);
  assert.equal(hear(back, message(4, { user: me.user })).newAfter, null);
  assert.equal(hear(back, joined({ epoch: "another", seq: 1, messages: [message(1)] })).newAfter, null);
  assert.equal(after(back, { kind: "entered", room: "elsewhere" }).newAfter, null);
});

Deno.test("someone counts as typing until they send, leave, or say no more", () => {
  const typing = inRoom({ action: "typing", room, user: "u2", name: "Mina" });
  assert.equal(typing.room.typing.length, 1);
  assert.equal(hear(typing, message(1)).room.typing.length, 0);
  assert.equal(hear(typing, { action: "member_left", room, user: "u2", name: "Mina" }).room.typing.length, 0);
  assert.equal(after(typing, { kind: "time", now: TYPING_SHOWN }).room.typing.length, 0);
  assert.equal(after(typing, { kind: "time", now: TYPING_SHOWN - 1 }), typing);
});

Deno.test("people come once, go, and are renamed", () => {
  const mina: ServerFrame = { action: "member_joined", room, user: "u2", name: "Mina" };
  const here = inRoom(mina, mina);
  assert.equal(here.room.count, 2);
  const renamed = hear(here, { action: "name_changed", user: "u2", name: "Minji", was: "Mina" });
  assert.deepEqual(renamed.room.members[1], { user: "u2", name: "Minji" });
  assert.equal(hear(renamed, { action: "member_left", room, user: "u2", name: "Minji" }).room.count, 1);
});

Deno.test("a new name of one's own, taken in another tab, is followed", () => {
  assert.equal(hear(inRoom(), { action: "name_changed", user: me.user, name: "Hana", was: me.name }).me?.name, "Hana");
});

Deno.test("a lost connection keeps what is shown, and nothing is under way any more", () => {
  const state = after({ ...inRoom(message(1)), outbox: { ...emptyOutbox, inFlight: { id: "a", sentAt: 0 } } }, lost);
  assert.equal(state.room.joined, false);
  assert.deepEqual(texts(state), ["text 1"]);
  assert.equal(state.outbox.inFlight, null);
});

Deno.test("entering a room forgets the one before, but not what waits to be sent", () => {
  const state = after(waiting(inRoom(message(1)), "a"), { kind: "entered", room: "elsewhere" });
  assert.deepEqual(state.room.messages, []);
  assert.equal(state.outbox.items.length, 1);
});

Deno.test("muted people are neither seen typing nor counted as unread", () => {
  const typing = { action: "typing", room, user: "u2", name: "Mina" } as const;
  const muted: Event = { kind: "muted", muted: [{ user: "u2", name: "Mina" }] };
  assert.deepEqual(shownTypists(after(inRoom(typing), muted)), []);
  const silent = after(inRoom(), muted, { kind: "reading", visible: false, following: true });
  const heard = hear(silent, typing, message(1), message(2, { user: "u3", from: "Clara" }));
  assert.deepEqual([shownTypists(heard), heard.unread, texts(heard)], [[], 1, ["text 1", "text 2"]]);
});

Deno.test("while the store fails the page says so, until it shows that it is back or the connection is lost", () => {
  const unavailable = { action: "error", code: "unavailable", room, id: "x" } as const;
  assert.equal(hear(inRoom(message(1)), { ...unavailable, message: "" }).storeFails, false, "a lost request");
  const failing = hear(inRoom(message(1)), { ...unavailable, message: "The store does not answer." });
  assert.equal(failing.storeFails, true);
  assert.equal(hear(failing, { action: "pong" }).storeFails, true);
  assert.equal(hear(failing, { action: "error", code: "rate_limited", message: "", room }).storeFails, true);
  assert.equal(hear(failing, message(2)).storeFails, false);
  assert.equal(after(failing, lost).storeFails, false);
});
