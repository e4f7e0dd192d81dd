import assert from "node:assert/strict";
import { type ClientFrame, CLOSE, type ServerFrame } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import { welcome } from "../testing/clients/frames.ts";
import { CONNECT_TIMEOUT, type ConnectionStatus, createConnection, PONG_TIMEOUT, STABLE_AFTER } from "./connection.ts";
import { CROWDED_DELAY, RETRY_BASE, RETRY_CEILING } from "./retry_delay.ts";
import type { SessionAnswer } from "./session_answer.ts";
import type { TransportListener } from "./transport/transport.ts";

const PING = welcome.limits.ping_seconds * 1_000;

/** A connection whose clock, server and network are the test's. `random` is always 0.5. */
function setUp(hasSession = false) {
  const clock = new FakeClock();
  const sockets: (TransportListener & { sent: ClientFrame[]; open: boolean })[] = [];
  const statuses: ConnectionStatus[] = [];
  const heard: ServerFrame[] = [];
  const server: { sessions: number; answer: SessionAnswer } = { sessions: 0, answer: { kind: "granted" } };
  const connection = createConnection({
    hasSession,
    open(listener) {
      const socket = { ...listener, sent: [] as ClientFrame[], open: true };
      sockets.push(socket);
      return { send: (frame) => socket.sent.push(frame), close: () => socket.open = false };
    },
    renewSession() {
      server.sessions++;
      return Promise.resolve(server.answer);
    },
    clock,
    random: () => 0.5,
    onFrames: (frames) => heard.push(...frames),
    onStatus: (status) => statuses.push(status),
  });
  const kind = () => statuses.at(-1)?.kind;
  const socket = () => sockets.at(-1) ?? assert.fail("no socket was opened");
  async function connected() {
    connection.start();
    await clock.advance(0);
    socket().received([welcome]);
  }
  return { clock, sockets, statuses, heard, server, connection, kind, socket, connected };
}

Deno.test("a session is requested before the first connection, and not before the next ones", async () => {
  const { clock, sockets, server, connected, socket } = setUp();
  await connected();
  assert.equal(server.sessions, 1);
  socket().closed(1006);
  await clock.advance(RETRY_BASE);
  assert.equal(sockets.length, 2);
  assert.equal(server.sessions, 1);
});

Deno.test("no session is requested where the page brought one, unless the server does not know it", async () => {
  const { server, connected, socket, sockets, clock, kind } = setUp(true);
  await connected();
  assert.deepEqual([server.sessions, kind()], [0, "connected"]);
  socket().closed(1006);
  await clock.advance(RETRY_BASE);
  socket().received([{ ...welcome, token: "the cookie was lost" }]);
  await clock.advance(0);
  assert.deepEqual([server.sessions, sockets.length], [1, 3]);
  socket().received([welcome]);
  assert.equal(kind(), "connected");
});

Deno.test("where the page brought a session and nobody comes in with it, the next try begins at once and asks why", async () => {
  const { server, connection, socket, sockets, clock, statuses, kind } = setUp(true);
  server.answer = { kind: "refused", refusal: { kind: "foreign_page" }, retryAfter: 0 };
  connection.start();
  await clock.advance(0);
  socket().closed(1006);
  await clock.advance(0);
  assert.deepEqual([server.sessions, sockets.length, kind()], [1, 1, "waiting"]);
  const last = statuses.at(-1)!;
  assert.deepEqual("refusal" in last && last.refusal, { kind: "foreign_page" });
  const unknown = setUp(true);
  unknown.server.answer = { kind: "refused", refusal: { kind: "not_ready" }, retryAfter: 60_000 };
  unknown.connection.start();
  await unknown.clock.advance(0);
  unknown.socket().received([{ ...welcome, token: "the cookie was lost" }]);
  await unknown.clock.advance(59_000);
  assert.equal(unknown.server.sessions, 1, "the server says when to come back");
  const other = setUp(true);
  other.connection.start();
  await other.clock.advance(0);
  other.socket().closed(CLOSE.tooManyConnections);
  await other.clock.advance(0);
  assert.deepEqual([other.server.sessions, other.kind()], [0, "waiting"], "a close code says why by itself");
});

Deno.test("a session that is not granted is requested again, after the same delay as a connection", async () => {
  const { clock, sockets, server, connection, kind } = setUp();
  server.answer = { kind: "failed" };
  connection.start();
  await clock.advance(0);
  assert.equal(kind(), "waiting");
  server.answer = { kind: "granted" };
  await clock.advance(RETRY_BASE);
  assert.equal(sockets.length, 1);
});

