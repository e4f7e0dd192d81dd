import assert from "node:assert/strict";
import { checkEmoji } from "../../chat/limits/emoji.ts";
import { memoryStorage } from "../../testing/browser/memory_storage.ts";
import { parseEmoji } from "../composer/emoji.ts";
import { atHand, noteGiven } from "./quick.ts";
import { chooseTone, chosenTone, toned, TONES } from "./skin_tone.ts";

Deno.test("the server takes every emoji that is offered, in every skin tone", async () => {
  const all = parseEmoji(await Deno.readTextFile(new URL("../composer/emoji.txt", import.meta.url)));
  const offered = [...atHand(memoryStorage()), ...all.map(({ emoji }) => emoji)];
  for (const emoji of offered) for (const tone of TONES.keys()) checkEmoji(toned(emoji, tone));
  const tones = (emoji: string) => TONES.map((_, tone) => toned(emoji, tone)).join(" ");
  assert.equal(tones("👋"), "👋 👋🏻 👋🏼 👋🏽 👋🏾 👋🏿");
  assert.equal(toned("✌️", 1), "✌🏻");
  assert.equal(toned("🧑‍🤝‍🧑", 5), "🧑🏿‍🤝‍🧑🏿");
  assert.deepEqual([toned("🍕", 3), toned("👪", 3)], ["🍕", "👪"]);
});

Deno.test("what was given lately is at hand, the latest first, and the usual ones fill up", () => {
  const storage = memoryStorage();
  assert.deepEqual(atHand(storage), ["👍", "❤️", "😂", "🎉", "😮", "😢"]);
  for (const emoji of ["🍕", "🎉", "🍕"]) noteGiven(storage, emoji);
  assert.deepEqual(atHand(storage), ["🍕", "🎉", "👍", "❤️", "😂", "😮"]);
  for (const stored of ["{", "{}", "[1, null, '']"]) {
    assert.equal(atHand(memoryStorage({ "parley.reactions": stored })).length, 6);
  }
});

Deno.test("a skin tone is remembered, and what else is stored there is none", () => {
  const storage = memoryStorage();
  chooseTone(storage, 4);
  assert.equal(chosenTone(storage), 4);
  chooseTone(storage, 0);
  assert.equal(chosenTone(storage), 0);
  assert.equal(chosenTone(memoryStorage({ "parley.skin_tone": "99" })), 0);
  assert.equal(chosenTone(memoryStorage({ "parley.skin_tone": "-1" })), 0);
});
