/**
 * `deno task bench:sweep`: one room, from 2 people to 5,000, from one message a second to 5,000, with short and long
 * texts. Writes `bench/sweep_results.json` and draws `docs/pictures/sweep.svg` from it.
 */
import { type Load, warmUpRate } from "./client.ts";
import { loaded, machine, PARLEY_COMMAND, PARLEY_ENVIRONMENT, startMeasured } from "./server.ts";
import { type Point, sweepPicture, type SweepResults } from "./sweep_picture.ts";
import { type Parsed, wishOf } from "../tools/wish.ts";

const HELP = `Measures one room under every load, in about fifteen minutes, and draws it.

  deno task bench:sweep [--draw] [--people=PEOPLE,…] [--rates=RATES,…] [--texts=LENGTHS,…]

  --draw    measures nothing, and draws docs/pictures/sweep.svg from bench/sweep_results.json
  --people  how many are in the room, 2,10,100,1000,5000 unless set
  --rates   messages a second, 1,20,100,500,5000 unless set
  --texts   characters of a message, 20,200,2000 unless set

With one of the last three it only prints its figures and writes no file.`;

const RESULTS = new URL("sweep_results.json", import.meta.url);
const PICTURE = new URL("../docs/pictures/sweep.svg", import.meta.url);
const WARM_UP = 2;
/** Seconds for which each is measured: a slow one longer, so that it has some messages. */
const secondsFor = (rate: number) => rate < 10 ? 8 : 3;

interface Wish {
  draw: boolean;
  isWhole: boolean;
  people: number[];
  rates: number[];
  texts: number[];
}

/** @returns what was asked for, or a sentence that says why it can't be done */
function readArguments(words: string[]): Parsed<Wish> {
  if (words.includes("--help") || words.includes("-h")) return "help";
  const wish: Wish = {
    draw: false,
    isWhole: true,
    people: [2, 10, 100, 1_000, 5_000],
    rates: [1, 20, 100, 500, 5_000],
    texts: [20, 200, 2_000],
  };
  for (const word of words) {
    const [, name, numbers] = /^--(people|rates|texts)=([1-9]\d{0,4}(?:,[1-9]\d{0,4})*)$/.exec(word) ?? [];
    if (word === "--draw") wish.draw = true;
    else if (name) {
      wish[name as "people" | "rates" | "texts"] = numbers.split(",").map(Number);
      wish.isWhole = false;
    } else return { mistake: `deno task bench:sweep takes no argument ${word}: see --help.` };
  }
  if (Math.min(...wish.people) < 2) {
    return { mistake: "--people must be 2 at least: one who writes, and one who reads." };
  }
  return wish;
}

async function measure(people: number, rate: number, text: number): Promise<Point> {
  const server = await startMeasured({ name: "Parley", command: PARLEY_COMMAND, env: PARLEY_ENVIRONMENT });
  const load: Load = {
    ports: [server.port],
    pids: [server.pid],
    protocol: "batch",
    rooms: 1,
    sockets: people,
    rate,
    text,
    seconds: secondsFor(rate),
    warmUp: WARM_UP,
    warmUpRate: warmUpRate({ rooms: 1, sockets: people, rate }),
    mayRefuse: true,
  };
  const { p50, p99, serverCpu, deliveriesPerSecond, refusedShare, messagesPerFrame, saturated } = await loaded(load);
  await server.kill();
  // JSON knows no NaN. Nothing came where the only one who writes is sent away for flooding.
  const isSilent = p50 === null;
  const rounded = (value: number, digits: number) => Number((value ?? 0).toPrecision(digits));
  return {
    people,
    rate,
    text,
    p50: isSilent ? null : rounded(p50, 3),
    p99: isSilent ? null : rounded(p99, 3),
    cpu: rounded(serverCpu, 2),
    deliveriesPerSecond: Math.round(deliveriesPerSecond),
    messagesPerFrame: rounded(messagesPerFrame, 3),
    refused: isSilent ? 1 : rounded(Math.min(1, Math.max(0, refusedShare ?? 0)), 3),
    saturated,
  };
}

async function draw(results: SweepResults): Promise<void> {
  await Deno.mkdir(new URL("./", PICTURE), { recursive: true });
  await Deno.writeTextFile(PICTURE, sweepPicture(results));
}

const wish = wishOf(readArguments(Deno.args), HELP);
if (wish.draw) {
  await draw(JSON.parse(await Deno.readTextFile(RESULTS)));
  Deno.exit(0);
}
const results: SweepResults = { date: new Date().toISOString().slice(0, 10), machine: await machine(), points: [] };
console.log("| people | messages/s | characters | p50 | p99 | one CPU | deliveries/s | messages a frame | refused |");
console.log("| --- | --- | --- | --- | --- | --- | --- | --- | --- |");
for (const text of wish.texts) {
  for (const people of wish.people) {
    for (const rate of wish.rates) {
      const point = await measure(people, rate, text);
      const { p50, p99, cpu, deliveriesPerSecond, messagesPerFrame, refused, saturated } = point;
      const cells = [
        people,
        rate,
        text,
        p50 === null ? "" : `${p50} ms`,
        p99 === null ? "" : `${p99} ms${saturated ? " (load saturated)" : ""}`,
        `${Math.round(cpu * 100)} %`,
        deliveriesPerSecond.toLocaleString("en"),
        messagesPerFrame,
        `${Math.round(refused * 100)} %`,
      ];
      console.log(`| ${cells.join(" | ")} |`);
      results.points.push(point);
    }
  }
}
if (wish.isWhole) {
  await Deno.writeTextFile(RESULTS, `${JSON.stringify(results, null, 2)}\n`);
  await draw(results);
}