Deno.test("retry delays start from the beginning only after a connection that lasted", async () => {
  const { clock, statuses, connected, socket } = setUp();
  const wait = () => {
    const status = statuses.at(-1);
    assert.ok(status?.kind === "waiting");
    return status.until - clock.now();
  };
  await connected();
  socket().closed(1006);
  assert.equal(wait(), RETRY_BASE);
  await clock.advance(wait());
  socket().received([welcome]);
  await clock.advance(STABLE_AFTER - 1);
  socket().closed(1006);
  assert.equal(wait(), RETRY_BASE * 2 / 2);
  await clock.advance(wait());
  socket().closed(1006);
  assert.equal(wait(), RETRY_BASE * 4 / 2);
  await clock.advance(wait());
  socket().received([welcome]);
  await clock.advance(STABLE_AFTER);
  socket().closed(1006);
  assert.equal(wait(), RETRY_BASE);
});

Deno.test("when the network is back or the page is visible again, a waiting client tries at once", async () => {
  const { clock, sockets, connection, connected, socket } = setUp();
  await connected();
  socket().closed(1006);
  connection.wake();
  await clock.advance(0);
  assert.equal(sockets.length, 2);
});

Deno.test("when the network is back or the page is visible again, a connection that does not answer is replaced", async () => {
  const { clock, connection, connected, socket, kind } = setUp();
  await connected();
  connection.wake();
  assert.deepEqual(socket().sent, [{ action: "ping" }]);
  await clock.advance(PONG_TIMEOUT);
  assert.equal(kind(), "waiting");
});

Deno.test("a connection without a welcome is given up", async () => {
  const { clock, connection, kind } = setUp();
  connection.start();
  await clock.advance(CONNECT_TIMEOUT);
  assert.equal(kind(), "waiting");
});

Deno.test("a ping is sent at every interval, and any frame answers it", async () => {
  const { clock, connected, socket, kind } = setUp();
  await connected();
  await clock.advance(PING);
  assert.equal(socket().sent.length, 1);
  socket().received([{ action: "typing", room: "general", user: "u2", name: "Mina" }]);
  await clock.advance(PONG_TIMEOUT);
  assert.equal(kind(), "connected");
  await clock.advance(PING - PONG_TIMEOUT);
  assert.equal(socket().sent.length, 2);
  await clock.advance(PONG_TIMEOUT);
  assert.equal(kind(), "waiting");
});

Deno.test("a rejected token is renewed at once; a second rejection in a row is final", async () => {
  const { clock, sockets, server, connected, socket, statuses } = setUp();
  await connected();
  socket().closed(CLOSE.badToken);
  await clock.advance(0);
  assert.equal(server.sessions, 2);
  assert.equal(sockets.length, 2);
  socket().closed(CLOSE.badToken);
  assert.deepEqual(statuses.at(-1), { kind: "stopped", code: CLOSE.badToken });
});

Deno.test("a cookie that the server did not accept is replaced before any frame is passed on", async () => {
  const { clock, server, heard, connected, socket } = setUp();
  await connected();
  socket().closed(1006);
  await clock.advance(RETRY_BASE);
  heard.length = 0;
  socket().received([{ ...welcome, token: "of somebody new" }]);
  await clock.advance(0);
  assert.equal(server.sessions, 2);
  assert.deepEqual(heard, []);
  socket().received([{ ...welcome, token: "cookies are switched off" }]);
  assert.equal(heard.length, 1);
});

Deno.test("a token that the server wants renewed is renewed before the next connection", async () => {
  const { clock, server, connected, socket } = setUp();
  await connected();
  socket().closed(CLOSE.renewToken);
  await clock.advance(RETRY_BASE);
  assert.equal(server.sessions, 2);
});

Deno.test("a client that was sent away for good comes back only when a person asks for it", async () => {
  const { clock, sockets, connection, connected, socket, kind } = setUp();
  await connected();
  socket().closed(CLOSE.notAllowed);
  connection.wake();
  await clock.advance(RETRY_CEILING);
  assert.equal(kind(), "stopped");
  assert.equal(sockets.length, 1);
  connection.retry();
  await clock.advance(0);
  assert.equal(sockets.length, 2);
});

Deno.test("there is one connection: late frames of an earlier one are ignored", async () => {
  const { clock, sockets, heard, connection, connected } = setUp();
  await connected();
  connection.stop();
  connection.start();
  await clock.advance(0);
  assert.equal(sockets[0].open, false);
  heard.length = 0;
  sockets[0].received([{ action: "pong" }]);
  sockets[0].closed(1006);
  assert.deepEqual(heard, []);
  assert.equal(sockets.length, 2);
});

