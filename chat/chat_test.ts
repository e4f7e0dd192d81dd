import assert from "node:assert/strict";
import { settle } from "../testing/clock.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
import { DRAIN_TIMEOUT } from "./chat.ts";
import { COUNT_INTERVAL, DISCONNECT_GRACE } from "./rooms/members.ts";
import { BACKLOG } from "./session.ts";

const message = (text: string, id?: string) => ({ action: "send_message", room: "general", text, id }) as const;

Deno.test("a welcome comes first, then the rooms that were asked for", async () => {
  const { chat } = createChat();
  const client = await FakeClient.enter(chat, "ann", ["a", "b"]);
  assert.deepEqual(client.frames.map(({ action }) => action), ["welcome", "room_joined", "room_joined"]);
  assert.match(client.last("welcome").name, /^User \d{3}$/);
});

Deno.test("who takes many frames as one is welcomed together with the first page, and before anything else", async () => {
  const { chat, storage } = createChat();
  const arrive = (user: string, ...rooms: string[]) =>
    Object.assign(new FakeClient(chat, user, rooms), { batch: true });
  const phone = arrive("ann", "a", "b");
  const bob = arrive("bob", "no room!", "d");
  await settle();
  assert.deepEqual(phone.frames.map(({ action }) => action), ["welcome", "room_joined", "room_joined"]);
  assert.deepEqual(bob.frames.map(({ action }) => action), ["welcome", "error", "room_joined"]);
  assert.deepEqual([phone.deliveries, bob.deliveries], [2, 2]);

  const page = Promise.withResolvers<void>();
  const { history } = storage;
  storage.history = (...query) => page.promise.then(() => history.apply(storage, query));
  const laptop = arrive("ann", "c");
  await settle();
  assert.deepEqual(laptop.frames, []);
  await phone.send({ action: "set_name", name: "Ada" });
  page.resolve();
  await settle();
  assert.deepEqual(laptop.frames.map(({ action }) => action), ["welcome", "name_changed", "room_joined"]);
});

Deno.test("a message reaches everyone in the room, the author included, in one order", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  const outsider = await FakeClient.enter(chat, "eve", ["other"]);
  await Promise.all([ann.send(message("one", "1")), bob.send(message("two"))]);
  assert.deepEqual(ann.all("receive_message").map(({ seq, text }) => [seq, text]), [[1, "one"], [2, "two"]]);
  assert.deepEqual(ann.all("receive_message"), bob.all("receive_message"));
  assert.equal(ann.all("receive_message")[0].id, "1");
  assert.deepEqual(outsider.all("receive_message"), []);
});

Deno.test("sending to a room joins it first", async () => {
  const { chat } = createChat();
  const client = await FakeClient.enter(chat, "ann", []);
  await client.send(message("hello"));
  assert.deepEqual(client.frames.map(({ action }) => action), ["welcome", "room_joined", "receive_message"]);
});

Deno.test("a repeated id is answered to its sender alone, with the first one's frame", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message("once", "k"));
  await ann.send(message("twice", "k"));
  assert.deepEqual(ann.all("receive_message").map(({ seq, text }) => [seq, text]), [[1, "once"], [1, "once"]]);
  assert.equal(bob.all("receive_message").length, 1);
  await bob.send(message("mine", "k"));
  assert.equal(ann.all("receive_message").at(-1)!.text, "mine");
});

Deno.test("a refused message is never shown and uses up no id", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message(" ", "k"), message("x".repeat(4_001), "k"));
  assert.deepEqual(ann.all("error").map(({ code, id }) => [code, id]), [["text_empty", "k"], ["text_too_long", "k"]]);
  await ann.send(message("fine", "k"));
  assert.deepEqual(bob.all("receive_message").map(({ seq, text }) => [seq, text]), [[1, "fine"]]);
});

