/**
 * `deno task bench:page`: what the page costs whoever opens it, in a real Chromium over a slow network with a slow
 * processor, and whoever reads in a busy room. Prints as it goes and writes `bench/page_results.md`.
 *
 * `deno task bench:page visits` measures only this part, `--runs=1` once instead of three times.
 */
import { Browser } from "./page/browser.ts";
import { LIGHTHOUSE, lighthouse, type Verdict } from "./page/lighthouse.ts";
import { People } from "./page/people.ts";
import { PROCESSORS, read, type Reading } from "./page/reading.ts";
import { lighthouseTables, type Readings, readingTable, type Visits, visitTables } from "./page/report.ts";
import { type PageServer, startServers } from "./page/servers.ts";
import type { Conditions } from "./page/tab.ts";
import { visit } from "./page/visit.ts";
import { type Parsed, wishOf } from "../tools/wish.ts";

/** Unless `--runs` says otherwise. */
const DEFAULT_RUNS = 3;
/** Messages in the room that is visited, and in the one in which somebody reads unless `--messages` says otherwise. */
const VISITED_MESSAGES = 200;
const DEFAULT_MESSAGES = [2_000];
const VISITED_ROOM = "islands";
const here = new URL(".", import.meta.url).pathname;

/** The phone that Lighthouse emulates. */
const PHONE = { width: 412, height: 823, scale: 1.75, phone: true, cpu: 4 };
/** Bytes a second. */
const kilobits = (number: number) => number * 1024 / 8;
/**
 * Lighthouse's profile for phones, and what it makes of it where it emulates the network as this does, by requests and
 * not by packets: `DEVTOOLS_RTT_ADJUSTMENT_FACTOR` and `DEVTOOLS_THROUGHPUT_ADJUSTMENT_FACTOR` in its constants.
 */
const NETWORKS: { name: string; conditions: Conditions }[] = [
  {
    name: "150 ms, 1.6 Mbit/s",
    conditions: { ...PHONE, network: { latency: 150, download: kilobits(1638.4), upload: kilobits(750) } },
  },
  {
    name: "562 ms, 1.44 Mbit/s",
    conditions: { ...PHONE, network: { latency: 562.5, download: kilobits(1474.56), upload: kilobits(675) } },
  },
];

const PARTS = {
  visits: "the first visit and the second, over two networks: time, requests, bytes",
  lighthouse: "Lighthouse's phone profile",
  reading: "long tasks while a room is very busy, for who follows and for who reads further up",
};
type Part = keyof typeof PARTS;

const HELP = `Measures the page in a real Chromium, in about ten minutes, and writes bench/page_results.md.

  deno task bench:page [PART …] [--runs=RUNS] [--messages=NUMBER,…]

  PART        measures only these parts, and writes no file
  --runs      how often each is measured, ${DEFAULT_RUNS} times unless set
  --messages  how many messages are in the room in which somebody reads, ${DEFAULT_MESSAGES} unless set;
              --messages=2000,100000 measures both

The parts:

${Object.entries(PARTS).map(([name, about]) => `  ${name.padEnd(10)}  ${about}`).join("\n")}`;

interface Asked {
  only: Part[];
  runs: number;
  messages: number[];
}

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Parsed<Asked> {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const asked: Asked = { only: [], runs: DEFAULT_RUNS, messages: DEFAULT_MESSAGES };
  for (const word of words) {
    const [, runs] = /^--runs=([1-9]\d{0,3})$/.exec(word) ?? [];
    const [, messages] = /^--messages=([1-9]\d{0,6}(?:,[1-9]\d{0,6})*)$/.exec(word) ?? [];
    if (runs) asked.runs = Number(runs);
    else if (messages) asked.messages = messages.split(",").map(Number);
    else if (word.startsWith("-")) return { mistake: `deno task bench:page takes no argument ${word}: see --help.` };
    else if (Object.hasOwn(PARTS, word)) asked.only.push(word as Part);
    else return { mistake: `There is no part ${word}: see --help.` };
  }
  return asked;
}

const { only: ONLY, runs: RUNS, messages: MESSAGES } = wishOf(readArguments(Deno.args), HELP);
const isAsked = (part: Part) => ONLY.length === 0 || ONLY.includes(part);

async function fill({ server }: PageServer, room: string, messages: number): Promise<void> {
  const people = await People.enter(server.url, room);
  await people.fill(messages);
  await people.leave();
}

