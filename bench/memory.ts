/**
 * `deno task bench:memory`: what a connection that only listens costs in memory, and of what that consists. Prints a
 * table for each server.
 */
import { connect, type Load, pause } from "./client.ts";
import { type HeapUsage, Inspector, type Share } from "./inspector.ts";
import { residentBytes } from "./process.ts";
import { LOOP_COMMAND, machine, PARLEY_COMMAND, PARLEY_ENVIRONMENT, startMeasured } from "./server.ts";
import { type Parsed, wishOf } from "../tools/wish.ts";

const HELP = `Measures what an idle connection costs in memory, in about ten minutes, and lists it by type.

  deno task bench:memory [SERVER …] [--connections=CONNECTIONS] [--rooms=ROOMS] [--types=TYPES]

  SERVER         measures only these: parley, loop or loop-writev (with DENO_USE_WRITEV=1, which Parley sets itself)
  --connections  how many there are in the end, 10,000 unless set
  --rooms        the rooms that they are in, 100 unless set
  --types        how many types of the JavaScript heap are listed, 40 unless set`;

const SERVERS: Record<string, { about: string; command: string[]; env: Record<string, string> }> = {
  "parley": { about: "Parley (SQLite)", command: PARLEY_COMMAND, env: PARLEY_ENVIRONMENT },
  "loop": { about: "bare Deno loop", command: LOOP_COMMAND, env: {} },
  "loop-writev": {
    about: "bare Deno loop with DENO_USE_WRITEV=1",
    command: LOOP_COMMAND,
    env: { DENO_USE_WRITEV: "1" },
  },
};
const INSPECTOR_PORT = 9229;
/** A first share of the connections has brought everything that is there once, such as compiled code. */
const FIRST_SHARE = 0.2;
/**
 * Milliseconds after the last has come: by then it is told who came; and by then the runtime has collected the garbage
 * of so many connects, as it does by itself where there is nothing else to do.
 */
const SOON = 1_000;
const TOLD = 6_000;
const AT_REST = 30_000;

interface Wish {
  servers: string[];
  connections: number;
  rooms: number;
  types: number;
}

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Parsed<Wish> {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const wish: Wish = { servers: [], connections: 10_000, rooms: 100, types: 40 };
  for (const word of words) {
    const [, name, number] = /^--(connections|rooms|types)=([1-9]\d{0,5})$/.exec(word) ?? [];
    if (name) wish[name as "connections" | "rooms" | "types"] = Number(number);
    else if (Object.hasOwn(SERVERS, word)) wish.servers.push(word);
    else return { mistake: `deno task bench:memory takes no argument ${word}: see --help.` };
  }
  if (wish.servers.length === 0) wish.servers = Object.keys(SERVERS);
  return wish;
}

/** What a process holds. */
interface Held {
  residentSoon: number;
  resident: number;
  heap: HeapUsage;
}

/** Connects so many clients to a server, in two shares. */
async function withClients<Result>(
  server: string,
  { connections, rooms }: Wish,
  look: (inspector: Inspector, pid: number, rest: number) => Promise<Result>,
): Promise<[none: Result, some: Result, all: Result]> {
  const { about, command: [program, run, ...more], env } = SERVERS[server];
  const command = [program, run, `--inspect=127.0.0.1:${INSPECTOR_PORT}`, ...more];
  const { port, pid, kill } = await startMeasured({ name: about, command, env });
  const inspector = await Inspector.open(INSPECTOR_PORT);
  const load: Load = {
    ports: [port],
    pids: [pid],
    protocol: server.startsWith("parley") ? "batch" : "plain",
    rooms,
    sockets: connections / rooms,
    rate: 0,
    seconds: 0,
    warmUp: 0,
    warmUpRate: 0,
  };
  const none = await look(inspector, pid, TOLD);
  const first = Math.round(connections * FIRST_SHARE);
  const clients = await connect(load, 0, first);
  const listening = clients.map((client) => client.listen());
  await pause(SOON);
  const some = await look(inspector, pid, AT_REST);
  const others = await connect(load, first, connections);
  listening.push(...others.map((client) => client.listen()));
  await pause(SOON);
  const all = await look(inspector, pid, AT_REST);
  inspector.close();
  for (const client of [...clients, ...others]) client.close();
  await Promise.all(listening);
  await kill();
  return [none, some, all];
}

function inAll(held: [Held, Held, Held], connections: number): string {
  const first = Math.round(connections * FIRST_SHARE);
  const rows: [string, (held: Held) => number][] = [
    [`in all (resident memory), ${SOON / 1_000} s after the last came`, ({ residentSoon }) => residentSoon],
    [`in all, ${AT_REST / 1_000} s after`, ({ resident }) => resident],
    ["JavaScript heap, used", ({ heap }) => heap.usedSize],
    ["JavaScript heap, reserved beyond that", ({ heap }) => heap.totalSize - heap.usedSize],
    ["buffers of JavaScript outside its heap", ({ heap }) => heap.backingStorageSize ?? 0],
    [
      "native: what is left",
      ({ resident, heap }) => resident - heap.totalSize - (heap.backingStorageSize ?? 0),
    ],
  ];
  const [none, some, all] = held;
  const bytes = (value: number) => Math.round(value).toLocaleString("en");
  const cells = rows.map(([name, of]) =>
    `| ${name} | ${bytes((of(all) - of(none)) / connections)} | ${
      bytes((of(all) - of(some)) / (connections - first))
    } |`
  );
  return [
    `| bytes a connection | of all ${connections.toLocaleString("en")} | of those after the first ${
      first.toLocaleString("en")
    } |`,
    "|---|---|---|",
    ...cells,
  ].join("\n");
}

function byType([, some, all]: Map<string, Share>[], added: number, types: number): string {
  const grown = [...all].map(([name, { count, bytes }]) => {
    const before = some.get(name) ?? { count: 0, bytes: 0 };
    return { name, count: (count - before.count) / added, bytes: (bytes - before.bytes) / added };
  }).toSorted((one, other) => other.bytes - one.bytes);
  const sum = grown.reduce((sum, { bytes }) => sum + bytes, 0);
  const rows = grown.slice(0, types).filter(({ bytes }) => bytes >= 0.5).map(({ name, count, bytes }) =>
    `| ${name.replaceAll("|", "\\|")} | ${count.toFixed(2)} | ${Math.round(bytes)} |`
  );
  return ["| JavaScript, by constructor | objects a connection | bytes a connection |", "|---|---|---|", ...rows].join(
    "\n",
  ) + `\n| all together | | ${Math.round(sum)} |`;
}

const wish = wishOf(readArguments(Deno.args), HELP);
console.log(
  `# Memory of an idle connection\n\n${await machine()}. ${wish.connections} connections in ${wish.rooms} rooms.`,
);
for (const server of wish.servers) {
  const held = await withClients(server, wish, async (inspector, pid, rest) => {
    // Before we have the garbage collected: what the machine sees.
    const residentSoon = residentBytes(pid);
    await pause(rest);
    return { residentSoon, resident: residentBytes(pid), heap: await inspector.heapUsage() };
  });
  console.log(`\n## ${SERVERS[server].about}\n\n${inAll(held, wish.connections)}`);
  const types = await withClients(server, wish, async (inspector) => {
    await pause(TOLD);
    return await inspector.heapByConstructor();
  });
  console.log(`\n${byType(types, wish.connections * (1 - FIRST_SHARE), wish.types)}`);
}
