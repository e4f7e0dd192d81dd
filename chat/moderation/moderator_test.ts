import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { createOne, createTwo, refusal } from "../../testing/moderation.ts";
import { MODERATOR } from "./moderator.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";
import { SETTINGS_INTERVAL } from "../rooms/registry.ts";

const message = (text: string, id?: string) => ({ action: "send_message", room: "general", text, id }) as const;

Deno.test("what a moderator deletes is deleted for everyone, as an entry like any other", async () => {
  const { chat, moderator } = createOne();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message("bad words"));
  const entry = await moderator.deleteMessage("general", 1);
  assert.deepEqual([entry.seq, entry.target, entry.user], [2, 1, MODERATOR]);
  assert.deepEqual(bob.last("message_deleted"), entry);
  assert.deepEqual(ann.last("message_deleted"), entry);
  assert.equal((await refusal(moderator.deleteMessage("general", 1))).code, "not_found");
  assert.equal((await refusal(moderator.deleteMessage("general", 99))).code, "not_found");
});

Deno.test("a locked room tells its members, can be read, and takes no messages until it is open again", async () => {
  const { chat, moderator } = createOne();
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("before", "1"));
  await moderator.changeRoom("general", { locked: true });
  assert.deepEqual(ann.last("room_changed"), {
    action: "room_changed",
    room: "general",
    locked: true,
    slow_seconds: 0,
  });
  await ann.send(message("during", "2"), message("before", "1"));
  assert.deepEqual([ann.last("error").code, ann.last("error").id], ["forbidden", "2"]);
  assert.equal(ann.all("receive_message").length, 2, "what is repeated is answered");
  const bob = await FakeClient.enter(chat, "bob");
  assert.equal(bob.last("room_joined").locked, true);
  assert.equal(bob.last("room_joined").messages.length, 1);
  await ann.send({ action: "delete_message", room: "general", target: 1 });
  assert.equal(bob.all("message_deleted").length, 1, "taking one's own words back is no sending");
  await moderator.changeRoom("general", { locked: false });
  await ann.send(message("after", "2"));
  assert.equal(bob.last("receive_message").text, "after");
});

Deno.test("settings that another process changes are seen within half a minute, without an event", async () => {
  const { storage, clock, second } = createTwo(false);
  const [ann, bob] = [await FakeClient.enter(second, "ann"), await FakeClient.enter(second, "bob")];
  await storage.moderation.change("general", { slow_seconds: 300 });
  await clock.advance(SETTINGS_INTERVAL);
  assert.deepEqual(bob.all("room_changed"), [
    { action: "room_changed", room: "general", locked: false, slow_seconds: 300 },
  ]);
  await ann.send(message("one", "1"), message("two", "2"));
  assert.deepEqual([ann.last("error").code, ann.last("error").id], ["rate_limited", "2"]);
  await storage.moderation.change("general", { slow_seconds: 0, locked: true });
  await clock.advance(SETTINGS_INTERVAL);
  assert.equal(bob.last("room_changed").locked, true);
  second.close();
});

Deno.test("the settings of all rooms are swept in equal parts, and none is left out", async () => {
  const { storage, clock, chat } = createChat({ limits: { rooms: 100 } });
  const client = await FakeClient.enter(chat, "ann", Array.from({ length: 90 }, (_, at) => `room${at}`));
  const { settings } = storage.moderation;
  const asked: string[] = [];
  storage.moderation.settings = (room) => {
    asked.push(room);
    return settings.call(storage.moderation, room);
  };
  for (let passed = 0; passed < SETTINGS_INTERVAL; passed += 1_000) {
    const before = asked.length;
    await clock.advance(1_000);
    assert.equal(asked.length - before, 3);
  }
  assert.equal(new Set(asked).size, 90);
  client.close(1000, "");
  await clock.advance(DISCONNECT_GRACE);
  asked.length = 0;
  await clock.advance(2 * SETTINGS_INTERVAL);
  assert.deepEqual(asked, [], "and none that nobody is in");
  await FakeClient.enter(chat, "ann", ["room"]);
  chat.close();
  asked.length = 0;
  await clock.advance(2 * SETTINGS_INTERVAL);
  assert.deepEqual(asked, [], "nor any once the chat is closed");
});

