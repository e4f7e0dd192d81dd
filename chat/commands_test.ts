import assert from "node:assert/strict";
import { MemoryStorage } from "../storage/memory.ts";
import { FakeClock, settle } from "../testing/clock.ts";
import { openings } from "../testing/servers/isolates.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
import { castVote, KINDS_WITH_VOTE } from "../testing/storage/vote.ts";
import { type CommandResult, executeRequest } from "./commands.ts";
import type { Chat } from "./chat.ts";
import { type ClientFrame, type ReceiveMessage, type RoomJoined, SENTENCES } from "./protocol.ts";
import { ChatError } from "./errors.ts";

async function run(chat: Chat, user: string | undefined, frame: ClientFrame): Promise<CommandResult> {
  const [done] = await Promise.all([
    executeRequest(chat.services, { user }, frame),
    settle(),
  ]);
  return done;
}

function refusal(code: string) {
  return (error: unknown) => error instanceof ChatError && error.code === code;
}

Deno.test("a message sent by a request is stored and shown, and makes nobody a member", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  const { frame, repeated } = await run(chat, "bot", { action: "send_message", room: "General", text: "beep" });
  assert.deepEqual([repeated, frame], [false, ann.last("receive_message")]);
  assert.equal(ann.last("receive_message").room, "general");
  assert.deepEqual(ann.all("member_joined"), []);
  const again = await FakeClient.enter(chat, "bob");
  assert.deepEqual(again.last("room_joined").members.map(({ user }) => user), ["ann", "bob"]);
  chat.close();
});

Deno.test("an id sent again is answered with the first message, by a request as over a socket", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  const frame: ClientFrame = { action: "send_message", room: "general", text: "once", id: "k" };
  await ann.send(frame);
  const done = await run(chat, "ann", frame);
  assert.deepEqual([done.repeated, done.frame], [true, ann.last("receive_message")]);
  assert.equal(ann.all("receive_message").length, 1);
  chat.close();
});

Deno.test("a refusal says why, with the sentence of the kind of entry if it has its own", async () => {
  const clock = new FakeClock();
  const retention = { messages: 0, days: 0 };
  const storage = new MemoryStorage({ clock, secret: "", retention, kinds: KINDS_WITH_VOTE });
  const { chat } = createChat({ clock, storage });
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send({ action: "send_message", room: "general", text: "tea?" });
  const room = "general";
  const refused: [user: string, ClientFrame, code: string, message: string][] = [
    ["ann", castVote("ann", 1, "tea", { room }), "forbidden", "Nobody votes on their own message."],
    ["bob", { action: "edit_message", room, target: 1, text: "theirs" }, "forbidden", SENTENCES.notAuthor],
    ["bob", { action: "edit_message", room, target: 9, text: "nothing" }, "not_found", SENTENCES.gone],
  ];
  for (const [user, frame, code, message] of refused) {
    await assert.rejects(run(chat, user, frame), { name: "ChatError", code, message });
  }
  await storage.moderation.change(room, { locked: true });
  await assert.rejects(run(chat, "bob", { action: "send_message", room, text: "hello" }), {
    code: "forbidden",
    message: SENTENCES.locked,
  });
  chat.close();
});

Deno.test("a request is refused with the same code as a frame", async () => {
  const { chat } = createChat();
  const room = "general";
  const { frame } = await run(chat, "ann", { action: "send_message", room, text: "mine" });
  const target = (frame as ReceiveMessage).seq;
  const refused: [ClientFrame, string][] = [
    [{ action: "send_message", room, text: " " }, "text_empty"],
    [{ action: "send_message", room, text: "x".repeat(4_001) }, "text_too_long"],
    [{ action: "send_message", room: "no room", text: "x" }, "bad_room"],
    [{ action: "edit_message", room, target, text: "theirs" }, "forbidden"],
    [{ action: "delete_message", room, target: 99 }, "not_found"],
    [{ action: "set_name", name: "User 123" }, "bad_name"],
    [{ action: "typing", room: "" }, "bad_room"],
    [{ action: "join_room", room: "../etc" }, "bad_room"],
  ];
  for (const [frame, code] of refused) {
    await assert.rejects(run(chat, "eve", frame), refusal(code), JSON.stringify(frame));
    if (!["join_room", "ping"].includes(frame.action)) {
      await assert.rejects(run(chat, undefined, frame), refusal("forbidden"), "a stranger");
    }
  }
  chat.close();
});

