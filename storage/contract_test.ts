/** The contract of `chat/storage.ts`, which every storage passes. */
import assert from "node:assert/strict";
import { type AppendResult, IDEMPOTENCY_WINDOW, type Retention } from "../chat/rulebook.ts";
import {
  type ClusterEvent,
  type Command,
  type LogNotification,
  type NameOffer,
  PAGE_BYTES,
  type Storage,
} from "../chat/storage.ts";
import { type Entry, type ReceiveMessage, RESUME_LIMIT } from "../chat/protocol.ts";
import type { Document, Kind } from "../chat/entries/kind.ts";
import { KINDS } from "../chat/entries/kinds.ts";
import { FakeClock } from "../testing/clock.ts";
import { engines, KEEP_ALL } from "../testing/storage/engines.ts";
import { injectFaults } from "../testing/storage/faulty_notifications.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
import { giveOne, offer } from "../testing/storage/names.ts";
import { LogView } from "../testing/storage/log_view.ts";
import { quietly } from "../testing/quietly.ts";
import { until } from "../testing/until.ts";
import { BROKEN_CHOICE, castVote, KINDS_WITH_RESET, KINDS_WITH_VOTE } from "../testing/storage/vote.ts";

const DAY = 24 * 60 * 60 * 1000;

const say = (text: string, more: { id?: string; user?: string; room?: string } = {}): Command => {
  const { user = "ann", room = "r" } = more;
  const command: Command = { action: "send_message", room, user, from: user.toUpperCase(), text };
  return more.id === undefined ? command : { ...command, id: more.id };
};
const edit = (target: number, text: string, more: { id?: string; user?: string } = {}): Command => (
  { action: "edit_message", from: "Ann", room: "r", user: "ann", target, text, ...more }
);
const remove = (target: number, more: { id?: string; user?: string } = {}): Command => (
  { action: "delete_message", from: "Ann", room: "r", user: "ann", target, ...more }
);
const entryOf = (result: AppendResult): Entry => {
  assert.ok("entry" in result, JSON.stringify(result));
  return result.entry;
};
const appendOne = async (storage: Storage, command: Command) => (await storage.append([command]))[0];
const texts = (messages: ReceiveMessage[]) => messages.map(({ text }) => text);

