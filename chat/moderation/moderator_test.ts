import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { createLobby, FakeClient } from "../../testing/lobby.ts";
import { executeRequest } from "../commands.ts";
import { type BannedVisit, BANS_INTERVAL } from "./bans.ts";
import type { ClusterEvent } from "../storage.ts";
import { MODERATOR } from "./moderator.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";
import { CLOSE } from "../protocol.ts";
import { ChatError } from "../errors.ts";
import { SETTINGS_INTERVAL } from "../rooms/settings_sweep.ts";

const message = (text: string, id?: string) => ({ action: "send_message", room: "general", text, id }) as const;
const MINUTE = 60_000;

/** Two isolates on one store. `signals` says whether they hear each other's. */
function createTwo(signals: boolean) {
  const listeners: ((signal: ClusterEvent) => void)[] = [];
  const { storage, clock } = createLobby();
  storage.onEvent = (listener) => void listeners.push(listener);
  const [{ chat: first }, { chat: second }] = [createLobby({ storage, clock }), createLobby({ storage, clock })];
  if (signals) storage.signal = (signal) => listeners.forEach((listener) => listener(signal));
  return { storage, clock, first, second, moderator: first.moderator };
}

function createOne() {
  const { storage, clock, chat } = createLobby();
  return { storage, clock, chat, list: chat.directory, moderator: chat.moderator };
}

async function refusal(promise: Promise<unknown>): Promise<ChatError> {
  return await promise.then(() => assert.fail("it was not refused"), (error) => {
    if (error instanceof ChatError) return error;
    throw error;
  });
}

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
  await storage.changeRoom("general", { slow_seconds: 300 });
  await clock.advance(SETTINGS_INTERVAL);
  assert.deepEqual(bob.all("room_changed"), [
    { action: "room_changed", room: "general", locked: false, slow_seconds: 300 },
  ]);
  await ann.send(message("one", "1"), message("two", "2"));
  assert.deepEqual([ann.last("error").code, ann.last("error").id], ["rate_limited", "2"]);
  await storage.changeRoom("general", { slow_seconds: 0, locked: true });
  await clock.advance(SETTINGS_INTERVAL);
  assert.equal(bob.last("room_changed").locked, true);
  second.close();
});

