/**
 * What a message costs servers that share a Redis and did not store it: one whose people are in its room, and one whose
 * people are all elsewhere. Run it with `deno run --allow-all bench/elsewhere.ts [MESSAGES A SECOND]`.
 */
import { systemClock } from "../chat/clock.ts";
import { RedisStorage } from "../storage/redis/redis.ts";
import { redisCommand, RedisServer } from "../testing/servers/redis.ts";
import { startServer } from "../testing/servers/server.ts";
import { connect, type Load, pause } from "./client.ts";
import { cpuSeconds } from "./process.ts";

const SECONDS = 8;
/** Rooms in which it is said, and as many others: somebody is in each of them. */
const ROOMS = 100;
const rate = Number(Deno.args[0] ?? 4_000);

const redis = await RedisServer.start("--appendonly", "yes", "--appendfsync", "everysec");
const env = { DATABASE_URL: `${redis.url}?may_lose=1s`, JOINS_PER_MINUTE: "0", CONNECTIONS_PER_IP: "0" };
const servers = [await startServer({ env }), await startServer({ env })];
const [, redisPid] = /process_id:(\d+)/.exec(await redisCommand(redis.port, "INFO", "server"))!;
const pids = [Number(redisPid), ...servers.map(({ pid }) => pid)];
const clients = (await Promise.all(servers.map(({ port, pid }, at) => {
  const load: Load = {
    ports: [Number(port)],
    pids: [pid],
    protocol: "batch",
    rooms: servers.length * ROOMS,
    sockets: 1,
    rate: 0,
    seconds: SECONDS,
    warmUp: 0,
    warmUpRate: 0,
  };
  return connect(load, at * ROOMS, (at + 1) * ROOMS);
}))).flat();
const listening = clients.map((client) => client.listen());
// The one who speaks: each message is a call of its own, as a lone message is. What that costs is not counted.
const speaker = await RedisStorage.open(
  { url: redis.url, prefix: "parley", mayLoseASecond: true },
  { clock: systemClock, retention: { messages: 0, days: 0 } },
);

async function speak(seconds: number): Promise<number> {
  const from = performance.now();
  const stored: Promise<unknown>[] = [];
  while (performance.now() - from < seconds * 1_000) {
    for (const due = (performance.now() - from) / 1_000 * rate; stored.length < due;) {
      const room = `room${stored.length % ROOMS}`;
      const text = "Some words that people say to each other.";
      stored.push(speaker.append([{ action: "send_message", room, user: "speaker", from: "Speaker", text }]));
    }
    await pause(1);
  }
  await Promise.all(stored);
  return stored.length;
}

/** @returns seconds of processor time of each process during some work, and what the work returned */
async function during<Result>(work: () => Promise<Result>): Promise<[used: number[], result: Result]> {
  const before = pids.map((pid) => cpuSeconds(pid));
  const result = await work();
  await pause(200);
  return [pids.map((pid, at) => cpuSeconds(pid) - before[at]), result];
}

/** Microseconds that Redis has spent in functions, without what it reads and writes for them. */
async function inFunctions(): Promise<number> {
  return Number(/cmdstat_fcall:.*?usec=(\d+)/.exec(await redisCommand(redis.port, "INFO", "commandstats"))![1]);
}

await speak(3);
// Threads of the runtime that have nothing to do any more end, and take their time with them.
await pause(6_000);
const [idle] = await during(() => pause(SECONDS * 1_000));
const functions = await inFunctions();
const [busy, messages] = await during(() => speak(SECONDS));
const inside = (await inFunctions() - functions) / messages;

console.log(`| ${Math.round(messages / SECONDS)} messages/s in ${ROOMS} rooms | idle | busy | a message |`);
console.log("|---|---|---|---|");
for (
  const [at, name] of [
    `Redis (${inside.toFixed(1)} µs of it in the function)`,
    "a server with somebody in each room",
    "a server with nobody there",
  ].entries()
) {
  const share = (used: number) => `${(used / SECONDS * 100).toFixed(2)} %`;
  const each = (busy[at] - idle[at]) / messages * 1e6;
  console.log(`| ${name} | ${share(idle[at])} | ${share(busy[at])} | ${each.toFixed(2)} µs |`);
}

for (const client of clients) client.close();
await Promise.all(listening);
await speaker.close();
for (const server of servers) await server.stop();
await redis.stop();
