/** The contract of `chat/storage.ts` for answers to messages, which every storage passes. */
import assert from "node:assert/strict";
import { historyAround, messageAt } from "../chat/reading/history.ts";
import { RESUME_LIMIT } from "../chat/protocol.ts";
import { type Command, PAGE_BYTES, type Storage } from "../chat/storage.ts";
import { engines, KEEP_ALL } from "../testing/storage/engines.ts";

const encoder = new TextEncoder();

const say = (text: string, reply_to?: number, more: object = {}): Command => (
  { action: "send_message", room: "r", user: "ann", from: "Ann", text, ...(reply_to && { reply_to }), ...more }
);
const remove = (target: number): Command => (
  { action: "delete_message", room: "r", user: "ann", from: "Ann", target }
);
const edit = (target: number, text: string): Command => (
  { action: "edit_message", room: "r", user: "ann", from: "Ann", target, text }
);
const outcomes = async (storage: Storage, ...commands: Command[]) =>
  (await storage.append(commands)).map((result) => "entry" in result ? result.entry.seq : result.refused);
/** What a page shows of each message: its place, what it answers, and how many answer it. */
const page = async (storage: Storage) =>
  (await storage.history("r", { limit: 99 })).messages.map(({ seq, reply_to, replies }) => [seq, reply_to, replies]);
const answersTo = async (storage: Storage, repliesTo: number, query: { after?: number; limit?: number } = {}) => {
  const { messages, more } = await storage.history("r", { limit: 99, repliesTo, ...query });
  return { seqs: messages.map(({ seq }) => seq), more };
};

