/**
 * Requests as nobody would write them, as bytes on real connections to one real server: after each batch it must still
 * answer a new connection, and must not have had anything to complain about.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

const SOAK = Deno.env.get("SOAK") !== undefined;
/** Milliseconds that the soak takes. */
const SOAK_TIME = 4 * 60_000;
/** Requests that are under way at the same time, and after which the server is asked whether it lives. */
const BATCH = 100;
const BATCHES = 60;
/**
 * Milliseconds after which, if others are answered, no answer comes any more: most of these heads are answered at once,
 * some are never whole.
 */
const SILENCE = 150;

/** Anything but the end of the line, most often printable. */
const text = fc.oneof(
  { weight: 3, arbitrary: fc.string({ maxLength: 20 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ maxLength: 20 }).map((bytes) => String.fromCharCode(...bytes).replaceAll(/[\r\n]/g, "")),
  },
);

/** One of these, as it is or with something put in its place, before it, behind it or into it. */
function around(...usual: string[]): fc.Arbitrary<string> {
  const known = fc.constantFrom(...usual);
  const broken = fc.tuple(known, text, fc.nat({ max: 60 }), fc.nat({ max: 3 })).map(([value, junk, at, cut]) =>
    value.slice(0, at) + junk + value.slice(at + cut)
  );
  return fc.oneof({ weight: 3, arbitrary: known }, { weight: 3, arbitrary: broken }, { weight: 1, arbitrary: text });
}

const hosts = ["127.0.0.1", "localhost:8000", "%%%", "x:99999", "[::", "a b", "", "[::1]:80", "ex ample", "a@b", "a#b"];
const paths = [
  "/",
  "/connect",
  "/connect?room=a,b",
  "/connect?room=%",
  "/connect?room=%00",
  "/r/%",
  "/r/islands",
  "/api/rooms",
  "/api/session",
  "/api/actions",
  "/api/rooms/general/messages?limit=1",
  "/api/rooms/%ff/messages",
  "/api/rooms/general/people?after=%ff",
  "/api/rooms/general/events",
  "/api/rooms/general/messages/1",
  "/api/rooms/general/messages/%ff/reactions?emoji=%ff",
  "/api/bans",
  "/metrics",
  "/healthz",
  "/readyz",
  "/docs",
  "/openapi.json",
  "/static/client.ts",
  "//",
  "/\\",
  "*",
];
const target = fc.oneof(
  { weight: 4, arbitrary: around(...paths) },
  {
    weight: 1,
    arbitrary: fc.tuple(fc.constantFrom("http://", "https://", "ws://", ""), around(...hosts), around(...paths))
      .map((parts) => parts.join("")),
  },
);
const method = around("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "get", "PRI");
const version = around("HTTP/1.1", "HTTP/1.0", "HTTP/2.0");

/** Every header that is read here, or by the runtime for us. */
const values: Record<string, fc.Arbitrary<string>> = {
  host: around(...hosts),
  connection: around("Upgrade", "keep-alive, Upgrade", "close"),
  upgrade: around("websocket", "WebSocket", "h2c", "websocket, foo"),
  "sec-websocket-version": around("13", "8", "13, 8"),
  "sec-websocket-key": around("dGhlIHNhbXBsZSBub25jZQ==", "short"),
  "sec-websocket-protocol": around("chat.v1", "chat.batch.v1, chat.v1", "chat.v1,bearer.x", "bearer.x", ",,"),
  "sec-websocket-extensions": around("permessage-deflate"),
  origin: around("http://127.0.0.1", "https://example.com", "null", "http://%%%"),
  referer: around("http://127.0.0.1/"),
  authorization: around("Bearer x", "Bearer  x", "Basic eDp5", "Bearer eyJhbGciOiJub25lIn0.e30."),
  cookie: around("parley_session=x", "parley_session=x; parley_session=y", "__Host-parley_session=%"),
  accept: around("*/*", "text/html", "text/event-stream", "image/*"),
  "accept-encoding": around("gzip, br"),
  "sec-fetch-site": around("same-origin", "cross-site", "none"),
  "x-forwarded-for": around("203.0.113.1", "203.0.113.1, ::1", "[::1]:80", "fe80::1%eth0", "999.1.1.1"),
  "x-forwarded-proto": around("https", "http, https"),
  "x-real-ip": around("203.0.113.1"),
  forwarded: around("for=203.0.113.1;proto=https"),
  via: around("1.1 proxy"),
  "content-type": around("application/json", "application/x-www-form-urlencoded", "text/plain"),
  "content-length": around("0", "2", "-1", "99999999999999999999"),
  "transfer-encoding": around("chunked", "gzip, chunked"),
  expect: around("100-continue"),
  "idempotency-key": around("1", '"1"'),
  "last-event-id": around("6f1d:1", ":", "6f1d:999999999999999"),
  "if-none-match": around("*", 'W/"x"'),
  "access-control-request-method": around("POST"),
  "access-control-request-headers": around("authorization"),
};
const header = fc.constantFrom(...Object.keys(values)).chain((name) => values[name].map((value) => ({ name, value })));
const HANDSHAKE = {
  host: "127.0.0.1",
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};

/** A handshake or a request of which some lines are not what they should be. */
const head = fc.record({
  method: fc.oneof({ weight: 4, arbitrary: fc.constant("GET") }, method),
  target: fc.oneof({ weight: 2, arbitrary: fc.constantFrom("/connect", "/connect?room=") }, target),
  version: fc.oneof({ weight: 6, arbitrary: fc.constant("HTTP/1.1") }, version),
  shakesHands: fc.boolean(),
  headers: fc.array(header, { maxLength: 4 }),
  body: fc.oneof(fc.constant(""), fc.constant("{}"), text),
}).map(({ method, target, version, shakesHands, headers, body }) => {
  const replaced = new Set(headers.map(({ name }) => name));
  const usual = Object.entries(shakesHands ? HANDSHAKE : { host: "127.0.0.1" }).filter(([name]) => !replaced.has(name));
  const lines = [...usual.map((pair) => pair.join(": ")), ...headers.map(({ name, value }) => `${name}: ${value}`)];
  return `${method} ${target} ${version}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n${body}`;
});

/** Each character one byte, where it is one: what is sent need not be UTF-8. */
function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if ([...text].every((character) => character.charCodeAt(0) < 256)) {
    return Uint8Array.from(text, (character) => character.charCodeAt(0));
  }
  return new TextEncoder().encode(text);
}

