import assert from "node:assert/strict";
import type { ServerFrame } from "../chat/protocol.ts";
import { add } from "../client/outbox.ts";
import { READING_LIMIT } from "../client/room/room_log.ts";
import { joined, me, message, welcome } from "../testing/frames.ts";
import { initialState, shownTypists, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

const room = "general";
const hidden: Event = { kind: "reading", visible: false, following: true };
const seen: Event = { kind: "reading", visible: true, following: true };

function receive(state: State, ...frames: ServerFrame[]): State {
  return apply(state, { kind: "frames", frames, now: 0, jitter: 0 });
}

function after(state: State, ...events: Event[]): State {
  return events.reduce(apply, state);
}

function inRoom(...frames: ServerFrame[]): State {
  const connected = apply(initialState(room), { kind: "status", status: { kind: "connected" } });
  return receive(connected, welcome, joined(), ...frames);
}

Deno.test("an event that changes nothing returns the same state", () => {
  const state = inRoom(message(1));
  const weather = { action: "weather" } as unknown as ServerFrame;
  assert.equal(receive(state, message(1), { action: "pong" }, weather), state);
  assert.equal(after(state, seen, { kind: "time", now: 1 }), state);
});

Deno.test("other people's messages count as unread while nobody looks, one's own never", () => {
  const state = receive(after(inRoom(), hidden), message(1), message(2, { user: me.user }));
  assert.equal(state.unread, 1);
  assert.equal(after(state, seen).unread, 0);
});

Deno.test("only messages count as unread, whether they come live or with a resume", () => {
  const edited = { action: "message_edited", room, seq: 2, target: 1, user: "u2", text: "x", date: 2 } as const;
  const unknown = { ...edited, action: "message_reacted", seq: 3 } as unknown as typeof edited;
  const state = receive(after(inRoom(message(1)), hidden), edited, unknown);
  assert.deepEqual([state.unread, state.newAfter, state.room.position?.seq], [0, null, 3]);
  const resumed = receive(state, joined({ recovered: true, seq: 6, messages: [message(4), message(5), message(6)] }));
  assert.deepEqual([resumed.unread, resumed.newAfter], [3, 3]);
});

Deno.test("messages that are left out while the reader is up in the history still count as unread", () => {
  const reading = after(inRoom(), { kind: "reading", visible: true, following: false });
  const state = receive(reading, ...Array.from({ length: READING_LIMIT + 10 }, (_, index) => message(index + 1)));
  assert.equal(state.room.messages.length, READING_LIMIT);
  assert.equal(state.unread, READING_LIMIT + 10);
});

Deno.test("whoever comes back sees where the new messages begin, until they answer or leave", () => {
  const back = after(receive(after(inRoom(message(1)), hidden), message(2), message(3)), seen);
  assert.equal(back.newAfter, 1);
  assert.equal(receive(back, message(4)).newAfter, 1, "messages that come while they read don't move it");
  assert.equal(receive(after(receive(back, message(4)), hidden), message(5)).newAfter, 4);
  assert.equal(receive(back, message(4, { user: me.user })).newAfter, null);
  assert.equal(receive(back, joined({ epoch: "another", seq: 1, messages: [message(1)] })).newAfter, null);
  assert.equal(after(back, { kind: "entered", room: "elsewhere" }).newAfter, null);
});

Deno.test("entering a room drops the messages of the one before, but nothing in the outbox", () => {
  const state = inRoom(message(1));
  const outbox = add(state.outbox, { action: "send_message", room, text: "mine", id: "a" }, 0);
  assert.ok(outbox);
  const entered = after(state, { kind: "outbox", outbox }, { kind: "entered", room: "elsewhere" });
  assert.deepEqual(entered.room.messages, []);
  assert.equal(entered.outbox.items.length, 1);
});

Deno.test("muted people are neither shown as typing nor counted as unread", () => {
  const typing = { action: "typing", room, user: "u2", name: "Mina" } as const;
  const muted: Event = { kind: "muted", muted: [{ user: "u2", name: "Mina" }] };
  assert.deepEqual(shownTypists(after(inRoom(typing), muted)), []);
  const heard = receive(after(inRoom(), muted, hidden), typing, message(1), message(2, { user: "u3", from: "Clara" }));
  assert.deepEqual([shownTypists(heard), heard.unread, heard.newAfter], [[], 1, 1]);
  assert.equal(heard.room.messages.length, 2);
});
