/** Moderation as moderators meet it: over HTTP, on a real server that keeps it in a file. */
import assert from "node:assert/strict";
import { CLOSE } from "../../chat/protocol.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { Listener } from "../../testing/clients/listener.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";

/** Asks as a moderator. */
function ask(url: string, method: string, path: string, body?: unknown, token = ADMIN_TOKEN): Promise<Response> {
  return fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
  });
}

/** A test with servers that share a folder, which is theirs alone. */
function sharedTest(
  title: string,
  check: (start: (env?: Record<string, string>) => Promise<RunningServer>, folder: string) => Promise<void>,
) {
  Deno.test(title, async () => {
    const cwd = await Deno.makeTempDir();
    const servers: RunningServer[] = [];
    try {
      await check(async (env = {}) => {
        const server = await startServer({ cwd, env: { ADMIN_TOKEN, ...env } });
        servers.push(server);
        return server;
      }, cwd);
    } finally {
      for (const server of servers) await server.stop();
      await Deno.remove(cwd, { recursive: true });
    }
  });
}

const withToken = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });

Deno.test("for everyone without the token there is nothing at a moderator's address, whatever is asked", async () => {
  const routes = [
    ["DELETE", "/api/rooms/general/messages/1"],
    ["PATCH", "/api/rooms/general"],
    ["GET", "/api/bans"],
    ["POST", "/api/bans"],
    ["DELETE", "/api/bans/eve"],
  ];
  for (const env of [{ ADMIN_TOKEN }, {}] as Record<string, string>[]) {
    const server = await startServer({ env: { DATABASE_URL: "memory:", ...env } });
    const nowhere = await ask(server.url, "GET", "/api/nowhere", undefined, "x");
    const expected = [nowhere.status, await nowhere.text(), [...nowhere.headers.keys()]];
    assert.equal(nowhere.status, 404);
    const tokens = ["x", "", `${ADMIN_TOKEN}x`, ADMIN_TOKEN.slice(1), ...("ADMIN_TOKEN" in env ? [] : [ADMIN_TOKEN])];
    for (const [method, path] of routes) {
      for (const token of tokens) {
        const answer = await ask(server.url, method, path, method === "GET" ? undefined : "{", token);
        assert.deepEqual(
          [answer.status, await answer.text(), [...answer.headers.keys()]],
          expected,
          `${method} ${path}`,
        );
      }
      const bare = await fetch(server.url + path, { method });
      assert.deepEqual([bare.status, await bare.text()], expected.slice(0, 2), `${method} ${path}`);
    }
    await server.stop();
    assert.equal(server.errors().includes('"why":"no_moderator"'), "ADMIN_TOKEN" in env, "who runs the server is told");
    assert.equal(server.errors().includes(ADMIN_TOKEN.slice(1)), false);
  }
});

sharedTest("a moderator deletes, locks, slows and lists by HTTP, and members are told", async (start) => {
  const { url } = await start();
  const ann = await TestClient.open(url);
  ann.say("bad words");
  await ann.until("receive_message");
  const deleted = await ask(url, "DELETE", "/api/rooms/GENERAL/messages/1");
  assert.deepEqual([deleted.status, (await deleted.json()).user], [200, "moderator"]);
  assert.equal((await ann.until("message_deleted")).target, 1);
  const gone = await ask(url, "DELETE", "/api/rooms/general/messages/1");
  assert.deepEqual([gone.status, (await gone.json()).code], [404, "not_found"]);

  const changed = await ask(url, "PATCH", "/api/rooms/general", { locked: true, slow_seconds: 5 });
  const settings = { room: "general", locked: true, listed: false, slow_seconds: 5 };
  assert.deepEqual([changed.status, await changed.json()], [200, settings]);
  assert.deepEqual(await ann.until("room_changed"), {
    action: "room_changed",
    room: "general",
    locked: true,
    slow_seconds: 5,
  });
  ann.say("x", { id: "1" });
  assert.equal((await ann.until("error")).code, "forbidden");

  const rooms = async () => (await (await fetch(`${url}/api/rooms`)).json()).map(({ room }: { room: string }) => room);
  assert.deepEqual(await rooms(), ["general"]);
  await (await ask(url, "PATCH", "/api/rooms/%EC%84%AC", { listed: true })).body?.cancel();
  assert.deepEqual(await rooms(), ["general", "섬"]);
  await ann.close();
});

