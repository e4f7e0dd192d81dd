import assert from "node:assert/strict";
import type { ErrorFrame, ServerFrame } from "../chat/protocol.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { applyFrame, applyStatus, type ClientState, initialClientState } from "./client_state.ts";
import { add, emptyOutbox } from "./outbox.ts";
import { emptyRoom } from "./room/room_state.ts";

const room = "general";

function receive(state: ClientState, ...frames: ServerFrame[]): ClientState {
  return frames.reduce((next, frame) => applyFrame(next, frame, { now: 0, jitter: 0 }), state);
}

function inRoom(...frames: ServerFrame[]): ClientState {
  return receive(applyStatus(initialClientState(room), { kind: "connected" }), welcome, joined(), ...frames);
}

/** With a message in the outbox under this id. */
function waiting(state: ClientState, id: string): ClientState {
  const outbox = add(state.outbox, { action: "send_message", room, text: "mine", id }, 0);
  return { ...state, outbox: outbox ?? assert.fail("the outbox is full") };
}

const lose = (state: ClientState) => applyStatus(state, { kind: "waiting", until: 1, refusal: null });
const texts = (state: ClientState) => state.room.messages.map(({ text }) => text);
const own = (seq: number, id: string) => message(seq, { user: me.user, id });

Deno.test("a frame never changes the state that it was applied to", () => {
  const before = inRoom(message(1));
  const copy = structuredClone(before);
  receive(before, message(2), { action: "message_deleted", room, seq: 3, target: 1, user: "u2", date: 3 });
  assert.deepEqual(before, copy);
});

Deno.test("a frame that this client doesn't know changes nothing", () => {
  const state = inRoom(message(1));
  for (
    const frame of [{ action: "weather" }, { action: "room_renamed", room, name: "x" }, { action: "bell", seq: 2 }]
  ) {
    assert.equal(receive(state, frame as unknown as ServerFrame), state, frame.action);
  }
});

Deno.test("an entry of an unknown kind takes its place, changes nothing, and the next one follows it", () => {
  const state = inRoom(message(1));
  const reaction = {
    action: "message_reacted",
    room,
    seq: 2,
    target: 1,
    user: "u2",
    date: 2,
  } as unknown as ServerFrame;
  const after = receive(state, reaction);
  assert.deepEqual(after, { ...state, room: { ...state.room, position: { epoch: "e1", seq: 2 } } });
  const next = receive(after, message(3));
  assert.deepEqual([texts(next), next.room.hasGap], [["text 1", "text 3"], false]);
  assert.equal(receive(state, { ...reaction, seq: 3 } as unknown as ServerFrame).room.hasGap, true);
});

Deno.test("our own message comes back and leaves the outbox in the same step", () => {
  const state = receive(waiting(inRoom(), "a"), own(1, "a"));
  assert.deepEqual([state.outbox.items.length, state.room.messages.length], [0, 1]);
});

Deno.test("someone else's message with our id acknowledges nothing", () => {
  assert.equal(receive(waiting(inRoom(), "a"), message(1, { id: "a" })).outbox.items.length, 1);
});

Deno.test("the answer to a repeated message acknowledges it and shows nothing twice", () => {
  const state = receive(waiting(inRoom(own(1, "a")), "a"), own(1, "a"));
  assert.deepEqual([state.outbox.items.length, state.room.messages.length], [0, 1]);
});

Deno.test("a page with our message acknowledges it", () => {
  const state = receive(waiting(initialClientState(room), "a"), welcome, joined({ seq: 1, messages: [own(1, "a")] }));
  assert.equal(state.outbox.items.length, 0);
});

Deno.test("a message for a room that we have left is acknowledged too", () => {
  const state = { ...waiting(inRoom(), "a"), room: emptyRoom("elsewhere") };
  assert.equal(receive(state, own(1, "a")).outbox.items.length, 0);
});

Deno.test("an error without an id, for a frame that could not be read, is about the action in flight", () => {
  const state = waiting(inRoom(), "a");
  const sent = { ...state, outbox: { ...state.outbox, inFlight: { id: "a", sentAt: 0 } } };
  const refused = receive(sent, { action: "error", code: "frame_too_large", message: "Too large." });
  assert.equal(refused.outbox.items[0].error?.code, "frame_too_large");
});

Deno.test("deleting a message that is already gone is done", () => {
  const outbox = add(emptyOutbox, { action: "delete_message", room, target: 1, id: "d" }, 0);
  const state = { ...inRoom(message(1)), outbox: outbox ?? assert.fail("the outbox is full") };
  const answered = receive(state, { action: "error", code: "not_found", message: "Gone.", id: "d" });
  assert.equal(answered.outbox.items.length, 0);
});

Deno.test("the loss of the room's messages loses nothing in the outbox", () => {
  assert.equal(receive(waiting(inRoom(message(1)), "a"), joined({ epoch: "e2" })).outbox.items.length, 1);
});

Deno.test("our new name, chosen in another tab, is taken over", () => {
  const state = receive(inRoom(), { action: "name_changed", user: me.user, name: "Hana", was: me.name });
  assert.equal(state.me?.name, "Hana");
});

Deno.test("a lost connection keeps what is shown, and nothing is in flight any more", () => {
  const state = lose({ ...inRoom(message(1)), outbox: { ...emptyOutbox, inFlight: { id: "a", sentAt: 0 } } });
  assert.equal(state.room.joined, false);
  assert.deepEqual(texts(state), ["text 1"]);
  assert.equal(state.outbox.inFlight, null);
});

Deno.test("the store counts as failing until an entry shows that it works, or the connection is lost", () => {
  const unavailable: ErrorFrame = { action: "error", code: "unavailable", message: "", room, id: "x" };
  assert.equal(receive(inRoom(message(1)), unavailable).storeFails, false, "a lost request");
  const failing = receive(inRoom(message(1)), { ...unavailable, message: "The store does not answer." });
  assert.equal(failing.storeFails, true);
  assert.equal(receive(failing, { action: "pong" }).storeFails, true);
  assert.equal(receive(failing, { action: "error", code: "rate_limited", message: "", room }).storeFails, true);
  assert.equal(receive(failing, message(2)).storeFails, false);
  assert.equal(lose(failing).storeFails, false);
});
