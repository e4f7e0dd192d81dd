/**
 * `deno task bench`: Parley beside what people would pick instead, in turns on this machine, each server pinned to one
 * processor and the load to another. Prints as it goes and writes `bench/results.md`.
 *
 * `deno task bench storm busy` measures only these loads, `--runs=1` once instead of five times.
 */
import { RedisServer, redisServer } from "../testing/servers/redis.ts";
import { type Load, warmUpRate } from "./client.ts";
import type { Result } from "./load.ts";
import { median } from "./percentile.ts";
import {
  hasTaskset,
  loaded,
  LOOP_COMMAND,
  machine,
  output,
  PARLEY_COMMAND,
  PARLEY_ENVIRONMENT,
  startMeasured,
} from "./server.ts";
import { type Parsed, wishOf } from "../tools/wish.ts";

/** Unless `--runs` says otherwise. */
const DEFAULT_RUNS = 5;
/** How long each is measured, and loaded before, seconds. */
const SECONDS = 3;
const WARM_UP = 2;
/** Who comes and goes before it is measured how many can connect. */
const VISITORS = 2_000;
/** Seconds after which the memory of idle connections is looked at once more. */
const REST = 30;
const here = new URL(".", import.meta.url).pathname;

interface Contender {
  name: string;
  protocol: Load["protocol"];
  command: string[];
  env?: Record<string, string>;
  /** At most so many runs of each load; as many as are asked for unless set. */
  runs?: number;
  /** How many such servers share a Redis that is written to the disk before it acknowledges; absent: one, without. */
  onRedis?: number;
}

interface Scene {
  name: string;
  about: string;
  rooms: number;
  sockets: number;
  rate: number;
  overload?: boolean;
  visitors?: number;
  rest?: number;
  /** More than the bare loop can deliver: that is shown once, and not waited for again. */
  drowns?: boolean;
  /** At most so many runs, where the figure is no promise; as many as are asked for unless set. */
  runs?: number;
  /** Who takes part; absent: everyone. */
  only?: string[];
}

const PARLEY = "Parley (SQLite)";
const PLAIN = "Parley, plain clients";
const LOOP = "bare Deno loop";
const BUN = "Bun publish";
const REDIS = "Parley on Redis";
const TWO_ON_REDIS = "two Parleys on Redis";
/** Who takes part only where they are named. */
const ASIDE = [PLAIN, REDIS, TWO_ON_REDIS];

const SCENES: Scene[] = [
  {
    name: "storm",
    about: "1 room × 1,000 sockets × 500 messages/s",
    rooms: 1,
    sockets: 1_000,
    rate: 500,
    drowns: true,
  },
  { name: "busy", about: "1 × 1,000 × 100 messages/s", rooms: 1, sockets: 1_000, rate: 100 },
  { name: "calm", about: "1 × 1,000 × 20 messages/s", rooms: 1, sockets: 1_000, rate: 20 },
  { name: "rooms", about: "20 rooms × 100 × 200 messages/s", rooms: 20, sockets: 100, rate: 200, drowns: true },
  { name: "hall", about: "1 room × 5,000 × 50 messages/s", rooms: 1, sockets: 5_000, rate: 50, drowns: true },
  {
    name: "idle",
    about: "10,000 idle sockets in 100 rooms",
    rooms: 100,
    sockets: 100,
    rate: 0,
    rest: REST,
    runs: 3,
    only: [PARLEY, LOOP],
  },
  {
    name: "connect",
    about: "10,000 people connect to 100 rooms, after 2,000 others have come and gone",
    rooms: 100,
    sockets: 100,
    rate: 0,
    visitors: VISITORS,
    only: [PARLEY, LOOP, BUN],
  },
  {
    name: "flood",
    about: "ten times the storm: 1 × 1,000 × 5,000 messages/s",
    rooms: 1,
    sockets: 1_000,
    rate: 5_000,
    overload: true,
    only: [PARLEY],
  },
  ...[[100, 20], [100, 200], [500, 50]].map(([sockets, rate]) => (
    {
      name: `plain${sockets}x${rate}`,
      about: `plain clients: 1 × ${sockets} × ${rate} messages/s`,
      rooms: 1,
      sockets,
      rate,
      runs: 3,
      only: [PLAIN, LOOP],
    }
  )),
  {
    name: "plain1000x500",
    about: "plain clients in the storm: 1 × 1,000 × 500 messages/s",
    rooms: 1,
    sockets: 1_000,
    rate: 500,
    overload: true,
    drowns: true,
    only: [PLAIN, LOOP],
  },
  ...[[1_000, 500], [1_000, 20], [2, 20]].map(([sockets, rate]) => (
    {
      name: `redis${sockets}x${rate}`,
      about: `on Redis: 1 × ${sockets.toLocaleString("en")} × ${rate} messages/s; two servers share a processor`,
      rooms: 1,
      sockets,
      rate,
      runs: 1,
      only: [PARLEY, REDIS, TWO_ON_REDIS],
    }
  )),
  {
    name: "lone",
    about: "1 room × 2 × 20 messages/s: the way of a lone message",
    rooms: 1,
    sockets: 2,
    rate: 20,
    runs: 1,
  },
  ...[10, 100, 1_000, 5_000].map((sockets) => (
    {
      name: `grow${sockets}`,
      about: `1 × ${sockets} × 20 messages/s`,
      rooms: 1,
      sockets,
      rate: 20,
      runs: 1,
      only: [PARLEY, LOOP],
    }
  )),
];

