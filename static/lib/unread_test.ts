import assert from "node:assert/strict";
import { emptyRoom, type RoomState } from "../../client/room/room_state.ts";
import { me, message } from "../../testing/clients/frames.ts";
import { NOTHING_UNREAD, unreadIn } from "./unread.ts";

const mal = { user: "u4", name: "Mal" };
const reader = { me, muted: [mal] };
const read = { epoch: "e1", seq: 3 };

function room(change: Partial<RoomState>): RoomState {
  return { ...emptyRoom("general"), position: { epoch: "e1", seq: 9 }, ...change };
}

Deno.test("what others said since is unread, and not what oneself, a muted person or nobody any more says", () => {
  const messages = [
    message(3),
    message(4, { text: `@${me.name}: come` }),
    message(5, { user: me.user }),
    message(6, { user: mal.user, text: `@${me.name}` }),
    message(7, { deleted: true, text: undefined }),
    message(8),
  ];
  assert.deepEqual(unreadIn(room({ messages }), read, reader), { count: 2, mentions: 1, by: ["Mina"], more: false });
});

Deno.test("an answer to one's message is a mention, wherever that message is held", () => {
  const own = message(2, { user: me.user });
  const answers = [message(8, { reply_to: 2 }), message(9, { reply_to: 1 })];
  const { mentions } = unreadIn(room({ messages: [own, message(7), ...answers] }), read, reader);
  assert.equal(mentions, 1);
  assert.equal(unreadIn(room({ messages: answers, quoted: new Map([[2, own]]) }), read, reader).mentions, 1);
  assert.equal(unreadIn(room({ messages: answers, quoted: new Map([[2, null]]) }), read, reader).mentions, 0);
});

Deno.test("where older messages are not loaded, there are more unread ones than are counted", () => {
  const messages = [message(6), message(7)];
  assert.equal(unreadIn(room({ messages, more: true }), read, reader).more, true);
  assert.equal(unreadIn(room({ messages, more: false }), read, reader).more, false);
  assert.equal(unreadIn(room({ messages, more: true }), { ...read, seq: 5 }, reader).more, false);
});

Deno.test("a reader of old messages has unread ones among the newest", () => {
  const state = room({ messages: [message(1)], newest: { messages: [message(8), message(9)], more: true } });
  assert.deepEqual(unreadIn(state, { ...read, seq: 7 }, reader), { count: 2, mentions: 0, by: [], more: false });
});

Deno.test("in a room that was never read, or has begun anew, nothing is unread", () => {
  const state = room({ messages: [message(8)] });
  assert.equal(unreadIn(state, null, reader), NOTHING_UNREAD);
  assert.equal(unreadIn(state, { epoch: "e2", seq: 1 }, reader), NOTHING_UNREAD);
});
