/**
 * What it costs when a crowd reacts to one message, beside as many messages: 1,000 people on two servers that share a
 * Redis, each once within five seconds. Run it with `deno run --allow-all bench/crowd.ts [PEOPLE]`.
 */
import type { ClientFrame, HistoryPage } from "../chat/protocol.ts";
import { RedisServer } from "../testing/servers/redis.ts";
import { startServer } from "../testing/servers/server.ts";
import { connect, type Load, pause } from "./client.ts";
import { cpuSeconds, redisCommands } from "./process.ts";

const SECONDS = 5;
const ROOM = "room0";
const people = Number(Deno.args[0] ?? 1_000);

type Act = (at: number) => ClientFrame;

const kinds: [name: string, act: Act][] = [
  ["reactions to one message", () => ({ action: "react", room: ROOM, target: 1, emoji: "🎉", on: true })],
  ["reactions of five kinds", (at) => (
    { action: "react", room: ROOM, target: 1, emoji: ["🎉", "👍", "😂", "🙏", "🔥"][at % 5], on: true }
  )],
  ["messages", (at) => ({ action: "send_message", room: ROOM, text: `${at} people say something` })],
];

async function measure(act: Act): Promise<string> {
  const redis = await RedisServer.start("--appendonly", "yes", "--appendfsync", "always");
  const env = { DATABASE_URL: redis.url, JOINS_PER_MINUTE: "0", CONNECTIONS_PER_IP: "0" };
  const servers = [await startServer({ env }), await startServer({ env })];
  const ports = servers.map(({ port }) => Number(port));
  const pids = servers.map(({ pid }) => pid);
  const load: Load = {
    ports,
    pids,
    protocol: "batch",
    rooms: 1,
    sockets: people,
    rate: 0,
    seconds: SECONDS,
    warmUp: 0,
    warmUpRate: 0,
  };
  const clients = await connect(load, 0, people);
  const listening = clients.map((client) => client.listen());
  const page = async (server: number) =>
    await (await fetch(`${servers[server].url}/api/rooms/${ROOM}/messages?limit=1&after=0`)).json() as HistoryPage;
  clients[0].send({ action: "send_message", room: ROOM, text: "What a day!" });
  await pause(2_000);
  const [cpu, own, commands, from] = [
    cpuSeconds(...pids),
    cpuSeconds(Deno.pid),
    await redisCommands(redis.port),
    performance.now(),
  ];
  for (let done = 0; done < people;) {
    const due = Math.min(people, Math.floor((performance.now() - from) / 1_000 / SECONDS * people));
    for (; done < due; done++) clients[done].send(act(done));
    await pause(1);
  }
  const isReaction = act(0).action === "react";
  let late = 0;
  for (;; late = performance.now() - from - SECONDS * 1_000) {
    const { messages: [message], seq } = await page(1);
    const counted = isReaction ? message.reactions?.reduce((sum, { count }) => sum + count, 0) : seq - 1;
    if (counted === people) break;
    if (late > 5_000) throw new Error(`only ${counted} of ${people} are counted`);
    await pause(10);
  }
  await pause(500);
  const used = cpuSeconds(...pids) - cpu;
  const entries = (await page(0)).seq - 1;
  const calls = await redisCommands(redis.port) - commands;
  for (const client of clients) client.close();
  await Promise.all(listening);
  for (const server of servers) await server.stop();
  await redis.stop();
  const share = ((cpuSeconds(Deno.pid) - own) / SECONDS * 100).toFixed(0);
  return `${entries} | ${used.toFixed(2)} s | ${calls} | ${Math.round(late)} ms | ${share} %`;
}

console.log(
  `| ${people} people within ${SECONDS} s | entries | CPU of both servers | Redis commands | all counted after | CPU of the load |`,
);
console.log("|---|---|---|---|---|---|");
for (const [name, act] of kinds) console.log(`| ${name} | ${await measure(act)} |`);
