import assert from "node:assert/strict";
import { settle } from "../testing/clock.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
import { executeRequest } from "./commands.ts";
import { MERGE_INTERVAL } from "./pipeline/write_queue.ts";
import { type ClientFrame, REACTIONS_LIMIT, SENTENCES } from "./protocol.ts";

const room = "general";
const say = (text: string): ClientFrame => ({ action: "send_message", room, text });
const react = (emoji: string, on = true, more: { target?: number; id?: string } = {}): ClientFrame => (
  { action: "react", room, target: 1, emoji, on, ...more }
);

/** A room with one message, and these people in it. */
async function enter(...users: string[]) {
  const made = createChat();
  const people = [];
  for (const user of users) people.push(await FakeClient.enter(made.chat, user));
  await people[0].send(say("tea?"));
  return { ...made, people };
}

Deno.test("a reaction reaches everyone, and only who gave it is answered, with the id", async () => {
  const { chat, clock, people: [ann, bob] } = await enter("ann", "bob");
  await bob.send(react("🍵", true, { id: "k" }));
  assert.deepEqual(bob.last("reacted"), { action: "reacted", room, target: 1, emoji: "🍵", on: true, id: "k" });
  assert.deepEqual(ann.all("reacted"), []);
  assert.deepEqual(ann.last("message_reacted"), bob.last("message_reacted"));
  assert.deepEqual(ann.last("message_reacted").changes.map(({ user, on }) => [user, on]), [["bob", true]]);
  // What is so already is answered, and nobody else hears of it. The id is no idempotency key.
  await bob.send(react("🍵", true, { id: "k" }), react("🍵", false, { id: "k" }));
  await clock.advance(MERGE_INTERVAL);
  assert.deepEqual(bob.all("reacted").map(({ on }) => on), [true, true, false]);
  assert.equal(ann.all("message_reacted").length, 2);
  chat.close();
});

Deno.test("what comes together is one entry, and each person is answered for their own", async () => {
  const { chat, clock, people } = await enter("ann", "bob", "eve", "cat");
  const [ann, bob, eve, cat] = people;
  const emoji = Array.from({ length: REACTIONS_LIMIT }, (_, at) => String.fromCodePoint(0x1f34e + at));
  for (const each of emoji) await ann.send(react(each));
  await clock.advance(MERGE_INTERVAL);
  const before = ann.all("message_reacted").length;
  for (const each of [bob, eve]) each.session.receive(react(emoji[0]));
  for (const each of [cat, eve]) each.session.receive(react("🫖", true, { id: "x" }));
  await clock.advance(MERGE_INTERVAL);
  const told = ann.all("message_reacted").slice(before);
  assert.deepEqual(told.map(({ changes }) => changes.map(({ user }) => user)), [["bob", "eve"]]);
  const refused = { action: "error", code: "too_many_reactions", room, id: "x" };
  for (const each of [cat, eve]) {
    const { message, ...error } = each.last("error");
    assert.deepEqual(error, refused);
    assert.match(message, /at most 20 different reactions/);
  }
  assert.deepEqual([bob, eve, cat].map((each) => each.all("reacted").length), [1, 1, 0]);
  chat.close();
});

Deno.test("a lone reaction waits for nothing, and those to one message are ten entries a second at most", async () => {
  const { chat, clock, people } = await enter("ann", "bob", "eve", "cat");
  const [ann, ...others] = people;
  await ann.send(say("coffee?"));
  const timers = clock.waiting;
  await ann.send(react("🍵"));
  assert.equal(ann.all("message_reacted").length, 1);
  for (const each of others) await each.send(react("🍵"));
  // Neither another message nor what is said waits for that.
  await ann.send(react("☕", true, { target: 2 }), say("meanwhile"));
  assert.deepEqual(ann.all("message_reacted").map(({ target }) => target), [1, 2]);
  assert.equal(ann.all("receive_message").length, 3);
  await clock.advance(MERGE_INTERVAL - 1);
  assert.equal(ann.all("message_reacted").length, 2);
  await clock.advance(1);
  assert.deepEqual(ann.last("message_reacted").changes.map(({ user }) => user), ["bob", "eve", "cat"]);
  assert.deepEqual(others.map((each) => each.all("reacted").length), [1, 1, 1]);
  // Who is to stop waits for it.
  await ann.send(react("🍵", false));
  const settled = chat.settled();
  await clock.advance(MERGE_INTERVAL);
  await settled;
  assert.equal(ann.all("message_reacted").length, 4);
  await clock.advance(MERGE_INTERVAL);
  assert.ok(clock.waiting <= timers, "no timer is left");
  chat.close();
});