const HELP = `Measures Parley and other servers on this machine, in about an hour, and writes bench/results.md.

  deno task bench [LOAD …] [--runs=RUNS]

  LOAD    measures only these loads, and writes no file
  --runs  how often each is measured, ${DEFAULT_RUNS} times unless set

The loads:

${SCENES.map(({ name, about }) => `  ${name.padEnd(13)}  ${about}`).join("\n")}`;

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Parsed<{ only: string[]; runs: number }> {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const only = words.filter((word) => !word.startsWith("-"));
  let runs = DEFAULT_RUNS;
  for (const flag of words.filter((word) => word.startsWith("-"))) {
    const [, number] = /^--runs=([1-9]\d{0,3})$/.exec(flag) ?? [];
    if (!number) return { mistake: `deno task bench takes no argument ${flag}: see --help.` };
    runs = Number(number);
  }
  const unknown = only.find((name) => !SCENES.some((scene) => scene.name === name));
  return unknown === undefined ? { only, runs } : { mistake: `There is no load ${unknown}: see --help.` };
}

const { only: ONLY, runs: RUNS } = wishOf(readArguments(Deno.args), HELP);

/** The others, installed into a folder that is removed afterwards; who is not to be had here is left out. */
async function contenders(folder: string): Promise<{ all: Contender[]; absent: string[]; versions: string[] }> {
  for await (const { name } of Deno.readDir(`${here}servers`)) {
    await Deno.copyFile(`${here}servers/${name}`, `${folder}/${name}`);
  }
  await new Deno.Command(Deno.execPath(), { args: ["install", "--quiet"], cwd: folder }).output();
  const bun = await findBun(folder);
  const node = await output("node", "--version");
  const { dependencies } = JSON.parse(await Deno.readTextFile(`${folder}/package.json`));
  const [parley, env] = [PARLEY_COMMAND, PARLEY_ENVIRONMENT];
  const all: Contender[] = [
    { name: PARLEY, protocol: "batch", command: parley, env },
    { name: PLAIN, protocol: "plain", command: parley, env },
    { name: LOOP, protocol: "plain", command: LOOP_COMMAND },
  ];
  const absent: string[] = [];
  if (redisServer) {
    all.push({ name: REDIS, protocol: "batch", command: parley, env, onRedis: 1 });
    all.push({ name: TWO_ON_REDIS, protocol: "batch", command: parley, env, onRedis: 2 });
  } else absent.push("Redis");
  if (bun) all.push({ name: BUN, protocol: "plain", command: [bun, `${folder}/bun.mjs`] });
  else absent.push("Bun");
  if (node) {
    all.push({ name: "Node + ws", protocol: "plain", command: ["node", `${folder}/ws.mjs`], runs: 1 });
    all.push({ name: "Socket.IO", protocol: "socket.io", command: ["node", `${folder}/socket_io.mjs`], runs: 1 });
  } else absent.push("Node + ws", "Socket.IO");
  const versions = [
    ...(bun ? [`Bun ${dependencies.bun}`] : []),
    ...(node ? [`Node ${node}`, `ws ${dependencies.ws}`, `Socket.IO ${dependencies["socket.io"]}`] : []),
  ];
  return { all, absent, versions };
}

async function findBun(folder: string): Promise<string | undefined> {
  const packages = `${folder}/node_modules/.deno`;
  try {
    for await (const { name } of Deno.readDir(packages)) {
      const [, flavour] = /^@oven\+(bun-[^@]+)@/.exec(name) ?? [];
      const binary = `${packages}/${name}/node_modules/@oven/${flavour}/bin/bun`;
      if (flavour && await output(binary, "--version")) return binary;
    }
  } catch { /* nothing was installed */ }
}