/** Sends a head and waits for the first bytes of an answer, or for the connection's end. */
async function ask(port: number, head: string, onOpen = (_: Deno.TcpConn) => {}): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  onOpen(connection);
  const answer = new Uint8Array(1_024);
  let length: number | null = 0;
  try {
    await connection.write(bytesOf(head));
    length = await connection.read(answer);
  } catch { /* it hung up */ }
  try {
    connection.close();
  } catch { /* it is closed */ }
  return new TextDecoder().decode(answer.subarray(0, length ?? 0));
}

/** The same for a head that may not be whole: then nothing comes, and first our half of the connection ends. */
async function askMaybe(port: number, head: string): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAlive: Promise<void> | undefined;
  let answered = false;
  const afterSilence = (end: () => void) =>
    timer = setTimeout(() => {
      isAlive = expectAlive(port).then(() => {
        if (!answered) end();
      });
    }, SILENCE);
  const answer = await ask(port, head, (connection) => {
    afterSilence(() => {
      connection.closeWrite().catch(() => {});
      afterSilence(() => connection.close());
    });
  });
  answered = true;
  clearTimeout(timer);
  await isAlive;
  return answer;
}

async function expectAlive(port: number): Promise<void> {
  const answer = await ask(port, "GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
  assert.match(answer, /^HTTP\/1\.1 200 /);
}

/** Lines that the server has written and that are no refusals. */
function complaintsOf(server: RunningServer): string[] {
  return server.errors().split("\n").filter((line) => !/"event":"refused"|^$/.test(line));
}

Deno.test("a request of no host is refused before anything else looks at it, and the server goes on", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const lines = Object.entries(HANDSHAKE).filter(([name]) => name !== "host").map((pair) => pair.join(": "));
  const shake = (method: string, target: string, host: string) =>
    ask(server.port, [`${method} ${target} HTTP/1.1`, `host: ${host}`, ...lines, "", ""].join("\r\n"));
  for (const host of ["%%%", "x:99999", "[::", "a b", "a/connect?", "a@b", "a?", "a#", "a\\b"]) {
    for (const path of ["/connect", "/", "/healthz", "/metrics", "/api/rooms"]) {
      assert.match(await shake("GET", path, host), /^HTTP\/1\.1 400 .*"code":"bad_frame"/s, `${host}${path}`);
      assert.match(await shake("HEAD", path, host), /^HTTP\/1\.1 400 /, `${host}${path}`);
    }
  }
  assert.match(await shake("GET", "http://%%%/connect", "127.0.0.1"), /^HTTP\/1\.1 400 /);
  assert.match(await shake("GET", "http://x:99999/connect", "127.0.0.1"), /^(HTTP\/1\.1 400 |$)/);
  assert.match(await shake("HEAD", "/connect", "127.0.0.1"), /^HTTP\/1\.1 426 /);
  for (const host of ["127.0.0.1", "[::1]:80", "chat.example.", "Bücher.example", ""]) {
    assert.match(await shake("GET", "/connect", host), /^HTTP\/1\.1 101 /, host);
  }
  assert.deepEqual(complaintsOf(server), []);
  await server.stop();
});

Deno.test("whatever the head of a request holds, the server goes on answering", async () => {
  const server = await startServer({
    env: {
      DATABASE_URL: "memory:",
      ADMIN_TOKEN: "a token of the tests",
      ALLOWED_ORIGINS: "https://example.com",
      TRUST_PROXY: "1",
      MESSAGE_RATE: "0",
      READS_PER_MINUTE: "0",
      JOINS_PER_MINUTE: "0",
      CONNECTIONS_PER_IP: "0",
    },
  });
  const sent: Record<string, number> = {};
  const property = fc.asyncProperty(fc.array(head, { minLength: BATCH, maxLength: BATCH }), async (heads) => {
    const answers = await Promise.all(heads.map((head) => askMaybe(server.port, head)));
    for (const answer of answers) {
      const status = /^HTTP\/1\.\d (\d{3})/.exec(answer)?.[1] ?? "none";
      sent[status] = (sent[status] ?? 0) + 1;
    }
    await expectAlive(server.port);
    assert.deepEqual(complaintsOf(server), []);
  });
  const soak = { numRuns: 1e9, interruptAfterTimeLimit: SOAK_TIME };
  await fc.assert(property, { endOnFailure: true, ...(SOAK ? soak : { seed: 1, numRuns: BATCHES }) });
  console.log("answers by status:", JSON.stringify(sent));
  assert.ok(sent["101"] > BATCH && sent["200"] > BATCH && sent["400"] > BATCH, "they come through to the handlers");
  await server.stop();
});
