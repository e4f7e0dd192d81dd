/** How the server leaves: everyone is told, nothing is lost or doubled, and nobody can keep it. */
import assert from "node:assert/strict";
import { start } from "./main.ts";
import { readSettings } from "./settings.ts";
import { TestClient } from "./testing/clients/client.ts";
import { FakeClock } from "./testing/clock.ts";
import { assertNothingLostOrDoubled, RetryingClient } from "./testing/clients/retrying.ts";
import { startServer } from "./testing/servers/server.ts";
import { StalledClient } from "./testing/clients/stalled.ts";

Deno.test("asked to stop, the server tells everyone to come back and ends well", async () => {
  const server = await startServer();
  const client = await TestClient.open(server.url);
  const stream = await fetch(`${server.url}/api/rooms/general/events`);
  client.say("last words");
  await client.until("receive_message");
  assert.equal(await server.stop("SIGTERM"), 0);
  assert.equal((await client.closed).code, 1012);
  const events = await stream.text();
  assert.match(events, /last words/);
  assert.match(events, /\nretry: \d+\nevent: close\ndata: {"code":1012,.+\n\n$/);
});

Deno.test("asked to stop, the server ends within five seconds whatever its clients do", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:", MESSAGE_RATE: "0" } });
  const author = await TestClient.open(server.url);
  const stalled = await StalledClient.join(server.port);
  const ask = async (request: string) => {
    const connection = await Deno.connect({ port: server.port, hostname: "127.0.0.1" });
    await connection.write(new TextEncoder().encode(request.replaceAll("\n", "\r\n")));
    return connection;
  };
  const half = await ask("POST /api/rooms/general/messages HTTP/1.1\nhost: x\ncontent-length: 9\n\n{");
  const unread = await ask("GET /api/rooms/general/events HTTP/1.1\nhost: x\n\n");
  for (let at = 1; at <= 2_000; at++) {
    author.say("x".repeat(4_000));
    if (at % 50 === 0) await author.until("receive_message", ({ seq }) => seq === at);
  }
  const asked = performance.now();
  assert.equal(await server.stop("SIGINT"), 0);
  assert.ok(performance.now() - asked < 5_000);
  assert.equal((await author.closed).code, 1012);
  for (const connection of [stalled, half, unread]) connection.close();
});

Deno.test("while it waits for those who don't leave, it is not ready and takes nobody and nothing new", async () => {
  const clock = new FakeClock();
  const settings: Record<string, string> = { PORT: "0", HOST: "127.0.0.1", DATABASE_URL: "memory:", SECRET: "secret" };
  const server = await start(readSettings((name) => settings[name]), clock);
  const url = `http://127.0.0.1:${server.port}`;
  const stalled = await StalledClient.join(server.port);
  const client = await TestClient.open(url);
  const stopped = server.stop();
  assert.equal((await client.closed).code, 1012);
  const ask = async (path: string, method = "GET") => {
    const answer = await fetch(url + path, { method });
    await answer.body?.cancel();
    return [answer.status, answer.headers.get("retry-after")];
  };
  assert.deepEqual(await ask("/readyz"), [503, null]);
  assert.deepEqual(await ask("/healthz"), [200, null]);
  assert.deepEqual(await ask("/api/session", "POST"), [503, "1"]);
  const late = new TestClient(url);
  await late.closed;
  assert.deepEqual(late.frames, []);
  await clock.advance(5_000);
  await stopped;
  stalled.close();
});

Deno.test("a restart under load loses and doubles nothing", async () => {
  const cwd = await Deno.makeTempDir();
  const env = { MESSAGE_RATE: "0" };
  let server = await startServer({ cwd, env });
  const { port, url } = server;
  const clients = await Promise.all(["ann", "bob", "eve"].map((name) => RetryingClient.start(url, name)));
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const before = clients.map((client) => client.acknowledged.size);
    while (clients.some((client, at) => client.acknowledged.size <= before[at])) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assert.equal(await server.stop(signal), 0);
    server = await startServer({ cwd, port, env });
  }
  await assertNothingLostOrDoubled(url, clients);
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});