Deno.test("members are not told that their room is listed", async () => {
  const { chat, moderator } = createOne();
  const ann = await FakeClient.enter(chat, "ann");
  assert.deepEqual(await moderator.changeRoom("general", { listed: true }), {
    locked: false,
    listed: true,
    slow_seconds: 0,
  });
  await settle();
  assert.deepEqual(ann.all("room_changed"), []);
});

Deno.test("a room that is changed on another isolate is changed here, also when the event got lost", async () => {
  for (const signals of [true, false]) {
    const { storage, first, second, moderator } = createTwo(signals);
    const [here, there] = [await FakeClient.enter(first, "ann"), await FakeClient.enter(second, "bob")];
    await moderator.changeRoom("general", { locked: true, slow_seconds: 5 });
    await settle();
    assert.equal(here.last("room_changed").slow_seconds, 5);
    // The storage decides, and its refusal tells an isolate what it does not know yet.
    if (!signals) assert.deepEqual(there.all("room_changed"), []);
    await there.send(message("x"));
    assert.equal(there.last("error").code, "forbidden");
    assert.deepEqual(there.last("room_changed"), { ...here.last("room_changed") });
    await storage.close();
  }
});

Deno.test("a notification that something may have been missed makes the room read its settings again", async () => {
  const { chat, storage } = createOne();
  const ann = await FakeClient.enter(chat, "ann");
  await storage.moderation.change("general", { slow_seconds: 7 });
  await storage.renewEpoch();
  await settle();
  assert.equal(ann.last("room_joined").slow_seconds, 7);
});

Deno.test("in a slow room a person speaks once in so many seconds, and is told how long to wait", async () => {
  const { chat, clock, moderator } = createOne();
  await moderator.changeRoom("general", { slow_seconds: 30 });
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  assert.equal(ann.last("room_joined").slow_seconds, 30);
  await ann.send(message("one", "1"));
  await bob.send(message("mine", "1"));
  await clock.advance(9_500);
  await ann.send(message("two", "2"));
  assert.deepEqual([ann.last("error").code, ann.last("error").id, ann.last("error").retry_after], [
    "rate_limited",
    "2",
    21,
  ]);
  await ann.send({ ...message("islands"), room: "islands" }, {
    action: "edit_message",
    room: "general",
    target: 1,
    text: "uno",
  });
  assert.equal(ann.all("error").length, 1, "other rooms and edits are not slow");
  await clock.advance(20_500);
  await ann.send(message("two", "2"));
  assert.deepEqual(bob.all("receive_message").map(({ text }) => text), ["one", "mine", "two"]);
});

Deno.test("in a slow room a repeated message is answered, and does not count as speaking", async () => {
  const { chat, clock, storage, moderator } = createOne();
  await storage.append([{ ...message("said before", "0"), user: "ann", from: "Ann" }]);
  await moderator.changeRoom("general", { slow_seconds: 30 });
  const ann = await FakeClient.enter(chat, "ann");
  const seqs = () => ann.all("receive_message").map(({ seq }) => seq);
  await ann.send(message("said before", "0"), message("one", "1"), message("one", "1"));
  await ann.send(message("said before", "0"));
  assert.deepEqual(seqs(), [1, 2, 2, 1]);
  assert.deepEqual(ann.all("error"), []);
  await ann.send(message("two", "2"), message("two"));
  assert.deepEqual(ann.all("error").map(({ code }) => code), ["rate_limited", "rate_limited"]);
  await clock.advance(30_000);
  await moderator.changeRoom("general", { locked: true });
  await ann.send(message("two", "2"));
  assert.equal(ann.last("error").code, "forbidden");
  await moderator.changeRoom("general", { locked: false });
  await ann.send(message("two", "2"));
  assert.equal(seqs().at(-1), 3, "a refused send uses up neither the id nor the turn");
});

Deno.test("the list has the default room and those that a moderator has listed, and no other", async () => {
  const { chat, list, moderator } = createOne();
  assert.deepEqual(await list.rooms(), [{ room: "general", count: 0, seq: 0, date: 0 }]);
  const ann = await FakeClient.enter(chat, "ann", ["general", "islands", "secret"]);
  await ann.send(message("hello"), { ...message("psst"), room: "secret" });
  await moderator.changeRoom("islands", { listed: true });
  assert.deepEqual(await list.rooms(), [
    { room: "general", count: 1, seq: 1, date: Date.UTC(2026, 0, 1) },
    { room: "islands", count: 1, seq: 0, date: 0 },
  ]);
  await moderator.changeRoom("general", { listed: true });
  assert.equal((await list.rooms()).length, 2);
});
