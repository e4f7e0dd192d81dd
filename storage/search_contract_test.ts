/** What `MessageLog.search` promises, on every storage. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { matches } from "../chat/search/matcher.ts";
import { parseQuery, type SearchQuery } from "../chat/search/query.ts";
import { type Command, PAGE_BYTES, type SearchRequest, type Storage } from "../chat/storage.ts";
import { engines } from "../testing/storage/engines.ts";
import { searchableText } from "../testing/storage/searchable_text.ts";
import { castVote, KINDS_WITH_RESET } from "../testing/storage/vote.ts";

const DAY = 24 * 60 * 60 * 1000;

const say = (text: string, { user = "ann", room = "r" } = {}): Command => (
  { action: "send_message", room, user, from: user.toUpperCase(), text }
);
const edit = (target: number, text: string, user = "ann"): Command => (
  { action: "edit_message", from: "Ann", room: "r", user, target, text }
);
const remove = (target: number, user = "ann"): Command => (
  { action: "delete_message", from: "Ann", room: "r", user, target }
);

/** One page of what is found, without what every page has. */
async function page(storage: Storage, query: string, more: Partial<SearchRequest> = {}) {
  const result = await storage.search("r", { limit: 50, ...more, query: parseQuery(query) });
  return { seqs: result.messages.map(({ seq }) => seq), more: result.more, before: result.before };
}

/** Everything that is found, newest first, page by page. */
async function all(storage: Storage, query: SearchQuery, limit: number, user?: string): Promise<number[]> {
  const seqs: number[] = [];
  for (let before: number | undefined, more = true; more;) {
    const request = { query, limit, ...before === undefined ? {} : { before }, ...user === undefined ? {} : { user } };
    const result = await storage.search("r", request);
    assert.ok(result.messages.length <= limit);
    seqs.push(...result.messages.map(({ seq }) => seq).reverse());
    assert.equal(result.before === undefined, !result.more);
    if (result.more) assert.ok(result.before! < (before ?? Infinity) && result.before! <= (seqs.at(-1) ?? Infinity));
    ({ more, before } = result);
  }
  return seqs;
}

