/** Several isolates on one machine: the supervisor, and the whole server with real Workers and real sockets. */
import assert from "node:assert/strict";
import { systemClock } from "./chat/clock.ts";
import { SILENCE_LIMIT } from "./chat/cluster/instances.ts";
import { TestClient } from "./testing/clients/client.ts";
import { FakeClock } from "./testing/clock.ts";
import { startServer } from "./testing/servers/server.ts";
import { until } from "./testing/until.ts";
import { LONGEST_SILENCE, RESTART_PAUSE, startWorkers } from "./workers.ts";

const FRAIL = new URL("./testing/servers/frail_worker.ts", import.meta.url).href;

/** Asks over a connection of its own, which may be any Worker's. @returns the number of whoever answered */
async function ask(port: number, path = "/"): Promise<string> {
  const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
  const request = `GET ${path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n`;
  try {
    await connection.write(new TextEncoder().encode(request));
  } catch (error) {
    connection.close();
    throw error;
  }
  return (await new Response(connection.readable).text()).split("\r\n\r\n")[1];
}

/** Asks until so many different Workers have answered. */
async function workersAt(port: number, count: number): Promise<Set<string>> {
  const found = new Set<string>();
  await until(async () => found.add(await ask(port)).size === count);
  return found;
}

/** Who is in the room, as a client has been told. */
function peopleAt({ frames }: TestClient): string[] {
  const users = new Set<string>();
  for (const frame of frames) {
    if (frame.action === "room_joined") { for (const { user } of frame.members) users.add(user); }
    if (frame.action === "member_joined") users.add(frame.user);
    if (frame.action === "member_left") users.delete(frame.user);
  }
  return [...users];
}

/** Does something and returns what was said on the error output meanwhile. */
async function complaints(work: (said: string[]) => Promise<void>): Promise<string[]> {
  const said: string[] = [];
  const { error } = console;
  console.error = (line) => said.push(line);
  try {
    await work(said);
  } finally {
    console.error = error;
  }
  return said;
}

Deno.test("Workers share one port, and one that dies is started again while the others go on", async () => {
  const server = await startWorkers(FRAIL, 2, 0, systemClock);
  const before = await workersAt(server.port, 2);
  const said = await complaints(async () => {
    const dead = await ask(server.port, "/throw");
    const alive = [...before].find((own) => own !== dead)!;
    await until(async () => ![alive, dead].includes(await ask(server.port).catch(() => alive)));
    assert.ok((await workersAt(server.port, 2)).has(alive));
  });
  assert.equal(said.length, 1);
  assert.match(
    said[0],
    /^Worker [12] died \(Uncaught Error: as it was asked to\)\. It is started again in 0\.5 s; the others go on\.$/,
  );
  await server.stop();
  await assert.rejects(ask(server.port), Deno.errors.ConnectionRefused);
});

