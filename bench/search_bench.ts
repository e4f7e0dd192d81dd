/**
 * `deno task bench:search`: how long searches take in a room of a million messages, in SQLite, and what they cost those
 * who write meanwhile. Prints its figures.
 */
import { systemClock } from "../chat/clock.ts";
import { parseQuery } from "../chat/search/query.ts";
import type { Command, Storage } from "../chat/storage.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite.ts";

const HELP = `Searches a room of a million messages, in SQLite, and measures it.

  deno task bench:search [--messages=MESSAGES] [--file=FILE]

  --messages  how many there are, 1,000,000 unless set
  --file      keeps the room in this file, and takes it from there if there is one: to make it takes some minutes`;

const ROOM = "general";
const PEOPLE = 500;
const BATCH = 500;
/** Words that people know, Latin and Korean ones. */
const VOCABULARY = 50_000;
/** Share of messages that are Korean. */
const KOREAN = 0.3;
const RUNS = 400;
/** Searches a second while others write, for so many seconds. */
const SEARCH_RATE = 10;
const WRITE_SECONDS = 15;
const WRITES_A_SECOND = 100;

/** The same numbers at every run: mulberry32. */
let state = 1;
function random(): number {
  state = state + 0x6d2b79f5 | 0;
  let t = Math.imul(state ^ state >>> 15, 1 | state);
  t = t + Math.imul(t ^ t >>> 7, 61 | t) ^ t;
  return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
}

const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)];
/** A rank from 1 on: half as often if it is twice as high, as words of a language are. */
const zipf = (most = VOCABULARY, from = 1) => Math.floor(from * Math.exp(random() * Math.log(most / from)));

const STARTS = ["b", "c", "d", "f", "g", "h", "l", "m", "n", "p", "r", "s", "t", "v", "w", "st", "tr", "ch", "th", ""];
const MIDDLES = ["a", "e", "i", "o", "u", "ai", "ea", "ou", "ee"];
const ENDS = ["", "n", "r", "s", "t", "l", "nd", "ck", "ng", ""];
const SYLLABLES = [
  ..."가나다라마바사아자하고노도로모보소오조호기니디리미비시이지히거너더러머버서어저허은는을를에의와과커피회의배포버전오늘내일점심시작확인부탁감사문서작업완료사람생각",
];
const latin: string[] = [""];
const korean: string[] = [""];
for (let rank = 1; rank <= VOCABULARY; rank++) {
  // What is said often is short.
  const syllables = 1 + Math.floor(Math.log10(rank) / 2 + random() * 1.2);
  latin.push(Array.from({ length: syllables }, () => pick(STARTS) + pick(MIDDLES) + pick(ENDS)).join("") || "a");
  korean.push(Array.from({ length: 1 + syllables }, () => pick(SYLLABLES)).join(""));
}

function message(): string {
  const words = random() < KOREAN ? korean : latin;
  const length = 2 + Math.floor(random() * random() * 28);
  return Array.from({ length }, () => words[zipf()]).join(" ");
}

async function fill(storage: Storage, count: number): Promise<void> {
  let { seq } = await storage.history(ROOM, { limit: 1 });
  const start = performance.now();
  const had = seq;
  while (seq < count) {
    const commands = Array.from({ length: Math.min(BATCH, count - seq) }, (): Command => {
      const user = `person${zipf(PEOPLE)}`;
      return { action: "send_message", room: ROOM, user, from: user, text: message() };
    });
    await storage.append(commands);
    seq += commands.length;
    if (seq % 100_000 === 0) console.log(`${seq.toLocaleString("en")} messages`);
  }
  const took = performance.now() - start;
  if (seq > had) console.log(`${(took * 1000 / (seq - had)).toFixed(0)} µs to store a message, ${BATCH} at once`);
}

function percentile(sorted: readonly number[], p: number): number {
  return sorted[Math.ceil(sorted.length * p / 100) - 1];
}

async function measure(storage: Storage, about: string, next: () => { query: string; user?: string }, runs = RUNS) {
  const took: number[] = [];
  let found = 0;
  let late = 0;
  for (let run = 0; run < runs; run++) {
    const { query, user } = next();
    const request = { query: parseQuery(query), limit: 50, ...user === undefined ? {} : { user } };
    const start = performance.now();
    const { messages, more } = await storage.search(ROOM, request);
    took.push(performance.now() - start);
    found += messages.length;
    if (more && messages.length < 50) late++;
  }
  took.sort((one, other) => one - other);
  const [p50, p99, worst] = [percentile(took, 50), percentile(took, 99), took.at(-1)!].map((time) => time.toFixed(1));
  console.log(
    `${about.padEnd(34)} p50 ${p50} ms, p99 ${p99} ms, worst ${worst} ms; ${(found / runs).toFixed(1)} found, ` +
      `${late} of ${runs} stopped at the deadline`,
  );
}