async function measure(contender: Contender, scene: Scene): Promise<Result> {
  const redis = contender.onRedis && await RedisServer.start("--appendonly", "yes", "--appendfsync", "always");
  const env = { ...contender.env, ...(redis && { DATABASE_URL: redis.url }) };
  const { name, command } = contender;
  const servers = await Promise.all(
    Array.from({ length: contender.onRedis ?? 1 }, () => startMeasured({ name, command, env })),
  );
  const task: Load = {
    ports: servers.map(({ port }) => port),
    pids: servers.map(({ pid }) => pid),
    redis: redis ? redis.port : undefined,
    protocol: contender.protocol,
    rooms: scene.rooms,
    sockets: scene.sockets,
    rate: scene.rate,
    seconds: SECONDS,
    warmUp: WARM_UP,
    warmUpRate: warmUpRate(scene),
    overload: scene.overload,
    visitors: scene.visitors,
    rest: scene.rest,
  };
  const result = await loaded(task);
  for (const server of servers) await server.kill();
  if (redis) await redis.stop();
  return result;
}

/** The result whose every figure is the median of that figure in all runs. */
function medians(results: Result[]): Result {
  const of = (name: keyof Result) => median(results.map((result) => Number(result[name])));
  const names = Object.keys(results[0]) as (keyof Result)[];
  return {
    ...Object.fromEntries(names.map((name) => [name, of(name)])),
    saturated: results.some(({ saturated }) => saturated),
    connectSaturated: results.some(({ connectSaturated }) => connectSaturated),
  } as Result;
}

function overloaded(results: Map<string, Result[]>): string {
  const told = [...results].map(([name, runs]) => {
    const { refused, refusedShare, recovery, residentBytes } = medians(runs);
    const who = results.size === 1 ? "" : `${name}: `;
    return `\n\n${who}${results.size === 1 ? "What was not delivered was refused: " : ""}${refused} messages${
      results.size === 1 ? "" : " were refused"
    }, ${Math.round(refusedShare! * 100)} % of those that were sent while it was measured. ${
      Math.round(recovery!)
    } ms after the load stopped a message passed as quickly as ever. The server held ${
      Math.round(residentBytes! / 2 ** 20)
    } MiB.`;
  });
  return told.join("");
}

/** What Redis had to do, which no column tells. */
function onRedis(results: Map<string, Result[]>): string {
  const counted = [...results].map(([name, runs]) => [name, medians(runs).commands] as const)
    .filter(([, commands]) => commands !== undefined && !Number.isNaN(commands));
  if (counted.length === 0) return "";
  const figures = counted.map(([name, commands]) => `${name} ${commands!.toFixed(3)}`).join(", ");
  return `\n\nCommands that Redis got for each message: ${figures}. The processor that Redis itself took is in no column.`;
}

/** A column of the table: its head, and what stands in it for the runs of one server. */
type Column = [head: string, cell: (runs: Result[], base: Result[]) => string];

