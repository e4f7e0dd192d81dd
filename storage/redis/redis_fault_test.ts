/** Several servers on one Redis, with real processes: each of them, and Redis, fails under load. */
import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { RedisServer, redisTest } from "../../testing/servers/redis.ts";
import { assertNothingLostOrDoubled, RetryingClient } from "../../testing/clients/retrying.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";

/** How long Redis is stalled, milliseconds: longer than a command is waited for. */
const STALL = 5_000;
/** How long it may take until all is well again, milliseconds. */
const RECOVERY = 10_000;
/** Messages of each client: what all of them say is less than what one resume brings. */
const MOST = 120;
const CLIENTS = 4;

const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];

/** A test with a durable Redis and servers on it. */
function faultTest(
  title: string,
  check: (redis: RedisServer, start: (port?: number) => Promise<RunningServer>) => Promise<void>,
): void {
  redisTest(`redis: ${title}`, async () => {
    const redis = await RedisServer.start(...DURABLE);
    const servers: RunningServer[] = [];
    try {
      await check(redis, async (port) => {
        const server = await startServer({ env: { DATABASE_URL: redis.url, MESSAGE_RATE: "0" }, port });
        servers.push(server);
        return server;
      });
    } finally {
      for (const server of servers) await server.stop();
      await redis.stop();
    }
  });
}

/** Clients that talk without end to the first of these servers, and to the others when that fails. */
const talk = (urls: string[], names: string) =>
  Promise.all(
    Array.from({ length: CLIENTS / 2 }, (_, at) => {
      const [url, ...others] = urls;
      return RetryingClient.start(url, `${names} ${at}`, { others, most: MOST });
    }),
  );
const acknowledged = (clients: RetryingClient[]) => clients.reduce((sum, client) => sum + client.acknowledged.size, 0);
const isReady = async ({ url }: RunningServer) => {
  const response = await fetch(`${url}/readyz`);
  await response.body?.cancel();
  return response.status === 200;
};
/** Waits until all servers are ready again, which must not take long. */
async function recovered(...servers: RunningServer[]): Promise<void> {
  const start = performance.now();
  await until(async () => (await Promise.all(servers.map(isReady))).every(Boolean));
  assert.ok(performance.now() - start < RECOVERY, "service returns by itself");
}

faultTest(
  "a server killed under load loses nothing acknowledged: its clients go on at one that has just come",
  async (_, start) => {
    const [one, other] = [await start(), await start()];
    // Where the first one's clients will go is not there yet when they begin.
    const fresh = start();
    const staying = await talk([other.url], "staying");
    const moving = await talk([one.url, (await fresh).url], "moving");
    const all = [...staying, ...moving];
    await until(() => acknowledged(moving) > MOST / 4);
    await one.stop("SIGKILL");
    await assertNothingLostOrDoubled(other.url, all);
    await Promise.all(all.map((client) => client.close()));
  },
);

faultTest("a rolling restart of two servers under load ends with every client complete", async (_, start) => {
  const servers = [await start(), await start()];
  const all: RetryingClient[] = [];
  for (const [at, server] of servers.entries()) {
    const clients = await talk([server.url, servers[1 - at].url], `round ${at}`);
    all.push(...clients);
    await until(() => acknowledged(clients) > MOST / 4);
    assert.equal(await server.stop("SIGTERM"), 0);
    servers[at] = await start(server.port);
  }
  await assertNothingLostOrDoubled(servers[0].url, all);
  await Promise.all(all.map((client) => client.close()));
});

faultTest(
  "Redis killed under load: senders are told unavailable, nobody is ready, and all is well when it is back",
  async (redis, start) => {
    const [one, other] = [await start(), await start()];
    const clients = (await Promise.all([talk([one.url], "one"), talk([other.url], "other")])).flat();
    const sender = await TestClient.open(one.url, { query: "?room=aside" });
    await until(() => acknowledged(clients) > MOST / 4);
    await redis.kill();
    await until(async () => !(await isReady(one)) && !(await isReady(other)));
    sender.say("Is anybody there?", { id: "k", room: "aside" });
    assert.equal((await sender.until("error", ({ id }) => id === "k")).code, "unavailable");
    await redis.restart();
    await recovered(one, other);
    sender.say("Is anybody there?", { id: "k", room: "aside" });
    assert.equal((await sender.until("receive_message", ({ id }) => id === "k")).seq, 1);
    await assertNothingLostOrDoubled(one.url, clients);
    await Promise.all([sender, ...clients].map((client) => client.close()));
  },
);

faultTest(
  "Redis stalled for five seconds under load: senders are told unavailable, and all is well afterwards",
  async (redis, start) => {
    const [one, other] = [await start(), await start()];
    const clients = (await Promise.all([talk([one.url], "one"), talk([other.url], "other")])).flat();
    const sender = await TestClient.open(one.url, { query: "?room=aside" });
    await until(() => acknowledged(clients) > MOST / 4);
    redis.signal("SIGSTOP");
    const stalled = new Promise((resolve) => setTimeout(resolve, STALL));
    sender.say("Is anybody there?", { id: "k", room: "aside" });
    assert.equal((await sender.until("error", ({ id }) => id === "k")).code, "unavailable");
    assert.equal(await isReady(one), false);
    await stalled;
    redis.signal("SIGCONT");
    await recovered(one, other);
    sender.say("Is anybody there?", { id: "k", room: "aside" });
    // Redis may have done late what was given up, and tells it then.
    await sender.until("receive_message", ({ id }) => id === "k");
    await assertNothingLostOrDoubled(one.url, clients);
    await Promise.all([sender, ...clients].map((client) => client.close()));
  },
);

faultTest("Redis emptied: everyone is shown the new, empty room by itself", async (redis, start) => {
  const server = await start();
  const client = await TestClient.open(server.url);
  client.say("before", { id: "k" });
  await client.until("receive_message");
  const { epoch } = await client.until("room_joined");
  await redis.command("FLUSHALL");
  const joined = await client.until("room_joined", (frame) => frame.epoch !== epoch);
  assert.deepEqual([joined.seq, joined.recovered, joined.messages], [0, false, []]);
  client.say("after", { id: "k" });
  const { seq, text } = await client.until("receive_message", ({ text }) => text === "after");
  assert.deepEqual([seq, text], [1, "after"]);
  const back = new TestClient(server.url, { query: "?room=" });
  await back.until("welcome");
  back.send({ action: "join_room", room: "general", since: { epoch, seq: 1 } });
  const again = await back.until("room_joined");
  assert.deepEqual([again.recovered, again.messages.length, again.epoch], [false, 1, joined.epoch]);
  await Promise.all([client.close(), back.close()]);
});
