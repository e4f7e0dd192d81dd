import assert from "node:assert/strict";
import type { ClientFrame, Entry, ErrorCode, React, ReactionChange, ServerFrame } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { ChatClient, type ChatClientOptions } from "./chat_client.ts";
import { ANSWER_TIMEOUT, RETRY_DELAY } from "./outbox.ts";
import { REACTIONS_WAITING, shownReactions } from "./reactions.ts";

const room = "general";

/** A client in `general` with one message, to which `others` people have given 👍. */
function setUp({ others = 0, isConnected = true } = {}) {
  const clock = new FakeClock();
  const sent: React[] = [];
  const refused: ErrorCode[] = [];
  let handlers: Parameters<ChatClientOptions["connect"]>[0] | undefined;
  let ids = 0;
  let seq = 1;
  const client = new ChatClient({
    connect(given) {
      handlers = given;
      const send = (frame: ClientFrame) => void (frame.action === "react" && sent.push(frame));
      return { start() {}, stop() {}, wake() {}, retry() {}, send };
    },
    fetchHistory: () => Promise.reject(new Error("offline")),
    outboxStorage: memoryStorage(),
    nameStorage: memoryStorage(),
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange() {},
    onNameLost() {},
    onReactionRefused: ({ code }) => refused.push(code),
  });
  client.enter(room);
  const hear = (...frames: ServerFrame[]) => handlers!.onFrames(frames);
  const reactions = others > 0 ? [{ emoji: "👍", count: others, users: ["u2"] }] : undefined;
  function connect(frame = joined({ seq: 1, messages: [message(1, { ...reactions && { reactions } })] })) {
    handlers!.onStatus({ kind: "connected" });
    hear(welcome, frame);
  }
  connect();
  const lose = () => handlers!.onStatus({ kind: "waiting", until: 0, refusal: null });
  if (!isConnected) lose();
  const answer = ({ id, target, emoji, on } = sent.at(-1)!): ServerFrame => (
    { action: "reacted", room, target, emoji, on, id }
  );
  const entry = (...changes: Partial<ReactionChange>[]): Entry => ({
    action: "message_reacted",
    room,
    seq: ++seq,
    target: 1,
    date: 0,
    changes: changes.map((change) => ({ user: me.user, from: me.name, emoji: "👍", on: true, ...change })),
  });
  const refuse = (code: ErrorCode) => hear({ action: "error", code, message: "No.", id: sent.at(-1)!.id });
  const shown = () => {
    const [message] = client.state.room.messages;
    return shownReactions(message, client.state.reactions, me.user).map(({ emoji, count, mine }) =>
      `${emoji} ${count}${mine ? " mine" : ""}`
    );
  };
  const react = (on: boolean, emoji = "👍") => client.react(room, 1, emoji, on);
  return { client, clock, sent, refused, hear, connect, lose, answer, entry, refuse, shown, react };
}

Deno.test("a reaction is shown at once and counts once, whichever of its entry and its answer comes first", () => {
  for (const isEntryFirst of [true, false]) {
    const { client, react, shown, sent, hear, answer, entry } = setUp({ others: 2 });
    assert.deepEqual(shown(), ["👍 2"]);
    react(true);
    assert.deepEqual(shown(), ["👍 3 mine"]);
    for (const frame of isEntryFirst ? [entry({}), answer()] : [answer(), entry({})]) {
      hear(frame);
      assert.deepEqual(shown(), ["👍 3 mine"]);
    }
    assert.deepEqual(client.state.reactions, []);
    react(true);
    assert.equal(sent.length, 1, "it is so already");
    react(false);
    hear(entry({ on: false }), answer());
    assert.deepEqual([shown(), client.state.reactions], [["👍 2"], []]);
  }
});

Deno.test("whoever taps several times gets the last state, with one request at a time", () => {
  const { client, react, shown, sent, hear, answer, entry } = setUp();
  for (const on of [true, false, true, false]) react(on);
  assert.deepEqual([shown(), sent.map(({ on }) => on)], [[], [true]]);
  // The answer of the first tap does not bring it back.
  hear(entry({}));
  assert.deepEqual(shown(), []);
  hear(answer());
  assert.deepEqual([shown(), sent.map(({ on }) => on)], [[], [true, false]]);
  hear(entry({ on: false }), answer());
  assert.deepEqual([shown(), client.state.reactions], [[], []]);
});

Deno.test("another tab's change holds when it comes last", () => {
  const { client, react, shown, hear, answer, entry } = setUp();
  react(true);
  hear(entry({}, { on: false }), answer());
  assert.deepEqual([shown(), client.state.reactions], [[], []]);
  hear(entry({ emoji: "🎉" }));
  assert.deepEqual(shown(), ["🎉 1 mine"]);
});

Deno.test("a refused reaction is undone, and the reason is told; one that is put off is sent again", async () => {
  const { client, clock, react, shown, sent, refused, refuse, hear, answer } = setUp({ others: 1 });
  react(true, "🎉");
  assert.deepEqual(shown(), ["👍 1", "🎉 1 mine"]);
  refuse("too_many_reactions");
  assert.deepEqual([shown(), refused, client.state.reactions], [["👍 1"], ["too_many_reactions"], []]);
  react(true);
  refuse("rate_limited");
  assert.deepEqual([shown(), sent.length, refused.length], [["👍 2 mine"], 2, 1]);
  await clock.advance(RETRY_DELAY);
  assert.equal(sent.length, 3);
  // Nothing answers: the request or its answer is lost.
  await clock.advance(ANSWER_TIMEOUT);
  assert.equal(sent.length, 4);
  hear(answer(sent[2]));
  assert.deepEqual(shown(), ["👍 2 mine"]);
  react(false);
  hear({ action: "message_deleted", room, seq: 2, target: 1, user: "u2", date: 0 });
  refuse("not_found");
  assert.deepEqual([refused.length, client.state.reactions], [1, []], "who sees that it is gone needs no reason");
});

Deno.test("without a connection a reaction waits, and is sent once the room is joined", () => {
  const { client, react, shown, sent, hear, connect, answer, entry, lose } = setUp({ isConnected: false });
  react(true);
  assert.deepEqual([shown(), sent], [["👍 1 mine"], []]);
  connect(joined({ recovered: true, seq: 1 }));
  assert.equal(sent.length, 1);
  // It was stored, and the connection is lost before the answer comes: the join tells.
  lose();
  connect(joined({ recovered: true, seq: 2, messages: [entry({})] }));
  assert.deepEqual([shown(), sent.length], [["👍 1 mine"], 2]);
  hear(answer());
  assert.deepEqual([shown(), client.state.reactions], [["👍 1 mine"], []]);
  lose();
  for (let count = 0; count < REACTIONS_WAITING + 9; count++) {
    client.react(room, 1, String.fromCodePoint(0x1f600 + count), true);
  }
  assert.equal(client.state.reactions.length, REACTIONS_WAITING);
  client.enter("elsewhere");
  client.leave(room);
  assert.deepEqual(client.state.reactions, []);
});

Deno.test("what was given as somebody else is nobody's own", () => {
  const { shown, hear, entry } = setUp();
  hear(entry({}));
  assert.deepEqual(shown(), ["👍 1 mine"]);
  hear({ ...welcome, user: "u9" });
  assert.deepEqual(shown(), ["👍 1"]);
});
