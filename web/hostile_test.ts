/**
 * What the world sends to a chat that is open to it, as bytes on a real connection to a real server. Each outcome is
 * named; what the runtime does not let us stop has a test that tells when it can be, see SECURITY.md.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import http2 from "node:http2";
import { TestClient } from "../testing/clients/client.ts";
import { frame, RawClient, upgradeRequest } from "../testing/clients/raw.ts";
import { residentMemory, type RunningServer, startServer } from "../testing/servers/server.ts";
import { until } from "../testing/until.ts";

const SOAK = Deno.env.get("SOAK") !== undefined;
/** Milliseconds that the soak takes for bytes, and again for JSON. */
const SOAK_TIME = 2 * 60_000;
/** Milliseconds after which the runtime has let go of what was left of connections that broke off. */
const LEFTOVERS = 65_000;
/**
 * Bytes by which a server may grow under nonsense: what V8 takes under any load, and not what a leak would make of it.
 */
const GROWTH = 96 * 1024 * 1024;
const UNLIMITED = {
  MESSAGE_RATE: "0",
  JOINS_PER_MINUTE: "0",
  RENAMES_PER_MINUTE: "0",
  SIGNALS_PER_MINUTE: "0",
  MALFORMED_PER_MINUTE: "0",
  CONNECTIONS_PER_IP: "0",
};

/** A test with a server of its own, which must still serve at the end. */
function hostileTest(title: string, env: Record<string, string>, check: (server: RunningServer) => Promise<void>) {
  Deno.test(title, async () => {
    const server = await startServer({ env: { DATABASE_URL: "memory:", ...env } });
    try {
      await check(server);
      const alive = await fetch(`${server.url}/readyz`);
      await alive.body?.cancel();
      assert.equal(alive.status, 200);
    } finally {
      await server.stop();
    }
  });
}

const errorCode = (text: string) => JSON.parse(text).code;
/** The error that a client gets next after this many texts. */
async function nextError(raw: RawClient, after: number): Promise<string> {
  await raw.until(() => raw.texts.length > after);
  return errorCode(raw.texts[after]);
}