Deno.test("a Worker that says that it can serve no more is started again", async () => {
  const server = await startWorkers(FRAIL, 1, 0, systemClock);
  const before = await ask(server.port);
  const said = await complaints(async () => {
    assert.equal(await ask(server.port, "/fail"), before);
    await until(async () => ![before, undefined].includes(await ask(server.port).catch(() => undefined)));
  });
  assert.equal(said.length, 1);
  assert.match(said[0], /^Worker 1 died \(it can't go on\)\. It is started again/);
  await server.stop();
});

Deno.test("a Worker that dies again and again is started again with a growing pause", async () => {
  const clock = new FakeClock();
  const server = await startWorkers(FRAIL, 1, 0, clock);
  const lines = await complaints(async (said) => {
    for (const [at, pause] of [1, 2, 4].entries()) {
      await ask(server.port, "/throw");
      await until(() => said.length === at + 1);
      await clock.advance(pause * RESTART_PAUSE - 1);
      await assert.rejects(ask(server.port));
      await clock.advance(1);
      await until(() => ask(server.port).then(() => true, () => false));
    }
  });
  assert.deepEqual(lines.map((line) => line.match(/in ([\d.]+) s/)![1]), ["0.5", "1", "2"]);
  await server.stop();
});

Deno.test("a Worker that falls silent is started again", async () => {
  const clock = new FakeClock();
  const server = await startWorkers(FRAIL, 1, 0, clock);
  const lines = await complaints(async (said) => {
    const own = await ask(server.port, "/end");
    await until(() => ask(server.port).then(() => false, () => true));
    await until(() => clock.advance(LONGEST_SILENCE).then(() => said.length > 0));
    await clock.advance(RESTART_PAUSE);
    await until(() => ask(server.port).then((answer) => answer !== own, () => false));
  });
  assert.match(lines[0], /it fell silent/);
  await server.stop();
});

Deno.test("a Worker that can't serve stops the start with its own sentence", async () => {
  const failing = new URL("./testing/servers/failing_worker.ts", import.meta.url).href;
  await assert.rejects(startWorkers(failing, 2, 0, systemClock), { message: "The store is out." });
});

Deno.test("with two isolates everyone is in one room, in one order and with a name of their own", async () => {
  const server = await startServer({ env: { WORKERS: "2", MESSAGE_RATE: "0" } });
  const clients = await Promise.all(Array.from({ length: 40 }, () => TestClient.open(server.url)));
  // Each tells its own, and whoever is asked waits only so long for the others.
  let connections: number[] = [];
  await until(async () => {
    const scrape = await (await fetch(`${server.url}/metrics`)).text();
    connections = [...scrape.matchAll(/^parley_connections\{worker="[12]"\} (\d+)/gm)].map(([, count]) =>
      Number(count)
    );
    return connections.length === 2;
  });
  assert.ok(connections.every((count) => count > 0), String(connections));
  assert.equal(connections[0] + connections[1], 40);

  const names = await Promise.all(clients.map(async (client) => (await client.until("welcome")).name));
  assert.equal(new Set(names).size, 40);
  clients[0].send({ action: "set_name", name: "Ada" });
  await clients[0].until("name_changed");
  for (const client of clients.slice(1)) client.send({ action: "set_name", name: "ADA", id: "taken" });
  for (const client of clients.slice(1)) {
    // Whichever isolate its holder is on.
    const error = await client.until("error", ({ code }) => code === "name_taken");
    assert.equal(error.held_until, undefined);
  }

  for (let round = 0; round < 5; round++) {
    for (const [at, client] of clients.entries()) client.say(`${at} ${round}`, { id: `${round}` });
  }
  const views = await Promise.all(clients.map(async (client) => {
    await client.until("receive_message", ({ seq }) => seq === 200);
    return client.frames.filter((frame) => frame.action === "receive_message");
  }));
  assert.deepEqual(views[0].map(({ seq }) => seq), Array.from({ length: 200 }, (_, at) => at + 1));
  assert.equal(new Set(views[0].map(({ text }) => text)).size, 200);
  for (const view of views) assert.deepEqual(view, views[0]);

  const { token, user } = await clients[0].until("welcome");
  const again = await Promise.all(
    Array.from({ length: 8 }, () => TestClient.open(server.url, { headers: { authorization: `Bearer ${token}` } })),
  );
  for (const client of again) assert.equal((await client.until("welcome")).user, user);
  assert.equal(server.errors(), "");

  const asked = performance.now();
  const stopping = server.stop("SIGTERM");
  assert.equal(await stopping, 0);
  assert.ok(performance.now() - asked < 5_000);
  for (const client of [...clients, ...again]) assert.equal((await client.closed).code, 1012);
});

/** As a client does it: what connects may still meet the dead isolate's listener, and tries again. */
async function comeBack(url: string, token = ""): Promise<TestClient> {
  const options = { headers: { authorization: `Bearer ${token}` }, query: "?room=" };
  let back: TestClient | undefined;
  await until(async () => {
    back = await TestClient.open(url, options).catch(() => undefined);
    return back !== undefined;
  });
  return back!;
}

Deno.test("when an isolate dies its people come back and miss nothing, and all others go on", async () => {
  const folder = await Deno.makeTempDir();
  const entrypoint = new URL("./testing/servers/frail_server.ts", import.meta.url);
  entrypoint.search = String(new URLSearchParams({ DATABASE_URL: `sqlite:${folder}/chat.db` }));
  const server = await startWorkers(entrypoint.href, 2, 0, systemClock);
  const url = `http://127.0.0.1:${server.port}`;
  const clients = await Promise.all(Array.from({ length: 24 }, () => TestClient.open(url)));
  clients[0].say("before");
  for (const client of clients) await client.until("receive_message");
  await until(() => clients.every((client) => peopleAt(client).length === clients.length));
  const lines = await complaints(async () => {
    const killer = new BroadcastChannel(`kill ${entrypoint.search}`);
    killer.postMessage("1");
    await Promise.race(clients.map(({ closed }) => closed));
    killer.close();
    // About half of them are with the other isolate, which still answers.
    const answers = await Promise.all(clients.map((client) => client.soFar().then(() => true, () => false)));
    const there = clients.filter((_, at) => answers[at]);
    const lost = clients.filter((_, at) => !answers[at]);
    assert.ok(there.length > 0);
    there[0].say("while it was down");
    for (const client of there) await client.until("receive_message", ({ seq }) => seq === 2);

    const { epoch } = await lost[0].until("room_joined");
    const { token, user } = await lost[0].until("welcome");
    const back = await comeBack(url, token);
    assert.equal((await back.until("welcome")).user, user);
    back.send({ action: "join_room", room: "general", since: { epoch, seq: 1 } });
    const { recovered, messages } = await back.until("room_joined");
    assert.deepEqual([recovered, messages.map(({ seq }) => seq)], [true, [2]]);

    const labels = new Set<string>();
    await until(async () => {
      const scrape = await ask(server.port, "/metrics").catch(() => "");
      for (const [, label] of scrape.matchAll(/parley_people\{worker="(\d)"\}/g)) labels.add(label);
      return labels.has("1") && labels.has("2");
    });
    const newcomers = await Promise.all(Array.from({ length: 8 }, () => TestClient.open(url)));
    newcomers[0].say("all together");
    for (const client of [...there, back, ...newcomers]) await client.until("receive_message", ({ seq }) => seq === 3);
    if (Deno.env.get("SOAK") !== undefined) {
      // Whoever does not come back has left when the dead isolate has been silent for long enough.
      const here = await Promise.all([...there, back, ...newcomers].map(async (client) => {
        return (await client.until("welcome")).user;
      }));
      await until(() => String(peopleAt(there[0]).toSorted()) === String(here.toSorted()), 4 * SILENCE_LIMIT);
    }
    await Promise.all([...there, back, ...newcomers].map((client) => client.close()));
  });
  assert.equal(lines.length, 1, lines.join("\n"));
  await server.stop();
  await Deno.remove(folder, { recursive: true });
});

Deno.test("isolates that can't start stop the start with one line that says why", async () => {
  const running = await startServer({ env: { WORKERS: "2" } });
  const refusals: [Parameters<typeof startServer>[0], RegExp][] = [
    [{ port: running.port, env: { WORKERS: "2" } }, /PORT \d+ is in use\. [^\n]+\n$/],
    [{ env: { WORKERS: "2", DATABASE_URL: "memory:" } }, /could not start: WORKERS must be 1 with [^\n]+\n$/],
    [{ env: { WORKERS: "2", DATABASE_URL: "sqlite:." } }, /could not start: \. can't be opened[^\n]+\n$/],
    [{ env: { WORKERS: "65" } }, /could not start: WORKERS must be a whole number from 1 to 64[^\n]+\n$/],
  ];
  for (const [options, why] of refusals) {
    const message = await startServer(options).then(
      (server) => server.stop().then(() => "it started"),
      (error) => error.message,
    );
    assert.match(message, /did not start with code 1/);
    assert.match(message, why);
  }
  assert.equal(await running.stop(), 0);
});
