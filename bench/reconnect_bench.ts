/**
 * `deno task bench:reconnect`: a server with ten thousand people is killed and started again, and all come back as the
 * page does. Prints how long it takes until the last has everything, and whether anything is lost.
 */
import type { Crowd, Delays, Told } from "./reconnect_load.ts";
import { median } from "./percentile.ts";
import { cpuSeconds, peakResidentBytes, residentBytes } from "./process.ts";
import { machine, PARLEY_COMMAND, PARLEY_ENVIRONMENT, pinned, startMeasured } from "./server.ts";

const HELP = `Ends a server with thousands of people in it, starts it again, and measures how all come back.

  deno task bench:reconnect [--people=PEOPLE] [--rooms=ROOMS] [--rate=RATE] [--runs=RUNS] [--signal=SIGNAL]

  --people  how many there are, 10,000 unless set
  --rooms   the rooms that they are in, 100 unless set
  --rate    messages a second in each room, 1 unless set
  --runs    how often, 5 times unless set
  --signal  KILL (unless set: it dies) or TERM (it sends everyone away first, who come back within 4 s)

A run takes about half a minute. The server has one processor, and the people another.`;

/** Seconds of talk before the end. */
const BEFORE = 5;

interface Wish {
  people: number;
  rooms: number;
  rate: number;
  runs: number;
  signal: "KILL" | "TERM";
}

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Wish | "help" | { mistake: string } {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const wish: Wish = { people: 10_000, rooms: 100, rate: 1, runs: 5, signal: "KILL" };
  for (const word of words) {
    const [, name, number] = /^--(people|rooms|rate|runs)=([1-9]\d{0,5})$/.exec(word) ?? [];
    const [, signal] = /^--signal=(KILL|TERM)$/.exec(word) ?? [];
    if (name) wish[name as "people" | "rooms" | "rate" | "runs"] = Number(number);
    else if (signal) wish.signal = signal as Wish["signal"];
    else return { mistake: `deno task bench:reconnect takes no argument ${word}: see --help.` };
  }
  return wish;
}

interface Result {
  /** Milliseconds from the start of the new process until it listened, and from the end of the old one until its start. */
  listening: number;
  gap: number;
  /** Milliseconds from the start of the new process until the first, half of all, and the last had everything. */
  first: number;
  half: number;
  last: number;
  /** Bytes that the server held before the end, and at most afterwards. */
  before: number;
  most: number;
  /** Seconds of the server's processor until the last was back. */
  cpu: number;
  over: Extract<Told, { kind: "over" }>;
}

const sinceEpoch = () => performance.timeOrigin + performance.now();