hostileTest(
  "bytes that are no frames end their connection, and nobody else notices",
  UNLIMITED,
  async ({ url, port }) => {
    const witness = await TestClient.open(url);
    const garbage: Record<string, Uint8Array> = {
      "reserved bits": frame(0xf1, "{}"),
      "an unknown opcode": frame(0x83, "{}"),
      "invalid UTF-8": frame(0x81, new Uint8Array([0xc3, 0x28])),
      "a claimed length of 2^40": new Uint8Array([0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
      "a ping of more than 125 bytes": frame(0x89, "x".repeat(126)),
      "a ping in parts": frame(0x09, "x"),
      "a middle without a beginning": frame(0x80, "x"),
      "HTTP in place of frames": new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
    };
    for (const [what, bytes] of Object.entries(garbage)) {
      const raw = await RawClient.open(port, { query: "?room=" });
      assert.ok(raw.isOpen, what);
      await raw.send(bytes);
      await raw.ended;
      await raw.close();
      assert.deepEqual(raw.texts.slice(1), [], what);
    }
    assert.deepEqual((await witness.soFar()).map(({ action }) => action), ["welcome", "room_joined"]);
    await witness.close();
  },
);

hostileTest(
  "whoever asks for their session again and again is told to wait",
  { READS_PER_MINUTE: "1" },
  async ({ url }) => {
    const ask = async (headers: Record<string, string> = {}) => {
      const answer = await fetch(`${url}/api/session`, { method: "POST", headers });
      return { answer, ...await answer.json() };
    };
    const { token } = await ask();
    const again = () => ask({ authorization: `Bearer ${token}` });
    for (let time = 0; time < 2; time++) assert.equal((await again()).answer.status, 201);
    const { answer, code } = await again();
    assert.deepEqual([answer.status, code], [429, "rate_limited"]);
    assert.ok(Number(answer.headers.get("retry-after")) > 0);
    assert.equal((await ask()).answer.status, 201, "and others are not");
  },
);

hostileTest(
  "frames that are too large, too deep, binary or unmasked are answered, and the connection lives",
  UNLIMITED,
  async ({ port }) => {
    const raw = await RawClient.open(port, { query: "?room=" });
    await raw.until(() => raw.texts.length === 1);
    const megabytes = new Uint8Array(8 * 1024 * 1024).fill(0x20);
    await raw.send(frame(0x81, megabytes));
    assert.equal(await nextError(raw, 1), "frame_too_large");
    const piece = new Uint8Array(8 * 1024).fill(0x20);
    await raw.send(frame(0x01, piece));
    for (let at = 0; at < 1_022; at++) await raw.send(frame(0x00, piece));
    await raw.send(frame(0x80, piece));
    assert.equal(await nextError(raw, 2), "frame_too_large");
    await raw.send(frame(0x81, "[".repeat(20_000)));
    assert.equal(await nextError(raw, 3), "bad_json");
    await raw.send(frame(0x82, "{}"));
    assert.equal(await nextError(raw, 4), "bad_frame");
    // RFC 6455 would have it end the connection. This runtime reads it like any other, which harms nobody.
    const unmasked = new Uint8Array([0x81, 0x02, 0x7b, 0x7d]);
    await raw.send(unmasked);
    assert.equal(await nextError(raw, 5), "unknown_action");
    await raw.send(frame(0x81, '{"action":"ping"}'));
    await raw.until(() => raw.texts.length > 6);
    assert.equal(raw.texts[6], '{"action":"pong"}');
    await raw.close();
  },
);

hostileTest(
  "a message in parts has no size limit in this Deno (when this fails, the runtime is fixed: say so in SECURITY.md)",
  UNLIMITED,
  async ({ port }) => {
    const raw = await RawClient.open(port, { query: "?room=" });
    const piece = new Uint8Array(8 * 1024 * 1024);
    await raw.send(frame(0x01, piece));
    // One frame of more than 64 MiB is refused by the runtime; nine parts of 8 MiB are not.
    for (let at = 0; at < 8; at++) await raw.send(frame(0x00, piece));
    await raw.send(frame(0x89, "still there?"));
    await raw.until(() => raw.controls.length > 0);
    assert.equal(raw.controls[0]?.opcode, 10, "the runtime has ended it");
    await raw.close();
  },
);

Deno.test(
  "a socket that stalls can't be ended in this Deno (when this fails, the runtime is fixed: say so in SECURITY.md)",
  async () => {
    let socket: WebSocket | undefined;
    let closed = false;
    const opened = Promise.withResolvers<void>();
    const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
      const upgraded = Deno.upgradeWebSocket(request, { idleTimeout: 1 });
      socket = upgraded.socket;
      socket.onopen = () => opened.resolve();
      socket.onclose = () => closed = true;
      socket.onerror = () => {};
      return upgraded.response;
    });
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
    await connection.write(new TextEncoder().encode(upgradeRequest(server.addr.port)));
    await opened.promise;
    const text = "x".repeat(1024 * 1024);
    for (let at = 0; at < 16; at++) socket!.send(text);
    socket!.close();
    // Nothing that is waited for: two seconds in which a runtime that can end it would have done so.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    assert.equal(closed, false, "the runtime has ended it");
    connection.close();
    await server.shutdown();
  },
);

