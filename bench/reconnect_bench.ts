/**
 * `deno task bench:reconnect`: a server with ten thousand people is killed and started again, and all come back as the
 * page does. Prints how long it takes until the last has everything, and whether anything is lost.
 */
import type { Delays } from "./delays.ts";
import { startHelper } from "./reconnect_helper.ts";
import { type Seen, startPeople } from "./reconnect_people.ts";
import type { Probed, Probing } from "./reconnect_probe.ts";
import { median } from "./percentile.ts";
import { cpuSeconds, peakResidentBytes, residentBytes } from "./process.ts";
import { machine, PARLEY_COMMAND, PARLEY_ENVIRONMENT, startMeasured } from "./server.ts";
import { type Parsed, wishOf } from "../tools/wish.ts";

const HELP = `Ends a server with thousands of people in it, starts it again, and measures how all come back.

  deno task bench:reconnect [--people=PEOPLE] [--rooms=ROOMS] [--rate=RATE] [--runs=RUNS] [--signal=SIGNAL]

  --people  how many there are, 10,000 unless set
  --rooms   the rooms that they are in, 100 unless set
  --rate    messages a second in each room, 1 unless set
  --runs    how often, 5 times unless set
  --signal  KILL (unless set: it dies) or TERM (it sends everyone away first, who come back within 4 s)

A run takes about half a minute. The server has one processor, and the people another, with a probe: a process with
little to do that measures how long messages take.`;

/** Seconds of talk before the end. */
const BEFORE = 5;
/** Rooms in which the probe measures, and how many messages a second it says in each. */
const PROBED = 20;
const PROBE_RATE = 2;
/** Milliseconds over which it is looked how much of its processor the load takes. */
const SLICE = 250;
/** Above this share of it in one such slice the load may be what takes the time. */
const FULL = 0.95;

interface Wish {
  people: number;
  rooms: number;
  rate: number;
  runs: number;
  signal: "KILL" | "TERM";
}

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Parsed<Wish> {
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
  /** Share of their processor that the people and the probe took, and of the time in which it was full. */
  share: { all: number; full: number };
  seen: Seen;
  probe: Extract<Probed, { kind: "over" }>;
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
  const load = startPeople({ port: old.port, people, rooms, rate });
  await load.ready();
  const probing: Probing = { port: old.port, rooms: Math.min(rooms, PROBED), rate: PROBE_RATE };
  const probe = startHelper<Probed>("reconnect_probe.ts", probing);
  await probe.next("ready");
  await new Promise((resolve) => setTimeout(resolve, BEFORE * 1_000));
  const before = residentBytes(old.pid);
  await Promise.all([load.tell("the end"), probe.tell("the end")]);
  const endedAt = sinceEpoch();
  const stopWatching = watch([...load.pids, probe.pid]);
  await old.end(`SIG${signal}`);
  const startedAt = sinceEpoch();
  const server = await start(old.port);
  const listening = sinceEpoch() - startedAt;
  await probe.tell("it listens");
  const back = await load.back();
  const share = stopWatching();
  await Promise.all([load.tell("all are back"), probe.tell("all are back")]);
  const cpu = cpuSeconds(server.pid);
  const [seen, probed] = [await load.over(), await probe.next("over")];
  const most = peakResidentBytes(server.pid);
  await Promise.all([load.end(), probe.end()]);
  await server.end("SIGKILL");
  await Deno.remove(cwd, { recursive: true });
  return {
    listening,
    gap: startedAt - endedAt,
    first: back[0] - startedAt,
    half: back[back.length >> 1] - startedAt,
    last: back[back.length - 1] - startedAt,
    before,
    most,
    cpu,
    share,
    seen,
    probe: probed,
  };
}

/** Watches what processes take of one processor. The function it returns ends that. */
function watch(pids: number[]): () => Result["share"] {
  const look = () => ({ at: performance.now(), cpu: cpuSeconds(...pids) });
  const between = (one: ReturnType<typeof look>, other: ReturnType<typeof look>) =>
    (other.cpu - one.cpu) / (other.at - one.at) * 1_000;
  const looks = [look()];
  const timer = setInterval(() => looks.push(look()), SLICE);
  return () => {
    clearInterval(timer);
    const slices = looks.slice(1).map((next, at) => between(looks[at], next));
    return {
      all: between(looks[0], look()),
      full: slices.filter((slice) => slice > FULL).length / Math.max(1, slices.length),
    };
  };
}