Deno.test("the settings of all rooms are swept in equal parts, and none is left out", async () => {
  const { storage, clock, chat } = createLobby({ limits: { rooms: 100 } });
  const client = await FakeClient.enter(chat, "ann", Array.from({ length: 90 }, (_, at) => `room${at}`));
  const { roomSettings } = storage;
  const asked: string[] = [];
  storage.roomSettings = (room) => {
    asked.push(room);
    return roomSettings.call(storage, room);
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
    // The engine judges, and its refusal tells an isolate what it has not heard.
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
  await storage.changeRoom("general", { slow_seconds: 7 });
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
  await ann.send({ ...message("elsewhere"), room: "islands" }, {
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
  await storage.append([{ ...message("of a former life", "0"), user: "ann", from: "Ann" }]);
  await moderator.changeRoom("general", { slow_seconds: 30 });
  const ann = await FakeClient.enter(chat, "ann");
  const seqs = () => ann.all("receive_message").map(({ seq }) => seq);
  await ann.send(message("of a former life", "0"), message("one", "1"), message("one", "1"));
  await ann.send(message("of a former life", "0"));
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

Deno.test("a banned person's connections are all closed, and they are kept out until the ban is over", async () => {
  const { chat, clock, moderator } = createOne();
  const [eve, phone] = [await FakeClient.enter(chat, "eve"), await FakeClient.enter(chat, "eve", ["other"])];
  const ann = await FakeClient.enter(chat, "ann");
  await moderator.ban({ user: "eve", minutes: 10, reason: "spam", address: false });
  await settle();
  assert.deepEqual([eve.closed?.code, phone.closed?.code, ann.closed], [
    CLOSE.notAllowed,
    CLOSE.notAllowed,
    undefined,
  ]);
  assert.deepEqual(ann.all("member_left").map(({ user }) => user), ["eve"], "and is gone for the others at once");
  assert.match(eve.closed!.reason, /until 2026-01-01T00:10 UTC/);
  assert.doesNotMatch(eve.closed!.reason, /spam/, "the reason is for moderators");
  const again = await FakeClient.enter(chat, "eve");
  assert.deepEqual([again.closed?.code, again.frames], [CLOSE.notAllowed, []]);
  await clock.advance(10 * MINUTE);
  assert.equal((await FakeClient.enter(chat, "eve")).closed, undefined);
  chat.close();
});

Deno.test("a ban that is lifted is over at once", async () => {
  const { chat, moderator } = createOne();
  await moderator.ban({ user: "eve", minutes: 10, reason: "spam", address: false });
  assert.deepEqual((await moderator.bans()).map(({ user, reason }) => [user, reason]), [["eve", "spam"]]);
  assert.equal((await FakeClient.enter(chat, "eve")).closed?.code, CLOSE.notAllowed);
  await moderator.unban("eve");
  await settle();
  assert.equal((await FakeClient.enter(chat, "eve")).closed, undefined);
  assert.equal((await refusal(moderator.unban("eve"))).code, "not_found");
  chat.close();
});

Deno.test("a ban with the address keeps out everyone from there, under any name", async () => {
  const { chat, moderator } = createOne();
  const eve = await FakeClient.enter(chat, "eve", ["general"], "here");
  const friend = await FakeClient.enter(chat, "friend", ["general"], "here");
  const ann = await FakeClient.enter(chat, "ann", ["general"], "there");
  const local = await FakeClient.enter(chat, "local", ["general"], "loopback");
  await moderator.ban({ user: "eve", minutes: 10, reason: "", address: true });
  await settle();
  const codes = [eve, friend, ann, local].map(({ closed }) => closed?.code);
  assert.deepEqual(codes, [CLOSE.notAllowed, CLOSE.notAllowed, undefined, undefined]);
  assert.equal((await FakeClient.enter(chat, "new", [], "here")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(chat, "eve", [], "there")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(chat, "new", [], "there")).closed, undefined);
  chat.close();
});

Deno.test("of several bans on one person or one address the longest holds", async () => {
  const { chat, clock, moderator } = createOne();
  for (const [user, minutes] of [["eve", 30], ["mal", 10]] as const) {
    await FakeClient.enter(chat, user, [], "here");
    await moderator.ban({ user, minutes, reason: "", address: true });
    await clock.advance(1);
  }
  await settle();
  assert.equal((await FakeClient.enter(chat, "new", [], "here")).closed?.code, CLOSE.notAllowed);
  await clock.advance(11 * MINUTE);
  assert.equal((await FakeClient.enter(chat, "new", [], "here")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(chat, "mal", [], "here")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(chat, "mal", [], "there")).closed, undefined);
  await clock.advance(20 * MINUTE);
  assert.equal((await FakeClient.enter(chat, "new", [], "here")).closed, undefined);
  chat.close();
});

Deno.test("whoever runs the server is told once of each connection and request that a ban keeps out", async () => {
  const visits: BannedVisit[] = [];
  const { chat, clock, storage } = createLobby({ auditBan: (visit) => visits.push(visit) });
  const [tab, phone] = [
    await FakeClient.enter(chat, "eve", [], "here"),
    await FakeClient.enter(chat, "eve", [], "there"),
  ];
  await storage.ban({ user: "eve", date: clock.now(), until: clock.now() + MINUTE, reason: "" });
  await chat.services.bans.refresh();
  assert.deepEqual([tab.closed?.code, phone.closed?.code], [CLOSE.notAllowed, CLOSE.notAllowed]);
  await FakeClient.enter(chat, "eve", [], "home");
  const request = executeRequest(chat.services, { user: "eve", address: "work" }, message("x"));
  assert.equal((await refusal(request)).code, "forbidden");
  assert.deepEqual(visits, ["here", "there", "home", "work"].map((addressKey) => ({ user: "eve", addressKey })));
  chat.close();
});

Deno.test("an address that nobody knows yet is banned as soon as its person tries from it, on any isolate; loopback never is", async () => {
  const { first, second, moderator, clock, storage } = createTwo(true);
  await FakeClient.enter(first, "ann", [], "elsewhere");
  await moderator.ban({ user: "gone", minutes: 10, reason: "", address: true });
  assert.equal((await FakeClient.enter(second, "gone", [], "there")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(second, "new", [], "there")).closed?.code, CLOSE.notAllowed);
  assert.equal((await storage.bans(clock.now()))[0].address, "hash of there");
  assert.equal((await FakeClient.enter(first, "new", [], "there")).closed?.code, CLOSE.notAllowed);
  await moderator.ban({ user: "local", minutes: 10, reason: "", address: true });
  assert.equal((await FakeClient.enter(second, "local", [], "loopback")).closed?.code, CLOSE.notAllowed);
  assert.equal((await FakeClient.enter(second, "other", [], "loopback")).closed, undefined);
});

Deno.test("a ban holds on the other isolates at once, or within half a minute when the event got lost", async () => {
  const { second, clock, moderator } = createTwo(false);
  const eve = await FakeClient.enter(second, "eve");
  await moderator.ban({ user: "eve", minutes: 10, reason: "", address: false });
  await settle();
  const closed = () => eve.closed?.code;
  assert.equal(closed(), undefined);
  await clock.advance(BANS_INTERVAL);
  assert.equal(closed(), CLOSE.notAllowed);
  const told = createTwo(true);
  const mal = await FakeClient.enter(told.second, "mal");
  await told.moderator.ban({ user: "mal", minutes: 10, reason: "", address: false });
  await settle();
  assert.equal(mal.closed?.code, CLOSE.notAllowed);
});

Deno.test("while the bans can't be read nobody new comes in, and nobody's connection is closed", async () => {
  const { chat, storage, clock, moderator } = createOne();
  const { bans } = storage;
  storage.bans = () => Promise.reject(new ChatError("unavailable", "Down."));
  assert.equal((await FakeClient.enter(chat, "early")).closed?.code, 1011);
  storage.bans = bans;
  const ann = await FakeClient.enter(chat, "ann");
  await moderator.ban({ user: "eve", minutes: 10, reason: "", address: false });
  await settle();
  storage.bans = () => Promise.reject(new ChatError("unavailable", "Down."));
  await clock.advance(2 * BANS_INTERVAL);
  assert.ok(!ann.closed);
  assert.equal((await FakeClient.enter(chat, "eve")).closed?.code, CLOSE.notAllowed, "the last list goes on to hold");
  chat.close();
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