hostileTest(
  "of a thousand at once from one address as many come in as may, some are told to come back, and all is free after them",
  { CONNECTIONS_PER_IP: "200", NEWCOMERS_PER_MINUTE: "0" },
  async ({ url, port }) => {
    const crowd = await Promise.all(Array.from({ length: 1_000 }, () => RawClient.open(port, { query: "?room=" })));
    const isFull = (raw: RawClient) => raw.isOpen && raw.texts.length > 0;
    const open = crowd.filter(({ isOpen }) => isOpen);
    await Promise.all(open.map((raw) => raw.until(() => raw.texts.length > 0 || raw.closeCode !== undefined)));
    assert.equal(crowd.filter(isFull).length, 200);
    const told = open.filter(({ closeCode }) => closeCode !== undefined);
    assert.deepEqual([told.length, new Set(told.map(({ closeCode }) => closeCode))], [20, new Set([4009])]);
    assert.ok(crowd.filter(({ isOpen }) => !isOpen).every(({ head }) => head.startsWith("HTTP/1.1 429 ")));
    await Promise.all(crowd.map((raw) => raw.close()));
    for (;;) {
      const client = new TestClient(url);
      const came = await Promise.race([client.until("welcome").catch(() => undefined), client.closed]);
      if (came && "action" in came) {
        await client.close();
        break;
      }
    }
  },
);

hostileTest(
  "handshakes that stop halfway, or whose client hangs up, hold no place",
  { CONNECTIONS_PER_IP: "5" },
  async ({ url, port }) => {
    const half: RawClient[] = [];
    for (let at = 0; at < 100; at++) {
      const raw = await RawClient.connect(port);
      await raw.send(upgradeRequest(port).slice(0, 60 + at));
      half.push(raw);
    }
    for (let at = 0; at < 4; at++) {
      const raw = await RawClient.connect(port);
      await raw.send(upgradeRequest(port));
      await raw.close();
    }
    // The last of those that hung up may be noticed a little later.
    let client = new TestClient(url);
    while (!await client.until("welcome").catch(() => undefined)) client = new TestClient(url);
    await client.close();
    await Promise.all(half.map((raw) => raw.close()));
  },
);

hostileTest(
  "who forges X-Forwarded-For counts as who they are, and it is warned of once",
  { CONNECTIONS_PER_IP: "2" },
  async (server) => {
    const open = (forwarded: string) =>
      RawClient.open(server.port, { headers: { "x-forwarded-for": forwarded }, query: "?room=" });
    const crowd = [await open("203.0.113.1"), await open("203.0.113.2"), await open("203.0.113.3")];
    await crowd[2].until(() => crowd[2].closeCode !== undefined);
    assert.equal(crowd[2].closeCode, 4009);
    assert.equal(server.errors().split("TRUST_PROXY").length, 2);
    await Promise.all(crowd.map((raw) => raw.close()));
  },
);

hostileTest(
  "behind a proxy the address that it added counts, not what a client put before it",
  { CONNECTIONS_PER_IP: "2", TRUST_PROXY: "1" },
  async (server) => {
    const open = (forwarded: string) =>
      RawClient.open(server.port, { headers: { "x-forwarded-for": forwarded }, query: "?room=" });
    const forged = [
      await open("1.1.1.1, 203.0.113.1"),
      await open("2.2.2.2, 203.0.113.1"),
      await open("3.3.3.3, 203.0.113.1"),
    ];
    await forged[2].until(() => forged[2].closeCode !== undefined);
    assert.equal(forged[2].closeCode, 4009);
    const other = await open("203.0.113.2");
    await other.until(() => other.texts.length > 0);
    assert.equal(JSON.parse(other.texts[0]).action, "welcome");
    assert.doesNotMatch(server.errors(), /TRUST_PROXY/);
    await Promise.all([...forged, other].map((raw) => raw.close()));
  },
);

hostileTest(
  "new people from one address are few a minute, through whatever door",
  { NEWCOMERS_PER_MINUTE: "2" },
  async ({ url }) => {
    const ask = async (path: string, init: RequestInit) => {
      const response = await fetch(url + path, init);
      await response.body?.cancel();
      return response;
    };
    const { status } = await ask("/api/session", { method: "POST" });
    const message = { method: "POST", body: '{"text":"hi"}', headers: { "content-type": "application/json" } };
    assert.deepEqual([status, (await ask("/api/rooms/general/messages", message)).status], [201, 201]);
    const socket = await TestClient.open(url);
    const cookie = "parley_session=junk";
    assert.match((await ask("/", { headers: { cookie } })).headers.get("set-cookie") ?? "", /^parley_session=ey/);
    const refused = await ask("/api/session", { method: "POST" });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers.get("retry-after")) > 0);
    assert.equal((await ask("/api/rooms/general/messages", message)).status, 429);
    assert.equal((await ask("/api/rooms/general/events", {})).status, 429);
    assert.equal((await new TestClient(url).closed).code, 4029);
    const page = await ask("/", { headers: { cookie } });
    assert.deepEqual([page.status, page.headers.get("set-cookie")], [200, null], "the page opens all the same");
    socket.say("known people are not concerned");
    await socket.until("receive_message", ({ text }) => text === "known people are not concerned");
    await socket.close();
  },
);