const kibibytes = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`;
const whole = (value: number) => Math.round(value).toLocaleString("en");
const worst = (runs: Result[], name: keyof Result) => Math.max(...runs.map((run) => Number(run[name])));
const orNothing = (cell: Column[1]): Column[1] => (runs, base) =>
  runs[0].deliveriesPerSecond > 0 ? cell(runs, base) : "";
/** Within one run, so that what else the machine did is in both. */
const ratios = (runs: Result[], base: Result[]) => runs.map((run, at) => base[at].cpuPerDelivery / run.cpuPerDelivery);
const delay = (milliseconds: number, runs: Result[]) =>
  `${milliseconds.toFixed(1)} ms${runs.some(({ saturated }) => saturated) ? " (load saturated)" : ""}`;

function connectRate(rate: number, runs: Result[]): string {
  return whole(rate) + (runs.some(({ connectSaturated }) => connectSaturated) ? " (load saturated)" : "");
}

/** A median, and between which it was. */
function framed(runs: Result[]): string {
  const of = runs.map(({ messagesPerFrame }) => messagesPerFrame);
  const [least, most] = [Math.min(...of), Math.max(...of)].map((value) => value.toFixed(1));
  return least === most ? least : `${median(of).toFixed(1)} (${least} to ${most})`;
}

const MEMORY: Column = ["memory a connection", (runs) => kibibytes(medians(runs).bytesPerConnection)];
const CONNECTS: Column = ["connects/s", (runs) => whole(medians(runs).connectRate)];
const CONNECT_CPU: Column = ["CPU a connect", (runs) => `${Math.round(medians(runs).cpuPerConnect)} µs`];

const SPOKEN: Column[] = [
  ["CPU a delivery", orNothing((runs) => `${medians(runs).cpuPerDelivery.toFixed(2)} µs`)],
  ["at worst", orNothing((runs) => `${worst(runs, "cpuPerDelivery").toFixed(2)} µs`)],
  ["Parley's ÷ its", orNothing((runs, base) => median(ratios(runs, base)).toFixed(2))],
  ["at worst", orNothing((runs, base) => Math.max(...ratios(runs, base)).toFixed(2))],
  ["one CPU", (runs) => `${Math.round(medians(runs).serverCpu * 100)} %`],
  ["deliveries/s", (runs) => whole(medians(runs).deliveriesPerSecond)],
  ["at worst", (runs) => whole(Math.min(...runs.map(({ deliveriesPerSecond }) => deliveriesPerSecond)))],
  ["p50", orNothing((runs) => `${medians(runs).p50.toFixed(1)} ms`)],
  ["p99", orNothing((runs) => delay(medians(runs).p99, runs))],
  ["at worst", orNothing((runs) => delay(worst(runs, "p99"), runs))],
  ["messages a frame", orNothing(framed)],
  ["lost", (runs) => String(medians(runs).lost)],
  MEMORY,
  CONNECTS,
  CONNECT_CPU,
];

const SILENT: Column[] = [
  ["connects/s", (runs) => connectRate(medians(runs).connectRate, runs)],
  ["at worst", (runs) => connectRate(Math.min(...runs.map(({ connectRate }) => connectRate)), runs)],
  CONNECT_CPU,
  ["at worst", (runs) => `${Math.round(worst(runs, "cpuPerConnect"))} µs`],
  ["one CPU meanwhile", (runs) => `${Math.round(medians(runs).connectCpu * 100)} %`],
  MEMORY,
  ["at worst", (runs) => kibibytes(worst(runs, "bytesPerConnection"))],
];
const AT_REST: Column[] = [
  [`after ${REST} s`, (runs) => kibibytes(medians(runs).bytesAtRest!)],
  ["at worst", (runs) => kibibytes(worst(runs, "bytesAtRest"))],
];

function table({ rate, rest }: Scene, results: Map<string, Result[]>): string {
  const base = results.get(PARLEY) ?? results.get(PLAIN)!;
  const columns = rate > 0 ? SPOKEN : rest ? [...SILENT, ...AT_REST] : SILENT;
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(["server", ...columns.map(([head]) => head)]),
    line(["server", ...columns].map(() => "---")),
    ...[...results].map(([name, runs]) => line([name, ...columns.map(([, cell]) => cell(runs, base))])),
  ].join("\n");
}

const folder = await Deno.makeTempDir();
const { all, absent, versions } = await contenders(folder);
const sections: string[] = [];

/** All that has been measured so far, for `results.md`. */
async function report(): Promise<string> {
  return `# What it costs

Measured by \`deno task bench\` on ${new Date().toISOString().slice(0, 10)}: ${
    [await machine(), ...versions].join(", ")
  }${absent.length > 0 ? `; not to be had here: ${absent.join(", ")}` : ""}.
${
    RUNS === 1
      ? "One run of each"
      : `Medians of ${RUNS} runs (one of Node, Socket.IO, and what drowns the bare loop), "at worst" the worst of them`
  }, in turns; server and load each on ${hasTaskset ? "a processor of its own" : "whatever processor was free"}.
Connects/s are those of a server that has just started, except under \`connect\`. "Load saturated": the process that makes
the load was too slow itself.

${sections.join("\n\n")}

${await Deno.readTextFile(`${here}notes.md`)}`;
}

for (const scene of SCENES.filter(({ name }) => ONLY.length === 0 || ONLY.includes(name))) {
  const results = new Map<string, Result[]>();
  for (let run = 0; run < Math.min(RUNS, scene.runs ?? RUNS); run++) {
    for (const contender of all) {
      const takesPart = scene.only ? scene.only.includes(contender.name) : !ASIDE.includes(contender.name);
      if (!takesPart || run >= (contender.runs ?? RUNS) || (run > 0 && scene.drowns && contender.name === LOOP)) {
        continue;
      }
      const result = await measure(contender, scene);
      console.log(scene.name, run + 1, contender.name, JSON.stringify(result));
      results.set(contender.name, [...results.get(contender.name) ?? [], result]);
    }
  }
  const runs = Math.min(RUNS, scene.runs ?? RUNS);
  const fewer = runs < RUNS ? ` (${runs === 1 ? "one run" : `medians of ${runs} runs`})` : "";
  const section = `## ${scene.name}: ${scene.about}${fewer}\n\n${table(scene, results)}${
    scene.overload ? overloaded(results) : ""
  }${onRedis(results)}`;
  console.log(`\n${section}\n`);
  sections.push(section);
  if (ONLY.length === 0) await Deno.writeTextFile(`${here}results.md`, await report());
}
await Deno.remove(folder, { recursive: true });
