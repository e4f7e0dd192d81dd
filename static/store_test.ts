import assert from "node:assert/strict";
import type { Entry, MessageEdited } from "../chat/protocol.ts";
import { type ClientState, initialClientState } from "../client/client_state.ts";
import { me, message } from "../testing/clients/frames.ts";
import { initialState, shownTypists, type State } from "./state.ts";
import { apply, type Event } from "./store.ts";

const hidden: Event = { kind: "reading", visible: false, following: true };
const seen: Event = { kind: "reading", visible: true, following: true };
const mina = { user: "u2", name: "Mina" };

/** A client in `general` that has received everything up to `seq`. */
function clientAt(seq: number, epoch = "e1"): ClientState {
  const client = initialClientState("general");
  return { ...client, me, room: { ...client.room, position: { epoch, seq } } };
}

const start = initialState(clientAt(0));

function after(state: State, ...events: Event[]): State {
  return events.reduce(apply, state);
}

function arrive(state: State, ...entries: Entry[]): State {
  const client = clientAt(entries.at(-1)?.seq ?? 0);
  return apply(state, { kind: "client", client, arrived: entries });
}

Deno.test("an event that changes nothing returns the same state", () => {
  assert.equal(apply(start, seen), start);
});

Deno.test("other people's messages count as unread while nobody looks, one's own never", () => {
  const state = arrive(after(start, hidden), message(1), message(2, { user: me.user }));
  assert.equal(state.unread, 1);
  assert.equal(after(state, seen).unread, 0);
  assert.equal(arrive(start, message(1)).unread, 0);
});

Deno.test("messages below count as unread for a reader who is up in the history", () => {
  assert.equal(arrive(after(start, { kind: "reading", visible: true, following: false }), message(1)).unread, 1);
});

Deno.test("only messages count as unread, not what changes them or is unknown", () => {
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
  const state = arrive(after(start, hidden), edit, unknown);
  assert.deepEqual([state.unread, state.newAfter], [0, null]);
});

Deno.test("whoever comes back sees where the new messages begin, until they answer or leave", () => {
  const back = after(arrive(after(start, hidden), message(2), message(3)), seen);
  assert.equal(back.newAfter, 1);
  assert.equal(arrive(back, message(4)).newAfter, 1, "messages that come while they read don't move it");
  assert.equal(arrive(after(arrive(back, message(4)), hidden), message(5)).newAfter, 4);
  assert.equal(arrive(back, message(4, { user: me.user })).newAfter, null);
  assert.equal(apply(back, { kind: "client", client: clientAt(1, "another"), arrived: [] }).newAfter, null);
  assert.equal(after(back, { kind: "entered", meant: null }).newAfter, null);
});

Deno.test("muted people are neither shown as typing nor counted as unread", () => {
  const client = clientAt(2);
  const typing = { ...client, room: { ...client.room, typing: [{ ...mina, until: 1 }] } };
  const arrived = [message(1), message(2, { user: "u3", from: "Clara" })];
  const event: Event = { kind: "client", client: typing, arrived };
  assert.deepEqual(shownTypists(after(start, event)), typing.room.typing);
  const state = after(start, { kind: "muted", muted: [mina] }, hidden, event);
  assert.deepEqual([shownTypists(state), state.unread, state.newAfter], [[], 1, 1]);
});