Deno.test("a frame sent without a connection is dropped", () => {
  const { connection, sockets } = setUp();
  connection.send({ action: "ping" });
  assert.equal(sockets.length, 0);
});

Deno.test("a client that needs a sign-in stops and says where, until a person tries again", async () => {
  const { clock, sockets, statuses, server, connection, connected } = setUp();
  server.answer = { kind: "signed_out", loginUrl: "https://accounts.example/login" };
  connection.start();
  await clock.advance(10 * RETRY_CEILING);
  assert.deepEqual(statuses.at(-1), { kind: "signed_out", loginUrl: "https://accounts.example/login" });
  assert.deepEqual([server.sessions, sockets.length], [1, 0]);
  server.answer = { kind: "granted" };
  connection.retry();
  await connected();
  assert.equal(statuses.at(-1)?.kind, "connected");
});

Deno.test("an expired token that can't be renewed requires a sign-in", async () => {
  const { clock, statuses, server, connected, socket } = setUp();
  await connected();
  server.answer = { kind: "signed_out", loginUrl: null };
  socket().closed(CLOSE.renewToken);
  await clock.advance(RETRY_CEILING);
  assert.deepEqual(statuses.at(-1), { kind: "signed_out", loginUrl: null });
});

Deno.test("a refused client says why until it gets a session, and retries no sooner than the server said", async () => {
  const { clock, statuses, server, connection, kind, socket } = setUp();
  const foreign: SessionAnswer = { kind: "refused", refusal: { kind: "foreign_page" }, retryAfter: 0 };
  server.answer = foreign;
  connection.start();
  await clock.advance(0);
  assert.deepEqual(statuses.at(-1), { kind: "waiting", until: clock.now() + RETRY_BASE, refusal: foreign.refusal });
  server.answer = { kind: "refused", refusal: { kind: "not_ready" }, retryAfter: 20_000 };
  await clock.advance(RETRY_BASE);
  const [before, after] = statuses.slice(-2);
  assert.deepEqual(before, { kind: "connecting", again: false, refusal: foreign.refusal }, "while it tries");
  assert.deepEqual(after, { kind: "waiting", until: clock.now() + 20_000, refusal: { kind: "not_ready" } });
  server.answer = { kind: "granted" };
  await clock.advance(20_000);
  socket().received([welcome]);
  assert.equal(kind(), "connected");
  socket().closed(1006);
  assert.deepEqual(statuses.at(-1), { kind: "waiting", until: clock.now() + 1_000, refusal: null });
});

Deno.test("the reason of a refusal is gone after a session is granted, or a sign-in required", async () => {
  const { clock, statuses, server, connection, socket } = setUp();
  const refused: SessionAnswer = { kind: "refused", refusal: { kind: "foreign_page" }, retryAfter: 0 };
  const connecting = () => statuses.findLast(({ kind }) => kind === "connecting");
  server.answer = refused;
  connection.start();
  await clock.advance(0);
  server.answer = { kind: "granted" };
  await clock.advance(RETRY_BASE);
  socket().received([welcome]);
  socket().outdated();
  assert.deepEqual(statuses.slice(-2).map(({ kind }) => kind), ["connected", "connecting"], "at once");
  assert.deepEqual(connecting(), { kind: "connecting", again: true, refusal: null });
  socket().closed(CLOSE.flooding);
  server.answer = { kind: "signed_out", loginUrl: null };
  connection.retry();
  socket().closed(CLOSE.badToken);
  await clock.advance(0);
  connection.retry();
  assert.deepEqual(connecting(), { kind: "connecting", again: true, refusal: null });
});

Deno.test("one connection too many is told as such, by a close code or by the answer to a session", async () => {
  const { clock, statuses, server, connected, connection, socket } = setUp();
  await connected();
  socket().closed(CLOSE.tooManyConnections);
  const refusal = () => {
    const status = statuses.at(-1)!;
    assert.ok(status.kind === "waiting" && status.until >= clock.now() + CROWDED_DELAY);
    return status.refusal;
  };
  assert.deepEqual(refusal(), { kind: "crowded" });
  server.answer = { kind: "refused", refusal: { kind: "crowded" }, retryAfter: 0 };
  connection.retry();
  await clock.advance(0);
  socket().closed(CLOSE.renewToken);
  connection.retry();
  await clock.advance(0);
  assert.deepEqual(refusal(), { kind: "crowded" });
});