function table(results: Result[], { people }: Wish): string {
  const seconds = (milliseconds: number) => `${(milliseconds / 1_000).toFixed(2)} s`;
  const ms = (milliseconds: number) => `${milliseconds.toFixed(0)} ms`;
  const mebibytes = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const of = (which: (result: Result) => number, unit: (value: number) => string) => {
    // A percentile of nothing is NaN, and null once it was JSON.
    const values = results.map(which).filter(Number.isFinite);
    return values.length === 0 ? ["", ""] : [unit(median(values)), unit(Math.max(...values))];
  };
  const delay = (name: "meanwhile" | "again" | "late" | "ways" | "noticed", which: keyof Delays) =>
    of(({ seen }) => seen[name][which], ms);
  const probed = (name: "before" | "meanwhile" | "late", which: keyof Delays) =>
    of(({ probe }) => probe[name][which], ms);
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const rows: [string, string[]][] = [
    ["from the start of the new process until it listens", of(({ listening }) => listening, seconds)],
    ["until the first has everything", of(({ first }) => first, seconds)],
    ["until half of them have", of(({ half }) => half, seconds)],
    ["**until the last has everything**", of(({ last }) => last, seconds)],
    ["the same, from the signal that ended the old one", of(({ gap, last }) => gap + last, seconds)],
    ["until the last knew that the connection is lost, from the signal", delay("noticed", "most")],
    ["way of one: from opening a connection until it has everything, p50", delay("ways", "p50")],
    ["the same, p99", delay("ways", "p99")],
    ["tries for each", of(({ seen }) => seen.tries / people, (value) => value.toFixed(2))],
    ["messages before, p50", probed("before", "p50")],
    ["messages before, p99", probed("before", "p99")],
    ["messages meanwhile, p50", probed("meanwhile", "p50")],
    ["**messages meanwhile, p99**", probed("meanwhile", "p99")],
    ["messages meanwhile, slowest", probed("meanwhile", "most")],
    ["as the people themselves measure it, p99", delay("meanwhile", "p99")],
    ["messages that were under way at the end and sent again, slowest", delay("again", "most")],
    ["messages said", of(({ seen }) => seen.said, String)],
    ["refusals for the time being", of(({ seen }) => seen.refused, String)],
    ["acknowledged messages that are lost", of(({ seen }) => seen.lost, String)],
    ["messages that came twice", of(({ seen }) => seen.doubled, String)],
    ["people who lack an entry", of(({ seen }) => seen.lacking, String)],
    ["people who could not resume", of(({ seen }) => seen.unrecovered, String)],
    ["memory of the server before", of(({ before }) => before, mebibytes)],
    ["highest memory afterwards", of(({ most }) => most, mebibytes)],
    [
      "CPU of the server for each who came back, its start and the messages included",
      of(({ cpu }) => cpu / people * 1e6, (value) => `${value.toFixed(0)} µs`),
    ],
    ["processor that the people took", of(({ share }) => share.all, percent)],
    ["share of the time in which that was full", of(({ share }) => share.full, percent)],
    ["how late the people read what they were sent, p99", delay("late", "p99")],
    ["how late the probe did, p99", probed("late", "p99")],
    ["the same, at most", probed("late", "most")],
  ];
  const cells = rows.map(([name, values]) => `| ${[name, ...values].join(" | ")} |`);
  const lines = [`| | median | worst of ${results.length} |`, "| --- | --- | --- |", ...cells];
  const full = median(results.map(({ share }) => share.full));
  if (full > 0) {
    lines.push(
      "",
      `The processor of the people was full for ${
        percent(full)
      } of the time (median): with a faster one they would be ` +
        "back sooner. What the probe measures holds all the same.",
    );
  }
  return lines.join("\n");
}

const wish = wishOf(readArguments(Deno.args), HELP);
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
