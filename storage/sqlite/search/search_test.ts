/** The index of words in a database file: what it holds, how it is built, and what is left of words that are gone. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { parseQuery } from "../../../chat/search/query.ts";
import { termOfUser, termsOfText } from "../../../chat/search/terms.ts";
import type { Command } from "../../../chat/storage.ts";
import { FakeClock } from "../../../testing/clock.ts";
import { quietly } from "../../../testing/quietly.ts";
import { SCRUB_DELAY } from "../scrubber.ts";
import { SqliteStorage, SWEEP_INTERVAL } from "../sqlite.ts";
import { find } from "./find.ts";
import { termNumber } from "./term_number.ts";
import { BUILD_LEASE } from "./word_index.ts";

const KEEP_ALL = { messages: 0, days: 0 };
/** Long enough for every step of the background. */
const A_WHILE = 60_000;

const say = (text: string, room = "r"): Command => ({ action: "send_message", room, user: "ann", from: "Ann", text });
const edit = (target: number, text: string): Command => (
  { action: "edit_message", room: "r", user: "ann", from: "Ann", target, text }
);
const remove = (target: number): Command => ({ action: "delete_message", room: "r", user: "ann", from: "Ann", target });

function fileTest(title: string, check: (path: string, clock: FakeClock) => Promise<void>): void {
  Deno.test(`sqlite search: ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await check(`${folder}/chat.db`, new FakeClock());
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

const open = (path: string, clock: FakeClock, more: { retention?: typeof KEEP_ALL; isolates?: boolean } = {}) =>
  SqliteStorage.open(path, { clock, retention: KEEP_ALL, ...more });

/** Reads or changes the file as somebody else. */
function inFile<Result>(path: string, work: (file: DatabaseSync) => Result): Result {
  const file = new DatabaseSync(path);
  try {
    return work(file);
  } finally {
    file.close();
  }
}

/** What the index has: each term with each message, and rooms of which not all messages are in it. */
function indexed(path: string): { terms: Set<string>; unindexed: Record<string, number>; toRemove: number } {
  return inFile(path, (file) => {
    file.exec("CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)");
    const terms = file.prepare("SELECT term, doc / 4294967296 AS room, doc % 4294967296 AS seq FROM vocabulary").all();
    const rooms = file.prepare("SELECT name, unindexed FROM rooms WHERE unindexed > 0").all();
    return {
      terms: new Set(terms.map(({ term, room, seq }) => `${room} ${seq} ${term}`)),
      unindexed: Object.fromEntries(rooms.map(({ name, unindexed }) => [name, Number(unindexed)])),
      toRemove: Number(file.prepare("SELECT count(*) AS rows FROM words_to_remove").get()!.rows),
    };
  });
}

/** What it should have. */
function expected(path: string): { terms: Set<string>; unindexed: Record<string, number>; toRemove: number } {
  return inFile(path, (file) => {
    const terms = new Set<string>();
    const messages = file.prepare("SELECT room, seq, user, document FROM entries WHERE document IS NOT NULL").all();
    for (const { room, seq, user, document } of messages) {
      const own = termsOfText(JSON.parse(String(document)).text ?? "");
      if (own.size > 0) own.add(termOfUser(String(user)));
      for (const term of own) terms.add(`${room} ${seq} ${termNumber(term)}`);
    }
    return { terms, unindexed: {}, toRemove: 0 };
  });
}

/** Makes the file one of which nothing is in the index, as those are that an older version has written. */
function forget(path: string): void {
  inFile(path, (file) => file.exec("UPDATE meta SET value = 'of another version' WHERE key = 'terms'"));
}

const seqs = async (storage: SqliteStorage, query: string, limit = 200) =>
  (await storage.search("r", { query: parseQuery(query), limit })).messages.map(({ seq }) => seq);

async function bytes(path: string): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  let text = "";
  for await (const { name } of Deno.readDir(folder)) {
    text += new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
  }
  return text;
}

fileTest("a file of schema 3 is searched at once, and has its index a while later", async (path, clock) => {
  const old = new URL("../../../testing/old_files/schema_3.db.gz", import.meta.url);
  const file = (await Deno.open(old)).readable.pipeThrough(new DecompressionStream("gzip"));
  await Deno.writeFile(path, file);
  const storage = await open(path, clock);
  const { messages } = await storage.history("general", { limit: 50 });
  const held = messages.filter(({ text }) => termsOfText(text ?? "").size > 0);
  assert.ok(held.length >= 2, JSON.stringify(messages));
  const check = async () => {
    for (const { seq, text } of held) {
      const [word] = text!.match(/[\p{L}\p{N}]{2,}/u) ?? [];
      if (word === undefined) continue;
      const found = await storage.search("general", { query: parseQuery(word), limit: 50 });
      assert.ok(found.messages.some((message) => message.seq === seq), word);
    }
  };
  await check();
  await clock.advance(A_WHILE);
  assert.deepEqual(indexed(path), expected(path));
  await check();
  await storage.close();
});

fileTest(
  "what was there before is indexed in steps, newest first, while others write and search",
  async (path, clock) => {
    const first = await open(path, clock);
    const rooms = ["r", "other"];
    for (const room of rooms) {
      await first.append(Array.from({ length: 2_000 }, (_, at) => say(`old word${at % 7} number${at}`, room)));
    }
    await first.close();
    forget(path);
    let storage = await open(path, clock);
    assert.ok(indexed(path).terms.size === 0 && indexed(path).unindexed.r === 2_000);
    let [restarts, searches, last] = [0, 0, 2_000];
    for (let step = 0; indexed(path).unindexed.r !== undefined || indexed(path).unindexed.other !== undefined; step++) {
      assert.ok(step < 500, "it is never done");
      const target = 1 + step * 37 % 1_900;
      await storage.append([say(`new word${step % 7}`), edit(target, `changed word${step % 7}`), remove(target + 50)]);
      await clock.advance(3);
      const { r = 0 } = indexed(path).unindexed;
      assert.ok(r <= last, `${r} after ${last}`);
      last = r;
      if (step % 3 === 0) {
        const wanted = inFile(path, (file) =>
          file.prepare(`SELECT seq FROM entries JOIN rooms USING (room)
            WHERE name = 'r' AND seq < 1990 AND document ->> '$.text' LIKE '% word3%' ORDER BY seq`).all())
          .map(({ seq }) => Number(seq));
        const { messages: found } = await storage.search("r", {
          query: parseQuery("word3"),
          before: 1_990,
          limit: 5_000,
        });
        assert.deepEqual(found.map(({ seq }) => seq), wanted.slice(-found.length));
        assert.ok(found.length > 50);
        searches++;
      }
      if (step === 4 || step === 9) {
        restarts++;
        await storage.close();
        const before = indexed(path);
        storage = await open(path, clock);
        assert.deepEqual(indexed(path).unindexed, before.unindexed, "it goes on where it was");
        // To the file it is another isolate, which waits until the first one seems to be gone.
        await clock.advance(BUILD_LEASE);
      }
    }
    await clock.advance(A_WHILE);
    assert.ok(restarts === 2 && searches > 2);
    assert.deepEqual(indexed(path), expected(path));
    await storage.close();
  },
);

fileTest("one isolate builds the index, and when it is gone another one does", async (path, clock) => {
  const first = await open(path, clock);
  await first.append(Array.from({ length: 2_000 }, (_, at) => say(`word${at}`)));
  await first.close();
  forget(path);
  const [one, other] = [await open(path, clock, { isolates: true }), await open(path, clock, { isolates: true })];
  const turn = () =>
    inFile(
      path,
      (file) => String(file.prepare("SELECT value FROM meta WHERE key = 'indexing'").get()!.value).split(" ")[0],
    );
  await clock.advance(5);
  const builder = turn();
  const { r } = indexed(path).unindexed;
  assert.ok(r > 0 && r < 2_000);
  await one.close();
  await clock.advance(5);
  assert.deepEqual(indexed(path).unindexed, { r }, "the other one waits");
  await clock.advance(2 * BUILD_LEASE);
  assert.notEqual(turn(), builder);
  await clock.advance(A_WHILE);
  assert.deepEqual(indexed(path), expected(path));
  await other.close();
});

fileTest("words that are deleted, edited or expired are gone from the index's bytes too", async (path, clock) => {
  // What begins like another term is stored without that beginning: so the ends of the words are looked for.
  const ends = ["qxzj", "vkqy", "zzwq", "jxxv", "wqkz"];
  const word = (at: number) => `secretly${ends[at]}`;
  const storage = await open(path, clock, { retention: { messages: 500, days: 0 } });
  await clock.advance(SCRUB_DELAY);
  await storage.append([...ends.keys()].map((at) => say(`it says ${word(at)} here`)));
  await storage.append(Array.from({ length: 300 }, (_, at) => say(`it says secretly${at} and more words ${at}`)));
  await clock.advance(SCRUB_DELAY);
  const left = async () => {
    const text = await bytes(path);
    return ends.filter((end) => text.includes(end));
  };
  assert.deepEqual(await left(), ends);
  await storage.append([remove(1), edit(2, "it says nothing here")]);
  await clock.advance(SCRUB_DELAY + 500);
  assert.deepEqual(await left(), ends.slice(2));
  await storage.append(Array.from({ length: 497 }, (_, at) => say(`it says secretly${at} and more words ${at}`)));
  await clock.advance(SWEEP_INTERVAL + A_WHILE);
  assert.deepEqual(await left(), []);
  assert.deepEqual(indexed(path), expected(path));
  assert.deepEqual(await seqs(storage, "secretly299"), [305, 607]);
  await storage.close();
});

fileTest("no beginning of a deleted word stays where the index says on which page words begin", async (path, clock) => {
  // The same at every run, and no part of a word in another one.
  const word = (at: number) => Math.imul(at + 1, 0x9e3779b1).toString(36).replace("-", "z").padStart(8, "q") + "end";
  const words = Array.from({ length: 1_000 }, (_, at) => Array.from({ length: 6 }, (_, each) => word(6 * at + each)));
  const storage = await open(path, clock);
  await storage.append(words.map((each) => say(each.join(" "))));
  await storage.append(words.keys().filter((at) => at % 2 === 0).map((at) => remove(at + 1)).toArray());
  await clock.advance(2 * A_WHILE);
  assert.equal(indexed(path).toRemove, 0);
  const text = inFile(path, (file) =>
    [
      ...file.prepare("SELECT CAST(term AS TEXT) AS text FROM words_idx").all(),
      ...file.prepare("SELECT CAST(replace(block, x'00', x'20') AS TEXT) AS text FROM words_data").all(),
    ].map(({ text }) => text).join("\n"));
  const left = words.filter((_, at) => at % 2 === 0).flat().filter((word) => text.includes(word.slice(0, 8)));
  assert.deepEqual(left, []);
  assert.deepEqual(await seqs(storage, words[501][3]), [502]);
  await storage.close();
});

fileTest(
  "what was to be removed from the index when the server ended is removed after the next start",
  async (path, clock) => {
    const long = (sign: string) => Array.from({ length: 600 }, (_, at) => `${sign}word${at}`).join(" ");
    const first = await open(path, clock);
    await first.append([say(long("one")), say(long("two")), say(long("three"))]);
    await first.append([remove(1), edit(2, "short")]);
    assert.deepEqual(await seqs(first, "oneword5"), []);
    await first.close();
    assert.ok(indexed(path).toRemove > 0);
    const second = await open(path, clock);
    // Said again before its words are gone.
    await second.append([edit(2, `${long("two")} again`)]);
    await clock.advance(A_WHILE);
    assert.deepEqual(indexed(path), expected(path));
    assert.deepEqual(await seqs(second, "twoword599 again"), [2]);
    await second.close();
  },
);

fileTest("an index that is broken keeps nobody from writing, and is built again", async (path, clock) => {
  const storage = await open(path, clock);
  await storage.append(Array.from({ length: 400 }, (_, at) => say(`some word${at}`)));
  // FTS5 counts its rows, and says that the file is malformed when one goes of which there were none.
  inFile(path, (file) => file.exec("INSERT INTO words (words) VALUES ('delete-all')"));
  const said = await quietly(async () => {
    const [result] = await storage.append([remove(1)]);
    assert.ok("entry" in result);
    await clock.advance(A_WHILE);
  });
  assert.match(said, /index of words was broken/);
  assert.deepEqual(indexed(path), expected(path));
  assert.deepEqual(await seqs(storage, "word77"), [78]);
  await storage.close();
});

fileTest(
  "where the index's part of the file is damaged, messages are stored and found all the same",
  async (path, clock) => {
    let storage = await open(path, clock);
    await storage.append(Array.from({ length: 400 }, (_, at) => say(`some word${at}`)));
    await storage.close();
    const tables = inFile(path, (file) => file.prepare("SELECT name, rootpage FROM sqlite_schema").all());
    const whole = await Deno.readFile(path);
    for (const damaged of ["words_data", "words_idx", "words_to_remove"]) {
      const page = Number(tables.find(({ name }) => name === damaged)!.rootpage) - 1;
      await Deno.writeFile(path, whole.slice().fill(0xa5, page * 4_096, (page + 1) * 4_096));
      const said = await quietly(async () => {
        storage = await open(path, clock);
        const results = await storage.append([say("new word77"), edit(2, "edited word77"), remove(78)]);
        assert.ok(results.every((result) => "entry" in result), damaged);
        await clock.advance(A_WHILE);
        assert.deepEqual(await seqs(storage, "word77"), [2, 401], damaged);
        assert.deepEqual(await seqs(storage, "word79"), [80], damaged);
        await storage.append([say("newer word79")]);
        assert.deepEqual(await seqs(storage, "word79"), [80, 404], damaged);
        await storage.append([remove(80)]);
        assert.deepEqual(await seqs(storage, "word79"), [404], damaged);
        await clock.advance(A_WHILE);
        await storage.close();
        // An update makes other terms.
        forget(path);
        await (await open(path, clock)).close();
      });
      assert.equal(said.match(/can't be built again/g)?.length, 1, said);
    }
  },
);

fileTest("a search that takes too long says how far it came, and goes on from there", async (path, clock) => {
  const storage = await open(path, clock);
  for (let at = 0; at < 20; at++) {
    await storage.append(
      Array.from({ length: 500 }, (_, each) => say(each % 5 === 0 ? "blue house" : "blue hat house")),
    );
  }
  await storage.close();
  for (const unindexed of [0, 4_000, 10_000]) {
    inFile(path, (file) => {
      file.prepare("UPDATE rooms SET unindexed = ?").run(unindexed);
      const found: number[] = [];
      let [calls, time] = [0, 0];
      for (let before: number | undefined = 10_001; before !== undefined; calls++) {
        const wanted = {
          room: 1,
          phrases: ["blue\nhouse"],
          before,
          limit: 2_000,
          floor: 0,
          oldest: 0,
          ordinalFloor: -1,
        };
        const start = time;
        const { seqs, next } = find(file, wanted, () => time += 0.1);
        assert.ok(time - start < 151, "it stops in time");
        assert.ok(next === undefined || next < before, "it comes further each time");
        found.push(...seqs);
        before = next;
      }
      assert.ok(calls > 3 && calls < 20, `${calls} calls`);
      assert.deepEqual(found, Array.from({ length: 2_000 }, (_, at) => 10_000 - 4 - 5 * at));
    });
  }
});