for (const { name, rule } of engines) {
  rule("search: the newest that match come first, in pages, oldest first in each", async ({ storage }) => {
    assert.deepEqual(await storage.search("r", { query: parseQuery("word"), limit: 9 }), {
      ...await storage.read("r", 0).then(({ epoch, seq }) => ({ epoch, seq })),
      messages: [],
      more: false,
    });
    await storage.append([
      ...["word one", "other", "word two", "커피 한잔 word", "words"].map((text) => say(text)),
      say("word", { room: "elsewhere" }),
      say("a word by bob", { user: "bob" }),
    ]);
    assert.deepEqual(await page(storage, "word"), { seqs: [1, 3, 4, 5, 6], more: false, before: undefined });
    assert.deepEqual(await page(storage, "word", { limit: 5 }), {
      seqs: [1, 3, 4, 5, 6],
      more: false,
      before: undefined,
    });
    assert.deepEqual(await page(storage, "word", { limit: 2 }), { seqs: [5, 6], more: true, before: 5 });
    assert.deepEqual(await page(storage, "word", { limit: 2, before: 5 }), { seqs: [3, 4], more: true, before: 3 });
    assert.deepEqual(await page(storage, "word", { limit: 2, before: 3 }), {
      seqs: [1],
      more: false,
      before: undefined,
    });
    assert.deepEqual(await page(storage, "word", { before: 1_000_000 }).then(({ seqs }) => seqs), [1, 3, 4, 5, 6]);
    assert.deepEqual(await page(storage, "word", { user: "bob" }).then(({ seqs }) => seqs), [6]);
    assert.deepEqual(await page(storage, "word", { user: "eve" }).then(({ seqs }) => seqs), []);
    assert.deepEqual(await page(storage, "피 w").then(({ seqs }) => seqs).catch((error) => error.code), "bad_query");
    assert.deepEqual(await page(storage, "커피 w").then(({ seqs }) => seqs), [4]);
    assert.deepEqual(await page(storage, "nowhere"), { seqs: [], more: false, before: undefined });
    const history = await storage.history("r", { limit: 9 });
    const { messages, ...position } = await storage.search("r", { query: parseQuery("w word"), limit: 9 });
    assert.deepEqual(messages, history.messages.filter(({ seq }) => seq !== 2));
    assert.deepEqual(position, { epoch: history.epoch, seq: 6, more: false });
  });

  rule(
    "search: edited words are found as they are now, deleted ones never, whatever else changed in the message",
    async ({ storage }) => {
      await storage.append([say("first draft"), say("draft two"), say("draft three"), edit(1, "second draft")]);
      await storage.append([
        edit(1, "final version"),
        edit(2, "draft 2"),
        remove(3),
        say("neu"),
        edit(8, "neue Worte"),
      ]);
      assert.deepEqual((await page(storage, "first")).seqs, []);
      assert.deepEqual((await page(storage, "second")).seqs, []);
      assert.deepEqual((await page(storage, "draft")).seqs, [2]);
      assert.deepEqual((await page(storage, "final version")).seqs, [1]);
      assert.deepEqual((await page(storage, "three")).seqs, []);
      assert.deepEqual((await page(storage, "neu")).seqs, [8]);
      const [found] = (await storage.search("r", { query: parseQuery("final"), limit: 1 })).messages;
      assert.ok(found.edited !== undefined && found.text === "final version");
      // Back to what it was: nothing that is still to be removed may take it away.
      await storage.append([edit(1, "first draft")]);
      await storage.append([edit(1, "final version")]);
      await storage.append([edit(1, "first draft"), castVote("bob", 1, "yes"), castVote("bob", 2, "yes")]);
      assert.deepEqual((await page(storage, "first draft")).seqs, [1]);
      assert.deepEqual((await page(storage, "final")).seqs, []);
      await storage.append([
        { action: "reset_test_votes", room: "r", user: "eve", from: "Eve", target: 1 } as unknown as Command,
        remove(2),
      ]);
      assert.deepEqual((await page(storage, "first draft")).seqs, [1]);
      assert.deepEqual((await page(storage, "draft")).seqs, [1]);
      await storage.moderation.change("r", { locked: true });
      assert.deepEqual((await page(storage, "first")).seqs, [1]);
    },
    undefined,
    KINDS_WITH_RESET,
  );

  rule("search: what has expired is not found, nor a message of which an edit is still held", async ({ storage }) => {
    await storage.append([say("word 1"), say("word 2"), say("word 3"), edit(1, "word 1 again")]);
    await storage.append([say("word 5"), edit(2, "word 2 again"), say("word 7")]);
    assert.deepEqual((await page(storage, "word")).seqs, [3, 5, 7]);
    assert.deepEqual(await page(storage, "again"), { seqs: [], more: false, before: undefined });
  }, { messages: 3, days: 0 });

  rule("search: what is too old is not found", async ({ storage, clock }) => {
    await storage.append([say("word 1")]);
    clock.set(clock.now() + DAY);
    await storage.append([say("word 2"), edit(1, "x")]);
    assert.deepEqual((await page(storage, "word")).seqs, [2]);
    clock.set(clock.now() + DAY + 1);
    assert.deepEqual((await page(storage, "word")).seqs, []);
  }, { messages: 0, days: 1 });

  rule("search: a page ends at 128 KiB, and none is left out between two", async ({ storage }) => {
    const long = `${"긴 글 ".repeat(1_300)}끝말`;
    for (let at = 0; at < 4; at++) await storage.append(Array.from({ length: 8 }, () => say(long)));
    const { messages, more } = await storage.search("r", { query: parseQuery("끝말"), limit: 100 });
    const bytes = new TextEncoder().encode(JSON.stringify(messages)).length;
    assert.ok(more && bytes <= PAGE_BYTES + 1_000 && bytes > PAGE_BYTES / 2, `${bytes}`);
    assert.deepEqual(await all(storage, parseQuery("끝말"), 100), Array.from({ length: 32 }, (_, at) => 32 - at));
  });

  rule("search: what is found is what the matcher says, in whatever script", async ({ storage }) => {
    const count = name === "sqlite" ? 3_000 : 600;
    const texts = fc.sample(searchableText(), { numRuns: count, seed: 1 }).map((text) => text.toWellFormed() || "…");
    const held = new Map<number, { text: string; user: string }>();
    for (let at = 0; at < count; at += 200) {
      const commands = texts.slice(at, at + 200).map((text, each) =>
        say(text, { user: each % 3 === 0 ? "bob" : "ann" })
      );
      for (const result of await storage.append(commands)) {
        assert.ok("entry" in result && "text" in result.entry && "user" in result.entry);
        held.set(result.entry.seq, { text: result.entry.text!, user: result.entry.user });
      }
      const changed = [...held].filter((_, each) => each % 17 === at % 17).slice(0, 20);
      await storage.append(changed.map(([seq, { user }], each) => {
        if (each % 2 === 0) {
          held.delete(seq);
          return remove(seq, user);
        }
        const text = texts[(at + each * 31) % count];
        held.set(seq, { text, user });
        return edit(seq, text, user);
      }));
    }
    const parts = fc.sample(fc.tuple(searchableText(), fc.nat(9), fc.nat(12), fc.boolean()), { numRuns: 150, seed: 2 });
    let found = 0;
    for (const [at, [text, from, length, isPhrase]] of parts.entries()) {
      const part = text.toWellFormed().slice(from, from + 1 + length).replaceAll('"', "");
      let query;
      try {
        query = parseQuery(isPhrase ? `"${part}"` : part);
      } catch {
        continue;
      }
      const user = at % 4 === 0 ? "bob" : undefined;
      const expected = [...held].filter(([, each]) => matches(query, each.text) && (user ?? each.user) === each.user);
      const seqs = expected.map(([seq]) => seq).sort((one, other) => other - one);
      assert.deepEqual(await all(storage, query, at % 2 === 0 ? 200 : 7, user), seqs, JSON.stringify(query));
      found += seqs.length;
    }
    assert.ok(found > 1_000, `only ${found} were found`);
  });
}
