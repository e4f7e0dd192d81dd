/**
 * What Deno KV promises beyond the contract: the same decisions as in memory, its limits, and what happens where the
 * watch brings nothing.
 */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { type Clock, systemClock } from "../../chat/clock.ts";
import { reaction } from "../../chat/entries/reaction.ts";
import { LogSubscriber } from "../../chat/rooms/log_subscriber.ts";
import { IDEMPOTENCY_WINDOW, type Retention, Rulebook } from "../../chat/rulebook.ts";
import type { Entry } from "../../chat/protocol.ts";
import type { ClusterEvent, Command, DocumentKey, LogNotification } from "../../chat/storage.ts";
import { FakeClock } from "../../testing/clock.ts";
import { eventfulRoom, leftovers, sweptBy } from "../../testing/storage/leftovers.ts";
import { startServer } from "../../testing/servers/server.ts";
import { quietly } from "../../testing/quietly.ts";
import { until } from "../../testing/until.ts";
import { giveOne, offer } from "../../testing/storage/names.ts";
import { castVote, KINDS_WITH_RESET, KINDS_WITH_VOTE } from "../../testing/storage/vote.ts";
import { TestClient } from "../../testing/clients/client.ts";
import type { Kept } from "./append.ts";
import { KV_TEXT_LIMIT, KvStorage } from "./kv.ts";
import { KvNotifications, POLL_INTERVAL } from "./notifications.ts";
import { KvRooms } from "./rooms.ts";
import { KvSweep } from "./sweep.ts";
import { ANSWER_TIMEOUT, CHANGE_KEYS, changeKeyOf, KEY, KvStore } from "./store.ts";
import { MemoryStorage } from "../memory.ts";

const RETENTION: Retention = { messages: 0, days: 0 };
const say = (text: string, more: { id?: string; room?: string } = {}): Command => (
  { action: "send_message", room: "r", user: "ann", from: "Ann", text, ...more }
);

