import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { memoryStorage } from "../../testing/browser/memory_storage.ts";
import { emojiWithCode, matchingEmoji, noteUse, parseEmoji, recentEmoji, searchEmoji } from "./emoji.ts";

const table = await Deno.readTextFile(new URL("emoji.txt", import.meta.url));
const all = parseEmoji(table);
const found = (typed: string, recent: string[] = [], limit = 8) =>
  matchingEmoji(all, typed, recent, limit).map(({ emoji }) => emoji);

Deno.test("the table is small, and every emoji has a code and a name in both languages", () => {
  assert.ok(gzipSync(table).length <= 42 * 1024);
  assert.ok(all.length > 1_700);
  for (const { emoji, codes, labels } of all) {
    assert.match(emoji, /^[^\w\s]|[\d#*]\ufe0f\u20e3$/);
    assert.ok(codes[0] && labels.en && labels.ko, emoji);
  }
  assert.equal(new Set(all.map(({ emoji }) => emoji)).size, all.length);
});

Deno.test("an emoji is found by English and by Korean words, what is named so first", () => {
  assert.equal(found("smile")[0], "😄");
  assert.equal(found("+1")[0], "👍");
  assert.equal(found("heart")[0], "❤️");
  assert.equal(found("fire")[0], "🔥");
  assert.equal(found("tad")[0], "🎉");
  assert.equal(found("불")[0], "🔥");
  assert.ok(found("웃").includes("😀") && found("우", [], 400).includes("😀"));
  assert.ok(found("축하", [], 20).includes("🎉"));
  assert.ok(found("하트").includes("❤️"));
  assert.ok(found("korea").includes("🇰🇷") && found("대한").includes("🇰🇷"));
  assert.deepEqual(found("qqqq"), []);
  assert.equal(emojiWithCode(all, "thumbsup")?.emoji, "👍");
  assert.equal(emojiWithCode(all, "party_popper")?.emoji, "🎉");
});

Deno.test("several words are found together, as a name or as what all of them are about", () => {
  const search = (typed: string) => searchEmoji(all, typed, [], 40).map(({ emoji }) => emoji);
  assert.equal(search("waving hand")[0], "👋");
  assert.equal(search("thumbs up")[0], "👍");
  assert.equal(search("빨간색 하트")[0], "❤️");
  assert.ok(search("cat heart").includes("😻") && !search("cat heart").includes("❤️"));
  assert.deepEqual(search("heart"), found("heart", [], 40));
});

Deno.test("what was used lately comes first, but for a name in full", () => {
  const storage = memoryStorage();
  for (const emoji of ["😻", "😺", "😻"]) noteUse(storage, emoji);
  assert.deepEqual(recentEmoji(storage), ["😻", "😺"]);
  assert.deepEqual(found("smil", ["😺", "🥰"]).slice(0, 2), ["😺", "🥰"]);
  assert.equal(found("smile", ["😺"])[0], "😄");
  for (const stored of ["{", "{}", "[1, null]"]) {
    assert.deepEqual(recentEmoji(memoryStorage({ "parley.emoji": stored })), []);
  }
});