Deno.test("a preview shows what a member would see, and nobody sees who asked for it", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  for (const text of ["one", "two"]) await ann.send({ action: "send_message", room: "general", text });
  const { epoch } = ann.last("room_joined");
  const look = (since?: RoomJoined) => run(chat, undefined, { action: "join_room", room: "general", since, id: "l" });
  const { frame } = await look() as { frame: RoomJoined };
  assert.deepEqual([frame.seq, frame.count, frame.recovered, frame.id], [2, 1, false, "l"]);
  const missed = await run(chat, undefined, { action: "join_room", room: "general", since: { epoch, seq: 1 } });
  assert.deepEqual((missed.frame as RoomJoined).messages, [ann.last("receive_message")]);
  // An empty room is forgotten at once, also when several look at it.
  await Promise.all([1, 2].map(() => run(chat, undefined, { action: "join_room", room: "empty" })));
  const bob = await FakeClient.enter(chat, "bob", ["empty"]);
  await bob.send({ action: "send_message", room: "empty", text: "heard" });
  assert.equal(bob.last("receive_message").text, "heard");
  chat.close();
});

Deno.test("locks, slow mode and bans hold for requests too", async () => {
  const { storage, chat } = createChat();
  const send = (user: string, room: string) => run(chat, user, { action: "send_message", room, text: "x" });
  await storage.moderation.change("locked", { locked: true });
  await assert.rejects(send("ann", "locked"), refusal("forbidden"));
  await storage.moderation.change("slow", { slow_seconds: 10 });
  await send("ann", "slow");
  await assert.rejects(send("ann", "slow"), refusal("rate_limited"));
  const { frame } = await run(chat, "ann", { action: "join_room", room: "slow" });
  assert.equal((frame as RoomJoined).slow_seconds, 10);
  const { settings } = storage.moderation;
  const opened = Promise.withResolvers<void>();
  storage.moderation.settings = (room) => opened.promise.then(() => settings.call(storage.moderation, room));
  const looked = executeRequest(chat.services, { user: "ann" }, { action: "join_room", room: "slow" });
  const sent = assert.rejects(send("ann", "slow"), refusal("rate_limited"), "while the room is being opened");
  await settle();
  opened.resolve();
  await Promise.all([looked, sent]);
  const date = chat.services.clock.now();
  await storage.moderation.ban({ user: "eve", date, until: date + 1_000, reason: "" });
  chat.services.bans.refresh();
  await assert.rejects(send("eve", "general"), refusal("forbidden"));
  await run(chat, "eve", { action: "join_room", room: "general" });
  chat.close();
});

Deno.test("a name changed by a request is shown to everyone who sees that person", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  const { frame } = await run(chat, "bob", { action: "set_name", name: "Bob", id: "n" });
  const { id, ...told } = frame as { id?: string };
  assert.equal(id, "n");
  assert.deepEqual([ann.last("name_changed"), bob.last("name_changed")], [told, told]);
  // Also where the one who changes it connects meanwhile.
  const cid = new FakeClient(chat, "cid");
  await run(chat, "cid", { action: "set_name", name: "Cid" });
  await cid.send({ action: "send_message", room: "general", text: "hello" });
  assert.equal(ann.last("receive_message").from, "Cid");
  chat.close();
});

Deno.test("a request to type or leave reaches the isolate that has the event stream, and no other connection", async () => {
  const { storage, clock } = createChat();
  const [here, there] = openings(storage, 2).map((opening) => createChat({ clock, storage: opening.storage }).chat);
  const ann = await FakeClient.enter(there, "ann");
  const [one, two, socket] = [
    await FakeClient.enter(there, "bob"),
    await FakeClient.enter(there, "bob"),
    await FakeClient.enter(there, "bob"),
  ];
  [one.stream, two.stream] = ["one", "two"];
  for (const _ of [1, 2]) assert.deepEqual(await run(here, "bob", { action: "typing", room: "general" }), {});
  await settle();
  assert.equal(ann.all("typing").length, 1, "at most every three seconds, wherever it is asked");
  assert.deepEqual(one.all("typing"), []);
  await run(here, "eve", { action: "typing", room: "general" });
  await run(here, "eve", { action: "leave_room", room: "general" });
  await settle();
  assert.equal(ann.all("typing").length, 1, "eve is not in the room");

  const { frame } = await run(here, "bob", { action: "leave_room", room: "general", stream: "two" });
  await settle();
  assert.deepEqual(frame, two.last("room_left"));
  assert.deepEqual([one.all("room_left"), socket.all("room_left")], [[], []]);
  await run(here, "bob", { action: "leave_room", room: "general" });
  await settle();
  assert.equal(one.all("room_left").length, 1);
  assert.deepEqual(socket.all("room_left"), [], "a socket can say so itself");
  here.close();
  there.close();
});