hostileTest(
  "a flood from one person ends with 4029, is told to nobody in full, and others talk on",
  {},
  async ({ url, port }) => {
    const [ann, bob] = [await TestClient.open(url), await TestClient.open(url)];
    const raw = await RawClient.open(port);
    await raw.until(() => raw.texts.length > 1);
    const { token, user } = JSON.parse(raw.texts[0]);
    const message = frame(0x81, '{"action":"send_message","room":"general","text":"flood"}');
    for (let at = raw.texts.length + 1; raw.closeCode === undefined; at++) {
      await raw.send(message);
      await raw.until(() => raw.texts.length >= at || raw.closeCode !== undefined);
    }
    assert.equal(raw.closeCode, 4029);
    assert.ok(raw.texts.length < 200, `${raw.texts.length} frames for ten thousand`);
    const again = new TestClient(url, { protocols: ["chat.v1", `bearer.${token}`] });
    assert.equal((await again.closed).code, 4029, "coming straight back is no way around it");
    ann.say("are you there?");
    await bob.until("receive_message", ({ text }) => text === "are you there?");
    const floods = bob.frames.filter((frame) => frame.action === "receive_message" && frame.user === user);
    assert.ok(floods.length < 200, `${floods.length} of them were told`);
    const action = { method: "POST", body: '{"action":"ping"}' };
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const http = await fetch(`${url}/api/actions`, { ...action, headers });
    assert.deepEqual([http.status, (await http.json()).code], [429, "rate_limited"], "nor is another door");
    await Promise.all([raw.close(), ann.close(), bob.close()]);
  },
);

hostileTest("event streams are connections too", { CONNECTIONS_PER_IP: "20" }, async ({ url }) => {
  const listen = () => fetch(`${url}/api/rooms/general/events`);
  const streams = await Promise.all(Array.from({ length: 20 }, listen));
  assert.ok(streams.every(({ status }) => status === 200));
  const oneMore = await listen();
  assert.deepEqual([oneMore.status, (await oneMore.json()).code], [429, "rate_limited"]);
  assert.ok(Number(oneMore.headers.get("retry-after")) > 0);
  await streams[0].body!.cancel();
  // That it has gone may be noticed a little later.
  let again = await listen();
  while (again.status === 429) {
    await again.body?.cancel();
    again = await listen();
  }
  assert.equal(again.status, 200);
  await Promise.all([again, ...streams.slice(1)].map(({ body }) => body!.cancel()));
});

/** Milliseconds in which answers come that are going to come. */
const ANSWERING = 10_000;

/** Connections by HTTP/2, each with its settings acknowledged. */
function connectH2(url: string, number: number, settings?: http2.Settings): Promise<http2.ClientHttp2Session[]> {
  return Promise.all(Array.from({ length: number }, () => {
    const session = http2.connect(url, { settings });
    session.on("error", () => {/* it is cut off at the end */});
    return new Promise<http2.ClientHttp2Session>((resolve) => session.on("remoteSettings", () => resolve(session)));
  }));
}

