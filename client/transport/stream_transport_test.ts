import assert from "node:assert/strict";
import type { ClientFrame, ReceiveMessage, RoomJoined, ServerFrame, Welcome } from "../../chat/protocol.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { STREAM_SILENCE, streamTransport } from "./stream_transport.ts";

const limits = { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 };
const me = { user: "u1", name: "User 101" };
const room = "general";
const joined: RoomJoined = {
  ...{ action: "room_joined", room, epoch: "e", seq: 3, recovered: true, messages: [], more: false },
  ...{ members: [me], count: 1, locked: false, slow_seconds: 0 },
};
const said = (seq: number, id?: string): ReceiveMessage => ({
  ...{ action: "receive_message", room, seq, user: "u1", from: "User 101", text: "x", date: 1 },
  ...(id === undefined ? {} : { id }),
});
const problem = (code: string, status: number, more: { retry_after?: number; held_until?: number } = {}) =>
  new Response(JSON.stringify({ code, detail: "Why.", ...more }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });

/** A transport whose server is the test: each request waits in `requests` for its answer. */
function setUp() {
  const clock = new FakeClock();
  const heard: (ServerFrame | number)[] = [];
  const requests: { path: string; init: RequestInit; body: unknown; answer: (response: Response | Error) => void }[] =
    [];
  let ids = 0;
  const transport = streamTransport({
    fetch: (path, init = {}) =>
      new Promise((resolve, reject) => {
        const answer = (response: Response | Error) => response instanceof Error ? reject(response) : resolve(response);
        requests.push({ path, init, body: init.body && JSON.parse(String(init.body)), answer });
        init.signal!.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
      }),
    clock,
    newId: () => `s${++ids}`,
  })({ received: (frames) => heard.push(...frames), closed: (code) => heard.push(code), outdated() {} });
  const reply = async (response: Response | Error) => {
    requests.shift()!.answer(response);
    await settle();
    await settle();
  };
  const ask = async (frame: ClientFrame, response: Response | Error) => {
    transport.send(frame);
    await reply(response);
  };
  async function welcomed() {
    await reply(Response.json({ ...me, limits }));
    heard.length = 0;
  }
  /** Joins, and returns functions that write to the stream. */
  async function joins(frame: ClientFrame = { action: "join_room", room, id: "j" }) {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    transport.send(frame);
    const { path, init } = requests.at(-1)!;
    await reply(new Response(readable));
    const writer = writable.getWriter();
    const say = async (text: string) => {
      await writer.write(new TextEncoder().encode(text)).catch(() => {/* closed by the reader */});
      await settle();
    };
    const tell = (data: ServerFrame) => say(`event: ${data.action}\ndata: ${JSON.stringify(data)}\n\n`);
    return { path, headers: init.headers, say, tell, end: () => writer.close().catch(() => {}).then(settle) };
  }
  return { clock, heard, requests, transport, reply, ask, welcomed, joins };
}

Deno.test("it begins with a session, like a socket with its welcome, and says that it is in one room at a time", async () => {
  const { heard, requests, reply, transport } = setUp();
  assert.deepEqual(requests.map(({ path }) => path), ["/api/session"]);
  await reply(Response.json({ ...me, limits, token: "t" }));
  assert.deepEqual(heard, [{ action: "welcome", ...me, limits: { ...limits, rooms: 1 } } satisfies Welcome]);
  transport.close();
});

Deno.test("a join opens a stream from the last entry received", async () => {
  const { heard, welcomed, joins, transport } = setUp();
  await welcomed();
  const { path, headers, say, tell } = await joins({
    action: "join_room",
    room,
    since: { epoch: "e", seq: 2 },
    id: "j",
  });
  assert.deepEqual([path, headers], ["/api/rooms/general/events?stream=s1", { "last-event-id": "e:2" }]);
  await tell(joined);
  await tell({ action: "welcome", ...me, limits });
  await say(": here\n\n");
  await tell(said(4));
  assert.deepEqual(heard, [{ ...joined, id: "j" }, said(4)]);
  transport.close();
});

Deno.test("entries keep their order: one that the stream will bring is not taken from the answer to an action", async () => {
  const { heard, welcomed, joins, ask, transport } = setUp();
  await welcomed();
  const { tell } = await joins();
  await tell(joined);
  heard.length = 0;
  const send = (id: string): ClientFrame => ({ action: "send_message", room, text: "x", id });
  await ask(send("a"), Response.json(said(5, "a"), { status: 201 }));
  assert.deepEqual(heard, []);
  await tell(said(4));
  await tell(said(5, "a"));
  assert.deepEqual(heard, [said(4), said(5, "a")]);
  await ask(send("old"), Response.json(said(2, "old")));
  await ask({ action: "send_message", room: "other", text: "x" }, Response.json({ ...said(9), room: "other" }));
  assert.deepEqual(heard.slice(2), [said(2, "old"), { ...said(9), room: "other" }], "the stream won't bring these");
  transport.close();
});