for (const { rule } of engines) {
  rule("an answer names its message, which counts it, also within one call", async ({ storage, clock, store }) => {
    assert.deepEqual(await outcomes(storage, say("tea?"), say("yes", 1), say("no", 1), say("why?", 3)), [1, 2, 3, 4]);
    const shown = [[1, undefined, 2], [2, 1, undefined], [3, 1, 1], [4, 3, undefined]];
    assert.deepEqual(await page(storage), shown);
    const { entries } = await storage.read("r", 0);
    assert.deepEqual(entries.map((entry) => "reply_to" in entry ? entry.reply_to : undefined), [undefined, 1, 1, 3]);
    assert.equal(entries.some((entry) => "replies" in entry), false);
    if (!store.lasting) return;
    const other = await store.open({ clock });
    assert.deepEqual(await page(other), shown);
    await other.close();
  });

  rule("what can't be answered is not_found, and nothing is left behind", async ({ storage }) => {
    await storage.append([say("tea?"), edit(1, "Tea?"), say("gone"), remove(3), say("elsewhere", 0, { room: "q" })]);
    const seq = (await storage.read("r", 0)).seq;
    for (const nothing of [2, 4, 5, 99, seq + 1]) {
      assert.deepEqual(await outcomes(storage, say("x", nothing, { id: "k" })), ["not_found"], String(nothing));
    }
    assert.deepEqual(await outcomes(storage, say("x", 3, { id: "k" })), ["not_found"]);
    assert.deepEqual(await outcomes(storage, say("x", 2, { room: "q" })), ["not_found"]);
    assert.equal((await storage.read("r", 0)).seq, seq);
    // Nor is the id used up.
    assert.deepEqual(await outcomes(storage, say("x", 1, { id: "k" }), say("x", 1, { id: "k" })), [seq + 1, seq + 1]);
    assert.deepEqual((await page(storage))[0], [1, undefined, 1]);
  });

  rule("a deleted answer counts no more, also within one call, and keeps what it answered", async ({ storage }) => {
    await storage.append([say("tea?"), say("yes", 1), say("no", 1), say("why?", 3)]);
    assert.deepEqual(await outcomes(storage, say("well", 1), remove(5), remove(3), remove(3)), [5, 6, 7, "not_found"]);
    assert.deepEqual(await page(storage), [[1, undefined, 1], [2, 1, undefined], [3, 1, 1], [4, 3, undefined], [
      5,
      1,
      undefined,
    ]]);
    assert.deepEqual(await answersTo(storage, 1), { seqs: [2], more: false });
    // One that answers a deleted message stays, and so does its count.
    await storage.append([remove(1)]);
    assert.deepEqual((await page(storage))[0], [1, undefined, 1]);
    assert.deepEqual(await answersTo(storage, 1), { seqs: [2], more: false });
    assert.deepEqual(await outcomes(storage, say("late", 1)), ["not_found"]);
  });

  rule("an edit leaves what a message answers, and its own answers", async ({ storage }) => {
    await storage.append([say("tea?"), say("yes", 1), say("why?", 2), edit(2, "Yes!"), edit(1, "Tea?")]);
    assert.deepEqual(await page(storage), [[1, undefined, 1], [2, 1, 1], [3, 2, undefined]]);
  });

  rule("the answers to a message come in order, page by page", async ({ storage }) => {
    await storage.append([say("a"), say("b")]);
    for (let each = 0; each < 5; each++) await storage.append([say(`to a ${each}`, 1), say(`to b ${each}`, 2)]);
    assert.deepEqual(await answersTo(storage, 1, { limit: 2 }), { seqs: [3, 5], more: true });
    assert.deepEqual(await answersTo(storage, 1, { limit: 2, after: 5 }), { seqs: [7, 9], more: true });
    assert.deepEqual(await answersTo(storage, 1, { limit: 2, after: 9 }), { seqs: [11], more: false });
    assert.deepEqual(await answersTo(storage, 3), { seqs: [], more: false });
    const { messages, seq } = await storage.history("r", { limit: 1, repliesTo: 2 });
    assert.deepEqual([messages[0].text, seq], ["to b 0", 12]);
  });

  rule("an expired message can't be answered, and its answers stay", async ({ storage, clock, store }) => {
    await storage.append([say("a"), say("b", 1), say("c", 1)]);
    await storage.append([say("d", 2)]);
    assert.deepEqual(await outcomes(storage, say("late", 1)), ["not_found"]);
    assert.deepEqual(await page(storage), [[2, 1, 1], [3, 1, undefined], [4, 2, undefined]]);
    assert.deepEqual(await answersTo(storage, 1), { seqs: [], more: false }, "nobody is told what answers it");
    assert.deepEqual(await answersTo(storage, 2), { seqs: [4], more: false });
    await storage.append([say("e"), say("f")]);
    assert.equal((await historyAround(storage, "r", 4, 1)).more, false, "all before it has expired");
    assert.deepEqual((await page(storage))[0], [4, 2, undefined]);
    if (!store.lasting) return;
    const other = await store.open({ clock, retention: { messages: 3, days: 0 } });
    assert.deepEqual((await page(other))[0], [4, 2, undefined]);
    await other.close();
  }, { messages: 3, days: 0 });

  rule("one message is read by its place, and a page around it has it in its middle", async ({ storage }) => {
    await storage.append(Array.from({ length: 20 }, (_, at) => say(`m${at + 1}`)));
    await storage.append([edit(5, "five"), remove(6), say("an answer", 5)]);
    const { message, seq } = await messageAt(storage, "r", 5);
    assert.deepEqual([message.text, message.replies, seq], ["five", 1, 23]);
    assert.equal((await messageAt(storage, "r", 6)).message.deleted, true);
    for (const nothing of [0, 21, 22, 24, RESUME_LIMIT]) {
      await assert.rejects(messageAt(storage, "r", nothing), { code: "not_found" }, String(nothing));
    }
    const around = async (place: number, limit: number) => {
      const { messages, more } = await historyAround(storage, "r", place, limit);
      return [messages.map(({ seq }) => seq), more];
    };
    assert.deepEqual(await around(10, 4), [[8, 9, 10, 11], true]);
    assert.deepEqual(await around(10, 1), [[10], true]);
    assert.deepEqual(await around(1, 5), [[1, 2, 3], false]);
    assert.deepEqual(await around(22, 4), [[19, 20, 23], true]);
    assert.deepEqual(await around(99, 4), [[20, 23], true]);
    // Both halves together are one page.
    await storage.append(Array.from({ length: 60 }, () => say("커".repeat(3_900), 0, { room: "long" })));
    const { messages, more } = await historyAround(storage, "long", 31, 60);
    assert.ok(encoder.encode(JSON.stringify(messages)).length <= PAGE_BYTES);
    assert.deepEqual([messages.length, messages[5].seq, more], [11, 31, true]);
  });

  rule("many servers' answers to one message are all counted", async ({ storage, clock, store }) => {
    if (!store.shared) return;
    const other = await store.open({ clock, retention: KEEP_ALL });
    await storage.append([say("tea?")]);
    const both = Array.from({ length: 20 }, (_, at) => [storage, other][at % 2]);
    await Promise.all(both.map((each, at) => each.append([say(`answer ${at}`, 1)])));
    assert.deepEqual((await page(other))[0], [1, undefined, 20]);
    await Promise.all([2, 3, 4, 5].map((seq, at) => both[at].append([remove(seq)])));
    assert.deepEqual((await page(storage))[0], [1, undefined, 16]);
    assert.equal((await answersTo(storage, 1)).seqs.length, 16);
    await other.close();
  });
}