hostileTest(
  "answers that nobody takes are few for one address, hold little, and are let go of with their connection",
  { MESSAGE_RATE: "0" },
  async (server) => {
    const author = await TestClient.open(server.url, { query: "?room=full" });
    for (let at = 1; at <= 35; at++) author.say("x".repeat(4_000), { room: "full" });
    await author.until("receive_message", ({ seq }) => seq === 35);
    await author.close();
    const before = await residentMemory(server);
    const join = JSON.stringify({ action: "join_room", room: "full" });
    const asked: [http2.OutgoingHttpHeaders, string?][] = [
      [{ ":path": "/api/rooms/full/messages?limit=200" }],
      [{ ":path": "/static/style.css" }],
      [{ ":path": "/docs" }],
      [{ ":path": "/openapi.json" }],
      [{ ":path": "/api/actions", ":method": "POST", "content-type": "application/json" }, join],
    ];
    const statuses: number[] = [];
    // With a window of 0 heads come and bodies can't. Each connection may have many requests.
    const sessions = await connectH2(server.url, 8, { initialWindowSize: 0 });
    for (let at = 0; at < 1_600; at++) {
      const [headers, body] = asked[Math.floor(at / 8) % asked.length];
      const request = sessions[at % 8].request(headers);
      request.on("response", ({ ":status": status }) => statuses.push(status!)).on("error", () => {});
      request.end(body);
      // Not all at once, which would be refused for that.
      if (at % 100 === 99) await until(() => statuses.length === at + 1, ANSWERING);
    }
    const given = statuses.filter((status) => status === 200).length;
    assert.ok(given > 200 && given < 700, `${given} were answered`);
    assert.ok(statuses.every((status) => status === 200 || status === 429));
    const grown = await residentMemory(server) - before;
    assert.ok(grown < 200 * 2 ** 20, `${grown} bytes`);
    for (const session of sessions) session.destroy();
    await until(async () => {
      const answer = await fetch(`${server.url}/docs`);
      await answer.body?.cancel();
      return answer.status === 200;
    });
  },
);

for (const [users, CONNECTIONS_PER_IP] of [[40, "200"], [2, "1"]] as const) {
  hostileTest(
    `${users} people at one address, of which ${CONNECTIONS_PER_IP} may connect, load the page at the same moment`,
    { CONNECTIONS_PER_IP },
    async ({ url }) => {
      const page = await (await fetch(url)).text();
      const files = ["/", ...[...page.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path)];
      assert.ok(files.length > 30);
      const sessions = await connectH2(url, users);
      const statuses: unknown[] = [];
      for (const session of sessions) {
        for (const path of files) {
          const request = session.request({ ":path": path });
          request.on("response", ({ ":status": status }) => statuses.push(status)).resume().end();
        }
      }
      await until(() => statuses.length === users * files.length, ANSWERING);
      assert.deepEqual(statuses.filter((status) => status !== 200), []);
      for (const session of sessions) session.close();
    },
  );
}

hostileTest(
  "requests that broke off in any way leave nothing that counts against their address",
  { CONNECTIONS_PER_IP: "4", JOINS_PER_MINUTE: "0", READS_PER_MINUTE: "0", NEWCOMERS_PER_MINUTE: "0" },
  async ({ url, port }) => {
    const host = `host: 127.0.0.1:${port}\r\n`;
    const json = "content-type: application/json\r\n";
    const pieces = [
      `GET / HTTP/1.1\r\n${host}\r\n`,
      `HEAD /docs HTTP/1.1\r\n${host}\r\n`,
      `GET /static/style.css HTTP/1.1\r\n${host}if-none-match: *\r\n\r\n`,
      `POST /api/session HTTP/1.1\r\n${host}content-length: 100\r\n\r\nabc`,
      `POST /api/actions HTTP/1.1\r\n${host}${json}transfer-encoding: chunked\r\n\r\n5\r\n{"act`,
      `GET /api/rooms/general/events HTTP/1.1\r\n${host}\r\n`,
      `HEAD /api/rooms/general/events HTTP/1.1\r\n${host}\r\n`,
      `GET /nowhere HTTP/1.1\r\n${host}\r\n`.repeat(3),
      `GET /api/rooms/general/messages HTTP/1.1\r\n${host}\r\n`.repeat(3),
      `GET /connect HTTP/1.1\r\n${host}\r\n`,
    ];
    for (const piece of pieces) {
      for (let at = 0; at < 6; at++) {
        const raw = await RawClient.connect(port);
        await raw.send(piece);
        // Some hang up at once, some when an answer has begun, where one does.
        if (at % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 20));
        await raw.close();
      }
    }
    // All that it may have is free again: it is answered for as long as it likes.
    for (let at = 0; at < 100; at++) assert.equal((await (await fetch(`${url}/docs`)).bytes()).length > 10_000, true);
  },
);