sharedTest("what a moderator sends is looked at, and what is wrong with it is told", async (start) => {
  const { url } = await start();
  const ban = { user: "eve", minutes: 5, reason: "spam" };
  const bad: [string, string, unknown, number, string, RegExp][] = [
    ["PATCH", "/api/rooms/general", "{", 400, "bad_json", /JSON/],
    ["PATCH", "/api/rooms/general", [], 400, "bad_frame", /JSON object/],
    ["PATCH", "/api/rooms/general", {}, 400, "bad_frame", /with locked, listed, slow_seconds/],
    ["PATCH", "/api/rooms/general", "null", 400, "bad_frame", /JSON object/],
    ["PATCH", "/api/rooms/general", { locked: "yes" }, 400, "bad_frame", /"locked" must be true or false/],
    ["PATCH", "/api/rooms/general", { lock: true }, 400, "bad_frame", /"lock" is not known/],
    ["PATCH", "/api/rooms/general", { slow_seconds: 3_601 }, 400, "bad_frame", /"slow_seconds" must be .* 0 to 3600/],
    ["PATCH", "/api/rooms/general", { slow_seconds: -1 }, 400, "bad_frame", /slow_seconds/],
    ["PATCH", "/api/rooms/general", { slow_seconds: 1.5 }, 400, "bad_frame", /slow_seconds/],
    ["PATCH", "/api/rooms/no%20room", { locked: true }, 422, "bad_room", /letters/],
    ["POST", "/api/bans", { ...ban, user: undefined }, 400, "bad_frame", /"user" is missing/],
    ["POST", "/api/bans", { ...ban, user: "" }, 400, "bad_frame", /"user" must be/],
    ["POST", "/api/bans", { ...ban, minutes: 0 }, 400, "bad_frame", /"minutes" must be .* above 0 and up to 5256000/],
    ["POST", "/api/bans", { ...ban, minutes: 1e9 }, 400, "bad_frame", /minutes/],
    ["POST", "/api/bans", { ...ban, reason: "x".repeat(501) }, 400, "bad_frame", /"reason" must be .* 500/],
    ["POST", "/api/bans", { ...ban, reason: "a\0b" }, 400, "bad_frame", /reason/],
    ["POST", "/api/bans", '{"user":"eve","minutes":5,"reason":"\\ud800"}', 400, "bad_frame", /reason/],
    ["POST", "/api/bans", { ...ban, address: "1.2.3.4" }, 400, "bad_frame", /"address" must be true or false/],
    ["POST", "/api/bans", `{"user":"${"x".repeat(20_000)}"}`, 413, "frame_too_large", /bytes/],
    ["DELETE", "/api/bans/nobody", undefined, 404, "not_found", /not banned/],
    ["DELETE", "/api/rooms/general/messages/x", undefined, 404, "not_found", /address/],
  ];
  for (const [method, path, body, status, code, title] of bad) {
    const answer = await ask(url, method, path, body);
    const told = await answer.json();
    assert.equal(answer.headers.get("content-type"), "application/problem+json");
    assert.deepEqual(
      [answer.status, told.code],
      [status, code],
      `${method} ${path} ${JSON.stringify(body)?.slice(0, 90)}`,
    );
    assert.match(told.detail, title);
  }
  assert.deepEqual(await (await ask(url, "GET", "/api/bans")).json(), []);
});

sharedTest("bans and locks survive a restart, and are lifted by hand", async (start) => {
  const first = await start();
  const eve = await TestClient.open(first.url);
  const { user, token } = await eve.until("welcome");
  const made = await ask(first.url, "POST", "/api/bans", { user, minutes: 60, reason: "spam", address: true });
  const ban = await made.json();
  assert.deepEqual([made.status, ban.user, ban.reason, ban.until - ban.date, ban.address], [
    201,
    user,
    "spam",
    60 * 60_000,
    true,
  ]);
  assert.equal((await eve.closed).code, CLOSE.notAllowed);
  await (await ask(first.url, "PATCH", "/api/rooms/general", { locked: true })).body?.cancel();
  await first.stop("SIGKILL");

  const { url } = await start();
  const banned = new TestClient(url, withToken(token!));
  assert.equal((await banned.closed).code, CLOSE.notAllowed);
  assert.deepEqual(banned.frames, []);
  const ann = await TestClient.open(url);
  assert.equal((await ann.until("room_joined")).locked, true, "and loopback was not banned");
  ann.say("x", { id: "1" });
  assert.equal((await ann.until("error")).code, "forbidden");
  assert.deepEqual(await (await ask(url, "GET", "/api/bans")).json(), [ban]);
  assert.equal((await ask(url, "DELETE", `/api/bans/${user}`)).status, 204);
  assert.deepEqual(await (await ask(url, "GET", "/api/bans")).json(), []);
  const back = await TestClient.open(url, withToken(token!));
  await Promise.all([ann.close(), back.close()]);
});

