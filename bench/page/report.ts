/** What was measured, as tables of Markdown. */
import { CATEGORIES, METRICS, type Verdict } from "./lighthouse.ts";
import { RATE, type Reading, SECONDS, UP } from "./reading.ts";
import type { Visit } from "./visit.ts";

export function median(values: number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}

/** Every figure is the median of that figure in all runs. */
export function medians<T extends { [name in keyof T]: number }>(runs: T[]): T {
  const names = Object.keys(runs[0]) as (keyof T)[];
  return Object.fromEntries(names.map((name) => [name, median(runs.map((run) => run[name]))])) as T;
}

function table(head: string[], rows: string[][]): string {
  return [head, head.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

const seconds = (milliseconds: number) => `${(milliseconds / 1000).toFixed(2)} s`;
const kilobytes = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
const tasks = (count: number, longest: number) => count === 0 ? "0" : `${count} (${Math.round(longest)} ms)`;

/** One line of the tables: who was visited, over which network, and whether for the first time. */
export interface Visits {
  server: string;
  network: string;
  visit: string;
  runs: Visit[];
}

export function visitTables(all: Visits[]): string {
  const rows = all.map(({ server, network, visit, runs }) => ({ what: [server, network, visit], of: medians(runs) }));
  const what = ["server", "network", "visit"];
  const times = rows.map(({ what, of }) => [
    ...what,
    seconds(of.firstPaint),
    seconds(of.firstContentfulPaint),
    seconds(of.firstMessage),
    seconds(of.load),
    tasks(of.longTasks, of.longestTask),
  ]);
  const wire = rows.map(({ what, of }) => [
    ...what,
    ...[of.requestsToMessage, of.requestsToLoad, of.requests].map(String),
    ...[of.document, of.filesToMessage, of.files, of.socket].map(kilobytes),
  ]);
  const timesHead = [
    "first paint",
    "first contentful paint",
    "first message",
    "load",
    "tasks of 50 ms and more (longest)",
  ];
  const wireHead = [
    "requests to the first message",
    "to load",
    "in all",
    "document",
    "other files to the first message",
    "in all",
    "socket to the first message",
  ];
  return `### How long it takes\n\n${table([...what, ...timesHead], times)}\n\n### What goes over the wire\n\n${
    table([...what, ...wireHead], wire)
  }`;
}

export function lighthouseTables(verdicts: Map<string, Verdict[]>): string {
  const points = [...verdicts].map(([server, runs]) => [
    server,
    ...CATEGORIES.map((name) => String(median(runs.map(({ scores }) => scores[name])))),
  ]);
  const middle = [...verdicts].map(([server, runs]) => ({ server, run: middleOf(runs) }));
  const metrics = middle.map((
    { server, run },
  ) => [server, ...Object.keys(METRICS).map((id) => run.metrics[id as never])]);
  const costs = middle.map(({ server, run }) => `- ${server}: ${run.costs.join("; ") || "nothing"}`);
  return [
    table(["server", ...CATEGORIES.map((name) => name.replace("-", " ").replace("seo", "SEO"))], points),
    table(["server", ...Object.values(METRICS)], metrics),
    `What costs points:\n\n${costs.join("\n")}`,
  ].join("\n\n");
}

/** The run with the median performance. */
function middleOf(runs: Verdict[]): Verdict {
  return runs.toSorted((one, other) => one.scores.performance - other.scores.performance)[Math.floor(runs.length / 2)];
}

export interface Readings {
  messages: number;
  follows: boolean;
  cpu: number;
  runs: Reading[];
}

export function readingTable(all: Readings[]): string {
  const rows = all.map(({ messages, follows, cpu, runs }) => {
    const { longTasks, longestTask, busy, elements } = medians(runs);
    return [
      messages.toLocaleString("en"),
      follows ? "follows" : `${UP.toLocaleString("en")} px up`,
      cpu === 1 ? "this one" : `÷ ${cpu}`,
      String(longTasks),
      `${Math.round(longestTask)} ms`,
      `${Math.round(Math.max(...runs.map(({ longestTask }) => longestTask)))} ms`,
      `${Math.round(busy * 100)} %`,
      elements.toLocaleString("en"),
    ];
  });
  const head = [
    ...["messages before", "the reader", "processor"],
    ...["tasks of 50 ms and more", "the longest", "in the worst run", "thread busy", "elements at the end"],
  ];
  return `${RATE} messages a second for ${SECONDS} seconds.\n\n${table(head, rows)}`;
}