/** Sends what fast-check makes up, and sees that a witness hears nothing of it and that the server does not grow. */
function nonsenseTest<T>(
  title: string,
  arbitrary: fc.Arbitrary<T>,
  send: (open: () => Promise<RawClient>, port: number, nonsense: T) => Promise<void>,
) {
  hostileTest(title, UNLIMITED, async (server) => {
    const witness = await TestClient.open(server.url, { query: "?room=witness" });
    await witness.until("room_joined");
    // One person, since names are held for a while after people have gone.
    const { token } = await (await fetch(`${server.url}/api/session`, { method: "POST" })).json();
    const headers = { authorization: `Bearer ${token}`, "sec-websocket-protocol": "chat.batch.v1" };
    const open = () => RawClient.open(server.port, { query: "?room=", headers });
    const property = fc.asyncProperty(arbitrary, (nonsense) => send(open, server.port, nonsense));
    await fc.assert(property, { seed: 1, numRuns: 100 });
    const before = await residentMemory(server);
    const soak = { numRuns: 1e9, interruptAfterTimeLimit: SOAK_TIME };
    await fc.assert(property, SOAK ? soak : { seed: 2, numRuns: 200 });
    if (SOAK) await new Promise((resolve) => setTimeout(resolve, LEFTOVERS));
    const grown = await residentMemory(server) - before;
    assert.ok(grown < GROWTH, `${grown} bytes`);
    assert.deepEqual((await witness.soFar()).map(({ action }) => action), ["welcome", "room_joined"]);
    assert.equal(server.errors().split("\n").filter((line) => !/"event":"refused"|^$/.test(line)).join("\n"), "");
    await witness.close();
  });
}

nonsenseTest(
  "arbitrary bytes, before a handshake and after it, harm nobody",
  fc.record({ shakesHands: fc.boolean(), bytes: fc.array(fc.uint8Array({ maxLength: 2_000 }), { maxLength: 4 }) }),
  async (open, port, { shakesHands, bytes }) => {
    const raw = shakesHands ? await open() : await RawClient.connect(port);
    for (const piece of bytes) await raw.send(piece);
    await raw.close();
  },
);

const field = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.string({ unit: "binary" }), fc.double(), fc.bigInt());
const action = fc.constantFrom(
  ...[
    "join_room",
    "leave_room",
    "send_message",
    "edit_message",
    "delete_message",
    "react",
    "set_name",
    "typing",
    "ping",
    "nope",
  ],
);
const nonsense = fc.oneof(
  fc.jsonValue(),
  fc.record(
    {
      action,
      room: field,
      text: field,
      reply_to: field,
      target: field,
      emoji: field,
      on: field,
      name: field,
      since: field,
      limit: field,
      id: field,
    },
    { requiredKeys: ["action"] },
  ),
);
nonsenseTest(
  "arbitrary JSON is answered to its sender alone, and the next frame is answered too",
  fc.array(nonsense, { maxLength: 10 }),
  async (open, _, frames) => {
    const raw = await open();
    const json = (value: unknown) =>
      JSON.stringify(value, (_, inner) => typeof inner === "bigint" ? `${inner}` : inner);
    for (const each of frames) await raw.send(frame(0x81, json(each)));
    await raw.send(frame(0x81, '{"action":"ping","id":"the last one"}'));
    await raw.until(() => raw.texts.some((text) => text.includes('"the last one"')));
    assert.ok(raw.texts.some((text) => text.includes('"the last one"')), "the server hung up");
    await raw.close();
  },
);