/** In turns, so that what else the machine did is in all of them. */
async function measureVisits(servers: PageServer[]): Promise<string> {
  const all: Visits[] = NETWORKS.flatMap(({ name: network }) =>
    servers.flatMap(({ name: server }) =>
      ["first", "second"].map((visit) => ({ server, network, visit, runs: [] as Visits["runs"] }))
    )
  );
  for (let run = 1; run <= RUNS; run++) {
    for (const { name: network, conditions } of NETWORKS) {
      for (const { name, server } of servers) {
        const browser = await Browser.launch();
        for (const line of all.filter((line) => line.server === name && line.network === network)) {
          const result = await visit(browser, `${server.url}/r/${VISITED_ROOM}`, conditions);
          console.log("visits", run, name, network, line.visit, JSON.stringify(result));
          line.runs.push(result);
        }
        await browser.close();
      }
    }
  }
  return visitTables(all);
}

async function measureLighthouse(servers: PageServer[]): Promise<string> {
  const verdicts = new Map<string, Verdict[]>(servers.map(({ name }) => [name, []]));
  for (let run = 1; run <= RUNS; run++) {
    for (const { name, server } of servers) {
      try {
        const result = await lighthouse(`${server.url}/r/${VISITED_ROOM}`);
        console.log("lighthouse", run, name, JSON.stringify(result));
        verdicts.get(name)!.push(result);
      } catch (error) {
        console.error(error);
        return `Lighthouse did not run here: ${(error as Error).message}`;
      }
    }
  }
  return lighthouseTables(verdicts);
}

async function measureReading(pageServer: PageServer): Promise<string> {
  const all: Readings[] = [];
  for (const messages of MESSAGES) {
    const room = `reading-${messages}`;
    await fill(pageServer, room, messages);
    const lines = PROCESSORS.flatMap((cpu) =>
      [true, false].map((follows) => ({ messages, follows, cpu, runs: [] as Reading[] }))
    );
    for (let run = 1; run <= RUNS; run++) {
      for (const { follows, cpu, runs } of lines) {
        const result = await read(pageServer.server.url, room, follows, cpu);
        console.log(
          "reading",
          run,
          messages,
          follows ? "follows" : "further up",
          `cpu ÷ ${cpu}`,
          JSON.stringify(result),
        );
        runs.push(result);
      }
    }
    all.push(...lines);
  }
  return readingTable(all);
}

async function chromiumVersion(): Promise<string> {
  const browser = await Browser.launch();
  await browser.close();
  return browser.version;
}

const folder = await Deno.makeTempDir();
const [load] = Deno.loadavg();
const versions = `Deno ${Deno.version.deno}, Chromium ${await chromiumVersion()}, Lighthouse ${LIGHTHOUSE}`;
const processor = /model name\s*: (.+)/.exec(await Deno.readTextFile("/proc/cpuinfo").catch(() => ""))?.[1];
const sections: string[] = [];
const add = (title: string, text: string) => {
  console.log(`\n## ${title}\n\n${text}\n`);
  sections.push(`## ${title}\n\n${text}`);
};

const servers = await startServers(folder);
try {
  for (const server of servers) await fill(server, VISITED_ROOM, VISITED_MESSAGES);
  if (isAsked("visits")) add("Visits", await measureVisits(servers));
  if (isAsked("lighthouse")) add("Lighthouse", await measureLighthouse(servers));
  if (isAsked("reading")) add("Reading in a busy room", await measureReading(servers.at(-1)!));
} finally {
  for (const { server } of servers) await server.stop();
  await Deno.remove(folder, { recursive: true });
}

if (ONLY.length === 0) {
  const words = Deno.args.length > 0 ? ` ${Deno.args.join(" ")}` : "";
  await Deno.writeTextFile(
    `${here}page_results.md`,
    `# What the page costs

Measured by \`deno task bench:page${words}\` on ${new Date().toISOString().slice(0, 10)}: ${
      processor ?? "an unknown processor"
    }, ${navigator.hardwareConcurrency} processors, ${Deno.build.os}; ${versions}. ${
      RUNS === 1 ? "One run of each." : `Medians of ${RUNS} runs.`
    } Servers and browser share the processors; before it began, the load average was ${load.toFixed(1)}.

${await Deno.readTextFile(`${here}page/notes.md`)}
${sections.join("\n\n")}
`,
  );
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", `${here}page_results.md`] }).output();
}