Deno.test("only its author edits or deletes a message, and everyone is told", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message("frist"));
  await bob.send({ action: "edit_message", room: "general", target: 1, text: "mine now", id: "e" });
  await bob.send({ action: "delete_message", room: "general", target: 1 });
  await bob.send({ action: "delete_message", room: "general", target: 7 });
  assert.deepEqual(bob.all("error").map(({ code }) => code), ["forbidden", "forbidden", "not_found"]);
  assert.equal(bob.all("error")[0].id, "e");
  await ann.send({ action: "edit_message", room: "general", target: 1, text: "first" });
  await ann.send({ action: "delete_message", room: "general", target: 1 });
  assert.deepEqual(bob.frames.slice(-2).map((frame) => ({ ...frame, date: 0 })), [
    { action: "message_edited", room: "general", seq: 2, target: 1, user: "ann", text: "first", date: 0 },
    { action: "message_deleted", room: "general", seq: 3, target: 1, user: "ann", date: 0 },
  ]);
  await ann.send({ action: "edit_message", room: "general", target: 1, text: "again" });
  assert.equal(ann.last("error").code, "not_found");
});

Deno.test("one person is one member, however many sockets", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  const phone = await FakeClient.enter(chat, "bob");
  const laptop = await FakeClient.enter(chat, "bob");
  assert.equal(ann.all("member_joined").length, 1);
  assert.equal(laptop.last("room_joined").count, 2);
  assert.equal(phone.last("welcome").name, laptop.last("welcome").name);
  await phone.send({ action: "leave_room", room: "general" });
  assert.equal(phone.last("room_left").room, "general");
  assert.deepEqual(ann.all("member_left"), []);
  await laptop.send({ action: "leave_room", room: "general" });
  assert.equal(ann.all("member_left").length, 1);
});

Deno.test("a lost connection shows as left after five seconds, and not at all if its person is back by then", async () => {
  const { chat, clock } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  bob.session.end();
  await clock.advance(DISCONNECT_GRACE - 1);
  const again = await FakeClient.enter(chat, "bob");
  await clock.advance(DISCONNECT_GRACE);
  assert.deepEqual(ann.all("member_left"), []);
  assert.equal(ann.all("member_joined").length, 1);
  again.session.end();
  await clock.advance(DISCONNECT_GRACE);
  assert.deepEqual(ann.all("member_left").map(({ user }) => user), ["bob"]);
});

Deno.test("a message comes back to its author before they have left the room", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("bye"), { action: "leave_room", room: "general" });
  assert.deepEqual(ann.frames.slice(-2).map(({ action }) => action), ["receive_message", "room_left"]);
});

Deno.test("typing is shown to the others at most every three seconds, and not in a crowd", async () => {
  const { chat, clock } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  const tab = await FakeClient.enter(chat, "ann");
  const typing = { action: "typing", room: "general" } as const;
  await ann.send(typing, typing);
  await clock.advance(2_999);
  await ann.send(typing);
  assert.equal(bob.all("typing").length, 1);
  await clock.advance(1);
  await ann.send(typing);
  assert.equal(bob.all("typing").length, 2);
  assert.deepEqual([...ann.all("typing"), ...tab.all("typing")], []);
  for (let at = 0; at < 100; at++) new FakeClient(chat, `user ${at}`);
  await clock.advance(10_000);
  await ann.send(typing);
  assert.equal(bob.all("typing").length, 2);
});

Deno.test("above a hundred people a count is sent in place of each arrival, at most once a second", async () => {
  const { chat, clock } = createChat();
  const first = await FakeClient.enter(chat, "first");
  const crowd = Array.from({ length: 1_000 }, (_, at) => new FakeClient(chat, `user ${at}`));
  await clock.advance(COUNT_INTERVAL);
  assert.equal(first.all("member_joined").length, 99);
  assert.deepEqual(first.all("room_count").map(({ count }) => count), [1_001]);
  const late = await FakeClient.enter(chat, "late");
  assert.equal(late.last("room_joined").members.length, 100);
  assert.equal(late.last("room_joined").count, 1_002);
  await late.send({ action: "leave_room", room: "general" });

  for (const client of crowd.slice(0, 921)) await client.send({ action: "leave_room", room: "general" });
  await clock.advance(COUNT_INTERVAL);
  assert.deepEqual(first.all("member_left"), []);
  assert.equal(first.all("room_joined").length, 1, "eighty are still a crowd");
  await crowd[921].send({ action: "leave_room", room: "general" });
  assert.equal(first.last("room_joined").members.length, 79);
  assert.equal(first.last("room_joined").recovered, true);
  await crowd[922].send({ action: "leave_room", room: "general" });
  await clock.advance(1_000);
  assert.equal(first.all("member_left").length, 1);
});