async function run({ people, rooms, rate, signal }: Wish): Promise<Result> {
  const cwd = await Deno.makeTempDir();
  const start = (port: number) =>
    startMeasured({
      name: "Parley",
      command: PARLEY_COMMAND,
      env: { ...PARLEY_ENVIRONMENT, PORT: String(port) },
      cwd,
    });
  const old = await start(0);
  const crowd: Crowd = { port: old.port, people, rooms, rate };
  const file = new URL("reconnect_load.ts", import.meta.url).pathname;
  const [program, ...args] = pinned(1, [Deno.execPath(), "run", "--quiet", "--no-lock", "-A", file]);
  const load = new Deno.Command(program, {
    args: [...args, JSON.stringify(crowd)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const told = lines(load.stdout);
  const next = async <Kind extends Told["kind"]>(kind: Kind) => {
    const { value } = await told.next();
    if (value?.kind !== kind) throw new Error("the people broke off");
    return value as Extract<Told, { kind: Kind }>;
  };
  const input = load.stdin.getWriter();
  await next("ready");
  await new Promise((resolve) => setTimeout(resolve, BEFORE * 1_000));
  const before = residentBytes(old.pid);
  await input.write(new TextEncoder().encode("the end\n"));
  const endedAt = sinceEpoch();
  await old.end(`SIG${signal}`);
  const startedAt = sinceEpoch();
  const server = await start(old.port);
  const listening = sinceEpoch() - startedAt;
  const { first, half, last } = await next("back");
  const cpu = cpuSeconds(server.pid);
  const over = await next("over");
  const most = peakResidentBytes(server.pid);
  await input.close().catch(() => {});
  await load.status;
  await server.end("SIGKILL");
  await Deno.remove(cwd, { recursive: true });
  return {
    listening,
    gap: startedAt - endedAt,
    first: first - startedAt,
    half: half - startedAt,
    last: last - startedAt,
    before,
    most,
    cpu,
    over,
  };
}

async function* lines(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Told> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const complete = (rest + piece).split("\n");
    rest = complete.pop()!;
    for (const line of complete) yield JSON.parse(line);
  }
}

function table(results: Result[], { people }: Wish): string {
  const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(2)} s`;
  // JSON knows no NaN: null is a percentile of nothing.
  const ms = (milliseconds: number | null) => milliseconds === null ? "" : `${milliseconds.toFixed(0)} ms`;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const of = (which: (result: Result) => number, unit: (value: number) => string) => {
    const values = results.map(which);
    return [unit(median(values)), unit(Math.max(...values))];
  };
  const delay = (name: "before" | "meanwhile" | "again" | "ways" | "noticed", which: keyof Delays) =>
    of(({ over }) => over[name][which], ms);
  const rows: [string, string[]][] = [
    ["from the start of the new process until it listens", of(({ listening }) => listening, seconds)],
    ["until the first has everything", of(({ first }) => first, seconds)],
    ["until half of them have", of(({ half }) => half, seconds)],
    ["**until the last has everything**", of(({ last }) => last, seconds)],
    ["the same, from the signal that ended the old one", of(({ gap, last }) => gap + last, seconds)],
    ["until the last knew that the connection is lost, from the signal", delay("noticed", "most")],
    ["way of one: from opening a connection until it has everything, p50", delay("ways", "p50")],
    ["the same, p99", delay("ways", "p99")],
    ["tries for each", of(({ over }) => over.tries, (value) => value.toFixed(2))],
    ["messages before, p50", delay("before", "p50")],
    ["messages before, p99", delay("before", "p99")],
    ["messages meanwhile, p50", delay("meanwhile", "p50")],
    ["**messages meanwhile, p99**", delay("meanwhile", "p99")],
    ["messages meanwhile, slowest", delay("meanwhile", "most")],
    ["messages that were under way at the end and sent again, slowest", delay("again", "most")],
    ["messages said", of(({ over }) => over.said, String)],
    ["refusals for the time being", of(({ over }) => over.refused, String)],
    ["acknowledged messages that are lost", of(({ over }) => over.lost, String)],
    ["messages that came twice", of(({ over }) => over.doubled, String)],
    ["people who lack an entry", of(({ over }) => over.lacking, String)],
    ["people who could not resume", of(({ over }) => over.unrecovered, String)],
    ["memory of the server before", of(({ before }) => before, mebibytes)],
    ["highest memory afterwards", of(({ most }) => most, mebibytes)],
    [
      "CPU of the server for each who came back, its start and the messages included",
      of(({ cpu }) => cpu / people * 1e6, (value) => `${value.toFixed(0)} µs`),
    ],
    ["processor that the people took", of(({ over }) => over.cpu * 100, (value) => `${value.toFixed(0)} %`)],
  ];
  const cells = rows.map(([name, values]) => `| ${[name, ...values].join(" | ")} |`);
  return [`| | median | worst of ${results.length} |`, "| --- | --- | --- |", ...cells].join("\n");
}

const wish = readArguments(Deno.args);
if (wish === "help") {
  console.log(HELP);
  Deno.exit(0);
}
if ("mistake" in wish) {
  console.error(wish.mistake);
  Deno.exit(1);
}
const { people, rooms, rate, runs, signal } = wish;
console.log(
  `# Everyone comes back\n\n${await machine()}. ${people.toLocaleString("en")} people in ${rooms} rooms, ${rate} ` +
    `message${rate === 1 ? "" : "s"} a second in each; the server ${
      signal === "KILL" ? "is killed" : "is asked to stop"
    } and started again.`,
);
const results: Result[] = [];
for (let at = 0; at < runs; at++) {
  const result = await run(wish);
  console.log(at + 1, JSON.stringify(result));
  results.push(result);
}
console.log(`\n${table(results, wish)}`);