for (const { rule } of engines) {
  rule(
    "the entries of each room are numbered from 1 without gaps, whatever their kind",
    async ({ storage }) => {
      const results = await storage.append([
        say("a"),
        say("x", { room: "other" }),
        edit(1, "b"),
        remove(9),
        remove(1),
        say("c"),
      ]);
      const seqs = results.map((result) => "entry" in result ? result.entry.seq : result.refused);
      assert.deepEqual(seqs, [1, 1, 2, "not_found", 3, 4]);
      assert.equal(entryOf(await appendOne(storage, say("d"))).seq, 5);
    },
  );

  rule("a text of any characters comes back as it was sent", async ({ storage, clock }) => {
    const text = ' <b>"quoted"</b>\n\t한국어 😀 \u2028 {"a":1} \\ ';
    const entry = entryOf(await appendOne(storage, say(text, { id: 'i"d' })));
    const message = {
      action: "receive_message",
      room: "r",
      seq: 1,
      user: "ann",
      from: "ANN",
      text,
      date: clock.now(),
      id: 'i"d',
    };
    assert.deepEqual(entry, message);
    assert.deepEqual((await storage.history("r", { limit: 9 })).messages, [message]);
    assert.deepEqual((await storage.read("r", 0)).entries, [message]);
    assert.equal("id" in entryOf(await appendOne(storage, say("no id"))), false);
  });

  rule("no date is earlier than the one before it, though the clock goes back", async ({ storage, clock }) => {
    const start = clock.now();
    const dates = [];
    for (const now of [start, start + 10, start - 60_000, start + 5, start + 11]) {
      clock.set(now);
      dates.push(entryOf(await appendOne(storage, say("x"))).date - start);
    }
    assert.deepEqual(dates, [0, 10, 10, 10, 11]);
    clock.set(start);
    const edited = entryOf(await appendOne(storage, edit(1, "y"))).date;
    assert.equal(edited - start, 11);
    assert.equal((await storage.history("r", { limit: 9 })).messages[0].edited, edited);
  });

  rule("the same id from the same person in the same room never makes a second entry", async ({ storage }) => {
    const first = await appendOne(storage, say("once", { id: "k" }));
    assert.deepEqual(await appendOne(storage, say("again", { id: "k" })), { entry: entryOf(first), repeated: true });
    const [one, two] = await storage.append([say("twin", { id: "t" }), say("twin", { id: "t" })]);
    assert.deepEqual([one, two], [{ entry: entryOf(one), repeated: false }, { entry: entryOf(one), repeated: true }]);
    const others = [
      say("other person", { id: "k", user: "bob" }),
      say("other room", { id: "k", room: "q" }),
      edit(1, "edit", { id: "k" }),
    ];
    for (const result of await storage.append(others)) assert.equal("repeated" in result && result.repeated, false);
    assert.equal((await storage.history("r", { limit: 9 })).seq, 4);
    assert.deepEqual(await appendOne(storage, edit(1, "edit", { id: "k" })), {
      entry: entryOf(await appendOne(storage, edit(1, "edit", { id: "k" }))),
      repeated: true,
    });
    assert.equal((await storage.history("r", { limit: 9 })).seq, 4);
  });

  rule("an id is one person's, and one for each kind of action", async ({ storage, clock }) => {
    const message = entryOf(await appendOne(storage, say("one", { id: "k" })));
    const edited = entryOf(await appendOne(storage, edit(1, "two", { id: "k" })));
    await appendOne(storage, edit(1, "three"));
    assert.deepEqual(entryOf(await appendOne(storage, edit(1, "two", { id: "k" }))), { ...edited, text: "three" });
    assert.deepEqual(entryOf(await appendOne(storage, say("one", { id: "k" }))), {
      ...message,
      text: "three",
      edited: clock.now(),
    });
    const deleted = await appendOne(storage, remove(1, { id: "k" }));
    assert.deepEqual(await appendOne(storage, remove(1, { id: "k" })), { entry: entryOf(deleted), repeated: true });
    assert.deepEqual(await appendOne(storage, remove(1, { id: "k", user: "bob" })), { refused: "not_found" });
  });

  rule("a refused command uses up neither a place nor its id", async ({ storage }) => {
    assert.deepEqual(await appendOne(storage, edit(1, "x", { id: "k" })), { refused: "not_found" });
    await appendOne(storage, say("x"));
    assert.equal(entryOf(await appendOne(storage, edit(1, "x", { id: "k" }))).seq, 2);
  });

  rule("only the author changes a message, and only one that is there", async ({ storage }) => {
    await storage.append([say("mine"), edit(1, "still mine")]);
    const refused = await storage.append([
      edit(1, "yours", { user: "bob" }),
      remove(1, { user: "bob" }),
      edit(2, "an edit is no message"),
      edit(0, "x"),
      edit(99, "x"),
      remove(1),
      edit(1, "gone"),
      remove(1),
    ]);
    const results = refused.map((result) => "entry" in result ? result.entry.seq : result.refused);
    assert.deepEqual(results, [
      "forbidden",
      "forbidden",
      "not_found",
      "not_found",
      "not_found",
      3,
      "not_found",
      "not_found",
    ]);
  });

  rule("history shows messages in their present state, and the old text is nowhere", async ({ storage, clock }) => {
    await storage.append([say("secret one", { id: "k" }), say("secret two"), say("three")]);
    clock.set(clock.now() + 5);
    await storage.append([edit(1, "secret draft"), edit(1, "final"), remove(2)]);
    const { messages, seq } = await storage.history("r", { limit: 9 });
    assert.equal(seq, 6);
    assert.deepEqual(messages.map(({ seq, text, edited, deleted }) => ({ seq, text, edited, deleted })), [
      { seq: 1, text: "final", edited: clock.now(), deleted: undefined },
      { seq: 2, text: undefined, edited: undefined, deleted: true },
      { seq: 3, text: "three", edited: undefined, deleted: undefined },
    ]);
    assert.equal("text" in messages[1], false);
    const { entries } = await storage.read("r", 0);
    assert.deepEqual(entries.map(({ action, seq }) => [action, seq]), [
      ["receive_message", 1],
      ["receive_message", 2],
      ["receive_message", 3],
      ["message_edited", 4],
      ["message_edited", 5],
      ["message_deleted", 6],
    ]);
    assert.doesNotMatch(JSON.stringify([messages, entries]), /secret/);
    const repeated = await appendOne(storage, say("secret one", { id: "k" }));
    assert.equal((entryOf(repeated) as ReceiveMessage).text, "final");
  });

  rule(
    "only who said a deleted message and when is left of it, and no word of its edits",
    async ({ storage, clock }) => {
      const date = clock.now();
      await storage.append([say("secret one", { id: "k" }), edit(1, "secret two", { id: "e" })]);
      await clock.advance(5);
      await storage.append([remove(1)]);
      const message = {
        action: "receive_message",
        room: "r",
        seq: 1,
        user: "ann",
        from: "ANN",
        date,
        id: "k",
        edited: date,
        deleted: true,
      };
      const edited = { action: "message_edited", room: "r", seq: 2, target: 1, user: "ann", text: "", date, id: "e" };
      const deleted = { action: "message_deleted", room: "r", seq: 3, target: 1, user: "ann", date: date + 5 };
      assert.deepEqual((await storage.history("r", { limit: 9 })).messages, [message]);
      assert.deepEqual((await storage.read("r", 0)).entries, [message, edited, deleted]);
      assert.deepEqual(entryOf(await appendOne(storage, say("secret one", { id: "k" }))), message);
      assert.deepEqual(entryOf(await appendOne(storage, edit(1, "secret two", { id: "e" }))), edited);
    },
  );

  rule("an entry that a subscriber has got does not change with its message", async ({ storage }) => {
    const heard: Entry[] = [];
    storage.subscribe("r", ({ entries }) => heard.push(...entries));
    await storage.append([say("one")]);
    await storage.append([edit(1, "two")]);
    await storage.append([edit(1, "three")]);
    await storage.append([remove(1)]);
    assert.deepEqual(heard.map((entry) => "text" in entry && entry.text), ["one", "two", "three", false]);
  });

  rule("a page of history counts only messages, and a catch-up counts all entries", async ({ storage }) => {
    await storage.append([say("m1"), edit(1, "m1"), edit(1, "m1"), say("m4"), remove(1), say("m6")]);
    for (const query of [{ limit: 3 }, { limit: 3, after: 0 }, { limit: 3, before: 7 }]) {
      const { messages, more } = await storage.history("r", query);
      assert.deepEqual([messages.map(({ seq }) => seq), more], [[1, 4, 6], false]);
    }
    assert.deepEqual((await storage.read("r", 2)).entries.map(({ seq }) => seq), [3, 4, 5, 6]);
  });

  rule("pages of history meet without overlap, from either side", async ({ storage }) => {
    await storage.append(Array.from({ length: 10 }, (_, at) => say(`m${at + 1}`)));
    await storage.append([edit(3, "m3"), say("m12")]);
    const page = (query: { limit: number; before?: number; after?: number }) =>
      storage.history("r", query).then(({ messages, more, seq }) => ({ texts: texts(messages), more, seq }));
    assert.deepEqual(await page({ limit: 3 }), { texts: ["m9", "m10", "m12"], more: true, seq: 12 });
    assert.deepEqual(await page({ limit: 3, before: 9 }), { texts: ["m6", "m7", "m8"], more: true, seq: 12 });
    assert.deepEqual(await page({ limit: 5, before: 6 }), {
      texts: ["m1", "m2", "m3", "m4", "m5"],
      more: false,
      seq: 12,
    });
    assert.deepEqual(await page({ limit: 3, after: 0 }), { texts: ["m1", "m2", "m3"], more: true, seq: 12 });
    assert.deepEqual(await page({ limit: 3, after: 9 }), { texts: ["m10", "m12"], more: false, seq: 12 });
    assert.deepEqual(await page({ limit: 3, after: 12 }), { texts: [], more: false, seq: 12 });
    assert.deepEqual(await page({ limit: 3, after: 99 }), { texts: [], more: false, seq: 12 });
    assert.deepEqual(await page({ limit: 3, before: 1 }), { texts: [], more: false, seq: 12 });
  });

  rule("a room of which nothing is known is empty", async ({ storage }) => {
    const { epoch, ...history } = await storage.history("nowhere", { limit: 9 });
    assert.deepEqual(history, { seq: 0, messages: [], more: false });
    assert.deepEqual(await storage.read("nowhere", 0), { epoch, seq: 0, entries: [], complete: true });
    assert.equal((await storage.read("nowhere", 1)).complete, false);
  });

  rule("a page ends at 128 KiB of JSON, whatever the script", async ({ storage }) => {
    const encoder = new TextEncoder();
    for (
      const [room, text] of [["latin", "x".repeat(4_000)], ["korean", "가".repeat(4_000)], [
        "escapes",
        "\u0001".repeat(4_000),
      ]]
    ) {
      await storage.append(Array.from({ length: 100 }, () => say(text, { room })));
      const newest = await storage.history(room, { limit: 200 });
      const oldest = await storage.history(room, { limit: 200, after: 0 });
      const missed = await storage.read(room, 0);
      for (
        const [page, rows] of [[newest, newest.messages], [oldest, oldest.messages], [missed, missed.entries]] as const
      ) {
        const bytes = rows.reduce((sum, row) => sum + encoder.encode(JSON.stringify(row)).length, 0);
        assert.ok(bytes <= PAGE_BYTES && bytes > PAGE_BYTES - 30_000, `${room}: ${bytes}`);
        assert.equal("more" in page ? page.more : !page.complete, true);
      }
      assert.equal(newest.messages.at(-1)!.seq, 100);
      assert.equal(missed.entries[0].seq, 1);
    }
  });

  rule("a page may have 128 KiB to the byte, and one message whatever its length", async ({ storage }) => {
    const room = "full";
    const bytes = (entry: Entry) => JSON.stringify(entry).length;
    const rest = bytes(entryOf(await appendOne(storage, say("", { room }))));
    const quarter = "x".repeat(PAGE_BYTES / 4 - rest);
    await storage.append(Array.from({ length: 4 }, () => say(quarter, { room })));
    const seqs = async (room: string, query: { after?: number; before?: number }) => {
      const { messages, more } = await storage.history(room, { limit: 9, ...query });
      return [messages.map(({ seq }) => seq), more];
    };
    assert.deepEqual(await seqs(room, { after: 1 }), [[2, 3, 4, 5], false]);
    assert.deepEqual(await seqs(room, {}), [[2, 3, 4, 5], true]);
    assert.equal((await storage.read(room, 1)).complete, true);
    await storage.append([say(`${quarter}x`, { room })]);
    assert.deepEqual(await seqs(room, {}), [[4, 5, 6], true]);
    assert.deepEqual(await seqs(room, { after: 2 }), [[3, 4, 5], true]);
    assert.deepEqual((await storage.read(room, 2)).entries.map(({ seq }) => seq), [3, 4, 5]);

    const long = "\u0001".repeat(PAGE_BYTES / 6 + 1);
    await storage.append([say(long, { room: "long" }), say(long, { room: "long" })]);
    assert.deepEqual((await seqs("long", {}))[0], [2]);
    assert.deepEqual((await seqs("long", { after: 0 }))[0], [1]);
    assert.equal((await storage.read("long", 0)).entries.length, 1);
  });

  rule("a catch-up is complete up to a thousand entries, and never from beyond the head", async ({ storage }) => {
    await storage.append(Array.from({ length: RESUME_LIMIT + 1 }, () => say("x")));
    const exact = await storage.read("r", 1);
    const seqs = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, at) => from + at);
    assert.deepEqual([exact.complete, exact.seq], [true, RESUME_LIMIT + 1]);
    assert.deepEqual(exact.entries.map(({ seq }) => seq), seqs(2, RESUME_LIMIT + 1));
    const oldest = await storage.history("r", { limit: 200, after: 0 });
    assert.deepEqual(oldest.messages.map(({ seq }) => seq), seqs(1, 200));
    const before = await storage.history("r", { limit: 200, before: 901 });
    assert.deepEqual(before.messages.map(({ seq }) => seq), seqs(701, 900));
    const part = await storage.read("r", 0);
    assert.deepEqual([part.complete, part.entries.length, part.entries[0].seq], [false, RESUME_LIMIT, 1]);
    assert.deepEqual((await storage.read("r", RESUME_LIMIT + 1)).complete, true);
    assert.deepEqual((await storage.read("r", RESUME_LIMIT + 2)).complete, false);
  });

  rule(
    "subscribers are told what is new in their room, in order and once it is stored, until they unsubscribe",
    async ({ storage }) => {
      const heard: LogNotification[] = [];
      const stop = storage.subscribe("r", (notification) => heard.push(notification));
      await storage.append([say("a"), say("elsewhere", { room: "q" }), say("b", { id: "k" })]);
      await storage.append([say("b", { id: "k" }), remove(77), edit(1, "c")]);
      const { epoch } = await storage.read("r", 0);
      assert.deepEqual(heard.flatMap(({ entries }) => entries.map(({ seq }) => seq)), [1, 2, 3]);
      assert.ok(heard.every((notification) => notification.epoch === epoch));
      stop();
      await storage.append([say("d")]);
      assert.equal(heard.flatMap(({ entries }) => entries).length, 3);
    },
  );

  rule(
    "notifications that are dropped, doubled or out of order change nobody's view in the end",
    async ({ storage, clock }) => {
      let seed = 20261122;
      const heal = injectFaults(storage, () => (seed = seed * 48_271 % 2_147_483_647) / 2_147_483_647);
      const { chat } = createChat({ clock, storage });
      const clients = ["ann", "bob", "eve"].map((user) => new FakeClient(chat, user, ["r"]));
      await until(() => clients.every((client) => client.all("room_joined").length === 1));
      for (let said = 0; said < 60;) {
        for (const client of clients) client.session.receive({ action: "send_message", room: "r", text: `${said++}` });
        // Each flush cycle of the chat is one notification.
        await until(async () => (await storage.read("r", 0)).seq === said);
      }
      await heal();
      const { entries } = await storage.read("r", 0);
      for (const client of clients) {
        await until(() => client.all("receive_message").length >= entries.length);
        assert.deepEqual(client.all("receive_message"), entries);
      }
      chat.close();
    },
  );

  rule("subscribers are told of another epoch, and the log stays as it is", async ({ storage }) => {
    await storage.append([say("a")]);
    const heard: LogNotification[] = [];
    storage.subscribe("r", (notification) => heard.push(notification));
    const { epoch } = await storage.read("r", 0);
    await storage.renewEpoch();
    const after = await storage.read("r", 0);
    assert.notEqual(after.epoch, epoch);
    assert.deepEqual(heard, [{ epoch: after.epoch, entries: [] }]);
    assert.deepEqual([after.seq, after.entries.length], [1, 1]);
  });

  rule(
    "one room, also an empty one, can begin another epoch, and the others keep theirs",
    async ({ storage, store, clock }) => {
      await storage.append([say("a"), say("b", { room: "q" })]);
      const epochs = async (from = storage) =>
        await Promise.all(["r", "q", "empty"].map(async (room) => (await from.read(room, 0)).epoch));
      const before = await epochs();
      assert.equal(new Set(before).size, 1);
      const heard: string[] = [];
      for (const room of ["r", "q"]) storage.subscribe(room, ({ epoch }) => heard.push(`${room} ${epoch}`));
      await storage.history("r", { limit: 1 });
      for (const room of ["r", "empty"]) await storage.renewEpoch(room);
      const after = await epochs();
      assert.deepEqual([after[1], new Set([...before, ...after]).size], [before[1], 3]);
      await until(() => heard.length === 1);
      assert.deepEqual(heard, [`r ${after[0]}`]);
      const [result] = await storage.append([say("c")]);
      assert.equal(entryOf(result).seq, 2);
      assert.deepEqual(await epochs(), after);
      if (store.lasting) {
        const again = await store.open({ clock });
        assert.deepEqual(await epochs(again), after);
        await again.close();
      }
      await storage.renewEpoch();
      const renewed = await epochs();
      assert.deepEqual([new Set(renewed).size, new Set([...after, ...renewed]).size], [1, 4]);
    },
  );

  rule("beyond the number of messages to keep the oldest expire, and numbering goes on", async ({ storage }) => {
    await storage.append(Array.from({ length: 30 }, (_, at) => say(`m${at + 1}`, { id: `k${at + 1}` })));
    assert.deepEqual(
      texts((await storage.history("r", { limit: 99 })).messages).slice(-10),
      [21, 22, 23, 24, 25, 26, 27, 28, 29, 30].map((at) => `m${at}`),
    );
    const { messages, more, seq } = await storage.history("r", { limit: 99, before: 1e9 });
    assert.deepEqual([messages.length, more, seq], [10, false, 30]);
    assert.equal((await storage.read("r", 5)).complete, false, "expired");
    assert.equal((await storage.read("r", 20)).complete, true);
    assert.deepEqual(await appendOne(storage, edit(1, "x")), { refused: "not_found" });
    assert.equal(entryOf(await appendOne(storage, say("next"))).seq, 31);
  }, { messages: 10, days: 0 });

  rule(
    "messages expire after the days to keep them, also in a room where nobody speaks",
    async ({ storage, clock }) => {
      await storage.append([say("old")]);
      await clock.advance(2 * DAY);
      await storage.append([say("new")]);
      await clock.advance(DAY + 1);
      assert.deepEqual(texts((await storage.history("r", { limit: 9 })).messages), ["new"]);
      await clock.advance(2 * DAY);
      const { messages, seq } = await storage.history("r", { limit: 9 });
      assert.deepEqual([messages, seq], [[], 2]);
      assert.equal((await storage.read("r", 1)).complete, false);
      assert.equal((await storage.read("r", 2)).complete, true);
    },
    { messages: 0, days: 3 },
  );

  rule("a message is held for all of its days, and not a millisecond longer", async ({ storage, clock }) => {
    await storage.append([say("first", { id: "k" })]);
    await clock.advance(DAY);
    await storage.append([say("second")]);
    await clock.advance(2 * DAY);
    const shown = async () => {
      const pages = [];
      for (const query of [{}, { after: 0 }, { before: 3 }]) {
        pages.push(texts((await storage.history("r", { limit: 9, ...query })).messages));
      }
      return pages;
    };
    assert.deepEqual(await shown(), Array(3).fill(["first", "second"]));
    assert.equal((await storage.read("r", 0)).complete, true);
    assert.equal((entryOf(await appendOne(storage, say("first", { id: "k" }))) as ReceiveMessage).text, "first");
    assert.deepEqual(await appendOne(storage, edit(1, "x", { user: "bob" })), { refused: "forbidden" });
    await clock.advance(1);
    assert.deepEqual(await appendOne(storage, edit(1, "x")), { refused: "not_found" });
    assert.deepEqual(await appendOne(storage, remove(1)), { refused: "not_found" });
    const { entries, complete } = await storage.read("r", 0);
    assert.deepEqual([entries.map(({ seq }) => seq), complete], [[2], false]);
    assert.deepEqual(await shown(), Array(3).fill(["second"]));
    assert.equal((await storage.read("r", 1)).complete, true);
  }, { messages: 0, days: 3 });

  rule("as many messages are held as are to be kept, and not one more, also within one call", async ({ storage }) => {
    await storage.append([say("m1", { id: "k" }), say("m2"), say("m3", { user: "bob" })]);
    assert.equal((await storage.read("r", 0)).complete, true);
    assert.equal((entryOf(await appendOne(storage, say("m1", { id: "k" }))) as ReceiveMessage).text, "m1");
    assert.deepEqual(await appendOne(storage, edit(1, "x", { user: "bob" })), { refused: "forbidden" });
    const [, ...refused] = await storage.append([say("m4"), edit(1, "x"), remove(1), edit(2, "x", { user: "bob" })]);
    assert.deepEqual(refused, [{ refused: "not_found" }, { refused: "not_found" }, { refused: "forbidden" }]);
    for (const query of [{}, { after: 0 }, { before: 5 }]) {
      const { messages, more } = await storage.history("r", { limit: 3, ...query });
      assert.deepEqual([texts(messages), more], [["m2", "m3", "m4"], false]);
    }
    assert.deepEqual((await storage.history("r", { limit: 3, before: 2 })).messages, []);
    const { entries, complete } = await storage.read("r", 0);
    assert.deepEqual([entries.map(({ seq }) => seq), complete], [[2, 3, 4], false]);
    assert.deepEqual((await storage.read("r", 1)).complete, true);
  }, { messages: 3, days: 0 });

  rule("where both a number and days are set, a message expires with the first of them", async ({ storage, clock }) => {
    await storage.append([say("m1"), say("m2"), say("m3")]);
    const shown = async () => texts((await storage.history("r", { limit: 9 })).messages);
    assert.deepEqual(await shown(), ["m2", "m3"]);
    await clock.advance(DAY);
    await storage.append([say("m4")]);
    assert.deepEqual(await shown(), ["m3", "m4"]);
    await clock.advance(1);
    assert.deepEqual(await shown(), ["m4"]);
    assert.deepEqual(await appendOne(storage, edit(3, "x")), { refused: "not_found" });
  }, { messages: 2, days: 1 });

  rule(
    "a repeated id of an expired entry brings its place and no words, whatever its kind",
    async ({ storage, clock }) => {
      const date = clock.now();
      await storage.append([say("before")]);
      clock.set(date - 5);
      const asked = [say("secret", { id: "k" }), edit(2, "secret", { id: "k" }), remove(4, { id: "k" })];
      await storage.append([asked[0], asked[1], say("x"), asked[2], say("y")]);
      await clock.advance(5);
      const common = { room: "r", user: "ann", date, id: "k" };
      const results = await storage.append(asked);
      assert.deepEqual(results.map((result) => "repeated" in result && result.repeated), [true, true, true]);
      const [message, edited, deleted] = results.map(entryOf);
      const { edited: _, ...rest } = message as ReceiveMessage;
      assert.deepEqual(rest, { action: "receive_message", seq: 2, from: "ANN", deleted: true, ...common });
      assert.deepEqual(edited, { action: "message_edited", seq: 3, target: 2, text: "", ...common });
      assert.deepEqual(deleted, { action: "message_deleted", seq: 5, target: 4, ...common });
    },
    { messages: 1, days: 0 },
  );

  rule("after a thousand messages in one call only those that are to be kept are shown", async ({ storage }) => {
    await storage.append(Array.from({ length: 1_200 }, (_, at) => say(`m${at + 1}`)));
    for (const query of [{}, { after: 0 }]) {
      assert.deepEqual(texts((await storage.history("r", { limit: 9, ...query })).messages), ["m1199", "m1200"]);
    }
    assert.deepEqual((await storage.read("r", 0)).entries.map(({ seq }) => seq), [1_199, 1_200]);
  }, { messages: 2, days: 0 });

  rule("when less is to be kept than before, the rest is not shown any more", async ({ storage, clock, store }) => {
    if (!store.lasting) return;
    await storage.append([say("m1"), say("m2")]);
    await clock.advance(DAY);
    await storage.append([say("m3"), say("m4")]);
    await clock.advance(1);
    const less: [Retention, string[]][] = [
      [{ messages: 3, days: 0 }, ["m2", "m3", "m4"]],
      [{ messages: 0, days: 1 }, ["m3", "m4"]],
      [{ messages: 1, days: 1 }, ["m4"]],
    ];
    for (const [retention, held] of less) {
      const other = await store.open({ clock, retention });
      for (const query of [{}, { after: 0 }]) {
        assert.deepEqual(texts((await other.history("r", { limit: 9, ...query })).messages), held);
      }
      assert.equal((await other.read("r", 0)).entries.length, held.length);
      assert.deepEqual(await appendOne(other, edit(1, "x")), { refused: "not_found" });
      await other.close();
    }
  });

  rule("an id is remembered for as long as its message is held", async ({ storage, clock }) => {
    await storage.append([say("first"), say("second", { id: "k" })]);
    await clock.advance(2 * IDEMPOTENCY_WINDOW);
    await storage.append([say("third")]);
    const repeated = await appendOne(storage, say("second", { id: "k" }));
    assert.deepEqual([entryOf(repeated).seq, (entryOf(repeated) as ReceiveMessage).text], [2, "second"]);
  }, { messages: 2, days: 0 });

  rule("an id that is used again after its time belongs to the newer message", async ({ storage, clock }) => {
    await storage.append([say("old", { id: "k" })]);
    await clock.advance(DAY + 60_000);
    assert.deepEqual((await storage.history("r", { limit: 9 })).messages, []);
    const { entry } = await appendOne(storage, say("new", { id: "k" })) as { entry: Entry };
    assert.equal(entry.seq, 2);
    assert.deepEqual(await appendOne(storage, say("new", { id: "k" })), { entry, repeated: true });
  }, { messages: 0, days: 1 });

  rule("an id is remembered for a day at least, longer than its message is held", async ({ storage, clock }) => {
    await storage.append([say("first", { id: "k" }), say("second"), say("third")]);
    await clock.advance(IDEMPOTENCY_WINDOW - 1);
    const repeated = await appendOne(storage, say("first", { id: "k" }));
    assert.deepEqual([
      entryOf(repeated).seq,
      (entryOf(repeated) as ReceiveMessage).deleted,
      "repeated" in repeated && repeated.repeated,
    ], [1, true, true]);
    await clock.advance(1);
    await storage.append([say("fourth")]);
    assert.equal(entryOf(await appendOne(storage, say("first", { id: "k" }))).seq, 5);
  }, { messages: 1, days: 0 });

  rule(
    "an id whose time is over can be used again before its entry is removed, and the order stays",
    async ({ storage, clock }) => {
      await storage.append([say("old", { id: "k" }), edit(1, "kept by its edit")]);
      clock.set(clock.now() + IDEMPOTENCY_WINDOW);
      await storage.append([say("x")]);
      const results = await storage.append([say("new", { id: "k" }), say("second")]);
      assert.deepEqual(results.map((result) => entryOf(result).seq), [4, 5]);
      assert.deepEqual(texts((await storage.history("r", { limit: 1, after: 3 })).messages), ["second"]);
      const again = await appendOne(storage, say("new", { id: "k" }));
      assert.deepEqual([entryOf(again).seq, "repeated" in again && again.repeated], [4, true]);
    },
    { messages: 1, days: 0 },
  );

  rule("expired entries that are not removed yet take no place in a page", async ({ storage, clock }) => {
    await storage.append([say("m1"), say("m2"), say("m3")]);
    await storage.append(Array.from({ length: RESUME_LIMIT + 100 }, (_, at) => say(`n${at}`, { room: "q" })));
    clock.set(clock.now() + DAY + 1);
    await storage.append([say("m4"), say("last", { room: "q" })]);
    assert.deepEqual(texts((await storage.history("r", { limit: 2, after: 0 })).messages), ["m4"]);
    const { entries } = await storage.read("q", 0);
    assert.deepEqual(texts(entries as ReceiveMessage[]), ["last"]);
  }, { messages: 0, days: 1 });

  rule("a message that expires by a call can't be changed later in the same call", async ({ storage }) => {
    await storage.append([say("m1"), say("m2"), say("m3")]);
    const [first, , last] = await storage.append([edit(1, "x"), say("m4"), edit(1, "y")]);
    assert.deepEqual([entryOf(first).seq, last], [4, { refused: "not_found" }]);
  }, { messages: 3, days: 0 });

  rule("a repeated message that has just expired is answered without its words", async ({ storage }) => {
    const results = await storage.append([say("secret", { id: "k" }), say("second"), say("secret", { id: "k" })]);
    const entry = entryOf(results[2]) as ReceiveMessage;
    assert.deepEqual([entry.seq, entry.deleted, "text" in entry], [1, true, false]);
  }, { messages: 1, days: 0 });

  rule("an edit shows the newest words of its message, also when the message has expired", async ({ storage }) => {
    const edits = [edit(1, "two"), edit(1, "three"), edit(1, "four", { id: "k" })];
    await storage.append([say("one"), say("other"), ...edits, say("last")]);
    const words = async () => (await storage.read("r", 1)).entries.map((entry) => "text" in entry && entry.text);
    assert.deepEqual(await words(), ["other", "four", "four", "four", "last"]);
    assert.deepEqual(await appendOne(storage, edit(1, "five")), { refused: "not_found" });
    const repeated = entryOf(await appendOne(storage, edit(1, "four", { id: "k" })));
    assert.equal("text" in repeated && repeated.text, "four");
  }, { messages: 2, days: 0 });

  /** A rule for every kind of entry, shown with a kind that no store knows. */
  const ruleOfKinds = (title: string, check: Parameters<typeof rule>[1], retention: Retention = KEEP_ALL) =>
    rule(`a kind of entry that is made up: ${title}`, check, retention, KINDS_WITH_VOTE);
  const told = ({ entries }: { entries: readonly Entry[] }) =>
    entries.map(({ seq, ...entry }) => [seq, (entry as { choice?: string }).choice]);
  const votes = async (storage: Storage, seq = 1) =>
    (await storage.history("r", { limit: 9 })).messages.find((each) => each.seq === seq) as
      | { votes?: unknown }
      | undefined;

  ruleOfKinds("subscribers are told of it, and its message shows it at once and later", async ({ storage }) => {
    const heard: unknown[] = [];
    storage.subscribe("r", (notification) => heard.push(...told(notification)));
    await storage.append([say("tea or coffee?")]);
    const results = await storage.append([
      castVote("bob", 1, "tea"),
      castVote("eve", 1, "tea"),
      castVote("cat", 1, "coffee"),
    ]);
    assert.deepEqual(entryOf(results[0]), {
      action: "test_vote_cast",
      room: "r",
      seq: 2,
      target: 1,
      user: "bob",
      choice: "tea",
      date: entryOf(results[0]).date,
    });
    await until(() => heard.length === 4);
    assert.deepEqual(heard, [[1, undefined], [2, "tea"], [3, "tea"], [4, "coffee"]]);
    assert.deepEqual(told(await storage.read("r", 0)), heard);
    assert.deepEqual((await votes(storage))?.votes, { tea: 2, coffee: 1 });
    await storage.append([edit(1, "Tea or coffee?")]);
    assert.deepEqual((await votes(storage))?.votes, { tea: 2, coffee: 1 });
  });

  ruleOfKinds("its own rule can refuse, also within one call, and that uses up no place", async ({ storage }) => {
    await storage.append([say("tea?", { user: "ann" })]);
    const results = await storage.append([
      castVote("ann", 1, "tea"),
      castVote("bob", 1, "tea"),
      castVote("bob", 1, "coffee"),
      castVote("eve", 2, "tea"),
      castVote("eve", 9, "tea"),
    ]);
    const [own, first, second, ofVote, ofNothing] = results;
    assert.deepEqual(own, { refused: "forbidden", message: "Nobody votes on their own message." });
    assert.equal(entryOf(first).seq, 2);
    assert.deepEqual(second, { refused: "forbidden", message: "You have voted." });
    assert.deepEqual([ofVote, ofNothing], [{ refused: "not_found" }, { refused: "not_found" }]);
    assert.deepEqual(await appendOne(storage, castVote("bob", 1, "tea")), second);
    assert.equal((await storage.read("r", 0)).seq, 2);
    await storage.moderation.change("r", { locked: true });
    assert.deepEqual(await appendOne(storage, castVote("eve", 1, "tea")), { refused: "locked" });
  });

  ruleOfKinds("the same id never makes a second one", async ({ storage }) => {
    await storage.append([say("tea?")]);
    const first = await appendOne(storage, castVote("bob", 1, "tea", { id: "k" }));
    assert.deepEqual(await appendOne(storage, castVote("bob", 1, "tea", { id: "k" })), {
      entry: entryOf(first),
      repeated: true,
    });
    assert.deepEqual((await votes(storage))?.votes, { tea: 1 });
  });

  ruleOfKinds("all of it is gone with its message, and its place stays", async ({ storage }) => {
    await storage.append([say("tea?"), say("coffee?")]);
    await storage.append([castVote("bob", 1, "tea", { id: "k" }), castVote("bob", 2, "coffee")]);
    await storage.append([remove(1)]);
    assert.deepEqual(told(await storage.read("r", 2)), [[3, undefined], [4, "coffee"], [5, undefined]]);
    assert.equal((await votes(storage))?.votes, undefined);
    const repeated = await appendOne(storage, castVote("bob", 1, "tea", { id: "k" }));
    assert.deepEqual(told({ entries: [entryOf(repeated)] }), [[3, undefined]]);
    assert.deepEqual(await appendOne(storage, castVote("eve", 1, "tea")), { refused: "not_found" });
    assert.deepEqual((await votes(storage, 2))?.votes, { coffee: 1 });
  });

  rule(
    "a kind of entry that erases and writes keys: what was there before it is gone, what it writes stays",
    async ({ storage, clock, store }) => {
      const cast = (user: string, choice: string) => castVote(user, 1, choice, { id: `${user} ${choice}` });
      const reset = (user: string) => ({ ...castVote(user, 1, "none"), action: "reset_test_votes" }) as Command;
      const outcomes = async (...commands: Command[]) =>
        (await storage.append(commands)).map((result) => "entry" in result ? result.entry.seq : result.message);
      await storage.append([say("tea?"), castVote("bob", 1, "tea")]);
      const [voted, last] = ["You have voted.", "You were the last to do it."];
      // Also what the same call has written before it.
      const commands = [cast("eve", "tea"), reset("cat"), cast("bob", "milk"), cast("bob", "tea"), reset("cat")];
      assert.deepEqual(await outcomes(...commands), [3, 4, 5, voted, last]);
      const choices = async () => told(await storage.read("r", 1)).map(([, choice]) => choice);
      assert.deepEqual(await choices(), [undefined, undefined, undefined, "milk"]);
      assert.deepEqual((await votes(storage))?.votes, { milk: 1 });
      assert.deepEqual(await outcomes(cast("bob", "tea"), reset("cat"), cast("eve", "soup")), [voted, last, 6]);
      const repeated = await storage.append([cast("eve", "tea"), cast("bob", "milk")]);
      assert.deepEqual(told({ entries: repeated.map(entryOf) }), [[3, undefined], [5, "milk"]]);
      assert.deepEqual(await outcomes(reset("dan"), reset("cat"), reset("cat"), cast("bob", "tea")), [7, 8, last, 9]);
      assert.deepEqual(await choices(), [...Array(7), "tea"]);
      if (!store.lasting) return;
      const other = await store.open({ clock, kinds: KINDS_WITH_RESET });
      assert.deepEqual(await appendOne(other, reset("cat")), { refused: "forbidden", message: last });
      await other.close();
    },
    KEEP_ALL,
    KINDS_WITH_RESET,
  );

  ruleOfKinds("a mistake in it refuses its command, and harms no other in the same call", async ({ storage }) => {
    const commands = [
      say("tea?"),
      castVote("bob", 1, BROKEN_CHOICE, { id: "k" }),
      say("more"),
      castVote("bob", 1, "tea"),
    ];
    let results: AppendResult[] = [];
    const said = await quietly(async () => results = await storage.append(commands));
    assert.deepEqual(results.map((result) => "entry" in result || result.refused), [true, "forbidden", true, true]);
    assert.match(said, /cast_test_vote could not be decided/);
    assert.deepEqual((await votes(storage))?.votes, { tea: 1 });
  });

  ruleOfKinds("it makes no message expire, and expires with the messages around it", async ({ storage }) => {
    await storage.append([say("one"), say("two")]);
    await storage.append(["bob", "eve", "cat"].map((user) => castVote(user, 1, "tea")));
    assert.deepEqual(texts((await storage.history("r", { limit: 9 })).messages), ["one", "two"]);
    assert.equal((await storage.read("r", 0)).complete, true);
    await storage.append([say("three")]);
    assert.deepEqual(texts((await storage.history("r", { limit: 9 })).messages), ["two", "three"]);
    assert.deepEqual(told(await storage.read("r", 2)), [[3, "tea"], [4, "tea"], [5, "tea"], [6, undefined]]);
    assert.deepEqual(await appendOne(storage, castVote("dan", 1, "tea")), { refused: "not_found" });
  }, { messages: 2, days: 0 });

  ruleOfKinds(
    "the entries of a catch-up, applied to their messages, make them what history shows",
    async ({ storage }) => {
      await storage.append([
        say("tea?"),
        castVote("bob", 1, "tea"),
        edit(1, "Tea?"),
        say("more"),
        castVote("eve", 1, "tea"),
      ]);
      await storage.append([castVote("eve", 4, "milk"), castVote("cat", 4, "tea"), remove(4)]);
      const { entries } = await storage.read("r", 0);
      const shown = new Map<number, Document>();
      for (const entry of entries) {
        const { action, seq, target, text, edited, deleted } = entry as ReceiveMessage & { target?: number };
        if (action === "receive_message") shown.set(seq, { text, edited, deleted });
        const kind = [...KINDS_WITH_VOTE].find(({ tells }) => tells === action) as Kind | undefined;
        const about = shown.get(target!);
        // A deleted message stays deleted.
        if (kind?.apply && about && !about.deleted) shown.set(target!, kind.apply(about, entry as never));
      }
      const { messages } = await storage.history("r", { limit: 9 });
      const held = messages.map((
        { seq, text, deleted, ...more },
      ) => [seq, text, deleted, (more as { votes?: unknown }).votes]);
      assert.deepEqual(
        [...shown].map((
          [seq, document],
        ) => [seq, document.text, document.deleted, (document as { votes?: unknown }).votes]),
        held,
      );
      assert.deepEqual(held, [[1, "Tea?", undefined, { tea: 2 }], [4, undefined, true, undefined]]);
    },
  );

  for (const retention of [KEEP_ALL, { messages: 0, days: 1 }]) {
    rule(`an entry before the first message is held (${retention.days} days)`, async ({ store, clock }) => {
      const topic = {
        asks: "set_topic",
        tells: "topic_set",
        countsAs: "messages",
        whileLocked: false,
        decide: () => ({ fields: {} }),
      } as const;
      const storage = await store.open({ clock, retention, kinds: [...Object.values(KINDS), topic] });
      await storage.append([{ ...say(""), action: "set_topic", text: undefined } as never, say("one")]);
      const { entries, complete } = await storage.read("r", 0);
      assert.deepEqual([entries.map(({ seq }) => seq), complete], [[1, 2], true]);
      await storage.close();
    });
  }

  rule("a message of an unknown kind is in no page of history", async ({ store, clock }) => {
    if (!store.shared) return;
    const poll = { ...KINDS.receive_message, asks: "start_poll", tells: "poll_started" };
    const newer = await store.open({ clock, kinds: [...Object.values(KINDS), poll] });
    await newer.append([say("m"), { ...say("poll"), action: "start_poll" } as never]);
    assert.equal((await newer.history("r", { limit: 9 })).messages.length, 2);
    const older = await store.open({ clock });
    assert.deepEqual(texts((await older.history("r", { limit: 9 })).messages), ["m"]);
    await Promise.all([newer.close(), older.close()]);
  });

  rule("an entry of an unknown kind has its place and changes nothing", async ({ store, clock }) => {
    if (!store.shared) return;
    const newer = await store.open({ clock, kinds: KINDS_WITH_VOTE });
    const older = await store.open({ clock });
    const heard: number[] = [];
    older.subscribe("r", ({ entries }) => heard.push(...entries.map(({ seq }) => seq)));
    await older.read("r", 0);
    await newer.append([say("tea?"), say("other")]);
    await newer.append([castVote("bob", 1, "tea"), castVote("bob", 2, "tea")]);
    const { entries, complete } = await older.read("r", 2);
    assert.deepEqual([entries.map(({ seq, action }) => [seq, action as string]), complete], [
      [[3, "unknown_entry"], [4, "unknown_entry"]],
      true,
    ]);
    const page = await older.history("r", { limit: 9 });
    assert.deepEqual([texts(page.messages), page.seq], [["tea?", "other"], 4]);
    await older.append([edit(1, "Tea?"), remove(2), say("last")]);
    await until(() => heard.length === 7);
    assert.deepEqual(told(await newer.read("r", 2)).slice(0, 2), [[3, "tea"], [4, undefined]]);
    assert.deepEqual((await votes(newer))?.votes, { tea: 1 });
    await Promise.all([newer.close(), older.close()]);
  });

  rule("unsubscribing twice unsubscribes nobody else", async ({ storage }) => {
    const stop = storage.subscribe("r", () => {});
    stop();
    const heard: number[] = [];
    const stopOther = storage.subscribe("r", ({ entries }) => heard.push(...entries.map(({ seq }) => seq)));
    stop();
    await storage.history("r", { limit: 1 });
    await storage.append([say("hello")]);
    assert.deepEqual(heard, [1]);
    stopOther();
  });

  rule("a name belongs to one person, and the one before it becomes free", async ({ storage, clock }) => {
    const now = clock.now();
    const claim = (user: string, name: string) =>
      storage.names.claim({ user, name, key: name.toLowerCase(), until: now + 1_000, now });
    assert.deepEqual(await claim("ann", "Alice"), { name: "Alice", chosen: true });
    assert.deepEqual(await claim("bob", "ALICE"), { holder: "ann", until: now + 1_000 });
    assert.deepEqual(await claim("ann", "ALICE"), { name: "ALICE", chosen: true });
    assert.deepEqual(await claim("ann", "Ada"), { name: "Ada", chosen: true });
    assert.deepEqual(await claim("bob", "alice"), { name: "alice", chosen: true });
    const results = await Promise.all(["c", "d", "e", "f"].map((user) => claim(user, "Wanted")));
    assert.equal(results.filter((got) => "name" in got).length, 1);
  });

  rule("the names of many are held at once", async ({ storage, clock }) => {
    const now = clock.now();
    const users = Array.from({ length: 1_201 }, (_, at) => `user${at}`);
    const claim = (user: string, key: string, now: number) =>
      storage.names.claim({ user, name: key, key, until: now + 10, now });
    for (const at of [0, 600, 1_200]) await claim(users[at], `name${at}`, now);
    await storage.names.hold(users.map((user) => ({ user, until: now + 1_000 })));
    for (const at of [0, 600, 1_200]) {
      assert.deepEqual(await claim("eve", `name${at}`, now + 500), { holder: users[at], until: now + 1_000 });
    }
  });

  rule("a given name never takes the place of a name that the person has", async ({ storage, clock }) => {
    const now = clock.now();
    const given = (user: string, name: string) => giveOne(storage, offer(user, name), now + 1_000, now);
    assert.deepEqual(await given("ann", "User 1"), { name: "User 1", chosen: false });
    assert.deepEqual(await given("ann", "User 2"), { name: "User 1", chosen: false });
    assert.deepEqual(await given("bob", "User 2"), { name: "User 2", chosen: false });
    await storage.names.claim({ user: "ann", name: "Ann", key: "ann", until: now + 5_000, now });
    assert.deepEqual(await given("ann", "User 3"), { name: "Ann", chosen: true });
    assert.deepEqual(await given("bob", "User 1"), { name: "User 2", chosen: false });
  });

  rule("those who come at once are each given the first of their names that is free", async ({ storage, clock }) => {
    const now = clock.now();
    const give = (...offers: NameOffer[]) => storage.names.give(offers, now + 1_000, now);
    const called = (...names: string[]) => names.map((name) => ({ name, chosen: false }));
    assert.deepEqual(
      await give(
        offer("ann", "User 1"),
        offer("bob", "User 1", "User 2"),
        offer("ann", "User 3"),
        offer("cid", "User 1"),
      ),
      [...called("User 1", "User 2", "User 1"), undefined],
    );
    const many = Array.from({ length: 1_001 }, (_, at) => offer(`user${at}`, "User 1", `User ${at + 1_000}`));
    const given = await give(...many);
    assert.deepEqual(given, called(...many.map((_, at) => `User ${at + 1_000}`)));
    const holder = { holder: "user1000", until: now + 1_000 };
    const claim = { user: "eve", name: "User 2000", key: "user 2000", until: now + 1, now };
    assert.deepEqual(await storage.names.claim(claim), holder);
  });

  rule(
    "anybody can take a name whose time is over; until then it stays its person's",
    async ({ storage, clock }) => {
      const claim = (user: string, name: string) =>
        storage.names.claim({
          user,
          name,
          key: name.toLowerCase(),

          until: clock.now() + 1_000,
          now: clock.now(),
        });
      const given = (user: string) => giveOne(storage, offer(user, "User 1"), clock.now() + 1_000, clock.now());
      await claim("ann", "Alice");
      const until = clock.now() + 5_000;
      await storage.names.hold([{ user: "ann", until }, { user: "nobody", until: 1 }]);
      await clock.advance(4_999);
      assert.deepEqual(await claim("bob", "alice"), { holder: "ann", until }, "and whoever asks learns until when");
      await clock.advance(1);
      assert.deepEqual(await given("ann"), { name: "Alice", chosen: true });
      await clock.advance(1_000);
      assert.deepEqual(await claim("bob", "alice"), { name: "alice", chosen: true });
      assert.deepEqual(await given("ann"), { name: "User 1", chosen: false });
    },
  );

  rule(
    "in a locked room nothing is sent or edited, and what was sent before is still answered",
    async ({ storage }) => {
      await storage.append([say("before", { id: "k" })]);
      assert.deepEqual(await storage.moderation.change("r", { locked: true }), {
        locked: true,
        listed: false,
        slow_seconds: 0,
      });
      const results = await storage.append([
        say("during", { id: "new" }),
        say("elsewhere", { room: "q" }),
        edit(1, "x"),
        say("before", { id: "k" }),
        remove(1),
      ]);
      assert.deepEqual(
        results.map((result) => "entry" in result ? result.entry.seq : result.refused),
        ["locked", 1, "locked", 1, 2],
      );
      await storage.moderation.change("r", { locked: false });
      assert.equal(entryOf(await appendOne(storage, say("after", { id: "new" }))).seq, 3);
    },
  );

  rule("a lookup is answered if the message was stored before, and stores nothing", async ({ storage }) => {
    await storage.append([say("first", { id: "k" })]);
    const again = (id: string): Command => ({
      action: "send_message",
      room: "r",
      user: "ann",
      from: "",
      text: "x",
      id,
      lookupOnly: true,
    });
    const [known, unknown] = await storage.append([again("k"), again("new")]);
    assert.deepEqual([entryOf(known).seq, "repeated" in known && known.repeated], [1, true]);
    assert.deepEqual(unknown, { refused: "not_found" });
    assert.equal(entryOf(await appendOne(storage, say("second", { id: "new" }))).seq, 2);
  });

  rule("a moderator deletes anybody's message, also in a locked room", async ({ storage }) => {
    await storage.append([say("bad words", { id: "k" })]);
    await storage.moderation.change("r", { locked: true });
    const byModerator: Command = {
      action: "delete_message",
      from: "Ann",
      room: "r",
      user: "moderator",
      target: 1,
      moderator: true,
    };
    assert.deepEqual(entryOf(await appendOne(storage, byModerator)).action, "message_deleted");
    assert.deepEqual(await appendOne(storage, byModerator), { refused: "not_found" });
    await storage.moderation.change("r", { locked: false });
    await storage.append([say("good words")]);
    const edited = { ...edit(3, "other words"), user: "moderator", moderator: true } as Command;
    assert.deepEqual(await appendOne(storage, edited), { refused: "forbidden" });
    const { messages } = await storage.history("r", { limit: 9 });
    assert.deepEqual(messages.map(({ deleted, text }) => ({ deleted, text })), [
      { deleted: true, text: undefined },
      { deleted: undefined, text: "good words" },
    ]);
  });

  rule(
    "a room's settings are stored, also before anything was said, and the list has the listed rooms",
    async ({ storage }) => {
      assert.deepEqual(await storage.moderation.settings("quiet"), { locked: false, listed: false, slow_seconds: 0 });
      await Promise.all([
        storage.moderation.change("two", { locked: true }),
        storage.moderation.change("two", { slow_seconds: 5 }),
      ]);
      assert.deepEqual(await storage.moderation.settings("two"), { locked: true, listed: false, slow_seconds: 5 });
      await storage.moderation.change("quiet", { slow_seconds: 30 });
      await storage.moderation.change("quiet", { listed: true });
      assert.deepEqual(await storage.moderation.settings("quiet"), { locked: false, listed: true, slow_seconds: 30 });
      const { date } = entryOf(await appendOne(storage, say("x", { room: "busy" })));
      await storage.moderation.change("busy", { listed: true });
      await storage.moderation.change("hidden", { locked: true });
      assert.deepEqual(await storage.moderation.listed(), [{ room: "busy", seq: 1, date }, {
        room: "quiet",
        seq: 0,
        date: 0,
      }]);
      assert.equal(entryOf(await appendOne(storage, say("first", { room: "quiet" }))).seq, 1);
    },
  );

  rule("a ban holds until it is over or lifted, and a person has one at most", async ({ storage, clock }) => {
    const now = clock.now();
    const ban = (user: string, minutes: number, more = {}) => {
      const made = { user, date: clock.now(), until: clock.now() + minutes * 60_000, reason: "spam", ...more };
      return storage.moderation.ban(made).then(() => made);
    };
    await ban("eve", 1);
    await clock.advance(1);
    const [eve, mal] = [await ban("eve", 10, { address: "hash" }), (await clock.advance(1), await ban("mal", 5))];
    assert.deepEqual(await storage.moderation.bans(now + 2), [mal, eve]);
    assert.deepEqual(await storage.moderation.bans(now + 6 * 60_000), [eve]);
    assert.equal(await storage.moderation.unban("eve"), true);
    assert.equal(await storage.moderation.unban("eve"), false);
    assert.deepEqual(await storage.moderation.bans(now + 6 * 60_000), []);
    const anywhere = await ban("eve", 10, { address: "" });
    assert.deepEqual((await storage.moderation.bans(clock.now())).find(({ user }) => user === "eve"), anywhere);
  });

  rule("what moderators decided is there for everyone who opens the store", async ({ storage, clock, store }) => {
    if (!store.lasting) return;
    await storage.moderation.change("r", { locked: true });
    await storage.moderation.ban({ user: "eve", date: clock.now(), until: clock.now() + 1_000, reason: "spam" });
    const other = await store.open({ clock });
    assert.deepEqual(await appendOne(other, say("x")), { refused: "locked" });
    assert.equal((await other.moderation.bans(clock.now())).length, 1);
    await other.close();
  });

  rule(
    "the secret is the same for everyone who opens the store, and it answers when asked",
    async ({ storage, clock, store }) => {
      assert.ok((await storage.secret()).length > 0);
      await storage.check();
      const other = await store.open({ clock });
      assert.equal(await other.secret(), await storage.secret());
      await other.close();
    },
  );

  /** A rule for two who have the same store open at the same time, as two isolates or two machines have. */
  const sharedRule = (
    title: string,
    check: (both: { one: Storage; other: Storage; clock: FakeClock }) => Promise<void>,
  ) =>
    rule(title, async ({ storage, clock, store }) => {
      if (!store.shared) return;
      const other = await store.open({ clock });
      try {
        await check({ one: storage, other, clock });
      } finally {
        await other.close();
      }
    });

  sharedRule(
    "what one of several stores is told to the subscribers of all, in order and once",
    async ({ one, other }) => {
      const heard = [one, other].map((storage) => {
        const notifications: LogNotification[] = [];
        storage.subscribe("r", (each) => notifications.push(each));
        return notifications;
      });
      // A subscriber reads next, and is told all that comes after that.
      for (const storage of [one, other]) await storage.read("r", 0);
      await one.append([say("a", { id: "k" }), say("elsewhere", { room: "q" }), say("b")]);
      await until(() => heard[1].flatMap(({ entries }) => entries).length === 2);
      await other.append([edit(1, "c"), say("a", { id: "k" }), remove(77)]);
      await until(() => heard[0].flatMap(({ entries }) => entries).length === 3);
      await one.append([remove(1)]);
      const { epoch } = await one.read("r", 0);
      for (const notifications of heard) {
        await until(() => notifications.flatMap(({ entries }) => entries).length >= 4);
        const entries = notifications.flatMap(({ entries }) => entries);
        assert.deepEqual(entries.map(({ action, seq }) => [action, seq]), [
          ["receive_message", 1],
          ["receive_message", 2],
          ["message_edited", 3],
          ["message_deleted", 4],
        ]);
        assert.deepEqual((entries[0] as ReceiveMessage).text, "a");
        assert.ok(notifications.every((each) => each.epoch === epoch));
      }
    },
  );

  sharedRule(
    "what several append at once is one log without gaps or duplicates, and all see the same",
    async ({ one, other }) => {
      const views = [one, other].map((storage) => new LogView(storage, "r"));
      const batches = Array.from({ length: 20 }, (_, at) => [say(`one ${at}`), say("both", { id: `k${at}` })]);
      const results = await Promise.all(
        [one, other].flatMap((storage) => batches.map((batch) => storage.append(batch))),
      );
      assert.equal(results.flat().filter((result) => "repeated" in result && result.repeated).length, 20);
      const { entries, complete } = await one.read("r", 0);
      assert.ok(complete);
      assert.deepEqual(entries.map(({ seq }) => seq), Array.from({ length: 60 }, (_, at) => at + 1));
      for (const view of views) {
        await until(() => view.entries.length === 60);
        await view.settled();
        assert.deepEqual(view.entries, entries);
      }
    },
  );

  sharedRule(
    "an event reaches all others, or those who subscribe to its room, in order, and never who published it",
    async ({ one, other }) => {
      const heard: Record<string, ClusterEvent[]> = { one: [], other: [] };
      one.onEvent((event) => heard.one.push(event));
      other.onEvent((event) => heard.other.push(event));
      const typing = (name: string): ClusterEvent => ({ kind: "typing", room: "r", user: "ann", name });
      const settings = { locked: true, listed: false, slow_seconds: 5 };
      other.subscribe("r", () => {});
      await other.read("r", 0);
      for (let at = 0; at < 10; at++) one.publish(typing(`한국어 ${at}`));
      one.publish({ kind: "room_changed", room: "r", settings });
      await until(() => heard.other.length === 11);
      one.subscribe("r", () => {});
      other.publish({ kind: "bans_changed" });
      await until(() => heard.one.length > 0);
      assert.deepEqual(heard.one, [{ kind: "bans_changed" }]);
      assert.deepEqual(heard.other, [
        ...Array.from({ length: 10 }, (_, at) => typing(`한국어 ${at}`)),
        { kind: "room_changed", room: "r", settings },
      ]);
    },
  );

  sharedRule("who subscribes to a room and then asks the others is told what they answer there", async (both) => {
    const { one, other } = both;
    const answer: ClusterEvent = { kind: "typing", room: "r", user: "ann", name: "Ann" };
    one.onEvent(() => one.publish(answer));
    const heard: ClusterEvent[] = [];
    other.onEvent((event) => heard.push(event));
    for (let round = 0; round < 3; round++) {
      const unsubscribe = other.subscribe("r", () => {});
      other.publish({ kind: "bans_changed" });
      await until(() => heard.length > round);
      unsubscribe();
    }
    assert.deepEqual(heard, [answer, answer, answer]);
  });

  rule("an event that is published just before closing reaches the others", async ({ storage, clock, store }) => {
    if (!store.shared) return;
    const leaving = await store.open({ clock });
    const heard: ClusterEvent[] = [];
    storage.onEvent((event) => heard.push(event));
    leaving.publish({ kind: "bans_changed" });
    await leaving.close();
    await until(() => heard.length > 0);
    assert.deepEqual(heard, [{ kind: "bans_changed" }]);
  });

  sharedRule("a name that several claim at once is one person's", async ({ one, other, clock }) => {
    const claim = (storage: Storage, user: string) =>
      storage.names.claim({
        user,
        name: "Ada",
        key: "ada",
        until: clock.now() + 1_000,
        now: clock.now(),
      });
    const got = await Promise.all(["a", "b", "c", "d"].flatMap((user) => [claim(one, user), claim(other, `${user}2`)]));
    assert.equal(got.filter((claimed) => "name" in claimed).length, 1);
  });

  sharedRule("the subscribers of all are told of another epoch that one begins", async ({ one, other }) => {
    await one.append([say("a")]);
    const told: string[] = [];
    other.subscribe("r", ({ epoch }) => told.push(epoch));
    const before = await other.read("r", 0);
    await one.renewEpoch();
    const { epoch } = await one.read("r", 0);
    assert.notEqual(epoch, before.epoch);
    await until(() => told.includes(epoch));
    assert.equal((await other.read("r", 0)).epoch, epoch);
  });

  sharedRule(
    "when one room begins another epoch, its subscribers everywhere are told, and no others",
    async ({ one, other }) => {
      await one.append([say("a"), say("b", { room: "q" })]);
      const told: Record<string, string[]> = { r: [], q: [] };
      for (const room of ["r", "q"]) other.subscribe(room, ({ epoch }) => told[room].push(epoch));
      await Promise.all(["r", "q"].map((room) => other.read(room, 0)));
      await one.renewEpoch("r");
      const { epoch } = await one.read("r", 0);
      await until(() => told.r.includes(epoch));
      assert.equal((await other.read("r", 0)).epoch, epoch);
      await one.append([say("c"), say("d", { room: "q" })]);
      await until(() => told.q.length > 0 && told.r.length > 1);
      assert.ok(!told.q.includes(epoch));
    },
  );
}
