import assert from "node:assert/strict";
import { createChat } from "../../testing/chat.ts";
import { StalledClient } from "../../testing/clients/stalled.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { residentMemory, startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";
import { Sessions } from "../auth/sessions.ts";
import { AuditLog } from "../observability/audit_log.ts";
import { ARRIVALS_A_TURN } from "./arrivals.ts";
import { SILENCE_LIMIT, Sockets } from "./websocket.ts";

/** The socket door alone, with time in the test's hand. */
function serveSockets() {
  const { clock, chat, storage } = createChat();
  const sockets = new Sockets(
    chat,
    new Sessions("a secret", chat.services.rateLimiter),
    [],
    new AuditLog(clock, () => {}),
  );
  const server = Deno.serve(
    { port: 0, hostname: "127.0.0.1", onListen() {} },
    (request) => sockets.connect(request, "somewhere"),
  );
  const stop = async () => {
    await Promise.all([chat.drain().then(() => sockets.gone()), clock.advance(10_000)]);
    chat.close();
    await server.shutdown();
    await storage.close();
  };
  return { clock, chat, sockets, url: `http://127.0.0.1:${server.addr.port}`, stop };
}

Deno.test("whatever fails once the runtime has begun a socket, that socket ends and others still come in", async () => {
  const { chat, url, stop } = serveSockets();
  const { enter } = chat;
  const { error } = console;
  const said: unknown[] = [];
  console.error = (line) => said.push(line);
  chat.enter = () => {
    throw new Error("as the test wants it");
  };
  assert.equal((await new TestClient(url).closed).code, 1011);
  chat.enter = enter;
  console.error = error;
  assert.equal(said.length, 1);
  const address = chat.services.rateLimiter.address("somewhere");
  // Its place is free again, as soon as the server has noticed too.
  await until(() => address.connections === 0);
  chat.services.rateLimiter.release(undefined, address);
  await (await TestClient.open(url)).close();
  await stop();
});

Deno.test("whoever hangs up while waiting to come in is not taken: the runtime would keep that connection for good", async () => {
  const { chat, sockets, stop } = serveSockets();
  const client = new AbortController();
  const crowd = Array.from({ length: ARRIVALS_A_TURN + 1 }, () => {
    const request = new Request("http://localhost/connect", { signal: client.signal });
    return assert.rejects(sockets.connect(request, "somewhere"), (error: Error) => error.message.includes("hung up"));
  });
  client.abort();
  const waited = await Promise.allSettled(crowd);
  // Those who came first waited for nothing; that they ask for no socket is found out later.
  assert.deepEqual(waited.map(({ status }) => status === "fulfilled").indexOf(true), ARRIVALS_A_TURN);
  const address = chat.services.rateLimiter.address("somewhere");
  assert.equal(address.connections, 0);
  chat.services.rateLimiter.release(undefined, address);
  await stop();
});

Deno.test("a batch client that falls silent is closed after two missed pings, one that pings is not", async () => {
  const { clock, url, stop } = serveSockets();
  const options = { protocols: ["chat.batch.v1"] };
  const [silent, alive] = [await TestClient.open(url, options), await TestClient.open(url, options)];
  const plain = await TestClient.open(url);
  for (let passed = 0; passed < SILENCE_LIMIT + 20_000; passed += 10_000) {
    await clock.advance(10_000);
    await alive.soFar();
  }
  assert.equal((await silent.closed).code, 4000);
  await plain.soFar();
  await Promise.all([alive.close(), plain.close()]);
  await stop();
});

Deno.test("a server that is stopping takes nobody new and sends everyone away to come back", async () => {
  const { url, stop } = serveSockets();
  const client = await TestClient.open(url);
  const stopped = stop();
  const late = new TestClient(url);
  assert.equal((await client.closed).code, 1012);
  assert.notEqual((await late.closed).code, 1000);
  assert.deepEqual(late.frames, []);
  await stopped;
});

Deno.test("joining many full rooms at once makes no slow reader of a client that reads", async () => {
  const server = await startServer({ env: { MESSAGE_RATE: "0" } });
  const author = await TestClient.open(server.url, { query: "?room=" });
  const rooms = Array.from({ length: 8 }, (_, at) => `full${at}`);
  for (const room of rooms) {
    for (let at = 1; at <= 35; at++) author.say("x".repeat(4_000), { room });
    await author.until("receive_message", (frame) => frame.room === room && frame.seq === 35);
  }
  for (const protocols of [undefined, ["chat.batch.v1"]]) {
    const reader = await TestClient.open(server.url, { protocols, query: `?room=${rooms.join(",")}` });
    for (const room of rooms) {
      const { messages } = await reader.until("room_joined", (frame) => frame.room === room);
      assert.ok(JSON.stringify(messages).length > 120_000);
    }
    await reader.close();
  }
  await author.close();
  await server.stop();
});

/** Bytes that are so little that it need not be measured again. */
const ENOUGH = 5e6;

Deno.test("a reader that stalls is let go, costs next to nothing, and everyone else hears everything", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:", HISTORY_MESSAGES: "100", MESSAGE_RATE: "0" } });
  const [ann, bob] = [await TestClient.open(server.url), await TestClient.open(server.url)];
  const text = "x".repeat(4_000);
  const total = 5_000;
  const burst = 100;
  const pass = async (first: number) => {
    for (let sent = first; sent < first + total; sent += burst) {
      for (let at = 0; at < burst; at++) ann.say(text);
      await bob.until("receive_message", ({ seq }) => seq === sent + burst);
      ann.frames.length = 0;
      bob.frames.splice(0, bob.frames.length, ...bob.frames.filter(({ action }) => action === "member_left"));
    }
  };
  // Once before, so that what V8 takes for good under such a load (its new generation grows) is not counted.
  const earlier = await StalledClient.join(server.port);
  for (const first of [0, total, 2 * total]) await pass(first);
  const stalled = [earlier];
  const left = [bob.until("member_left", ({ user }) => user === earlier.user)];
  let grown = Infinity;
  // What V8 takes for itself meanwhile comes and goes; what a stalled reader costs would be there each time.
  for (let attempt = 1; attempt <= 3 && grown >= ENOUGH; attempt++) {
    const before = await residentMemory(server);
    const another = await StalledClient.join(server.port);
    stalled.push(another);
    left.push(bob.until("member_left", ({ user }) => user === another.user));
    await pass((2 + attempt) * total);
    grown = Math.min(grown, await residentMemory(server) - before);
  }
  console.log(`20 MB past a stalled reader: the server grew by ${(grown / 2 ** 20).toFixed(1)} MiB`);
  assert.ok(grown < 20e6, `${grown} bytes`);
  await Promise.all(left);
  for (const each of stalled) each.close();
  await Promise.all([ann.close(), bob.close()]);
  await server.stop();
});