/** Milliseconds of each append while there are so many searches a second. */
async function writesBeside(storage: Storage, searches: number): Promise<number[]> {
  const took: number[] = [];
  const end = performance.now() + WRITE_SECONDS * 1_000;
  const search = async () => {
    const from = performance.now();
    for (let done = 0; performance.now() < end; done++) {
      const query = parseQuery(
        done % 5 === 0 ? latin[zipf(20)].slice(0, 2).padEnd(2, "a") : latin[zipf()].padEnd(2, "a"),
      );
      await storage.search(ROOM, { query, limit: 50 });
      await pause(from + done * 1_000 / searches - performance.now());
    }
  };
  const searching = searches > 0 ? search() : undefined;
  const from = performance.now();
  for (let done = 0; performance.now() < end; done++) {
    const start = performance.now();
    await storage.append([{ action: "send_message", room: ROOM, user: "ann", from: "Ann", text: message() }]);
    took.push(performance.now() - start);
    await pause(from + done * 1_000 / WRITES_A_SECOND - performance.now());
  }
  await searching;
  return took.sort((one, other) => one - other);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, milliseconds)));
}

if (Deno.args.some((argument) => ["--help", "-h"].includes(argument))) {
  console.log(HELP);
  Deno.exit(0);
}
let count = 1_000_000;
let file: string | undefined;
for (const argument of Deno.args) {
  const [, name, value] = /^--(messages|file)=(.+)$/.exec(argument) ?? [];
  if (name === "messages" && Number(value) > 0) count = Number(value);
  else if (name === "file") file = value;
  else {
    console.error(`deno task bench:search takes no argument ${argument}. See --help.`);
    Deno.exit(1);
  }
}
const folder = file === undefined ? await Deno.makeTempDir() : undefined;
const storage = await SqliteStorage.open(file ?? `${folder}/chat.db`, {
  clock: systemClock,
  secret: "bench",
  retention: { messages: 0, days: 0 },
});
try {
  await fill(storage, count);
  // What was written at once is merged a moment later.
  await pause(10_000);
  const word = (from: number, to: number) => latin[zipf(to, from)].padEnd(2, "a");
  await measure(storage, "warm up", () => ({ query: word(10, VOCABULARY) }));
  await measure(storage, "a word", () => ({ query: word(10, VOCABULARY) }), 1_000);
  await measure(storage, "a rare word", () => ({ query: word(5_000, VOCABULARY) }));
  await measure(storage, "a word that nobody wrote", () => ({ query: word(10, 2_000) + "qxzj" }));
  await measure(storage, "a Korean word of two syllables", () => ({ query: korean[zipf(VOCABULARY, 10)].slice(0, 2) }));
  const said: string[] = [];
  for (let before = count; said.length < 400; before = Math.floor(1 + random() * count)) {
    const [{ text = "" }] = (await storage.history(ROOM, { limit: 1, before: Math.max(2, before) })).messages;
    const words = text.split(" ");
    const at = Math.floor(random() * (words.length - 1));
    const phrase = words.slice(at, at + 2).join(" ");
    try {
      parseQuery(phrase);
      said.push(`"${phrase}"`);
    } catch { /* two single letters */ }
  }
  await measure(storage, "a phrase of two words", () => ({ query: pick(said) }));
  await measure(storage, "two common words", () => ({ query: `${word(1, 20)} ${word(1, 20)}` }));
  await measure(storage, "two words that seldom meet", () => ({ query: `${word(100, 500)} ${word(100, 500)}` }));
  await measure(storage, "a common prefix of two letters", () => ({ query: word(1, 50).slice(0, 2) }));
  await measure(storage, "a common word of one person", () => ({ query: word(1, 50), user: `person${zipf(PEOPLE)}` }));
  for (const searches of [0, SEARCH_RATE, 0, SEARCH_RATE]) {
    const took = await writesBeside(storage, searches);
    console.log(
      `${searches} searches a second: a message is stored within ` +
        `p50 ${percentile(took, 50).toFixed(2)} ms, p99 ${percentile(took, 99).toFixed(2)} ms, worst ${
          took.at(-1)!.toFixed(1)
        } ms`,
    );
  }
} finally {
  await storage.close();
  if (folder !== undefined) await Deno.remove(folder, { recursive: true });
}