sharedTest(
  "whoever is banned is in the audit log once for each time that they are kept out, through every door",
  async (start) => {
    const server = await start();
    const { url } = server;
    const audited = () =>
      server.errors().split("\n").filter((line) => line.includes('"refused"')).map((line) => {
        const { why, user, network } = JSON.parse(line);
        return { why, user, network };
      });
    const eve = await TestClient.open(url);
    const { user, token } = await eve.until("welcome");
    const { headers } = withToken(token!);
    const listener = await Listener.open(url, "general", headers);
    await listener.until("welcome");
    const line = { why: "banned", user, network: "127.0.0.0/24" };

    await (await ask(url, "POST", "/api/bans", { user, minutes: 60 })).body?.cancel();
    assert.equal((await eve.closed).code, CLOSE.notAllowed);
    assert.equal(await listener.closed(), CLOSE.notAllowed);
    await listener.ended;
    assert.deepEqual(audited(), [line, line], "a socket and a stream are ended");

    assert.equal((await new TestClient(url, withToken(token!)).closed).code, CLOSE.notAllowed);
    assert.deepEqual(audited(), [line, line, line], "a socket is opened");

    const stream = await fetch(`${url}/api/rooms/general/events`, { headers });
    assert.deepEqual([stream.status, (await stream.json()).code], [403, "forbidden"]);
    assert.deepEqual(audited(), [line, line, line, line], "a stream is opened");

    const action = { action: "send_message", room: "general", text: "x" };
    const sent = await ask(url, "POST", "/api/actions", action, token);
    assert.deepEqual([sent.status, (await sent.json()).code], [403, "forbidden"]);
    assert.deepEqual(audited(), [line, line, line, line, line], "a message is posted");
  },
);

sharedTest("another server on the same file obeys", async (start) => {
  const [one, other] = [await start(), await start()];
  const eve = await TestClient.open(one.url);
  const { user, token } = await eve.until("welcome");
  const ann = await TestClient.open(other.url, { query: "?room=islands" });
  await ann.until("room_joined");
  await (await ask(one.url, "PATCH", "/api/rooms/islands", { locked: true })).body?.cancel();
  ann.say("x", { room: "islands" });
  assert.equal((await ann.until("error")).code, "forbidden");
  assert.equal((await ann.until("room_changed")).locked, true);
  await (await ask(one.url, "POST", "/api/bans", { user, minutes: 5, reason: "" })).body?.cancel();
  assert.equal((await eve.closed).code, CLOSE.notAllowed);
  const third = await start();
  const banned = new TestClient(third.url, withToken(token!));
  assert.equal((await banned.closed).code, CLOSE.notAllowed);
  await ann.close();
});

sharedTest("several isolates are one: whoever is banned is sent away wherever they are connected", async (start) => {
  const { url } = await start({ WORKERS: "2" });
  const eve = await TestClient.open(url);
  const { user, token } = await eve.until("welcome");
  const ann = await TestClient.open(url);
  // Which isolate takes a connection is up to the system: of so many each has some.
  const others = await Promise.all(Array.from({ length: 12 }, () => TestClient.open(url, withToken(token!))));
  await (await ask(url, "PATCH", "/api/rooms/general", { slow_seconds: 9 })).body?.cancel();
  for (const client of [ann, eve, ...others]) await client.until("room_changed");
  await (await ask(url, "POST", "/api/bans", { user, minutes: 5 })).body?.cancel();
  for (const client of [eve, ...others]) assert.equal((await client.closed).code, CLOSE.notAllowed);
  await ann.close();
});

sharedTest(
  "with the address, whoever comes from it is kept out at every door, and it is kept as a hash",
  async (start, folder) => {
    const from = (address: string, token?: string) => ({
      "x-forwarded-for": address,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    });
    const [theirs, another] = ["203.0.113.77", "198.51.100.5"];
    const first = await start({ TRUST_PROXY: "1" });
    const eve = await TestClient.open(first.url, { headers: from(theirs) });
    const ann = await TestClient.open(first.url, { headers: from(another) });
    const { user, token } = await eve.until("welcome");
    await (await ask(first.url, "POST", "/api/bans", { user, minutes: 5, address: true })).body?.cancel();
    assert.equal((await eve.closed).code, CLOSE.notAllowed);
    await first.stop();
    const kept = new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/data/chat.db`));
    assert.deepEqual([kept.includes(user), kept.includes(theirs)], [true, false]);

    const { url } = await start({ TRUST_PROXY: "1" });
    const codeOf = (headers: Record<string, string>) =>
      new TestClient(url, { headers }).closed.then(({ code }) => code);
    assert.equal(await codeOf(from(theirs)), CLOSE.notAllowed, "somebody new");
    assert.equal(await codeOf(from(another, token)), CLOSE.notAllowed, "the person, from elsewhere");
    for (const headers of [from(theirs), from(another, token)]) {
      for (
        const [path, init] of [
          ["/api/rooms/general/events", {}],
          ["/api/rooms/general/messages", { method: "POST", body: '{"text":"x"}' }],
          ["/api/actions", { method: "POST", body: '{"action":"set_name","name":"Evil"}' }],
        ] as const
      ) {
        const answer = await fetch(url + path, {
          ...init,
          headers: { ...headers, "content-type": "application/json" },
        });
        const { code, detail } = await answer.json();
        // Who is nobody yet can't act at all, wherever they come from.
        if (path === "/api/actions" && !("authorization" in headers)) continue;
        assert.deepEqual([answer.status, code], [403, "forbidden"], `${path} ${JSON.stringify(headers)}`);
        assert.match(detail, /A moderator keeps you out until .* UTC/);
      }
    }
    const bob = await TestClient.open(url, { headers: from(another) });
    assert.deepEqual((await (await fetch(`${url}/api/rooms/general/messages`)).json()).messages, []);
    await Promise.all([ann, bob].map((client) => client.close()));
  },
);