Deno.test("a problem becomes the error that a socket would have brought, and a missing answer becomes `unavailable`", async () => {
  const { heard, welcomed, ask, transport } = setUp();
  await welcomed();
  const frame: ClientFrame = { action: "send_message", room, text: "x", id: "a" };
  await ask(frame, problem("rate_limited", 429, { retry_after: 2 }));
  await ask(frame, new TypeError("network"));
  await ask(frame, new Response("<h1>Bad Gateway</h1>", { status: 502 }));
  await ask({ action: "join_room", room: "no room", id: "j" }, problem("bad_room", 422));
  await ask({ action: "set_name", name: "Ann", id: "n" }, problem("name_taken", 409, { held_until: 1e12 }));
  const error = { action: "error", room, id: "a" } as const;
  assert.deepEqual(heard.map((frame) => JSON.parse(JSON.stringify(frame))), [
    { ...error, code: "rate_limited", message: "Why.", retry_after: 2 },
    { ...error, code: "unavailable", message: "" },
    { ...error, code: "unavailable", message: "" },
    { ...error, code: "bad_room", message: "Why.", room: "no room", id: "j" },
    { action: "error", id: "n", code: "name_taken", message: "Why.", held_until: 1e12 },
  ]);
  transport.close();
});

Deno.test("it ends with the close code of a socket in the same case", async () => {
  const ends: [number, (setup: ReturnType<typeof setUp>) => Promise<unknown>][] = [
    [1006, ({ reply }) => reply(new TypeError("network"))],
    [4401, ({ reply }) => reply(problem("forbidden", 401))],
    // The next request for a session is answered with the reason.
    [4001, ({ reply }) => reply(new Response("", { status: 502 }))],
    [4001, ({ reply }) => reply(problem("forbidden", 403))],
    [4001, ({ reply }) => reply(problem("rate_limited", 429))],
    [
      4009,
      ({ welcomed, ask }) => welcomed().then(() => ask({ action: "join_room", room }, problem("rate_limited", 429))),
    ],
    [4403, ({ welcomed, ask }) => welcomed().then(() => ask({ action: "join_room", room }, problem("forbidden", 403)))],
    [1006, ({ welcomed, ask }) => welcomed().then(() => ask({ action: "join_room", room }, new TypeError("network")))],
    [1006, ({ welcomed, ask }) => welcomed().then(() => ask({ action: "ping" }, new TypeError("network")))],
    [1006, ({ welcomed, joins }) => welcomed().then(() => joins()).then(({ end }) => end())],
    [
      1012,
      ({ welcomed, joins }) =>
        welcomed().then(() => joins()).then(({ say }) => say('event: close\ndata: {"code":1012,"reason":""}\n\n')),
    ],
    // The server did not accept the cookie: the stream created a new person.
    [
      4401,
      ({ welcomed, joins }) =>
        welcomed().then(() => joins()).then(({ tell }) => tell({ action: "welcome", ...me, limits, token: "t" })),
    ],
  ];
  for (const [at, [code, happens]] of ends.entries()) {
    const setup = setUp();
    await happens(setup);
    assert.deepEqual(setup.heard.filter((frame) => typeof frame === "number"), [code], `end ${at}`);
  }
});

Deno.test("a stream that is silent for too long is lost at the next ping", async () => {
  const { clock, heard, welcomed, joins, ask, transport } = setUp();
  await welcomed();
  const { say } = await joins();
  await clock.advance(STREAM_SILENCE);
  await say(": here\n\n");
  await clock.advance(STREAM_SILENCE);
  await ask({ action: "ping" }, Response.json({ action: "pong" }));
  assert.deepEqual(heard, [{ action: "pong" }]);
  await clock.advance(1);
  transport.send({ action: "ping" });
  assert.deepEqual(heard, [{ action: "pong" }, 1006]);
});

Deno.test("leaving ends this stream and no other, and its late frames are ignored", async () => {
  const { heard, requests, welcomed, joins, reply, transport } = setUp();
  await welcomed();
  const { tell } = await joins();
  await tell(joined);
  heard.length = 0;
  transport.send({ action: "leave_room", room });
  assert.deepEqual(requests.at(-1)!.body, { action: "leave_room", room, stream: "s1" });
  await tell(said(4));
  await reply(Response.json({ action: "room_left", room }));
  assert.deepEqual(heard, [{ action: "room_left", room }]);
  transport.send({ action: "leave_room", room: "elsewhere" });
  assert.equal(requests.length, 0, "it is in no other room");
  transport.close();
});

Deno.test("a closed transport reports nothing any more", async () => {
  const { heard, requests, welcomed, joins, transport } = setUp();
  await welcomed();
  const { tell } = await joins();
  transport.send({ action: "ping" });
  transport.close();
  await tell(joined);
  await settle();
  assert.deepEqual(heard, []);
  assert.ok(requests.every(({ init }) => init.signal!.aborted));
});