Deno.test("a crowd's reactions are far fewer entries than people", async () => {
  const users = Array.from({ length: 250 }, (_, at) => `u${at}`);
  const { chat, people } = await enter(...users);
  for (const each of people) each.session.receive(react("🍵"));
  await settle();
  const { seq } = people[0].last("message_reacted");
  assert.equal(seq, 4, "a hundred changes are one entry");
  for (const each of people) assert.equal(each.all("reacted").length, 1);
  const late = await FakeClient.enter(chat, "u7");
  const [message] = late.last("room_joined").messages;
  assert.ok(message.action === "receive_message");
  assert.deepEqual(message.reactions!.map(({ count, users }) => [count, users.length]), [[250, 5]]);
  assert.deepEqual(late.last("room_joined").reacted, { 1: ["🍵"] });
  assert.equal((await FakeClient.enter(chat, "somebody else")).last("room_joined").reacted, undefined);
  chat.close();
});

Deno.test("what else happens to the message meanwhile keeps its place among the reactions", async () => {
  const { chat, people: [ann, bob, eve] } = await enter("ann", "bob", "eve");
  bob.session.receive(react("🍵"));
  ann.session.receive({ action: "delete_message", room, target: 1 });
  eve.session.receive(react("🍵", true, { id: "late" }));
  await settle();
  const entries = ann.frames.filter((frame) => "seq" in frame && frame.seq > 1).map(({ action }) => action);
  assert.deepEqual(entries, ["message_reacted", "message_deleted"]);
  assert.equal(bob.all("reacted").length, 1);
  assert.deepEqual([eve.last("error").code, eve.last("error").id], ["not_found", "late"]);
  chat.close();
});

Deno.test("what is no emoji, or is about no message, is refused with a sentence", async () => {
  const { chat, clock, storage, people: [ann] } = await enter("ann");
  const bad = ["", "a", "tea", "🍵🍵", "🍵 ", "❤", "1", "#", "🇰", "🍵".repeat(1_000), "\u200d", "🏽🍵", "👍\ufe0f"];
  for (const emoji of bad) {
    await ann.send(react(emoji));
    assert.equal(ann.last("error").code, "bad_emoji", emoji);
  }
  for (const emoji of ["🍵", "❤️", "👍🏽", "🇰🇷", "1️⃣", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "🧑🏿‍❤️‍💋‍🧑🏻"]) {
    await ann.send(react(emoji), react(emoji, false));
  }
  await clock.advance(MERGE_INTERVAL);
  assert.equal(ann.all("reacted").length, 16);
  const { seq } = await storage.history(room, { limit: 1 });
  for (const target of [0, 2, seq + 1, Number.MAX_SAFE_INTEGER]) {
    await ann.send(react("🍵", true, { target }));
    assert.deepEqual([ann.last("error").code, ann.last("error").message], ["not_found", SENTENCES.gone]);
  }
  assert.equal((await storage.history(room, { limit: 1 })).seq, seq);
  chat.close();
});

Deno.test("a request is answered what a socket would be, also in a locked room", async () => {
  const { chat, clock, storage, people: [ann] } = await enter("ann");
  const request = async (frame: ClientFrame) =>
    (await Promise.all([
      executeRequest(chat.services, { user: "bob" }, frame),
      settle().then(() => clock.advance(MERGE_INTERVAL)),
    ]))[0].frame;
  const answer = { action: "reacted", room, target: 1, emoji: "🍵", on: true };
  assert.deepEqual(await request(react("🍵", true, { id: "k" })), { ...answer, id: "k" });
  await storage.moderation.change(room, { locked: true });
  await assert.rejects(request(react("☕")), { code: "forbidden", message: SENTENCES.locked });
  assert.deepEqual(await request(react("🍵", false)), { ...answer, on: false });
  assert.deepEqual(ann.last("message_reacted").changes.map(({ on }) => on), [false]);
  chat.close();
});
