import assert from "node:assert/strict";
import { createModerator, listRooms, type Moderation } from "./moderator.ts";

const bans = [{ user: "u3", date: 1, until: 2, reason: "spam", address: false }];
const rooms = [{ room: "general", count: 1, seq: 0, date: 0 }];
const notFound = { status: 404, body: { code: "not_found", detail: "There is nothing at this address." } };

/** A moderator whose server is the test: it accepts the token in `server.knows`, at first "good". */
function setUp(remembered: string | null = null) {
  const content = new Map<string, string | null>([["parley.moderator", remembered]]);
  const calls: unknown[] = [];
  const told: (Moderation | null)[] = [];
  const server = { reachable: true, knows: "good" };
  const moderator = createModerator({
    call(method, path, { token, body }) {
      if (!server.reachable) return Promise.reject(new TypeError("no answer"));
      if (path === "/api/rooms") return Promise.resolve({ status: 200, body: rooms });
      if (token !== server.knows) return Promise.resolve(notFound);
      if (method === "GET") return Promise.resolve({ status: 200, body: bans });
      calls.push(body === undefined ? [method, path] : [method, path, body]);
      if (method === "PATCH") return Promise.resolve({ status: 200, body: { listed: true } });
      return Promise.resolve({
        status: path.endsWith("gone") ? 404 : 200,
        body: { code: "not_found", detail: "Gone." },
      });
    },
    storage: { read: (key) => content.get(key) ?? null, write: (key, value) => void content.set(key, value) },
    changed: (moderation) => void told.push(moderation),
  });
  return { moderator, calls, told, server, token: () => content.get("parley.moderator") };
}

Deno.test("only a token that the server accepts makes a moderator, and is stored", async () => {
  const { moderator, told, token } = setUp();
  for (const bad of ["wrong", "geheim 🔑", "a\nb"]) {
    const failure = await moderator.enter(bad);
    assert.equal(failure !== null && failure !== "offline" && failure.code, "not_found", bad);
  }
  assert.equal(told.every((moderation) => moderation === null), true);
  assert.equal(await moderator.enter("good"), null);
  assert.deepEqual(told.at(-1), { bans, listed: ["general"] });
  assert.equal(token(), "good");
  moderator.leave();
  assert.deepEqual([told.at(-1), token()], [null, null]);
});

Deno.test("a moderator stays one after a reload, unless the token is no longer valid", async () => {
  const good = setUp("good");
  await good.moderator.start();
  assert.equal(good.told.at(-1)?.bans.length, 1);
  const old = setUp("old");
  await old.moderator.start();
  assert.deepEqual([old.told, old.token()], [[null], null]);
  const nobody = setUp();
  await nobody.moderator.start();
  assert.deepEqual(nobody.told, []);
});

Deno.test("an unreachable server changes nothing about who is a moderator", async () => {
  const { moderator, server, told, token } = setUp("good");
  server.reachable = false;
  await moderator.start();
  assert.equal(await moderator.refresh(), "offline");
  assert.deepEqual([told, token()], [[], "good"]);
  assert.equal(await listRooms(() => Promise.reject(new TypeError("no answer"))), null);
});

Deno.test("after a change moderators see the new state", async () => {
  const { moderator, calls, told } = setUp("good");
  await moderator.changeRoom("섬", { listed: true });
  assert.deepEqual(told.at(-1)?.listed, ["섬"]);
  await moderator.ban({ user: "u3", minutes: 5, reason: "", address: true });
  assert.deepEqual(told.at(-1)?.bans, bans);
  assert.equal(await moderator.unban("gone"), null, "a ban that is already over counts as lifted");
  assert.deepEqual(await moderator.deleteMessage("r", 7), null);
  assert.deepEqual(calls, [
    ["PATCH", "/api/rooms/%EC%84%AC", { listed: true }],
    ["POST", "/api/bans", { user: "u3", minutes: 5, reason: "", address: true }],
    ["DELETE", "/api/bans/gone"],
    ["DELETE", "/api/rooms/r/messages/7"],
  ]);
});

Deno.test("an answer that comes late does not bring back a ban that was lifted", async () => {
  const answers: ((bans: Moderation["bans"]) => void)[] = [];
  const told: (Moderation | null)[] = [];
  const moderator = createModerator({
    call: (method, path) =>
      path === "/api/bans"
        ? new Promise((resolve) => answers.push((body) => resolve({ status: 200, body })))
        : Promise.resolve({ status: 200, body: method === "GET" ? rooms : {} }),
    storage: { read: () => "good", write: () => {} },
    changed: (moderation) => void told.push(moderation),
  });
  const opening = moderator.refresh();
  const lifting = moderator.unban("u3");
  while (answers.length < 2) await Promise.resolve();
  answers[1]([]);
  await lifting;
  answers[0](bans);
  assert.equal(await opening, null);
  assert.deepEqual(told.map((moderation) => moderation?.bans), [[]]);
});

Deno.test("a token that becomes invalid ends the moderation", async () => {
  const { moderator, server, told, token } = setUp("good");
  await moderator.start();
  server.knows = "another";
  assert.notEqual(await moderator.changeRoom("r", { locked: true }), null);
  assert.deepEqual([told.at(-1), token()], [null, null]);
});
