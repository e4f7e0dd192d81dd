import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { createOne, createTwo, refusal } from "../../testing/moderation.ts";
import { executeRequest } from "../commands.ts";
import { type BannedVisit, BANS_INTERVAL } from "./bans.ts";
import { CLOSE } from "../protocol.ts";
import { ChatError } from "../errors.ts";

const message = (text: string, id?: string) => ({ action: "send_message", room: "general", text, id }) as const;
const MINUTE = 60_000;

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
  const { chat, clock, storage } = createChat({ auditBan: (visit) => visits.push(visit) });
  const [tab, phone] = [
    await FakeClient.enter(chat, "eve", [], "here"),
    await FakeClient.enter(chat, "eve", [], "there"),
  ];
  await storage.moderation.ban({ user: "eve", date: clock.now(), until: clock.now() + MINUTE, reason: "" });
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
  assert.equal((await storage.moderation.bans(clock.now()))[0].address, "hash of there");
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
  const { moderation } = storage;
  const { bans } = moderation;
  storage.moderation.bans = () => Promise.reject(new ChatError("unavailable", "Down."));
  assert.equal((await FakeClient.enter(chat, "early")).closed?.code, 1011);
  storage.moderation.bans = bans;
  const ann = await FakeClient.enter(chat, "ann");
  await moderator.ban({ user: "eve", minutes: 10, reason: "", address: false });
  await settle();
  storage.moderation.bans = () => Promise.reject(new ChatError("unavailable", "Down."));
  await clock.advance(2 * BANS_INTERVAL);
  assert.ok(!ann.closed);
  assert.equal((await FakeClient.enter(chat, "eve")).closed?.code, CLOSE.notAllowed, "the last list goes on to hold");
  chat.close();
});
