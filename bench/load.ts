/**
 * The load, in a process of its own, so that what is measured is the server. It reads its task as JSON from the first
 * argument and writes its result as JSON.
 */
import { connect, count, type Load, type Order, pause, type Report, speakers, visit } from "./client.ts";
import { percentile } from "./percentile.ts";
import { cpuSeconds, redisCommands, residentBytes } from "./process.ts";

export interface Result {
  /** Sockets a second that could connect. */
  connectRate: number;
  /** Microseconds of the server's processor for each that connects, and its share of one processor meanwhile. */
  cpuPerConnect: number;
  connectCpu: number;
  /** Whether this process itself was too slow to connect for the figure to be the server's. */
  connectSaturated: boolean;
  /** Bytes that the server holds for each connection before anything is said. */
  bytesPerConnection: number;
  /** The same after a while in which nothing has happened, where that was waited for. */
  bytesAtRest?: number;
  /** Microseconds of the server's processor for each delivery, and its share of one processor. */
  cpuPerDelivery: number;
  serverCpu: number;
  deliveriesPerSecond: number;
  /** From sending to arriving, milliseconds. */
  p50: number;
  p99: number;
  /** Messages that came in one frame. */
  messagesPerFrame: number;
  /** Deliveries that had not come when the line was quiet, or 6 s after all sending had stopped. */
  lost: number;
  /**
   * Where refusals are counted: messages refused, and their share while it was measured. Under overload also the
   * milliseconds until a message passed as quickly as ever, and the memory then.
   */
  refused?: number;
  refusedShare?: number;
  recovery?: number;
  residentBytes?: number;
  /** Commands that Redis got for each message. */
  commands?: number;
  /** Whether this process itself was too slow for the figures to be the server's. */
  saturated: boolean;
}

/** What is still on its way is waited for until nothing has come for so long, and so long at most, milliseconds. */
const QUIET = 2_000;
const LONGEST_DRAIN = 6_000;
/** A message whose way is shorter than this, milliseconds, passes as if nothing had been. */
const WELL = 50;
/** Share of one processor from which on a process may be the bottleneck. */
const SATURATION = 0.9;

async function run(load: Load): Promise<Result> {
  const total = load.rooms * load.sockets;
  const speaker = new Worker(import.meta.resolve("./speaker.ts"), { type: "module" });
  const tell = (order: Order) =>
    new Promise<Report>((resolve) => {
      speaker.onmessage = ({ data }) => resolve(data);
      speaker.postMessage(order);
    });
  if (load.visitors) await visit(load, load.visitors);
  const empty = residentBytes(...load.pids);
  await tell({ load });
  const [connecting, cpuBefore] = [performance.now(), cpuSeconds(...load.pids)];
  const clients = await connect(load, speakers(load), total);
  const connectSeconds = (performance.now() - connecting) / 1000;
  const connectCpu = (cpuSeconds(...load.pids) - cpuBefore) / connectSeconds;
  // Where the server has time left, it was not the one that was waited for.
  const connectSaturated = connectCpu < SATURATION;
  const listening = clients.map((client) => client.listen());
  await pause(1_000);
  const bytesPerConnection = (residentBytes(...load.pids) - empty) / total;
  let bytesAtRest: number | undefined;
  if (load.rest) {
    await pause(load.rest * 1_000);
    bytesAtRest = (residentBytes(...load.pids) - empty) / total;
  }

  const before = await tell({ seconds: load.warmUp, rate: load.warmUpRate });
  const sampled = clients.filter(({ reader }) => reader);
  for (const client of sampled) client.delays = [];
  const frames = () => sampled.reduce((sum, { reader }) => sum + reader!.frames, 0);
  const framesBefore = frames();
  const [cpu, own, deliveries, from] = [
    cpuSeconds(...load.pids),
    cpuSeconds(Deno.pid),
    count(clients),
    performance.now(),
  ];
  const commands = await redisCommands(load.redis);
  const { sent, late, refused } = await tell({ seconds: load.seconds, rate: load.rate });
  const elapsed = (performance.now() - from) / 1000;
  const usedCpu = cpuSeconds(...load.pids) - cpu;
  const ownCpu = (cpuSeconds(Deno.pid) - own) / elapsed;
  const commandsPerMessage = (await redisCommands(load.redis) - commands) / (sent - before.sent);
  // The worker's few connections get their share too; theirs is not counted while it is measured.
  const delivered = (count(clients) - deliveries) * total / clients.length;
  const delays = Float64Array.from(sampled.flatMap(({ delays }) => delays!)).sort();
  const messagesPerFrame = delays.length / (frames() - framesBefore);

  const overload: Partial<Result> = {};
  if (load.mayRefuse || load.overload) {
    overload.refused = refused;
    overload.refusedShare = (refused - before.refused) / (sent - before.sent);
  }
  if (load.overload) {
    const stopped = performance.now();
    await tell({ within: WELL });
    overload.recovery = performance.now() - stopped;
    overload.residentBytes = residentBytes(...load.pids);
  }
  let received: number;
  const drained = performance.now() + LONGEST_DRAIN;
  do {
    received = count(clients);
    await pause(received === sent * load.sockets ? 0 : QUIET);
  } while (count(clients) !== received && performance.now() < drained);
  const spoken = await tell({ seconds: 0, rate: 0 });
  const result: Result = {
    connectRate: clients.length / connectSeconds,
    cpuPerConnect: connectCpu * connectSeconds / clients.length * 1e6,
    connectCpu,
    connectSaturated,
    bytesPerConnection,
    ...bytesAtRest === undefined ? {} : { bytesAtRest },
    cpuPerDelivery: usedCpu / delivered * 1e6,
    serverCpu: usedCpu / elapsed,
    deliveriesPerSecond: delivered / elapsed,
    p50: percentile(delays, 50),
    p99: percentile(delays, 99),
    messagesPerFrame,
    lost: spoken.sent * load.sockets - received - spoken.received,
    ...overload,
    ...load.redis === undefined ? {} : { commands: commandsPerMessage },
    saturated: sent > before.sent && (ownCpu > SATURATION || late > 100),
  };
  for (const client of clients) client.close();
  await Promise.all(listening);
  speaker.terminate();
  return result;
}

console.log(JSON.stringify(await run(JSON.parse(Deno.args[0]))));
