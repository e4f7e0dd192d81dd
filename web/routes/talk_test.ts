/** Talking without a socket, as scripts do it: a real server, fetch and nothing else. */
import assert from "node:assert/strict";
import type { ClientFrame, ErrorFrame, ServerFrame } from "../../chat/protocol.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { Listener } from "../../testing/clients/listener.ts";
import { RedisServer, redisTest } from "../../testing/servers/redis.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";

let server: RunningServer;

Deno.test.beforeAll(async () => {
  server = await startServer({ env: { TEXT_LIMIT: "1000" } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** Posts a body as it is, if it is text, else as JSON. */
function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(server.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" || body instanceof Uint8Array ? body as BodyInit : JSON.stringify(body),
  });
}

async function session(): Promise<{ user: string; headers: Record<string, string> }> {
  const { user, token } = await (await post("/api/session", {})).json();
  return { user, headers: { authorization: `Bearer ${token}` } };
}

Deno.test("a message by POST is kept, told to the room, and answered with its frame", async () => {
  const ann = await TestClient.open(server.url, { query: "?room=post" });
  await ann.until("room_joined");
  const response = await post("/api/rooms/Post/messages", { text: "by post" });
  assert.equal(response.status, 201);
  const frame = await response.json();
  assert.deepEqual(frame, await ann.until("receive_message"));
  assert.deepEqual([frame.room, frame.text, frame.seq], ["post", "by post", 1]);
  const authorization = `Bearer ${response.headers.get("x-session-token")}`;
  const again = await post("/api/rooms/post/messages", { text: "again" }, { authorization });
  assert.equal((await again.json()).user, frame.user, "the token brings the same person back");
  assert.equal(again.headers.get("x-session-token"), null);
  await ann.soFar();
  assert.deepEqual(ann.frames.filter(({ action }) => action.startsWith("member")), [], "nobody came by it");
  await ann.close();
});

Deno.test("the same Idempotency-Key never makes a second message, and belongs to a person", async () => {
  const { headers } = await session();
  const send = (key: string, more: Record<string, string> = headers) =>
    post("/api/rooms/keys/messages", { text: "once" }, { ...more, "idempotency-key": key });
  const first = await send("k1");
  const second = await send('"k1"');
  assert.deepEqual([first.status, second.status], [201, 200]);
  assert.deepEqual(await first.json(), await second.json());
  const stranger = await send("k1", {});
  assert.equal(stranger.status, 401);
  await stranger.text();
  for (const key of ["", "x".repeat(65), "a b"]) {
    const refused = await send(key);
    assert.deepEqual([refused.status, (await refused.json()).code], [400, "bad_frame"], key);
  }
});

Deno.test("every action can be posted, and is answered with the frame that a socket would have got", async () => {
  const ann = await TestClient.open(server.url, { query: "?room=deeds" });
  const joined = await ann.until("room_joined");
  const { user, headers } = await session();
  const ask = async (frame: ClientFrame) => {
    const response = await post("/api/actions", frame, headers);
    return { status: response.status, frame: await response.json() as ServerFrame };
  };
  const room = "deeds";
  const sent = await ask({ action: "send_message", room, text: "one", id: "1" });
  assert.deepEqual(sent, { status: 200, frame: await ann.until("receive_message") });
  const edited = await ask({ action: "edit_message", room, target: 1, text: "two", id: "2" });
  assert.deepEqual(edited, { status: 200, frame: await ann.until("message_edited") });
  const deleted = await ask({ action: "delete_message", room, target: 1 });
  assert.deepEqual(deleted, { status: 200, frame: await ann.until("message_deleted") });
  const named = await ask({ action: "set_name", name: "Poster", id: "3" });
  const { was } = named.frame as Extract<ServerFrame, { action: "name_changed" }>;
  assert.deepEqual(named.frame, { action: "name_changed", user, name: "Poster", was, id: "3" });
  assert.deepEqual((await ask({ action: "ping", id: "4" })).frame, { action: "pong", id: "4" });
  const look = await ask({ action: "join_room", room, since: { epoch: joined.epoch, seq: 1 }, id: "5" });
  const { seq, recovered, messages, members } = look.frame as Extract<ServerFrame, { action: "room_joined" }>;
  assert.deepEqual([seq, recovered, messages.length, members.length], [3, true, 2, 1]);
  await ann.close();
});

Deno.test("typing and leaving are posted by who listens to an event stream", async () => {
  const ann = await TestClient.open(server.url, { query: "?room=quiet" });
  const { user, headers } = await session();
  const [one, other] = [
    await Listener.open(server.url, "quiet", headers, "?stream=one"),
    await Listener.open(server.url, "quiet", headers, "?stream=other"),
  ];
  await Promise.all([one, other].map((listener) => listener.until("room_joined")));
  const typing = await post("/api/actions", { action: "typing", room: "quiet" }, headers);
  assert.deepEqual([typing.status, await typing.text()], [204, ""]);
  assert.equal((await ann.until("typing")).user, user);
  const left = await post("/api/actions", { action: "leave_room", room: "quiet", stream: "one", id: "l" }, headers);
  assert.deepEqual(await left.json(), { action: "room_left", room: "quiet", id: "l" });
  assert.equal(await one.closed(), 1000);
  await ann.soFar();
  assert.equal(ann.frames.some(({ action }) => action === "member_left"), false, "the other stream is still there");
  await (await post("/api/actions", { action: "leave_room", room: "quiet" }, headers)).text();
  assert.equal((await ann.until("member_left")).user, user);
  await Promise.all([one.ended, other.ended]);
  await ann.close();
});

Deno.test("without a token a message or a stream makes a person, reading makes none, and all else is 401", async () => {
  const room = "nobody";
  const answers: [ClientFrame, status: number, makesPerson?: true][] = [
    [{ action: "send_message", room, text: "one" }, 200, true],
    [{ action: "send_message", room, text: "two", id: "1" }, 401],
    [{ action: "edit_message", room, target: 1, text: "x" }, 401],
    [{ action: "delete_message", room, target: 1 }, 401],
    [{ action: "set_name", name: "Nobody" }, 401],
    [{ action: "typing", room }, 401],
    [{ action: "leave_room", room }, 401],
    [{ action: "join_room", room }, 200],
    [{ action: "ping" }, 200],
  ];
  for (const [frame, status, makesPerson = false] of answers) {
    const response = await post("/api/actions", frame);
    await response.text();
    const isPerson = response.headers.has("x-session-token");
    assert.deepEqual([response.status, isPerson], [status, makesPerson], JSON.stringify(frame));
  }
  const listener = await Listener.open(server.url, room);
  assert.ok((await listener.until("welcome")).token);
  await listener.close();
  const { messages } = await (await fetch(`${server.url}/api/rooms/${room}/messages`)).json();
  assert.deepEqual(messages.map(({ text }: { text: string }) => text), ["one"]);
});

Deno.test("what can't be done is told with the status that fits, as a problem", async () => {
  const { headers } = await session();
  const messages = "/api/rooms/problems/messages";
  const stranger = { action: "set_name", name: "Nobody" };
  const json = (more: object) => ({ ...headers, ...more }) as Record<string, string>;
  const wrong: [string, string, unknown, Record<string, string>, number, string][] = [
    ["no JSON", messages, "text=hi", {}, 400, "bad_json"],
    ["nothing", messages, "", {}, 400, "bad_json"],
    ["no text", messages, {}, {}, 400, "bad_frame"],
    ["no object", messages, "null", {}, 400, "bad_frame"],
    ["a number for a text", messages, { text: 5 }, {}, 400, "bad_frame"],
    ["NUL", messages, { text: "a\0b" }, {}, 400, "bad_frame"],
    ["half of a pair", messages, '{"text":"\\ud800"}', {}, 400, "bad_frame"],
    ["not UTF-8", messages, new Uint8Array([0x7b, 0xff, 0x7d]), {}, 400, "bad_json"],
    ["a form", messages, "text=hi", { "content-type": "application/x-www-form-urlencoded" }, 415, "bad_frame"],
    ["plain text", "/api/actions", "{}", { "content-type": "text/plain" }, 415, "bad_frame"],
    ["70,000 bytes", messages, { text: "x".repeat(70_000) }, {}, 413, "frame_too_large"],
    ["too many characters", messages, { text: "x".repeat(1_001) }, {}, 422, "text_too_long"],
    ["white space", messages, { text: " \n" }, {}, 422, "text_empty"],
    ["no such room", "/api/rooms/no%20room/messages", { text: "x" }, {}, 422, "bad_room"],
    ["a forged token", messages, { text: "x" }, { authorization: "Bearer junk" }, 401, "forbidden"],
    ["a stranger's name", "/api/actions", stranger, {}, 401, "forbidden"],
    ["no action", "/api/actions", {}, json({}), 400, "unknown_action"],
    ["an unknown action", "/api/actions", { action: "fly" }, json({}), 400, "unknown_action"],
    ["an array", "/api/actions", [{ action: "ping" }], json({}), 400, "bad_frame"],
    [
      "no message",
      "/api/actions",
      { action: "edit_message", room: "x", target: 9, text: "x" },
      json({}),
      404,
      "not_found",
    ],
    ["a given name", "/api/actions", { action: "set_name", name: "User 5" }, json({}), 422, "bad_name"],
    ["a foreign page", messages, { text: "x" }, { origin: "https://evil.example" }, 403, "forbidden"],
  ];
  for (const [what, path, body, more, status, code] of wrong) {
    const response = await post(path, body, more);
    const problem = await response.json();
    assert.equal(response.headers.get("content-type"), "application/problem+json", what);
    assert.deepEqual([response.status, problem.status, problem.code], [status, status, code], what);
    assert.match(problem.detail, /^[A-Z"].+\.$/, "a sentence that says what to do");
    assert.equal(problem.type, `/docs#${code}`);
  }
  const { messages: kept } = await (await fetch(server.url + messages)).json();
  assert.deepEqual(kept, []);
});

Deno.test("a stream that can't be opened is told with a status, and one is not opened for a foreign page", async () => {
  const open = async (room: string, headers: Record<string, string> = {}, query = "") => {
    const { response } = await Listener.open(server.url, room, headers, query);
    const { code } = await fetch(response.url, { headers }).then((again) => again.json()) as ErrorFrame;
    return [response.status, code];
  };
  assert.deepEqual(await open("no%20room"), [422, "bad_room"]);
  assert.deepEqual(await open("x", { authorization: "Bearer junk" }), [401, "forbidden"]);
  assert.deepEqual(await open("x", {}, "?limit=many"), [400, "bad_frame"]);
  const head = await fetch(`${server.url}/api/rooms/x/events`, { method: "HEAD" });
  assert.equal(head.headers.get("content-type"), "text/event-stream; charset=utf-8");
  const look = await post("/api/actions", { action: "join_room", room: "x" });
  assert.equal((await look.json()).count, 0, "nobody came by any of it");
});

redisTest(
  "a stream on one server and posts to another are one conversation: no sticky sessions are needed",
  async () => {
    const redis = await RedisServer.start();
    const env = { DATABASE_URL: redis.url };
    const [here, there] = [await startServer({ env }), await startServer({ env })];
    const { token } = await (await fetch(`${here.url}/api/session`, { method: "POST" })).json();
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const ann = await TestClient.open(here.url);
    const listener = await Listener.open(here.url, "general", headers);
    const { user } = await listener.until("welcome");
    const ask = (frame: ClientFrame) =>
      fetch(`${there.url}/api/actions`, { method: "POST", headers, body: JSON.stringify(frame) });

    const sent = await (await ask({ action: "send_message", room: "general", text: "x", id: "1" })).json();
    assert.deepEqual(await listener.until("receive_message"), sent);
    await (await ask({ action: "typing", room: "general" })).text();
    assert.equal((await ann.until("typing")).user, user);
    await (await ask({ action: "set_name", name: "Anywhere" })).text();
    assert.equal((await ann.until("name_changed")).name, "Anywhere");
    await (await ask({ action: "edit_message", room: "general", target: 1, text: "y" })).text();
    const { id } = (await listener.until("message_edited"), listener.events.findLast(({ id }) => id !== undefined)!);
    await (await ask({ action: "leave_room", room: "general" })).text();
    assert.equal(await listener.closed(), 1000);
    assert.equal((await ann.until("member_left")).user, user);
    ann.say("missed");
    await ann.until("receive_message", ({ seq }) => seq === 3);
    const back = await Listener.open(there.url, "general", { ...headers, "last-event-id": id! });
    const { recovered, messages } = await back.until("room_joined");
    assert.deepEqual([recovered, messages.map(({ seq }) => seq)], [true, [3]]);
    await Promise.all([ann.close(), back.close(), listener.ended]);
    await Promise.all([here.stop(), there.stop()]);
    await redis.stop();
  },
);