/** A test with a store of its own. */
function kvTest(title: string, check: (path: string) => Promise<void>): void {
  Deno.test(`kv: ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await check(`${folder}/chat.kv`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Time shown by a test's clock and passing by itself. */
const shownBy = (clock: FakeClock) => ({ ...systemClock, now: () => clock.now() });
const open = (path: string, clock = new FakeClock(), retention = RETENTION) =>
  KvStorage.open(path, { clock: shownBy(clock), retention });

type React = Extract<Command, { action: "react" }>;
const react = (user: string, emoji: string, on = true, target = 1, room = "r"): React => (
  { action: "react", room, user, from: user.toUpperCase(), target, emoji, on }
);
/** Reactions to one message that came in one flush cycle. */
const together = (commands: readonly React[]) => reaction.merge!(commands) as Command;
const answer = (reply_to: number, text: string, more: { id?: string; room?: string } = {}): Command => (
  { ...say(text, more), reply_to } as Command
);
const remove = (target: number, more: { room?: string; moderator?: true } = {}): Command => (
  { action: "delete_message", from: "Ann", room: "r", user: "ann", target, ...more }
);

const user = fc.constantFrom("ann", "bob");
const id = fc.option(fc.constantFrom("k1", "k2", "k3"), { nil: undefined });
const step = fc.oneof(
  {
    weight: 9,
    arbitrary: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: fc.record({ kind: fc.constant("say" as const), user, id }) },
        {
          weight: 2,
          arbitrary: fc.record({ kind: fc.constantFrom("edit", "delete", "again"), user, id, back: fc.nat(9) }),
        },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant("answer" as const), user, id, back: fc.nat(9) }) },
        {
          weight: 2,
          arbitrary: fc.record({
            kind: fc.constant("react" as const),
            user,
            id: fc.constant(undefined),
            back: fc.nat(9),
            reactions: fc.array(
              fc.record({
                user: fc.constantFrom(..."abcdefgh"),
                emoji: fc.constantFrom("🍵", "☕"),
                on: fc.boolean(),
              }),
              { minLength: 1, maxLength: 8 },
            ),
          }),
        },
      ),
      { minLength: 1, maxLength: 6 },
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom("lock" as const, "unlock" as const, "sweep" as const) },
  { weight: 2, arbitrary: fc.constantFrom(1, 1_000, 60_000) },
);

kvTest("whatever is said, the outcomes and the log are those of the memory storage", async (path) => {
  const clock = new FakeClock();
  const retention = { messages: 8, days: 0 };
  const storage = await open(path, clock, retention);
  const store = await KvStore.open(path, shownBy(clock));
  const sweep = new KvSweep(store, new KvRooms(store, new Rulebook(retention)));
  let stories = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: "max" }), async (story) => {
      const memory = new MemoryStorage({ clock, secret: "", retention });
      const room = `room${++stories}`;
      let said = 0;
      for (const what of story) {
        if (typeof what === "number") {
          await clock.advance(what);
        } else if (what === "sweep") {
          await sweep.run();
        } else if (typeof what === "string") {
          for (const each of [storage, memory]) await each.moderation.change(room, { locked: what === "lock" });
        } else {
          const { seq } = await memory.history(room, { limit: 1 });
          const commands = what.map((part): Command => {
            const common = { room, user: part.user, ...part.id !== undefined && { id: part.id } };
            const text = `${++said}`;
            if (part.kind === "say") return { action: "send_message", from: "A", text, ...common };
            if (part.kind === "again") return { action: "send_message", from: "A", text, lookupOnly: true, ...common };
            const target = seq - part.back + 3;
            if (part.kind === "answer") return { action: "send_message", from: "A", text, reply_to: target, ...common };
            if (part.kind === "react") {
              return together(part.reactions.map(({ user, emoji, on }) => react(user, emoji, on, target, room)));
            }
            if (part.kind === "edit") return { action: "edit_message", from: "Ann", target, text, ...common };
            return { action: "delete_message", from: "Ann", target, ...common };
          });
          const expected = [];
          for (const command of commands) {
            // It lets go of what has expired after a call, not within one.
            expected.push(...await memory.append([command]));
          }
          assert.deepEqual(await storage.append(commands), expected);
        }
        const { seq } = await memory.history(room, { limit: 1 });
        for (const after of [0, seq - 3, seq + 1]) {
          const { epoch: _, ...expected } = await memory.read(room, after);
          const { epoch: __, ...got } = await storage.read(room, after);
          assert.deepEqual(got, expected);
        }
        const answers = Array.from({ length: 9 }, (_, back) => ({ limit: 2, repliesTo: seq - back, after: seq - 6 }));
        const pages = [{ limit: 3 }, { limit: 9, after: seq - 6 }, { limit: 2, before: seq - 1 }, ...answers];
        for (const query of pages) {
          const { epoch: _, ...expected } = await memory.history(room, query);
          const { epoch: __, ...got } = await storage.history(room, query);
          assert.deepEqual(got, expected);
        }
        for (const { seq } of (await memory.history(room, { limit: 9 })).messages) {
          const query = { seq, prefix: "message_reacted:🍵 ", limit: 3 };
          const expected = await memory.listKeys(room, query);
          assert.deepEqual(await storage.listKeys(room, query), expected);
          const keys = ["a", "b", "c"].map((user): DocumentKey => [seq, `${query.prefix}${user}`]);
          assert.deepEqual(await storage.keys(room, keys), await memory.keys(room, keys));
        }
      }
    }),
    { numRuns: Deno.env.get("SOAK") === undefined ? 40 : 1_000, seed: 20261122 },
  );
  await sweep.close();
  store.kv.close();
  await storage.close();
});

kvTest("more than one commit can hold is kept in several, and told in order", async (path) => {
  const storage = await open(path);
  const heard: LogNotification[] = [];
  storage.subscribe("r", (notification) => heard.push(notification));
  const longest = "😀".repeat(KV_TEXT_LIMIT);
  const commands = [
    ...Array.from({ length: 1_200 }, (_, at) => say(`${at}`, { id: `${at}` })),
    ...Array.from({ length: 12 }, (_, at) => say(longest, { id: `long ${at}` })),
    ...Array.from({ length: 12 }, (_, at): Command => (
      {
        action: "edit_message",
        from: "Ann",
        room: "r",
        user: "ann",
        target: 1_201 + at,
        text: longest,
        id: `long ${at}`,
      }
    )),
  ];
  const results = await storage.append(commands);
  const seqs = commands.map((_, at) => at + 1);
  assert.deepEqual(results.map((result) => "entry" in result && result.entry.seq), seqs);
  assert.deepEqual(heard.flatMap(({ entries }) => entries.map(({ seq }) => seq)), seqs);
  await storage.close();
});

kvTest("the largest reactions are kept in as many commits as they need, and told to other isolates", async (path) => {
  // The longest names, and about the longest keys that there can be.
  const [room, from, family] = ["𐐨".repeat(64), "👩".repeat(32), "👩🏻‍❤️‍💋‍👩🏻"];
  const users = Array.from({ length: 1_000 }, (_, at) => `${at}`.padEnd(64, "u"));
  const [storage, other] = [await open(path), await open(path)];
  const heard = { here: [] as Entry[], there: [] as Entry[] };
  storage.subscribe(room, ({ entries }) => heard.here.push(...entries));
  other.subscribe(room, ({ entries }) => heard.there.push(...entries));
  for (const each of [storage, other]) await each.history(room, { limit: 1 });
  const commands = [
    ...Array.from({ length: 200 }, (_, at) => say("x", { room, id: `${at}`.padEnd(64, "가") })),
    ...Array.from(
      { length: 10 },
      (_, at) =>
        together(
          users.slice(100 * at, 100 * at + 100).map((user) => ({ ...react(user, family, true, 1, room), from })),
        ),
    ),
    // An entry between has no part in it.
    say("between", { room }),
    together(users.slice(0, 100).map((user) => ({ ...react(user, family, false, 1, room), from }))),
  ];
  const results = await storage.append(commands);
  assert.deepEqual(results.map((result) => "entry" in result && result.entry.seq), commands.map((_, at) => at + 1));
  const { messages: [{ reactions }] } = await storage.history(room, { limit: 1, after: 0 });
  assert.deepEqual(reactions, [{ emoji: family, count: 900, users: users.slice(100, 105) }]);
  const people = await storage.listKeys(room, { seq: 1, prefix: `message_reacted:${family} `, limit: 999 });
  assert.deepEqual(people.map(([, value]) => value), people.map((_, at) => [(people[at][1] as [number])[0], from]));
  assert.equal(people.length, 900);
  await until(() => heard.there.at(-1)?.seq === commands.length);
  assert.deepEqual(heard.there, heard.here);
  const { entries } = await other.read(room, 200);
  assert.deepEqual(entries, heard.here.slice(200, 200 + entries.length));
  await Promise.all([storage.close(), other.close()]);
});

kvTest("whoever was not among the first comes after them, also where all that changes in one call", async (path) => {
  const storage = await open(path);
  await storage.append([say("tea?"), together([..."abcde"].map((user) => react(user, "🍵")))]);
  await storage.append([react("f", "🍵"), react("a", "🍵", false), react("g", "🍵"), react("b", "🍵", false)]);
  const { messages: [{ reactions }] } = await storage.history("r", { limit: 1 });
  assert.deepEqual(reactions, [{ emoji: "🍵", count: 5, users: [..."cdefg"] }]);
  await storage.close();
});

kvTest("what would make a message larger than a value is refused, and nothing else is", async (path) => {
  const storage = await open(path);
  const longest = "😀".repeat(KV_TEXT_LIMIT);
  const edit = (text: string): Command => (
    { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text }
  );
  const emoji = Array.from({ length: 20 }, (_, at) => String.fromCodePoint(0x1f34e + at));
  const reactions = emoji.map((each) => together([..."abcde"].map((user) => react(user.repeat(22), each))));
  const outcomes = async (...commands: Command[]) =>
    (await storage.append(commands)).map((result) => "entry" in result || result.refused);
  assert.deepEqual(await outcomes(say(longest)), [true]);
  // Its answers are counted all the same.
  const [added, none, counted] = [
    await outcomes(...reactions),
    await outcomes(reactions[19]),
    await outcomes(answer(1, longest), answer(1, "x")),
  ];
  const fitting = added.indexOf("forbidden");
  assert.ok(fitting > 2, `${fitting} different reactions`);
  assert.deepEqual(added, emoji.map((_, at) => at < fitting || "forbidden"));
  assert.deepEqual([none, counted], [["forbidden"], [true, true]]);
  const others = reactions.slice(fitting);
  assert.deepEqual(await outcomes(edit("short"), ...others), [true, ...others.map(() => true)]);
  const [refused, kept] = await storage.append([edit(longest), say("kept")]);
  assert.ok("refused" in refused && refused.refused === "forbidden" && /shorter/.test(refused.message!));
  assert.ok("entry" in kept);
  const { messages: [first] } = await storage.history("r", { limit: 1, after: 0 });
  assert.deepEqual([first.text, first.replies, first.reactions!.length], ["short", 2, 20]);
  assert.deepEqual(await outcomes(remove(1)), [true]);
  await storage.close();
});

kvTest("many answers to a long message are kept in few commits", async (path) => {
  const storage = await open(path);
  await storage.append([say("가".repeat(KV_TEXT_LIMIT))]);
  const { commit } = Deno.AtomicOperation.prototype;
  let commits = 0;
  Deno.AtomicOperation.prototype.commit = function () {
    commits++;
    return commit.call(this);
  };
  try {
    await storage.append(Array.from({ length: 200 }, (_, at) => answer(1, `${at}`)));
  } finally {
    Deno.AtomicOperation.prototype.commit = commit;
  }
  assert.equal(commits, 1);
  const { messages, more } = await storage.history("r", { limit: 120, repliesTo: 1 });
  assert.deepEqual([messages.length, messages.at(-1)!.seq, more], [120, 121, true]);
  await storage.close();
});

kvTest("a file that is removed while it is open takes nothing more in", async (path) => {
  const storage = await open(path);
  await storage.append([say("before")]);
  await Deno.rename(path, `${path}.gone`);
  const unavailable = { name: "ChatError", code: "unavailable" };
  await quietly(async () => {
    await assert.rejects(storage.check(), unavailable, "before anybody has tried to write");
    await assert.rejects(storage.append([say("lost", { id: "k" })]), unavailable);
    await assert.rejects(
      storage.names.claim({ user: "bob", name: "Bob", key: "bob", until: 1e15, now: 0 }),
      unavailable,
    );
    await assert.rejects(storage.moderation.change("r", { locked: true }), unavailable);
    await assert.rejects(storage.check(), unavailable);
  });
  assert.equal((await storage.history("r", { limit: 9 })).messages.length, 1, "what was said can still be read");
  await Deno.rename(`${path}.gone`, path);
  await storage.check();
  const [kept] = await storage.append([say("kept", { id: "k" })]);
  assert.ok("entry" in kept && !kept.repeated && kept.entry.seq === 2);
  await storage.close();
});

kvTest("the file and what stands beside it can be read by its owner only", async (path) => {
  if (Deno.build.os === "windows") return;
  const storage = await open(path);
  await storage.append([say("one")]);
  for await (const { name, isFile } of Deno.readDir(path.slice(0, path.lastIndexOf("/")))) {
    const { mode } = await Deno.stat(`${path.slice(0, path.lastIndexOf("/"))}/${name}`);
    if (isFile) assert.equal(mode! & 0o777, 0o600, name);
  }
  await storage.close();
});

kvTest("a room that can't be kept does not keep another from being kept and told", async (path) => {
  const storage = await open(path);
  const heard: LogNotification[] = [];
  storage.subscribe("r", (notification) => heard.push(notification));
  await quietly(async () => {
    const commands = [say("x".repeat(70_000), { room: "q" }), say("kept")];
    const [refused, kept] = await storage.append(commands);
    assert.ok("refused" in refused && refused.refused === "unavailable" && "entry" in kept);
    await assert.rejects(storage.append(commands.slice(0, 1)), { name: "ChatError", code: "unavailable" });
  });
  assert.equal((await storage.history("q", { limit: 9 })).seq, 0);
  assert.deepEqual(heard.flatMap(({ entries }) => entries.map((entry) => "text" in entry && entry.text)), ["kept"]);
  await storage.check();
  await storage.close();
});

kvTest("changes of many long messages are kept in as many commits as they need", async (path) => {
  const storage = await KvStorage.open(path, { clock: systemClock, retention: RETENTION, kinds: KINDS_WITH_VOTE });
  for (let at = 0; at < 30; at++) await storage.append([say("가".repeat(16_000))]);
  const votes = Array.from({ length: 30 }, (_, at) => castVote("bob", at + 1, "tea"));
  const results = await storage.append(votes);
  assert.deepEqual(results.map((result) => "entry" in result && result.entry.seq), votes.map((_, at) => 31 + at));
  await storage.close();
});

kvTest("a fault while an erased message's parts are removed changes no answer", async (path) => {
  const storage = await open(path);
  await storage.append([say("one")]);
  const { erase } = KvRooms.prototype;
  KvRooms.prototype.erase = () => Promise.reject(new Error("no answer"));
  try {
    await quietly(async () => {
      const [deleted] = await storage.append([
        { action: "delete_message", from: "Ann", room: "r", user: "ann", target: 1 },
      ]);
      assert.ok("entry" in deleted);
    });
  } finally {
    KvRooms.prototype.erase = erase;
  }
  await storage.close();
});

kvTest(
  "what is erased is not there any more before it is removed, and what is written meanwhile is not removed",
  async (path) => {
    const options = { clock: systemClock, retention: RETENTION, kinds: KINDS_WITH_RESET };
    const storage = await KvStorage.open(path, options);
    const reset = (user: string) => ({ ...castVote(user, 1, "none"), action: "reset_test_votes" }) as Command;
    const { erase } = KvRooms.prototype;
    // Nobody removes anything yet.
    KvRooms.prototype.erase = () => Promise.resolve();
    try {
      await storage.append([say("tea?"), castVote("bob", 1, "gone-word")]);
      await storage.append([reset("cat")]);
      const results = await storage.append([castVote("bob", 1, "kept-word"), reset("cat")]);
      assert.deepEqual(results.map((result) => "entry" in result), [true, false]);
      const { entries } = await storage.read("r", 1);
      assert.deepEqual(entries.map((entry) => (entry as { choice?: string }).choice), [
        undefined,
        undefined,
        "kept-word",
      ]);
      assert.ok(rows(path).join().includes("gone-word"));
      await storage.append([reset("dan")]);
    } finally {
      KvRooms.prototype.erase = erase;
    }
    // Somebody writes a key again that is just about to be removed.
    const store = await KvStore.open(path, systemClock);
    const rooms = new KvRooms(store, new Rulebook(RETENTION, KINDS_WITH_RESET));
    const { commit } = Deno.AtomicOperation.prototype;
    Deno.AtomicOperation.prototype.commit = async function () {
      Deno.AtomicOperation.prototype.commit = commit;
      await storage.append([reset("cat")]);
      return await commit.call(this);
    };
    await rooms.erase("r");
    await rooms.erase("r");
    assert.deepEqual(leftovers(rows(path).join(), "gone-word", "kept-word"), []);
    const [refused] = await storage.append([reset("cat")]);
    assert.ok("refused" in refused);
    await store.close();
    await storage.close();
  },
);

kvTest("what has expired is taken away, and the ids for as long as they are remembered", async (path) => {
  const clock = new FakeClock();
  const retention = { messages: 2, days: 0 };
  const storage = await open(path, clock, retention);
  const store = await KvStore.open(path, shownBy(clock));
  const sweep = new KvSweep(store, new KvRooms(store, new Rulebook(retention)));
  const kept = async () => {
    const found = await Array.fromAsync(store.kv.list({ prefix: [] }));
    return found.map(({ key }) => key.slice(2).join(" ")).filter((key) =>
      /^(message|change|part|erasing|id) /.test(key)
    );
  };
  const edit: Command = { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text: "x" };
  await storage.append([say("a", { id: "k" }), edit, ...Array.from({ length: 200 }, () => say("b")), say("c")]);
  await sweep.run();
  assert.deepEqual(await kept(), ["id r ann receive_message k", "message r 202", "message r 203"]);
  await clock.advance(IDEMPOTENCY_WINDOW);
  // The id has been used again before what it was first used for is taken away.
  await storage.append([say("d", { id: "k" }), say("e"), say("f"), say("g")]);
  await sweep.run();
  assert.deepEqual(await kept(), ["id r ann receive_message k", "message r 206", "message r 207"]);
  const [again] = await storage.append([say("d", { id: "k" })]);
  assert.ok("entry" in again && again.repeated && again.entry.seq === 204);
  await sweep.close();
  store.kv.close();
  await storage.close();
});

/** Whether a text stands in a key or in a value. */
function holds(path: string, text: string): boolean {
  const encodings = [Buffer.from(text), Buffer.from(text, "utf16le")].map((bytes) => bytes.toString("hex"));
  const file = new DatabaseSync(path, { readOnly: true });
  const held = file.prepare("SELECT lower(hex(k) || ' ' || hex(v)) AS row FROM kv").all();
  file.close();
  return held.some(({ row }) => encodings.some((encoded) => String(row).includes(encoded)));
}

kvTest("nothing of a deleted message's reactions remains, also of what came in the same call", async (path) => {
  const storage = await open(path);
  const users = Array.from({ length: 250 }, (_, at) => `gone-person-${at}`);
  const crowd = [0, 100, 200].map((from) => together(users.slice(from, from + 100).map((user) => react(user, "🦄"))));
  const gone = ["🦄", "gone-person", "GONE-PERSON"];
  await storage.append([say("one"), say("two"), ...crowd, react("bob", "🍵", true, 2)]);
  assert.deepEqual(gone.map((text) => holds(path, text)), [true, true, true]);
  await storage.append([
    react("gone-person-late", "🦄"),
    react("gone-person-1", "🦄", false),
    remove(1),
    react("eve", "🦄"),
  ]);
  assert.deepEqual(gone.map((text) => holds(path, text)), [false, false, false]);
  assert.deepEqual(["🍵", "bob", "BOB"].map((text) => holds(path, text)), [true, true, true]);
  const { entries } = await storage.read("r", 2);
  assert.deepEqual(entries.map((entry) => "changes" in entry ? entry.changes.length : entry.action), [
    0,
    0,
    0,
    1,
    0,
    0,
    "message_deleted",
  ]);
  await storage.close();
});

kvTest("the answers of a message go with it, and what is erased counts once", async (path) => {
  const clock = new FakeClock();
  const retention = { messages: 3, days: 0 };
  const kinds = KINDS_WITH_RESET;
  const storage = await KvStorage.open(path, { clock: shownBy(clock), retention, kinds });
  const store = await KvStore.open(path, shownBy(clock));
  const sweep = new KvSweep(store, new KvRooms(store, new Rulebook(retention, kinds)));
  const parts = async () =>
    (await Array.fromAsync(store.kv.list({ prefix: KEY.parts("r", 1).slice(0, -1) }), ({ key }) => key.slice(4)))
      .filter(([, part]) => part === "answer");
  const replies = async () => (await storage.history("r", { limit: 9 })).messages.map(({ replies }) => replies);
  const reset = (user: string) => ({ ...castVote(user, 2, "none"), action: "reset_test_votes" }) as Command;
  await storage.append([say("tea?"), answer(1, "yes"), answer(1, "no")]);
  assert.deepEqual([await replies(), await parts()], [[2, undefined, undefined], [[1, "answer", 2], [1, "answer", 3]]]);
  for (const user of ["bob", "cat"]) assert.ok("entry" in (await storage.append([reset(user)]))[0]);
  assert.deepEqual([await replies(), await parts()], [[1, undefined, undefined], [[1, "answer", 3]]]);
  assert.deepEqual((await storage.history("r", { limit: 9, repliesTo: 1 })).messages.map(({ seq }) => seq), [3]);
  // The first one has expired, and is not there any more for whoever deletes what answers it.
  await storage.append([say("more")]);
  assert.deepEqual((await storage.history("r", { limit: 9, repliesTo: 1 })).messages, []);
  const { removeParts } = KvRooms.prototype;
  KvRooms.prototype.removeParts = () => Promise.reject(new Error("cut off"));
  await assert.rejects(sweep.run(), /cut off/).finally(() => KvRooms.prototype.removeParts = removeParts);
  const { commit } = Deno.AtomicOperation.prototype;
  Deno.AtomicOperation.prototype.commit = async function () {
    Deno.AtomicOperation.prototype.commit = commit;
    await sweep.run();
    return await commit.call(this);
  };
  await storage.append([remove(3)]);
  assert.equal((await store.get(KEY.message("r", 1))).value, undefined);
  assert.deepEqual(await parts(), []);
  await sweep.close();
  await store.close();
  await storage.close();
});

kvTest("what an older version has kept, and deleted, is read and deleted like any other", async (path) => {
  const storage = await open(path);
  await storage.append([say("tea?"), answer(1, "yes"), answer(1, "no")]);
  const store = await KvStore.open(path, systemClock);
  const { value: { answers: _, ...older } } = (await store.get<Kept>(KEY.message("r", 1))) as { value: Kept };
  await store.kv.atomic().set(KEY.message("r", 1), older).delete(KEY.answer("r", 1, 2)).commit();
  const answers = async () => {
    const { messages: [{ replies }] } = await storage.history("r", { limit: 9 });
    return [replies, (await storage.history("r", { limit: 9, repliesTo: 1 })).messages.map(({ seq }) => seq)];
  };
  assert.deepEqual(await answers(), [undefined, [3]]);
  await storage.append([remove(2), remove(3)]);
  assert.deepEqual(await answers(), [undefined, []]);
  // It left the answer's key there.
  await store.kv.set(KEY.answer("r", 1, 3), 0);
  await storage.append([answer(1, "well")]);
  assert.deepEqual(await answers(), [1, [6]]);
  await store.close();
  await storage.close();
});

/** Every key and value that is still in the file some time from now, when it has let go of what ends by itself. */
function rows(path: string, later = 0): string[] {
  const file = new DatabaseSync(path, { readOnly: true });
  const latin = new TextDecoder("latin1");
  const held = file.prepare("SELECT k, v FROM kv WHERE expiration_ms < 0 OR expiration_ms > ?").all(Date.now() + later);
  file.close();
  return held.map(({ k, v }) => `${latin.decode(k as Uint8Array)} ${latin.decode(v as Uint8Array)}`);
}

for (const retention of [{ messages: 130, days: 0 }, { messages: 0, days: 1 }]) {
  const kept = JSON.stringify(retention);
  kvTest(`nothing remains of what has expired and whose id may be forgotten, keeping ${kept}`, async (path) => {
    const clock = new FakeClock();
    const options = { clock: sweptBy(clock), retention, kinds: KINDS_WITH_VOTE };
    const storage = await KvStorage.open(path, options);
    const expire = async () => {
      const later = ["one", "other"].map((room) => say("later", { room }));
      await storage.append(Array(retention.messages).fill(later).flat());
      clock.set(clock.now() + retention.days * 24 * 60 * 60 * 1000);
      await clock.advance(10 * 60_000);
      await until(() => leftovers(rows(path).join(), "kept-word").length === 0);
    };
    await storage.append(["one", "other"].map((room) => say("kept-word", { room })));
    await expire();
    const before = rows(path).length;

    const start = clock.now();
    const commands = ["one", "other"].map((room) => eventfulRoom(room, 1 + retention.messages));
    await storage.append(commands.flat());
    assert.deepEqual(leftovers(rows(path).join(), "gone-word"), []);
    await expire();
    const left = start + IDEMPOTENCY_WINDOW - clock.now();
    if (retention.days === 0) {
      await until(() => rows(path, left).length === before);
      assert.equal(leftovers(rows(path, left - 60_000).join(), "kept-id").length, 3);
      const [repeated] = await storage.append([commands[0][0]]);
      assert.ok("entry" in repeated && repeated.repeated && repeated.entry.seq === 132);
    } else await until(() => rows(path).length === before);
    assert.deepEqual(leftovers(rows(path, left).join(), "kept-word", "kept-person", "kept-id"), []);
    await storage.close();
  });
}

kvTest("a sweep takes nothing that is still shown or remembered", async (path) => {
  const clock = new FakeClock();
  const storage = await KvStorage.open(path, { clock: sweptBy(clock), retention: { messages: 0, days: 1 } });
  const edit = (text: string): Command => ({
    action: "edit_message",
    from: "Ann",
    room: "r",
    user: "ann",
    target: 1,
    text,
  });
  const start = clock.now();
  await storage.append([say("one", { id: "k" }), edit("two")]);
  clock.set(start + 1);
  await storage.append([edit("three"), say("four")]);
  clock.set(start + 1 + IDEMPOTENCY_WINDOW);
  await storage.append([say("five", { id: "k" })]);
  const interval = 10 * 60_000;
  const changes = () => rows(path).filter((row) => row.includes("\x02change\0")).length;
  assert.equal(changes(), 2);
  clock.set(clock.now() - interval);
  await clock.advance(interval);
  await until(() => changes() === 1);
  const { entries } = await storage.read("r", 0);
  assert.deepEqual(entries.map((entry) => "text" in entry && entry.text), ["three", "four", "five"]);
  const [repeated] = await storage.append([say("five", { id: "k" })]);
  assert.ok("entry" in repeated && repeated.repeated && repeated.entry.seq === 5);
  await storage.close();
});

kvTest(
  "a sweep gets past messages that wait for their edits, and looks for keys once for many messages",
  async (path) => {
    const clock = new FakeClock();
    const retention = { messages: 0, days: 1 };
    const storage = await KvStorage.open(path, { clock: shownBy(clock), retention, kinds: KINDS_WITH_VOTE });
    const start = clock.now();
    const many = 200;
    await storage.append(Array.from({ length: many }, () => say("waits")));
    await storage.append(Array.from({ length: many }, (_, at) => say("gone-word", { id: `kept-id ${at}` })));
    await storage.append([
      castVote("bob", 1, "tea"),
      castVote("bob", many + 1, "tea"),
      castVote("eve", 2 * many, "tea"),
    ]);
    clock.set(start + 1);
    await storage.append(Array.from({ length: many }, (_, at): Command => (
      { action: "edit_message", from: "Ann", room: "r", user: "ann", target: at + 1, text: "edited" }
    )));
    clock.set(start + IDEMPOTENCY_WINDOW + 1);
    const store = await KvStore.open(path, shownBy(clock));
    const sweep = new KvSweep(store, new KvRooms(store, new Rulebook(retention, KINDS_WITH_VOTE)));
    const list = store.kv.list.bind(store.kv);
    let lists = 0;
    store.kv.list = ((...asked: Parameters<typeof list>) => (lists++, list(...asked))) as typeof list;
    await sweep.run();
    const kept = async (...kinds: string[]) => {
      const keys = await Array.fromAsync(list({ prefix: [] }), ({ key }) => key);
      return keys.filter((key) => kinds.includes(String(key[2])));
    };
    assert.equal((await kept("message", "change")).length, 2 * many);
    assert.deepEqual((await kept("part")).map((key) => key.slice(4, 6)), [[1, "key"]]);
    assert.ok(lists < 40, `${lists} lists for ${many} messages`);
    const { entries } = await storage.read("r", 2 * many + 3);
    assert.deepEqual(entries.map((entry) => "text" in entry && entry.text), Array(many).fill("edited"));
    // The edits go, and all that waited for them.
    clock.set(start + IDEMPOTENCY_WINDOW + 2);
    await sweep.run();
    assert.deepEqual(await kept("message", "change", "part", "id"), []);
    await sweep.close();
    await store.close();
    await storage.close();
  },
);

kvTest("what is said while a sweep goes on is kept, and so is its id", async (path) => {
  const clock = new FakeClock();
  const retention = { messages: 0, days: 1 };
  const storage = await open(path, clock, retention);
  const ids = ["a", "b", "c", "d", "e"];
  await storage.append(ids.map((id) => say(`old ${id}`, { id })));
  clock.set(clock.now() + IDEMPOTENCY_WINDOW + 1);
  const other = await KvStorage.open(path, { clock: sweptBy(clock), retention });
  // Every second time that the other one is about to write, somebody is faster.
  const said: Command[] = [];
  const { commit } = Deno.AtomicOperation.prototype;
  let [writes, isFaster] = [0, false];
  Deno.AtomicOperation.prototype.commit = async function () {
    const id = ids[said.length];
    if (!isFaster && id !== undefined && writes++ % 2 === 1) {
      isFaster = true;
      said.push(say(`new ${id}`, { id }));
      await storage.append(said.slice(-1));
      isFaster = false;
    }
    return await commit.call(this);
  };
  try {
    clock.set(clock.now() - 10 * 60_000);
    await until(async () => {
      await clock.advance(10 * 60_000);
      return !rows(path).join().includes("old ") && said.length === ids.length;
    });
  } finally {
    Deno.AtomicOperation.prototype.commit = commit;
  }
  await other.close();
  const { messages, seq } = await storage.history("r", { limit: 9 });
  assert.deepEqual([messages.map(({ text }) => text), seq], [ids.map((id) => `new ${id}`), 10]);
  const results = await storage.append(said);
  assert.deepEqual(results.map((result) => "repeated" in result && result.repeated), ids.map(() => true));
  await storage.close();
});

kvTest("what has expired does not come back when more is to be kept, though a sweep was cut off", async (path) => {
  const clock = new FakeClock();
  const storage = await KvStorage.open(path, { clock: sweptBy(clock), retention: { messages: 1, days: 0 } });
  await storage.append([say("secret one", { id: "k" }), say("secret two"), say("three")]);
  const { commit } = Deno.AtomicOperation.prototype;
  let writes = 0;
  // The third one takes it away.
  Deno.AtomicOperation.prototype.commit = function () {
    return ++writes < 3 ? commit.call(this) : Promise.resolve({ ok: false });
  };
  try {
    await clock.advance(10 * 60_000);
    await until(() => writes === 3);
  } finally {
    Deno.AtomicOperation.prototype.commit = commit;
  }
  await storage.close();
  const again = await open(path, clock);
  for (const query of [{ limit: 9 }, { limit: 9, after: 0 }]) {
    assert.deepEqual((await again.history("r", query)).messages.map(({ text }) => text), ["three"]);
  }
  assert.deepEqual((await again.read("r", 0)).entries.map(({ seq }) => seq), [3]);
  const edit: Command = { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 2, text: "x" };
  const [repeated, refused] = await again.append([say("secret one", { id: "k" }), edit]);
  assert.ok("entry" in repeated && repeated.repeated && !("text" in repeated.entry));
  assert.deepEqual(refused, { refused: "not_found" });
  await again.close();
});

kvTest("a page has nothing above the head that it tells", async (path) => {
  const storage = await open(path);
  await storage.append([say("one")]);
  const store = await KvStore.open(path, systemClock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  const load = store.load.bind(store);
  store.load = async <Value>(keys: readonly Deno.KvKey[]) => {
    const found = await load<Value>(keys);
    if (keys.length > 0) await storage.append([say("meanwhile")]);
    return found;
  };
  for (const page of [await rooms.history("r", { limit: 9 }), await rooms.history("r", { limit: 9, after: 0 })]) {
    assert.equal(page.messages.at(-1)!.seq, page.seq);
  }
  const { entries, seq, complete } = await rooms.read("r", 0);
  assert.deepEqual([entries.at(-1)!.seq, complete], [seq, true]);
  await store.close();
  await storage.close();
});

/** Rooms whose every read of a record is followed by what somebody else writes. */
async function overtaken(path: string, write: (read: number) => Promise<unknown>) {
  const store = await KvStore.open(path, systemClock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION, KINDS_WITH_VOTE));
  const { records } = rooms;
  let read = 0;
  rooms.records = async (...parameters) => {
    const found = await records.apply(rooms, parameters);
    await write(++read);
    return found;
  };
  return { store, rooms };
}

kvTest(
  "a page shows no change that is told after it, though somebody changes its messages while it is read",
  async (path) => {
    const storage = await KvStorage.open(path, { clock: systemClock, retention: RETENTION, kinds: KINDS_WITH_VOTE });
    await storage.append([say("tea?"), castVote("bob", 1, "tea")]);
    let writes = 0;
    const { store, rooms } = await overtaken(path, async (read) => {
      // Somebody is faster twice, and then with what changes no message.
      const vote = castVote(`user${writes++}`, 1, "tea");
      await storage.append([read <= 2 ? vote : say("more")]);
    });
    const votesAtHead = async (read: () => Promise<{ seq: number; messages: unknown[] }>) => {
      const { seq, messages } = await read();
      const { entries } = await storage.read("r", 0);
      const told = entries.filter(({ action, seq: at }) => action as string === "test_vote_cast" && at <= seq).length;
      assert.deepEqual((messages[0] as { votes: unknown }).votes, { tea: told });
      return told;
    };
    assert.equal(await votesAtHead(() => rooms.history("r", { limit: 9, after: 0 })), 3);
    await store.close();
    await storage.close();
  },
);

kvTest("a page counts no answer that is told after it", async (path) => {
  const storage = await open(path);
  await storage.append([say("tea?")]);
  const { store, rooms } = await overtaken(path, async (read) => {
    await storage.append([read <= 2 ? answer(1, "yes") : say("more")]);
  });
  const { messages, seq } = await rooms.history("r", { limit: 9 });
  assert.deepEqual([messages[0].replies, messages.length, seq], [2, 3, 3]);
  await store.close();
  await storage.close();
});

kvTest(
  "a catch-up shows nothing that is not so yet, and comes also where others change its messages all the time",
  async (path) => {
    const storage = await open(path);
    await storage.append([say("0")]);
    const edit = (text: string): Command => (
      { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text }
    );
    let isBusy = true;
    const { store, rooms } = await overtaken(path, async (read) => {
      if (isBusy || read % 2 === 1) await storage.append([edit(`${read}`)]);
    });
    assert.equal((await rooms.read("r", 0)).entries.length, 5);
    assert.equal((await rooms.history("r", { limit: 9 })).messages.length, 1);
    isBusy = false;
    for (const after of [0, 1]) {
      const { seq, entries } = await rooms.read("r", after);
      assert.equal(entries.at(-1)!.seq, seq);
      const { entries: now } = await storage.read("r", after);
      assert.deepEqual(entries, now.slice(0, entries.length));
      assert.equal(now.length, entries.length, "the text that it shows is that of its last entry");
    }
    await store.close();
    await storage.close();
  },
);

kvTest("what the watch does not bring is found by a poll, and an isolate that hears nothing says so", async (path) => {
  const [clock, writer] = [new FakeClock(), await open(path)];
  const store = await KvStore.open(path, clock);
  store.kv.watch = () => new ReadableStream();
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  const notifications = new KvNotifications(store, rooms, () => {});
  const heard: LogNotification[] = [];
  notifications.subscribe("r", (each) => heard.push(each));
  notifications.seen("r", await rooms.read("r", 0));
  for (let at = 1; at <= 4; at++) {
    assert.equal(notifications.notificationsBroken, false);
    await writer.append([say(`${at}`)]);
    await clock.advance(POLL_INTERVAL);
    await until(() => heard.flatMap(({ entries }) => entries).length === at);
  }
  await until(() => notifications.notificationsBroken);
  assert.equal(notifications.missed, 3);
  await Promise.all([notifications.close(), writer.close()]);
  store.kv.close();
});

/** A random pause, mostly of a few milliseconds. */
const pause = () => new Promise((resolve) => setTimeout(resolve, 40 * Math.random() ** 3));

/** Has pages of history take their time, before and after they are read. */
async function withSlowPages(work: () => Promise<void>): Promise<void> {
  const { history } = KvRooms.prototype;
  KvRooms.prototype.history = async function (...parameters) {
    await pause();
    const page = await history.apply(this, parameters);
    await pause();
    return page;
  };
  try {
    await work();
  } finally {
    KvRooms.prototype.history = history;
  }
}

kvTest(
  "whoever subscribes while two isolates write gets every entry once, in order, and by the watch",
  async (path) => {
    // No poll helps: the time for it never comes.
    const after: Clock["after"] = (milliseconds, act) =>
      milliseconds === POLL_INTERVAL ? () => {} : systemClock.after(milliseconds, act);
    const options = { clock: { ...systemClock, after }, retention: RETENTION };
    const both = await Promise.all([1, 2].map(() => KvStorage.open(path, options)));
    const subscribers: LogSubscriber[] = [];
    const subscribe = async (room: string, storage: KvStorage, got: number[]) => {
      await pause();
      const subscriber = new LogSubscriber(room, storage, systemClock, {
        notified() {},
        due: () => queueMicrotask(() => got.push(...subscriber.take().map(({ seq }) => seq))),
        deliver: (entries) => got.push(...entries.map(({ seq }) => seq)),
        restart: () => assert.fail("the log is always the same one"),
      });
      subscribers.push(subscriber);
      // They begin with one of two pages that are read at the same time.
      const [page] = await Promise.all([1, 2].map(() => storage.history(room, { limit: 9 })));
      got.push(page.seq);
      subscriber.begin(page);
    };
    const follow = async (room: string) => {
      const got: number[][] = [[], []];
      const write = async () => {
        await pause();
        await pause();
        await both[0].append([say("x", { room })]);
      };
      await Promise.all([write(), ...both.map((storage, at) => subscribe(room, storage, got[at]))]);
      await until(() => got.every((seqs) => seqs.at(-1) === 1));
      for (const seqs of got) assert.deepEqual(seqs, [0, 1].slice(seqs[0]));
    };
    await withSlowPages(async () => {
      // Each round has rooms of different change keys: no other room's change helps.
      for (let round = 10; round < 30; round++) {
        await Promise.all(Array.from({ length: CHANGE_KEYS }, (_, at) => follow(`r${round}${at}`)));
      }
    });
    assert.deepEqual(both.map(({ missedNotifications }) => missedNotifications), [0, 0]);
    for (const subscriber of subscribers) subscriber.dispose();
    await Promise.all(both.map((storage) => storage.close()));
  },
);

kvTest("what others write costs one read of positions and one of each room that has moved on", async (path) => {
  const [clock, writer] = [new FakeClock(), await open(path)];
  assert.equal(changeKeyOf("r"), changeKeyOf("quiet"));
  await writer.append(["r", "quiet"].map((room) => say("before", { room })));
  const store = await KvStore.open(path, clock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  const notifications = new KvNotifications(store, rooms, () => {});
  const heard: LogNotification[] = [];
  for (const room of ["r", "quiet"]) {
    notifications.subscribe(room, (each) => heard.push(each));
    notifications.seen(room, await rooms.read(room, 0));
  }
  await notifications.look([...Array(CHANGE_KEYS).keys()]);
  const read: Deno.KvKey[][] = [];
  const load = store.load.bind(store);
  store.load = (keys) => (keys.length === 0 || read.push([...keys]), load(keys));
  await writer.append([say("one"), say("two")]);
  await until(() => heard.length > 0);
  const positions = [KEY.epoch, KEY.room("r"), KEY.room("quiet")];
  assert.deepEqual(
    read,
    [positions, [KEY.epoch, KEY.room("r")]],
    "the positions of its rooms, then what is new in one",
  );
  assert.deepEqual(heard.map(({ entries }) => entries.map(({ seq }) => seq)), [[2, 3]]);
  // What this isolate has told itself is not read.
  read.length = 0;
  const entry = { ...heard[0].entries[1], seq: 4 };
  notifications.tell("r", { epoch: heard[0].epoch, entries: [entry] });
  await writer.append([say("as if it were our own")]);
  await until(() => read.length > 0);
  await notifications.look([]);
  assert.deepEqual(read, [positions]);
  await Promise.all([notifications.close(), writer.close()]);
  store.kv.close();
});

kvTest("a watch that breaks is begun again", async (path) => {
  const [clock, writer] = [new FakeClock(), await open(path)];
  const store = await KvStore.open(path, clock);
  const watch = store.kv.watch.bind(store.kv);
  let broken = 0;
  store.kv.watch = (...parameters: Parameters<Deno.Kv["watch"]>) => {
    if (broken++ > 0) return watch(...parameters) as never;
    return new ReadableStream({ start: (controller) => controller.error(new Error("the connection broke")) });
  };
  await quietly(async () => {
    const rooms = new KvRooms(store, new Rulebook(RETENTION));
    const notifications = new KvNotifications(store, rooms, () => {});
    const heard: LogNotification[] = [];
    notifications.subscribe("r", (each) => heard.push(each));
    notifications.seen("r", await rooms.read("r", 0));
    await clock.advance(POLL_INTERVAL / 2);
    await writer.append([say("heard")]);
    await until(() => heard.length === 1);
    await Promise.all([notifications.close(), writer.close()]);
  });
  store.kv.close();
});

kvTest("a store that is gone is unavailable", async (path) => {
  const store = await KvStore.open(path, systemClock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  store.kv.close();
  await quietly(async () => {
    await assert.rejects(store.reading(() => rooms.records(["r"])), { name: "ChatError", code: "unavailable" });
    await assert.rejects(rooms.append("r", [say("x")]).next(), { name: "ChatError", code: "unavailable" });
  });
  assert.equal(store.failed, true);
});

kvTest("a store that does not answer is unavailable", async (path) => {
  const clock = new FakeClock();
  const store = await KvStore.open(path, clock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  store.kv.getMany = () => new Promise(() => {});
  await quietly(async () => {
    const refused = [store.reading(() => rooms.records(["r"])), rooms.append("r", [say("x")]).next()]
      .map((answer) => assert.rejects(answer, { name: "ChatError", code: "unavailable" }));
    await clock.advance(ANSWER_TIMEOUT);
    await Promise.all(refused);
  });
  store.kv.close();
});

kvTest("a name that was given and is long forgotten leaves nothing behind", async (path) => {
  const storage = await open(path);
  const store = await KvStore.open(path, systemClock);
  const now = Date.now();
  const give = (user: string, name: string) => giveOne(storage, offer(user, name), now + 1_000, now);
  assert.deepEqual(await give("ann", "User 1"), { name: "User 1", chosen: false });
  // As when the store has let go of the name and not yet of who was called so.
  await store.kv.delete(KEY.name("user 1"));
  assert.deepEqual(await give("bob", "User 1"), { name: "User 1", chosen: false });
  assert.deepEqual(await give("ann", "User 2"), { name: "User 2", chosen: false });
  const bob = { user: "bob", name: "Bob", key: "bob", until: now + 1_000, now };
  assert.deepEqual(await storage.names.claim(bob), { name: "Bob", chosen: true });
  assert.deepEqual(await give("cat", "User 1"), { name: "User 1", chosen: false });
  store.kv.close();
  await storage.close();
});

Deno.test("kv: two isolates of one server are one chat", async () => {
  const server = await startServer({ env: { DATABASE_URL: "kv:data/chat.kv", WORKERS: "2" } });
  const clients = await Promise.all(Array.from({ length: 16 }, () => TestClient.open(server.url)));
  for (const [at, client] of clients.entries()) client.say(`from ${at}`);
  for (const client of clients) await client.until("receive_message", ({ seq }) => seq === 16);
  assert.equal(server.errors(), "");
  assert.equal(await server.stop(), 0);
});

Deno.test("kv: a text limit above what a value holds stops the start with one line", async () => {
  const message = await startServer({ env: { DATABASE_URL: "kv:data/chat.kv", TEXT_LIMIT: String(KV_TEXT_LIMIT + 1) } })
    .then((server) => server.stop().then(() => "it started"), (error) => error.message);
  assert.match(message, /could not start: TEXT_LIMIT must be at most 16000 with [^\n]+\n$/);
});

kvTest("a page of history reads messages only, however many changes lie between them", async (path) => {
  const storage = await open(path);
  const edits = Array.from({ length: 300 }, (_, at): Command => (
    { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text: `edit ${at}` }
  ));
  await storage.append([say("one"), ...edits, say("two")]);
  const store = await KvStore.open(path, systemClock);
  const rooms = new KvRooms(store, new Rulebook(RETENTION));
  let read = 0;
  const list = store.kv.list.bind(store.kv);
  store.kv.list = ((...asked: Parameters<typeof list>) => {
    const rows = list(...asked);
    const { next } = rows;
    rows.next = () => next.call(rows).then((row) => (row.done || read++, row));
    return rows;
  }) as typeof list;
  for (const query of [{ limit: 9 }, { limit: 9, after: 0 }]) {
    read = 0;
    const { messages, more } = await rooms.history("r", query);
    assert.deepEqual([messages.map(({ text }) => text), more, read], [["edit 299", "two"], false, 2]);
  }
  assert.equal((await rooms.read("r", 0)).complete, true);
  await store.close();
  await storage.close();
});

kvTest("a store that was emptied begins another epoch, of which subscribers are told", async (path) => {
  const storage = await open(path);
  const epochs: string[] = [];
  storage.subscribe("r", ({ epoch }) => epochs.push(epoch));
  await storage.append([say("one"), say("two")]);
  const store = await KvStore.open(path, systemClock);
  for await (const { key } of store.kv.list({ prefix: [] })) await store.kv.delete(key);
  await store.close();
  const { epoch, seq, messages } = await storage.history("r", { limit: 9 });
  assert.deepEqual([typeof epoch, seq, messages], ["string", 0, []]);
  assert.notEqual(epoch, epochs[0]);
  await storage.append([say("three")]);
  assert.equal(epochs.at(-1), epoch);
  await storage.close();
});

kvTest("what is published just before closing is written: the last names, and that it leaves", async (path) => {
  const [one, two] = [await open(path), await open(path)];
  const heard: ClusterEvent[] = [];
  two.onEvent((event) => heard.push(event));
  const now = Date.now();
  await one.names.claim({ user: "ann", name: "Ann", key: "ann", until: now + 1, now });
  const held = one.names.hold([{ user: "ann", until: now + 1_000 }]);
  one.publish({ kind: "bans_changed" });
  await one.close();
  await held;
  await until(() => heard.length === 1);
  const claim = { user: "eve", name: "Ann", key: "ann", until: now + 99, now: now + 500 };
  assert.deepEqual(await two.names.claim(claim), { holder: "ann", until: now + 1_000 });
  await two.close();
});
