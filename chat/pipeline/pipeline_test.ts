import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import type { Storage } from "../storage.ts";
import { LONGEST_QUEUE, SHORT_QUEUE, STORE_TIMEOUT } from "./write_queue.ts";

const message = (text: string, id?: string) => ({ action: "send_message", room: "general", text, id }) as const;

Deno.test("messages are refused while the queue is too long, and taken again when it is gone", async () => {
  const { chat, clock, storage } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  const { append } = storage;
  const stuck: (() => void)[] = [];
  storage.append = async (commands) => {
    await new Promise<void>((resolve) => stuck.push(resolve));
    return await append.call(storage, commands);
  };
  await ann.send(message("under way"));
  for (let at = 0; at < SHORT_QUEUE; at++) await ann.send(message("waits"));
  await ann.send(message("a burst is no overload"));
  await clock.advance(LONGEST_QUEUE);
  await ann.send(message("too late", "k"));
  assert.deepEqual(ann.all("error").map(({ code, id, retry_after }) => [code, id, retry_after]), [[
    "rate_limited",
    "k",
    1,
  ]]);
  storage.append = append;
  stuck.forEach((go) => go());
  await settle();
  await ann.send(message("again", "k"));
  assert.equal(ann.all("receive_message").length, SHORT_QUEUE + 3);
  assert.equal(ann.last("receive_message").text, "again");
});

Deno.test("a room that is slow to store holds up no other room, and keeps its order", async () => {
  const { chat, clock, storage } = createChat();
  const inSlow = (text: string) => ({ ...message(text), room: "slow" });
  const [ann, bob] = [await FakeClient.enter(chat, "ann", ["slow"]), await FakeClient.enter(chat, "bob", ["slow"])];
  const [eve, mal] = [await FakeClient.enter(chat, "eve"), await FakeClient.enter(chat, "mal")];
  const { append } = storage;
  const stuck: (() => void)[] = [];
  storage.append = async (commands) => {
    if (commands.some(({ room }) => room === "slow")) await new Promise<void>((resolve) => stuck.push(resolve));
    return await append.call(storage, commands);
  };
  await ann.send(inSlow("one"));
  await clock.advance(STORE_TIMEOUT);
  await bob.send(inSlow("two"));
  await eve.send(message("meanwhile"));
  assert.deepEqual([stuck.length, mal.last("receive_message").text], [1, "meanwhile"]);
  assert.deepEqual(bob.all("receive_message"), []);
  let settled = false;
  const settling = chat.settled().then(() => settled = true);
  for (let at = 0; at < 2; at++) {
    await settle();
    assert.equal(settled, false);
    stuck.shift()!();
  }
  await settling;
  for (const client of [ann, bob]) {
    assert.deepEqual(client.all("receive_message").map(({ seq, text }) => [seq, text]), [[1, "one"], [2, "two"]]);
  }
});

/** How many commands are stored at once, from now on. */
function batchesOf(storage: Storage): number[] {
  const batches: number[] = [];
  const { append } = storage;
  storage.append = (commands) => {
    batches.push(commands.length);
    return append.call(storage, commands);
  };
  return batches;
}

Deno.test("one flush cycle stores so much and no more, and the next one stores the rest", async () => {
  const { chat, storage } = createChat();
  const batches = batchesOf(storage);
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(...Array.from({ length: 100 }, () => message("x".repeat(4_000))));
  await settle();
  assert.equal(batches.reduce((sum, length) => sum + length, 0), 100);
  assert.ok(Math.max(...batches) <= 8, String(batches));
  assert.equal(ann.all("receive_message").length, 100);
});

Deno.test("what many clients get as frames of their own is stored in smaller batches", async () => {
  const { chat, storage } = createChat();
  const batches = batchesOf(storage);
  const ann = await FakeClient.enter(chat, "ann");
  for (let at = 0; at < 400; at++) new FakeClient(chat, `user ${at}`);
  await settle();
  await ann.send(...Array.from({ length: 200 }, () => message("hello")));
  await settle();
  assert.ok(Math.max(...batches) < 30, String(batches));
  assert.equal(ann.all("receive_message").length, 200);
});

Deno.test("when many rooms have something to send, what the first ones sent is written before the others send", async () => {
  const { chat, clock } = createChat();
  const rooms = Array.from({ length: 15 }, (_, at) => `room${at}`);
  const clients = await Promise.all(Array.from({ length: 200 }, (_, at) => FakeClient.enter(chat, `u${at}`, rooms)));
  await clock.advance(5_000);
  let [sent, most] = [0, 0];
  for (const client of clients) client.deliver = () => most = Math.max(most, ++sent);
  const { soon } = clock;
  clock.soon = (act) => {
    sent = 0;
    soon.call(clock, act);
  };
  for (const [at, room] of rooms.entries()) clients[at].session.receive({ ...message("hello"), room });
  await settle();
  assert.ok(most >= 1_000 && most <= 1_200, `${most} frames at once`);
});

Deno.test("once everything has settled, what was said before is stored and shown", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  ann.session.receive(message("last words"));
  await Promise.resolve().then(() => chat.settled());
  assert.equal(bob.last("receive_message").text, "last words");
  chat.close();
  assert.equal(ann.closed, undefined, "connections are their door's to close");
});

Deno.test("someone who leaves a room that is slow to store gets their message back first", async () => {
  const { chat, clock, storage } = createChat();
  const ann = await FakeClient.enter(chat, "ann", ["slow", "general"]);
  const { append } = storage;
  const stuck = Promise.withResolvers<void>();
  storage.append = async (commands) => {
    if (commands.some(({ room }) => room === "slow")) await stuck.promise;
    return await append.call(storage, commands);
  };
  await ann.send({ ...message("one"), room: "slow" });
  await clock.advance(STORE_TIMEOUT);
  await ann.send(message("two"), { action: "leave_room", room: "slow" });
  assert.equal(ann.last("receive_message").text, "two");
  stuck.resolve();
  await clock.advance(STORE_TIMEOUT);
  const told = ann.frames.slice(3).map((frame) => "text" in frame ? frame.text : frame.action);
  assert.deepEqual(told, ["two", "one", "room_left"]);
});