Deno.test("a connection is in at most so many rooms, and may join one of them again", async () => {
  const { chat } = createChat({ limits: { rooms: 2 } });
  const client = await FakeClient.enter(chat, "ann", ["a", "b", "c"]);
  assert.deepEqual(client.all("error").map(({ code, room }) => [code, room]), [["too_many_rooms", "c"]]);
  await client.send({ action: "join_room", room: "B", id: "j" });
  assert.equal(client.last("room_joined").id, "j");
});

Deno.test("a bad room name is an error, and the other rooms are joined", async () => {
  const { chat } = createChat();
  const client = await FakeClient.enter(chat, "ann", ["a", "no room", "b"]);
  assert.deepEqual(client.frames.map(({ action }) => action), ["welcome", "room_joined", "error", "room_joined"]);
  assert.equal(client.last("error").code, "bad_room");
});

Deno.test("a client that never waits for answers is closed, and nobody else notices", async () => {
  const { chat } = createChat();
  const [ann, flood] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "eve")];
  for (let at = 0; at <= BACKLOG; at++) flood.session.receive({ action: "ping" });
  await settle();
  assert.equal(flood.closed?.code, 4029);
  await ann.send(message("still here"));
  assert.equal(ann.last("receive_message").text, "still here");
});

Deno.test("a store that fails is told to the asker as unavailable and ends nothing", async () => {
  const { chat, storage } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  const { append } = storage;
  storage.append = () => Promise.reject(new Error("disk on fire"));
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...what) => said.push(what);
  await ann.send(message("lost?", "k"));
  console.error = error;
  assert.equal(said.length, 1);
  assert.equal(ann.last("error").code, "unavailable");
  assert.ok(ann.last("error").retry_after! > 0);
  assert.deepEqual(bob.all("receive_message"), []);
  storage.append = append;
  await ann.send(message("lost?", "k"));
  assert.equal(bob.last("receive_message").text, "lost?");
});

Deno.test("arrivals in a large room are sent together, and before what those people say", async () => {
  const { chat, clock } = createChat();
  const first = await FakeClient.enter(chat, "first");
  for (let at = 0; at < 20; at++) await FakeClient.enter(chat, `user ${at}`);
  await clock.advance(1_000);
  const deliveries = first.deliveries;
  const [one, two] = [await FakeClient.enter(chat, "one"), await FakeClient.enter(chat, "two")];
  assert.equal(first.deliveries, deliveries, "it waits a moment");
  await two.send(message("hello"));
  assert.equal(first.deliveries, deliveries + 1);
  assert.deepEqual(first.frames.slice(-3).map(({ action }) => action), [
    "member_joined",
    "member_joined",
    "receive_message",
  ]);
  // Each newcomer hears of those who came later, and not of themselves.
  assert.deepEqual(one.all("member_joined").map(({ user }) => user), ["two"]);
  assert.deepEqual(two.all("member_joined"), []);
});

Deno.test("a server that stops stores and shows what it took, takes nothing more, and closes every connection", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  ann.session.receive({ action: "send_message", room: "general", text: "taken" });
  const drained = chat.drain();
  ann.session.receive({ action: "send_message", room: "general", text: "too late" });
  await drained;
  for (const client of [ann, bob]) {
    assert.deepEqual(client.all("receive_message").map(({ text }) => text), ["taken"]);
    assert.equal(client.closed?.code, 1012);
  }
  assert.equal(chat.services.pipeline.counters.messagesIn, 1);
  chat.close();
});

Deno.test("a server that stops does not wait for ever for a store that does not answer", async () => {
  const { clock, storage, chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  storage.append = () => new Promise(() => {});
  await ann.send({ action: "send_message", room: "general", text: "x" });
  const drained = chat.drain();
  await clock.advance(DRAIN_TIMEOUT);
  await drained;
  assert.equal(ann.closed?.code, 1012);
  chat.close();
});
