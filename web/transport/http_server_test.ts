import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";
import { FIRST_PAUSE, GIVE_UP_AFTER, HttpServer, type Listener, LONGEST_PAUSE, SETTLED_AFTER } from "./http_server.ts";

const OUT_OF_FILES = new Error("Too many open files (os error 24)");

/** A server whose listeners end when the test says so, and what it said meanwhile. */
function createServer() {
  const clock = new FakeClock();
  const listeners: (PromiseWithResolvers<void> & { port: number })[] = [];
  const state = { clock, listeners, refuses: undefined as Error | undefined, failures: [] as Error[] };
  const listen = (port: number): Listener => {
    if (state.refuses) throw state.refuses;
    const listener = { ...Promise.withResolvers<void>(), port: port === 0 ? 8_000 : port };
    listeners.push(listener);
    const addr = { transport: "tcp", hostname: "127.0.0.1", port: listener.port } as const;
    return { addr, finished: listener.promise, shutdown: () => Promise.resolve(listener.resolve()) };
  };
  const server = new HttpServer(0, clock, listen, (error) => state.failures.push(error));
  return { ...state, server, refuse: (error: Error | undefined) => state.refuses = error };
}

/** Does something and returns what was said meanwhile. */
async function saidDuring(work: () => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  const { error, warn } = console;
  console.error = console.warn = (...parts) => said.push(parts.map(String).join(" "));
  try {
    await work();
  } finally {
    Object.assign(console, { error, warn });
  }
  return said;
}

Deno.test("a listener that ends by itself is followed by another one on the same port, and both are told once", async () => {
  const { clock, listeners, server, failures } = createServer();
  const said = await saidDuring(async () => {
    listeners[0].resolve();
    await settle();
    await clock.advance(FIRST_PAUSE);
    assert.equal(listeners.length, 2);
    listeners[1].reject(new Error("ended again"));
    await settle();
    await clock.advance(2 * FIRST_PAUSE + SETTLED_AFTER);
  });
  assert.deepEqual(listeners.map(({ port }) => port), [8_000, 8_000, 8_000]);
  assert.match(said[0], /no longer listened/);
  assert.match(said[1], /takes new connections again/);
  assert.deepEqual([said.length, failures.length, server.port], [2, 0, 8_000]);
  await server.stop();
});

Deno.test("a listener that was stopped stays stopped, also while it waits to listen again", async () => {
  const stopped = createServer();
  await stopped.server.stop();
  await stopped.listeners[0].promise;
  await stopped.clock.advance(GIVE_UP_AFTER);
  assert.equal(stopped.listeners.length, 1);
  const waiting = createServer();
  await saidDuring(async () => {
    waiting.listeners[0].resolve();
    await settle();
  });
  await waiting.server.stop();
  await waiting.clock.advance(GIVE_UP_AFTER);
  assert.equal(waiting.listeners.length, 1);
});

Deno.test("where it can't listen again the process is told to end, once, after a minute of trying", async () => {
  for (const doesBegin of [false, true]) {
    const { clock, listeners, refuse, failures } = createServer();
    await saidDuring(async () => {
      if (!doesBegin) refuse(new Error("taken"));
      listeners[0].resolve();
      const tried = async (milliseconds: number) => {
        for (const end = clock.now() + milliseconds; clock.now() < end;) {
          await clock.advance(50);
          // One that begins ends at once: nobody would ever get through.
          listeners.at(-1)!.resolve();
          await settle();
        }
      };
      await tried(GIVE_UP_AFTER - 100);
      assert.deepEqual(failures, []);
      await tried(2 * LONGEST_PAUSE);
      await tried(GIVE_UP_AFTER);
    });
    assert.equal(failures.length, 1);
    assert.match(failures[0].message, doesBegin ? /ends as soon as it has begun/ : /taken/);
    assert.ok(listeners.length < 100, "it tries with a growing pause");
  }
});

Deno.test("once it has been well for a while, another end is told anew and tried for as long", async () => {
  const { clock, listeners, failures } = createServer();
  const said = await saidDuring(async () => {
    for (let time = 0; time < 3; time++) {
      listeners.at(-1)!.resolve();
      await settle();
      await clock.advance(FIRST_PAUSE);
      assert.equal(listeners.length, 2 + time, "without a pause from before");
      await clock.advance(GIVE_UP_AFTER);
    }
  });
  assert.deepEqual([said.length, failures.length], [6, 0]);
});

Deno.test("without file descriptors it tries for as long as it takes", async () => {
  const { clock, listeners, refuse, failures } = createServer();
  const said = await saidDuring(async () => {
    refuse(OUT_OF_FILES);
    listeners[0].reject(OUT_OF_FILES);
    await settle();
    await clock.advance(10 * GIVE_UP_AFTER);
    refuse(undefined);
    await clock.advance(LONGEST_PAUSE + SETTLED_AFTER);
    listeners.at(-1)!.reject(new Error("accept: EMFILE (os error 24)"));
    await settle();
    refuse(OUT_OF_FILES);
    await clock.advance(GIVE_UP_AFTER);
    refuse(new Error("taken"));
    await clock.advance(GIVE_UP_AFTER / 2);
    assert.deepEqual(failures, [], "the minute begins when files are no longer what is lacking");
  });
  assert.deepEqual([failures.length, listeners.length, said.length], [0, 2, 3]);
  assert.equal(said[2], said[0]);
  assert.match(said[0], /file descriptors.*ulimit -n/s);
});

for (const WORKERS of ["1", "2"]) {
  Deno.test(`a server that runs out of file descriptors keeps its people and takes new ones when there are some again (WORKERS ${WORKERS})`, async () => {
    const server = await startServer({ openFiles: 300, env: { WORKERS } });
    const ann = await TestClient.open(server.url);
    const crowd: Deno.TcpConn[] = [];
    const half = new TextEncoder().encode("GET / HTTP/1.1\r\nhost: x");
    const outOfFiles = () => server.errors().includes("no file descriptors left");
    // Half a request each: the runtime waits for the rest.
    for (let tried = 0; tried < 1_000 && !outOfFiles(); tried++) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port }).catch(() => undefined);
      if (!connection) continue;
      crowd.push(connection);
      await connection.write(half).catch(() => {});
    }
    await until(outOfFiles);
    ann.say("still here");
    await ann.until("receive_message", ({ text }) => text === "still here");
    for (const connection of crowd) connection.close();
    await until(async () => {
      const answer = await fetch(`${server.url}/readyz`).catch(() => undefined);
      await answer?.body?.cancel();
      return answer?.status === 200;
    });
    const bob = await TestClient.open(server.url);
    ann.say("welcome back");
    await bob.until("receive_message", ({ text }) => text === "welcome back");
    assert.ok(
      server.errors().split("no file descriptors left").length <= 1 + Number(WORKERS),
      "each isolate says it once",
    );
    await Promise.all([ann.close(), bob.close()]);
    assert.equal(await server.stop(), 0);
  });
}
