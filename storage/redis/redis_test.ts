/** What Redis adds to the contract of a storage: what happens when it stalls, restarts, is emptied, or is silent. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { type Clock, systemClock } from "../../chat/clock.ts";
import type { AnyKind, CommandBase, Decision, Document, Kind } from "../../chat/entries/kind.ts";
import { IDEMPOTENCY_WINDOW } from "../../chat/rulebook.ts";
import { reaction } from "../../chat/entries/reaction.ts";
import { type ClusterEvent, type Command, type HistoryQuery, PAGE_BYTES, ROOM_SETTINGS } from "../../chat/storage.ts";
import type { Entry, ReceiveMessage } from "../../chat/protocol.ts";
import { FakeClock } from "../../testing/clock.ts";
import { eventfulRoom, leftovers, sweptBy } from "../../testing/storage/leftovers.ts";
import { LogView } from "../../testing/storage/log_view.ts";
import { RedisServer, redisTest } from "../../testing/servers/redis.ts";
import { quietly } from "../../testing/quietly.ts";
import { until } from "../../testing/until.ts";
import { castVote, KINDS_WITH_VOTE } from "../../testing/storage/vote.ts";
import { Wire } from "../../testing/servers/wire.ts";
import { MemoryStorage } from "../memory.ts";
import { ChatError } from "../../chat/errors.ts";
import { RedisConnection } from "./connection.ts";
import { RedisNotifications } from "./notifications.ts";
import { PULSE_INTERVAL, RedisStorage } from "./redis.ts";
import { SWEEP_INTERVAL } from "./sweeper.ts";
import { FUNCTIONS } from "./functions/library.ts";

const KEEP_ALL = { messages: 0, days: 0 };
const DURABLE = ["--appendonly", "yes", "--appendfsync", "always"];

type React = Extract<Command, { action: "react" }>;
const say = (text: string, id?: string): Command => {
  const command: Command = { action: "send_message", room: "r", user: "ann", from: "Ann", text };
  return id === undefined ? command : { ...command, id };
};
const change = (target: number, text?: string): Command =>
  text === undefined
    ? { action: "delete_message", from: "Ann", room: "r", user: "ann", target }
    : { action: "edit_message", from: "Ann", room: "r", user: "ann", target, text };

const opened = new Set<RedisStorage>();
const open = async (
  server: { port: number },
  options: {
    clock?: Clock;
    retention?: typeof KEEP_ALL;
    kinds?: readonly AnyKind[];
    prefix?: string;
    mayLoseASecond?: boolean;
  } = {},
) => {
  const { prefix = "parley", mayLoseASecond = false, clock = systemClock, retention = KEEP_ALL } = options;
  const { kinds = KINDS_WITH_VOTE } = options;
  const place = { url: `redis://127.0.0.1:${server.port}`, prefix, mayLoseASecond };
  const storage = await RedisStorage.open(place, { clock, retention, kinds });
  opened.add(storage);
  return storage;
};

/** Real time, of which a test makes some waits shorter. */
class HastyClock implements Clock {
  /** How long a wait really takes, milliseconds. */
  hurry = (milliseconds: number) => milliseconds;
  now = systemClock.now;
  monotonic = systemClock.monotonic;
  soon = systemClock.soon;

  after(milliseconds: number, act: () => void): () => void {
    return systemClock.after(this.hurry(milliseconds), act);
  }
}

/** A test with a Redis server of its own. */
const serverTest = (title: string, options: string[], check: (server: RedisServer) => Promise<void>) =>
  redisTest(`redis: ${title}`, async () => {
    const server = await RedisServer.start(...options);
    try {
      await check(server);
    } finally {
      for (const storage of opened) await storage.close();
      opened.clear();
      await server.stop();
    }
  });

/** Appends until it is kept, as a client does that was told `unavailable`. */
async function insist(storage: RedisStorage, command: Command): Promise<void> {
  await until(() => storage.append([command]).then(() => true, () => false));
}

const commands = async (server: RedisServer) =>
  [...(await server.command("INFO", "commandstats")).matchAll(/cmdstat_fcall\w*:calls=(\d+)/g)]
    .reduce((sum, [, calls]) => sum + Number(calls), 0);

serverTest("a hundred messages of several rooms are one command", [], async (server) => {
  const storage = await open(server);
  const hundred = (round: number) =>
    Array.from({ length: 100 }, (_, at) => ({ ...say(`m${at}`, `k${round} ${at}`), room: `r${at % 5}` }));
  await storage.append(hundred(1));
  const before = await commands(server);
  await storage.append(hundred(2));
  // A pulse may fall in between.
  assert.ok(await commands(server) - before <= 2);
});

serverTest("edited, deleted and expired words are in no dump", ["--rdbcompression", "no"], async (server) => {
  const clock = new HastyClock();
  clock.hurry = (milliseconds) => milliseconds === SWEEP_INTERVAL ? 100 : milliseconds;
  const storage = await open(server, { clock, retention: { messages: 8, days: 0 } });
  await storage.append([say("hush one"), say("hush two"), change(1, "hush three"), change(1, "kept one")]);
  await storage.append([change(2), say("hush four"), say("kept two")]);
  await storage.append(Array.from({ length: 7 }, (_, at) => say(`kept ${at}`)));
  await until(async () => (await server.command("XLEN", "parley:{r}:log")) === ":8\r\n");
  await server.command("SAVE");
  const dump = new TextDecoder("latin1").decode(await server.file("dump.rdb"));
  assert.match(dump, /kept two/);
  assert.doesNotMatch(dump, /hush/);
  // The first edit's words went with the entry that showed them last.
  assert.doesNotMatch(dump, /kept one/);
});

const react = (user: string, target: number, emoji = "🍵", on = true): React => (
  { action: "react", room: "r", user, from: user, target, emoji, on }
);
/** More than a page names, and one of the first of them goes. */
const crowd = (target: number) => [
  ...["ann", "b", "c", "d", "e", "f"].map((user) => react(user, target)),
  react("ann", target, "🍵", false),
];

/** What can be asked of two storages: each is a batch, some time after the one before. */
const batches = fc.array(
  fc.record({
    pause: fc.nat(3 * 60 * 60 * 1000),
    commands: fc.array(
      fc.record({
        what: fc.constantFrom(
          "say",
          "say",
          "answer",
          "edit",
          "delete",
          "again",
          "react",
          "react",
          "crowd",
          "take back",
        ),
        user: fc.constantFrom("ann", "bob"),
        back: fc.nat(9),
        id: fc.option(fc.constantFrom("k1", "k2", "k3"), { nil: undefined }),
      }),
      { minLength: 1, maxLength: 8 },
    ),
  }),
  { minLength: 1, maxLength: 12 },
);

for (const retention of [KEEP_ALL, { messages: 5, days: 0 }, { messages: 0, days: 1 }]) {
  serverTest(
    `every answer is the one that memory gives, with ${JSON.stringify(retention)}`,
    [],
    async (server) => {
      let runs = 0;
      await fc.assert(
        fc.asyncProperty(batches, async (story) => {
          let now = Date.UTC(2026, 0, 1);
          const clock = { ...systemClock, now: () => now };
          const memory = new MemoryStorage({ clock, secret: "", retention });
          const redis = await open(server, { clock, retention, prefix: `run${runs++}` });
          let head = 0;
          for (const [at, { pause, commands }] of story.entries()) {
            now += pause;
            const asked = commands.map(({ what, user, back, id }, number): Command => {
              const common = { room: "r", user, ...(id !== undefined && retention.days === 0 && { id }) };
              const target = Math.max(0, head - back);
              if (what === "edit") {
                return { action: "edit_message", from: "Ann", target, text: `edit ${at} ${number}`, ...common };
              }
              if (what === "delete") return { action: "delete_message", from: "Ann", target, ...common };
              if (what === "crowd") return reaction.merge!(crowd(target)) as Command;
              if (what === "react" || what === "take back") return react(user, target, "🍵", what === "react");
              const more = what === "answer" ? { reply_to: target } : what === "again" && { lookupOnly: true as const };
              return { action: "send_message", from: user, text: `text ${at} ${number}`, ...common, ...more };
            });
            // What expires within a batch may still be shown by memory, which lets go of it at the end.
            const parts = retention.messages === 0 ? [asked] : asked.map((command) => [command]);
            for (const part of parts) assert.deepEqual(await redis.append(part), await memory.append(part));
            for (const query of [{}, { before: head }, { after: head - 4 }]) {
              const [one, other] = await Promise.all(
                [redis, memory].map((e) => e.history("r", { limit: 4, ...query })),
              );
              assert.deepEqual({ ...one, epoch: "" }, { ...other, epoch: "" });
            }
            const [one, other] = await Promise.all(
              [redis, memory].map((storage) => storage.read("r", Math.max(0, head - 6))),
            );
            assert.deepEqual({ ...one, epoch: "" }, { ...other, epoch: "" });
            head = other.seq;
          }
          await redis.close();
          opened.delete(redis);
        }),
        {
          numRuns: Deno.env.get("SOAK") === undefined ? 40 : 500,
          seed: Deno.env.get("SOAK") === undefined ? 20261122 : undefined,
        },
      );
    },
  );
}

type Marked = Document & { marks?: { seq: number; date: number }[]; places?: number[] };
/**
 * A kind that keeps places and dates of entries: in the document, and those of the mark before it in a place of its
 * own.
 */
const markKind = (
  tells: string,
  keeps: (last: { seq: number; date: number }, key: unknown) => Decision,
  more?: object,
) =>
  ({
    asks: `test_${tells}`,
    tells,
    countsAs: "messages",
    who: "anyone",
    whileLocked: false,
    keys: () => ["last"],
    decide: (_, { target, key }) =>
      keeps((target!.document as Marked).marks?.at(-1) ?? { seq: 0, date: 0 }, key("last") ?? 0),
    apply(document, { seq, date }) {
      const { marks = [], places = [] }: Marked = document;
      return { ...document, marks: [...marks, { seq, date }], places: [...places, seq] } as Document;
    },
    ...more,
  }) satisfies Kind<CommandBase, { action: string; seq: number; date: number }>;
const MARKS = [
  markKind("mark", () => ({ fields: {} })),
  markKind("mark_fixed", ({ date }) => ({ fields: { kept: date } }), { fixed: ["kept"] }),
  markKind("mark_erasable", ({ seq }) => ({ fields: { kept: [seq] } }), { erasable: ["kept"] }),
  markKind("mark_large", () => ({ fields: { kept: 9_000_000_000_000_001 } }), { fixed: ["kept"] }),
  markKind("mark_key", ({ seq }, key) => ({ fields: { kept: key }, keys: { last: seq } }), { fixed: ["kept"] }),
];

serverTest("places and dates that a kind stores are right, also within one call", [], async (server) => {
  const storage = await open(server, { kinds: [...KINDS_WITH_VOTE, ...MARKS] });
  const does = (asks: string): Command =>
    ({ action: `test_${asks}`, room: "r", user: "bob", from: "Bob", target: 1 }) as unknown as Command;
  const text = '":9000000000000001, 9000000000000000 ["\\":9000000000000001] \\';
  await storage.append([say("before")]);
  const told = await storage.append([
    does("mark"),
    say("between"),
    does("mark"),
    change(1, text),
    does("mark_fixed"),
    castVote("bob", 1, "9000000000000001"),
    does("mark_erasable"),
    does("mark_key"),
    does("mark_key"),
  ]);
  assert.deepEqual(told.map((result) => "entry" in result && result.entry.seq), [2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const { entries } = await storage.read("r", 1);
  assert.deepEqual(entries, told.map((result) => "entry" in result && result.entry));
  const dateOf = (place: number) => entries.find(({ seq }) => seq === place)!.date;
  const [message] = (await storage.history("r", { limit: 9 })).messages as unknown as Marked[];
  const places = [2, 4, 6, 8, 9, 10];
  assert.deepEqual(message.places, places);
  assert.deepEqual(message.marks, places.map((seq) => ({ seq, date: dateOf(seq) })));
  assert.deepEqual([message.text, message.edited], [text, dateOf(5)]);
  const kept = entries.filter((entry) => "kept" in entry).map((entry) => "kept" in entry && entry.kept);
  assert.deepEqual(kept, [dateOf(4), [6], 0, 8]);
  const [large] = await storage.append([does("mark_large")]);
  assert.equal("entry" in large && (large.entry as { kept?: unknown }).kept, 9_000_000_000_000_001);
  // Each of these waits for what came of the one before.
  const many = await storage.append(Array.from({ length: 120 }, () => does("mark_key")));
  assert.ok(many.every((result) => "entry" in result));
});

serverTest(
  "a date that an entry shows of its message is known when it is told, also within one call",
  [],
  async (server) => {
    type Shown = Document & { since?: number };
    const show: Kind<CommandBase, { action: string; since: number }> = {
      asks: "show_test_date",
      tells: "test_date_shown",
      countsAs: "messages",
      who: "anyone",
      whileLocked: false,
      showsWords: true,
      decide: (_, { target }) => ({ fields: { since: target!.document.edited ?? 0 } }),
      apply: (document, { since }) => ({ ...document, since }) as Document,
      present: (document: Shown | undefined) => ({ since: document?.since ?? 0 }),
    };
    const storage = await open(server, { kinds: [...KINDS_WITH_VOTE, show] });
    const asked = { action: "show_test_date", room: "r", user: "bob", from: "Bob", target: 1 } as unknown as Command;
    await storage.append([say("one")]);
    const told = await storage.append([change(1, "ONE"), change(1, "One"), asked]);
    const { entries } = await storage.read("r", 3);
    assert.deepEqual(entries, told.slice(2).map((result) => "entry" in result && result.entry));
  },
);

serverTest("a number that somebody has chosen is never taken for a date", [], async (server) => {
  const said = KINDS_WITH_VOTE[0] as unknown as Kind<CommandBase & { ends: number }>;
  const poll: typeof said = {
    ...said,
    asks: "start_poll",
    tells: "poll_started",
    decide: (command, view) => {
      const decision = said.decide(command, view);
      return "fields" in decision ? { fields: { ...decision.fields, ends: command.ends } } : decision;
    },
    begin: ({ text, ends }) => ({ text, ends }) as Document,
  };
  const storage = await open(server, { kinds: [...KINDS_WITH_VOTE, poll] });
  const numbers = [0, 1, 2].map((more) => 9_000_000_000_000_000 + more);
  await storage.append(
    numbers.map((ends) => ({ ...say("poll"), action: "start_poll", ends }) as unknown as Command),
  );
  await storage.append([change(1, "1"), change(2, "2"), change(3, "3")]);
  const { messages } = await storage.history("r", { limit: 9 });
  assert.deepEqual(messages.map((message) => "ends" in message && message.ends), numbers);
});

serverTest("a prefix is a chat of its own", [], async (server) => {
  const [one, other] = [await open(server, { prefix: "one" }), await open(server, { prefix: "other" })];
  const heard = new LogView(other, "r");
  await one.append([say("hello")]);
  await other.append([say("hi")]);
  assert.deepEqual(heard.entries.map((entry) => "text" in entry && entry.text), ["hi"]);
  assert.notEqual(await one.secret(), await other.secret());
});

serverTest("the password is used, and no error shows one", ["--requirepass", "sesame"], async (server) => {
  const place = { prefix: "parley", mayLoseASecond: false };
  const address = (password: string) => ({ ...place, url: `redis://:${password}@127.0.0.1:${server.port}` });
  const options = { clock: systemClock, retention: KEEP_ALL };
  await (await RedisStorage.open(address("sesame"), options)).close();
  await assert.rejects(RedisStorage.open(address("wrong-word"), options), {
    message: `Redis at 127.0.0.1:${server.port} does not know this user or password.`,
  });
});

serverTest("a user who may not publish in rooms is refused at the start", [], async (server) => {
  const start = async (channels: string) => {
    await server.command("ACL", "SETUSER", "ann", "reset", "on", ">sesame", "~*", "+@all", channels);
    const place = { url: `redis://ann:sesame@127.0.0.1:${server.port}`, prefix: "parley", mayLoseASecond: false };
    await (await RedisStorage.open(place, { clock: systemClock, retention: KEEP_ALL })).close();
  };
  await start("&parley:*");
  await assert.rejects(start("&parley:news"), /does not let this user do all that Parley needs: NOPERM/);
});

serverTest(
  "the start warns of what a crash may take back, unless the operator allows it",
  ["--maxmemory", "1gb"],
  async (server) => {
    const warnings = async (mayLoseASecond = false) => {
      const storage = await open(server, { mayLoseASecond });
      await storage.close();
      return storage.warnings;
    };
    const set = (...words: string[]) => server.command("CONFIG", "SET", ...words);
    assert.match((await warnings())[0], /keeps no append-only file/);
    await set("appendonly", "yes");
    assert.match((await warnings())[0], /once a second/);
    assert.deepEqual(await warnings(true), []);
    await set("appendfsync", "no");
    assert.match((await warnings(true))[0], /lets the system decide/);
    await set("appendfsync", "always");
    assert.deepEqual(await warnings(), []);
    await set("maxmemory-policy", "allkeys-lru");
    assert.match((await warnings())[0], /Set maxmemory-policy noeviction/);
  },
);

const compose = await Deno.readTextFile(new URL("../../compose.yaml", import.meta.url));
const [, options] = /command: valkey-server (.+)/.exec(compose)!;

serverTest(
  "the Redis of compose.yaml loses nothing acknowledged",
  options.replaceAll('"', "").split(" "),
  async (server) => {
    assert.deepEqual((await open(server)).warnings, []);
  },
);

serverTest("an emptied Redis is another epoch, and no old place is taken for a new one", [], async (server) => {
  const storage = await open(server);
  await storage.append([say("old", "k"), say("older")]);
  const { epoch } = await storage.read("r", 0);
  const secret = await storage.secret();
  const seen = new LogView(storage, "r");
  await server.command("FLUSHALL");
  await until(() => seen.epochs.size > 0 && !seen.epochs.has(epoch));
  const after = await storage.read("r", 0);
  assert.deepEqual([after.seq, after.entries, seen.epochs.has(after.epoch)], [0, [], true]);
  const [result] = await storage.append([say("new", "k")]);
  assert.ok("entry" in result && result.entry.seq === 1 && !result.repeated);
  // Whoever has a token keeps their identity.
  const other = await open(server);
  assert.equal(await other.secret(), secret);
});

for (
  const [options, isSame] of [[DURABLE, true], [["--appendonly", "yes", "--appendfsync", "everysec"], false]] as const
) {
  const title = isSame
    ? "a restart that loses nothing acknowledged is the same epoch"
    : "a restart after which less may be there is another epoch, though nothing seems to be missing";
  serverTest(title, [...options], async (server) => {
    const [one, other] = [await open(server), await open(server)];
    const seen = new LogView(other, "r");
    await one.append([say("first", "k")]);
    const { epoch } = await one.read("r", 0);
    const said = await quietly(async () => {
      await server.kill();
      await assert.rejects(one.append([say("second", "l")]), { name: "ChatError", code: "unavailable" });
      await assert.rejects(one.check());
      await server.restart();
      await insist(one, say("second", "l"));
      await until(() => other.check().then(() => true, () => false));
    });
    assert.match(said, /Redis is out of reach.+Redis is back/s);
    const epochs = await Promise.all([one, other].map(async (storage) => (await storage.read("r", 0)).epoch));
    assert.equal(epochs[0], epochs[1]);
    assert.equal(epochs[0] === epoch, isSame);
    await until(() => seen.epochs.has(epochs[0]));
    if (isSame) {
      const again = await one.append([say("first", "k"), say("third")]);
      assert.deepEqual(again.map((result) => "entry" in result && result.entry.seq), [1, 3]);
      await until(() => seen.entries.length === 3);
    }
  });
}

serverTest(
  "a stalled Redis is told as unavailable, without waiting, and what it does late is shown",
  [],
  async (server) => {
    const clock = new HastyClock();
    const storage = await open(server, { clock });
    const seen = new LogView(storage, "r");
    await storage.append([say("before")]);
    const said = await quietly(async () => {
      server.signal("SIGSTOP");
      clock.hurry = (milliseconds) => milliseconds / 30;
      await assert.rejects(storage.append([say("during", "k")]), {
        name: "ChatError",
        code: "unavailable",
        retryAfter: 2,
      });
      clock.hurry = (milliseconds) => milliseconds;
      const before = performance.now();
      for (let at = 0; at < 1_000; at++) await assert.rejects(storage.append([say(`more ${at}`)]));
      assert.ok(performance.now() - before < 3_000, "nobody waits behind what is stalled");
      server.signal("SIGCONT");
      await insist(storage, say("during", "k"));
    });
    await until(() => seen.entries.length === 2);
    assert.deepEqual((await storage.read("r", 0)).entries, seen.entries);
    await storage.check();
    assert.doesNotMatch(said, /unhandled/i);
    await storage.close();
  },
);

serverTest("a Redis whose memory is full is not ready, since nobody new can be given a name", [], async (server) => {
  const storage = await open(server);
  await storage.append([say("before")]);
  await server.command("CONFIG", "SET", "maxmemory-policy", "noeviction");
  await server.command("CONFIG", "SET", "maxmemory", "1");
  await quietly(async () => {
    const claim = { user: "bob", name: "Bob", key: "bob", until: 1e15, now: 0 };
    await assert.rejects(storage.names.claim(claim), { code: "unavailable" });
    await assert.rejects(storage.append([say("during")]), { code: "unavailable" });
    await assert.rejects(storage.check());
  });
  await server.command("CONFIG", "SET", "maxmemory", "0");
  await storage.check();
  await storage.close();
});

serverTest("a connection without answers is given up, and Parley connects again", [], async (server) => {
  const clock = new HastyClock();
  const storage = await open(server, { clock });
  await quietly(async (said) => {
    server.signal("SIGSTOP");
    clock.hurry = (milliseconds) => milliseconds / 30;
    await assert.rejects(storage.append([say("lost?", "k")]));
    // The next tries find a server that takes connections and does not answer.
    await until(() => said().includes("no answer"));
    clock.hurry = (milliseconds) => milliseconds;
    server.signal("SIGCONT");
    await insist(storage, say("lost?", "k"));
  });
  assert.equal((await storage.read("r", 0)).seq, 1);
});

serverTest("of a call whose connection is cut all or nothing is stored, once", [], async (server) => {
  const wire = new Wire(server.port);
  const [storage, other] = [await open(wire), await open(server)];
  const views = [new LogView(storage, "r"), new LogView(other, "r")];
  const batch = ["a", "b", "c"].map((text) => say(text, text));
  for (let round = 1; round <= 3; round++) {
    await quietly(async () => {
      const cut = wire.cutAfter("_append");
      await assert.rejects(storage.append(batch.map((command) => ({ ...command, id: `${command.id} ${round}` }))), {
        code: "unavailable",
      });
      await cut;
      for (const command of batch) await insist(storage, { ...command, id: `${command.id} ${round}` });
    });
  }
  const { entries } = await other.read("r", 0);
  assert.deepEqual(entries.map(({ seq }) => seq), [1, 2, 3, 4, 5, 6, 7, 8, 9]);
  for (const seen of views) {
    await until(() => seen.entries.length === 9);
    assert.deepEqual(seen.entries, entries);
  }
  await wire.close();
});

serverTest("while Redis lets nobody in, whoever runs the server is told why, once", [], async (server) => {
  const wire = new Wire(server.port);
  const clock = new HastyClock();
  let tries = 0;
  clock.hurry = (milliseconds) => {
    if (milliseconds >= PULSE_INTERVAL) return milliseconds;
    tries++;
    return 1;
  };
  const storage = await open(wire, { clock });
  await server.command("CONFIG", "SET", "requirepass", "sesame");
  const said = await quietly(async () => {
    wire.cut();
    await until(() => tries > 5);
    await storage.close();
  });
  assert.equal(said.match(/Redis at \S+ does not know this user or password\./g)?.length, 1);
  await wire.close();
});

/** The library as it is, but for how it publishes in rooms. */
const publishingInRooms = (lua: string, library = FUNCTIONS) => {
  const changed = library.replace(
    /(local function publish_in_room\([^)]*\))[\s\S]*?\nend\n/,
    (_, head) => `${head}\n${lua}\nend\n`,
  );
  assert.notEqual(changed, library);
  return changed;
};
const MESSAGE = "kind .. ' ' .. origin .. '\\n' .. body";
const PUBLISH = `redis.call('SPUBLISH', base .. ':news', ${MESSAGE})`;

serverTest(
  "notifications that Redis drops, doubles or puts out of order change nobody's view in the end",
  [],
  async (server) => {
    const storages = [await open(server), await open(server)];
    const views = storages.map((storage) => new LogView(storage, "r"));
    await server.command(
      "FUNCTION",
      "LOAD",
      "REPLACE",
      publishingInRooms(`
    local chance = redis.call('INCR', base .. ':count') % 5
    if chance == 0 then return end
    if chance == 1 then ${PUBLISH} end
    if chance == 2 then redis.call('SET', base .. ':held', ${MESSAGE}) return end
    ${PUBLISH}
    local held = redis.call('GETDEL', base .. ':held')
    if held then redis.call('SPUBLISH', base .. ':news', held) end
  `),
    );
    for (let at = 0; at < 40; at++) {
      await storages[at % 2].append([
        say(`m${at}`),
        ...at % 7 === 0 ? [change(1, `e${at}`)] : [],
      ]);
    }
    const { entries } = await storages[0].read("r", 0);
    const shape = (list: Entry[]) => list.map(({ seq, action }) => [seq, action]);
    for (const seen of views) {
      await until(() => seen.entries.length === entries.length);
      assert.deepEqual(shape(seen.entries), shape(entries));
    }
    await Promise.all(storages.map((storage) => storage.close()));
  },
);

serverTest("a server that gets no notifications is not ready, and reads the log", [], async (server) => {
  const clock = new HastyClock();
  const [cutOff, other] = [await open(server, { clock }), await open(server)];
  const seen = new LogView(cutOff, "r");
  const mute = publishingInRooms("return").replace("  redis.call('PUBLISH', channel", "  return\n--");
  await server.command("FUNCTION", "LOAD", "REPLACE", mute);
  clock.hurry = (milliseconds) => milliseconds === PULSE_INTERVAL ? 50 : milliseconds;
  await until(() => cutOff.check().then(() => false, () => true));
  await other.append([say("can you hear me?")]);
  await until(() => seen.entries.length === 1);
  assert.ok(cutOff.missedNotifications > 0);
  await server.command("FUNCTION", "LOAD", "REPLACE", FUNCTIONS);
  await until(() => cutOff.check().then(() => true, () => false));
});

serverTest(
  "only who has subscribed to a room hears of it, and nobody else once the last one has gone",
  [],
  async (server) => {
    const { hear } = RedisNotifications.prototype;
    const heard: RedisNotifications[] = [];
    RedisNotifications.prototype.hear = function (message) {
      if (!message.startsWith("pulse ")) heard.push(this);
      return hear.call(this, message);
    };
    try {
      const [speaker, listener, elsewhere] = [await open(server), await open(server), await open(server)];
      const ends = [listener, listener].map((storage) => storage.subscribe("r", () => {}));
      elsewhere.subscribe("other", () => {});
      await Promise.all([listener, elsewhere].map((storage) => storage.read("r", 0)));
      const told = new Set<ClusterEvent>();
      for (const storage of [listener, elsewhere]) storage.onEvent((event) => told.add(event));
      await speaker.append([say("one"), say("two")]);
      speaker.publish({ kind: "room_changed", room: "r", settings: ROOM_SETTINGS });
      speaker.publish({ kind: "bans_changed" });
      await until(() => told.size === 3);
      await speaker.check();
      // The listener: the new messages, and both events. The others, also who told it: the event about no room.
      const counts = [...Map.groupBy(heard, (who) => who).values()].map(({ length }) => length);
      assert.deepEqual(counts.sort(), [1, 1, 3]);
      const channels = async () => (await server.command("PUBSUB", "SHARDCHANNELS")).match(/{.*?}/g)?.sort();
      ends[0]();
      ends[0]();
      await listener.check();
      assert.deepEqual(await channels(), ["{other}", "{r}"]);
      ends[1]();
      await listener.check();
      assert.deepEqual(await channels(), ["{other}"]);
    } finally {
      RedisNotifications.prototype.hear = hear;
    }
  },
);

serverTest(
  "who subscribes, again and again, and reads then misses nothing that is said meanwhile",
  [],
  async (server) => {
    const clock = new HastyClock();
    // Nothing is looked for by itself.
    clock.hurry = (milliseconds) => milliseconds === PULSE_INTERVAL ? 3_600_000 : milliseconds;
    const [storage, other] = [await open(server, { clock }), await open(server)];
    let isOver = false;
    const talking = (async () => {
      while (!isOver) await other.append([say("on"), say("and on")]);
    })();
    const turn = () => new Promise<void>((resolve) => systemClock.soon(resolve));
    for (let round = 0; round < 30; round++) {
      // One of these is gone before Redis has heard of it, one after.
      storage.subscribe("r", () => {})();
      const gone = storage.subscribe("r", () => {});
      if (round % 2 === 0) await turn();
      gone();
      if (round % 3 === 0) await turn();
      const told = new Set<number>();
      const end = storage.subscribe("r", ({ entries }) => entries.forEach(({ seq }) => told.add(seq)));
      const { seq } = await storage.history("r", { limit: 1 });
      await until(() => [1, 2, 3, 4].every((next) => told.has(seq + next)));
      end();
    }
    isOver = true;
    await talking;
    assert.equal(storage.missedNotifications, 0);
    const monitor = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await monitor.write(new TextEncoder().encode("MONITOR\r\n"));
    await monitor.read(new Uint8Array(100));
    // Redis has done it in this order, though it may have come to the same without.
    let done = "";
    const buffer = new Uint8Array(1 << 20);
    storage.subscribe("last", () => {});
    await storage.history("last", { limit: 1 });
    while (!/_history.*{last}/.test(done)) {
      done += new TextDecoder().decode(buffer.subarray(0, (await monitor.read(buffer))!));
    }
    monitor.close();
    assert.match(done.replaceAll(/\s/g, " "), /"ssubscribe" "parley:{last}:news".*_history.*{last}/);
  },
);

serverTest("a room that is left and opened again while Redis has not answered is heard", [], async (server) => {
  const wire = new Wire(server.port);
  const clock = new HastyClock();
  // Nothing is looked for by itself.
  clock.hurry = (milliseconds) => milliseconds === PULSE_INTERVAL ? 3_600_000 : milliseconds;
  const [storage, other] = [await open(wire, { clock }), await open(server)];
  const release = wire.hold(">3\r\n$12\r\nsunsubscribe");
  const leave = storage.subscribe("r", () => {});
  const opened = storage.check();
  leave();
  const left = storage.check();
  await opened;
  const seen = new LogView(storage, "r");
  const again = storage.check();
  release();
  await Promise.all([left, again]);
  await other.append([say("can you hear me?")]);
  await until(() => seen.entries.length === 1);
  // Whoever has left for good is not told any more.
  const end = storage.subscribe("other", () => {});
  await storage.check();
  end();
  await storage.check();
  await until(async () => !(await server.command("PUBSUB", "SHARDCHANNELS")).includes("{other}"));
  await storage.close();
  await wire.close();
});

for (const isTalking of [false, true]) {
  const title = isTalking ? "in which people here go on talking" : "in which nobody here talks";
  serverTest(`a channel of a room ${title} is heard again after Redis has let go of it`, [], async (server) => {
    const wire = new Wire(server.port);
    const clock = new HastyClock();
    let pulses = 0;
    clock.hurry = (milliseconds) => {
      if (milliseconds !== PULSE_INTERVAL) return milliseconds;
      pulses++;
      return 50;
    };
    const [deaf, other] = [await open(wire, { clock }), await open(server)];
    const seen = new LogView(deaf, "r");
    await other.append([say("before")]);
    await until(() => seen.entries.length === 1);
    await wire.say("SUNSUBSCRIBE", "parley:{r}:news");
    const listeners = async () => (await server.command("PUBSUB", "SHARDNUMSUB", "parley:{r}:news")).at(-3);
    await until(async () => await listeners() === "0");
    await other.append([say("can you hear me?")]);
    const before = pulses;
    let found: number | undefined;
    deaf.subscribe("r", () => found ??= pulses);
    if (isTalking) await deaf.append([say("what?")]);
    await until(() => seen.entries.length === (isTalking ? 3 : 2));
    await until(async () => await listeners() === "1");
    assert.ok(found! - before <= 3, `found after ${found! - before} pulses`);
    assert.equal(deaf.missedNotifications, 1);
    clock.hurry = () => 3_600_000;
    await other.append([say("now?")]);
    await until(() => seen.entries.length === (isTalking ? 4 : 3));
    assert.deepEqual(seen.entries, (await other.read("r", 0)).entries);
    await deaf.close();
    await wire.close();
  });
}

serverTest(
  "a new connection is subscribed to all rooms at once, and then reads what it has missed",
  [],
  async (server) => {
    const clock = new HastyClock();
    const [storage, other] = [await open(server, { clock }), await open(server)];
    const told = new Set<string>();
    for (let at = 0; at < 10_000; at++) storage.subscribe(`r${at}`, () => told.add(`r${at}`));
    await storage.check();
    const listeners = async () => (await server.command("PUBSUB", "SHARDCHANNELS")).match(/^\*(\d+)/)?.[1];
    assert.equal(await listeners(), "10000");
    const seen = ["r0", "r9999"].map((room) => new LogView(storage, room));
    await quietly(async (said) => {
      const start = performance.now();
      await server.command("CLIENT", "KILL", "TYPE", "pubsub");
      await until(() => said().includes("Redis is out of reach"));
      await insist(other, { ...say("one"), room: "r0" });
      await until(() => seen[0].entries.length === 1 && told.size === 10_000);
      assert.ok(performance.now() - start < 2_000, "it takes no time that anybody notices");
    });
    assert.equal(await listeners(), "10000");
    // Nothing is looked for by itself any more.
    clock.hurry = () => 3_600_000;
    await other.append([{ ...say("one"), room: "r9999" }, { ...say("two"), room: "r0" }]);
    await until(() => seen[0].entries.length === 2 && seen[1].entries.length === 1);
  },
);

serverTest("what servers tell that know no channels of rooms is understood", [], async (server) => {
  const clock = new HastyClock();
  const [storage, older] = [await open(server, { clock }), await open(server)];
  clock.hurry = () => 3_600_000;
  const seen = new LogView(storage, "r");
  const lua = `redis.call('PUBLISH', 'parley:news', ${MESSAGE})`;
  await server.command("FUNCTION", "LOAD", "REPLACE", publishingInRooms(lua));
  await older.append([say("hello")]);
  await until(() => seen.entries.length === 1);
  assert.equal(storage.missedNotifications, 0);
});

serverTest(
  "a full Redis refuses new messages, shows the old ones, and is well again when there is space",
  [],
  async (server) => {
    const storage = await open(server);
    await storage.append([say("before")]);
    const said = await quietly(async () => {
      await server.command("CONFIG", "SET", "maxmemory", "1mb");
      await assert.rejects(storage.append([say("too much", "k")]), { code: "unavailable" });
      await assert.rejects(storage.check());
      assert.equal((await storage.history("r", { limit: 9 })).messages.length, 1);
      await server.command("CONFIG", "SET", "maxmemory", "0");
      await storage.append([say("too much", "k")]);
      await storage.check();
    });
    assert.match(said, /maxmemory/);
    assert.equal((await storage.read("r", 0)).seq, 2);
  },
);

serverTest("a Redis that became a replica is left, and used again when it is none any more", [], async (server) => {
  const storage = await open(server);
  await storage.append([say("before")]);
  await quietly(async (said) => {
    await server.command("REPLICAOF", "127.0.0.1", "1");
    await assert.rejects(storage.append([say("during", "k")]), { code: "unavailable" });
    await until(() => said().includes("READONLY"));
    await server.command("REPLICAOF", "NO", "ONE");
    await insist(storage, say("during", "k"));
  });
  assert.equal((await storage.read("r", 0)).seq, 2);
});

serverTest("a lock of which a server has not been told holds, also in a store that was emptied", [], async (server) => {
  const [one, other] = [await open(server), await open(server)];
  await one.moderation.change("r", { slow_seconds: 1 });
  await one.append([say("m")]);
  await server.command("FLUSHALL");
  await other.moderation.change("r", { locked: true });
  assert.deepEqual(await one.append([say("m")]), [{ refused: "locked" }]);
});

/** Does something while before each call of a function something else happens, such as an error. */
async function before<Result>(
  happens: (name: string) => unknown,
  work: () => Promise<Result>,
): Promise<Result> {
  const { call } = RedisConnection.prototype;
  RedisConnection.prototype.call = async function (name, ...more) {
    await happens(name);
    return await Reflect.apply(call, this, [name, ...more]);
  };
  try {
    return await work();
  } finally {
    RedisConnection.prototype.call = call;
  }
}
const fail = () => {
  throw new ChatError("unavailable", "Try again.", 2);
};

serverTest("a page that takes several calls shows the room as it was at one moment", [], async (server) => {
  const poll: Kind = { ...(KINDS_WITH_VOTE[0] as Kind), asks: "start_poll", tells: "poll_started" };
  const newer = await open(server, { kinds: [...KINDS_WITH_VOTE, poll] });
  const older = await open(server);
  const start = { ...say("poll"), action: "start_poll" } as unknown as Command;
  await newer.append([say("one"), start, start]);
  const page = async (query: HistoryQuery, meanwhile: Command) => {
    let calls = 0;
    const { messages, seq } = await before(
      async (name) => {
        if (name === "history" && ++calls === 2) await newer.append([meanwhile]);
      },
      () => older.history("r", query),
    );
    return [messages.map(({ text, reactions }) => [text, reactions?.[0].count]), seq, calls];
  };
  // The older one does not know what fills the first call's reply.
  assert.deepEqual(await page({ limit: 2, after: 0 }, react("bob", 1)), [[["one", 1]], 4, 4]);
  assert.deepEqual(await page({ limit: 1 }, react("eve", 1)), [[["one", 2]], 5, 4]);
  assert.deepEqual(await page({ limit: 1 }, say("late")), [[["late", undefined]], 6, 4]);
});

serverTest("if a call fails halfway, what was stored is answered and the rest is refused", [], async (server) => {
  const storage = await open(server);
  await storage.append([say("one")]);
  let appends = 0;
  const [kept, refused] = await before(
    (name) => name === "append" && ++appends === 2 && fail(),
    () => storage.append([say("two"), change(1, "ONE")]),
  );
  assert.ok("entry" in kept && "refused" in refused && refused.refused === "unavailable");
});

serverTest("every room with messages is swept, also one whose first call failed halfway", [], async (server) => {
  const storage = await open(server);
  let calls = 0;
  await before(() => ++calls > 2 && fail(), () => storage.append([say("one")])).catch(() => {});
  assert.match(await server.command("SMEMBERS", "parley:{.all}:rooms"), /\br\b/);
  assert.equal((await storage.read("r", 0)).seq, 1);
});

for (const isOvertaken of [false, true]) {
  const title = isOvertaken
    ? "also when that key was set a moment ago"
    : "also when other commands of the call ask for other keys";
  serverTest(`with an id that may be used again a command is decided by its own key, ${title}`, [], async (server) => {
    const clock = new FakeClock();
    const storage = await open(server, { clock, retention: { messages: 0, days: 1 } });
    await storage.append([say("old"), castVote("bob", 1, "a", { id: "k" })]);
    clock.set(clock.now() + 2 * IDEMPOTENCY_WINDOW + 1);
    await storage.append([say("three"), say("four")]);
    const [four] = await storage.append([castVote("bob", 4, "a")]);
    assert.ok("entry" in four);
    if (isOvertaken) await storage.append([say("six")]);
    const target = isOvertaken ? 6 : 4;
    let appends = 0;
    const results = await before(
      async (name) => {
        if (name === "append" && ++appends === 2 && isOvertaken) await storage.append([castVote("bob", target, "a")]);
      },
      () => storage.append([change(3), castVote("bob", target, "b", { id: "k" }), castVote("eve", target, "b")]),
    );
    assert.deepEqual(results.map((result) => "entry" in result || result.message), [true, "You have voted.", true]);
  });
}

serverTest("what many commands of a call depend on is told once", [], async (server) => {
  const storage = await open(server);
  const text = "x".repeat(16 * 1024);
  await storage.append([say(text)]);
  const sent = async () => Number(/total_net_output_bytes:(\d+)/.exec(await server.command("INFO", "stats"))![1]);
  const before = await sent();
  const answers = Array.from({ length: 200 }, (_, at): Command => ({ ...say(`${at}`), reply_to: 1 }) as Command);
  await storage.append([...answers, ...["a", "b", "c"].map((user) => react(user, 1, user === "a" ? "☕" : "🍵"))]);
  // Each reaction is published with its message.
  assert.ok(await sent() - before < 7 * text.length, `${await sent() - before} bytes`);
  const [message] = (await storage.history("r", { limit: 1, after: 0 })).messages;
  assert.deepEqual([message.replies, message.reactions!.map(({ count }) => count)], [200, [1, 2]]);
});

serverTest(
  "servers that react to and answer the same message at each flush need few calls, and tell the same",
  [],
  async (server) => {
    const servers = [await open(server), await open(server), await open(server)];
    const views = servers.map((storage) => new LogView(storage, "r"));
    await servers[0].append([say("tea?")]);
    const ROUNDS = 25;
    let calls = 0;
    await before(
      (name) => name === "append" && calls++,
      () =>
        Promise.all(servers.map(async (storage, at) => {
          for (let round = 0; round < ROUNDS; round++) {
            const people = Array.from({ length: 10 }, (_, each) => react(`${at} ${round} ${each}`, 1));
            // The first ones take theirs back, too.
            const back = react(`${at} ${round - 1} 0`, 1, "🍵", false);
            const answer = { ...say("yes"), reply_to: 1 } as Command;
            const results = await storage.append([reaction.merge!([...people, back]) as Command, answer]);
            assert.ok(results.every((result) => "entry" in result));
          }
        })),
    );
    // Each batch asks once what it depends on, and all three never stop.
    assert.ok(calls < 6 * servers.length * ROUNDS, `${calls} calls`);
    const { messages: [message], seq } = await servers[0].history("r", { limit: 1, after: 0 });
    const left = servers.length * (9 * ROUNDS + 1);
    assert.deepEqual([message.reactions![0].count, message.replies], [left, servers.length * ROUNDS]);
    const { entries } = await servers[0].read("r", 0);
    for (const view of views) {
      await until(() => view.entries.length === seq);
      await view.settled();
      assert.deepEqual(view.entries, entries);
    }
  },
);

serverTest("nothing of its reactions is left when a message is deleted", [], async (server) => {
  const storage = await open(server);
  const everything = () =>
    server.command(
      "EVAL",
      `local found = {}
      for _, key in ipairs(redis.call('KEYS', '*')) do
        local kind = redis.call('TYPE', key).ok
        found[#found + 1] = kind == 'hash' and redis.call('HGETALL', key) or kind == 'zset' and
          redis.call('ZRANGE', key, 0, -1) or kind == 'stream' and redis.call('XRANGE', key, '-', '+') or
          kind == 'string' and redis.call('GET', key) or redis.call('SMEMBERS', key)
        found[#found + 1] = key
      end
      return cjson.encode(found)`,
      "0",
    );
  const answer = { ...say("yes"), reply_to: 1 } as Command;
  await storage.append([say("tea?"), answer, ...crowd(1).map(({ user }) => react(`person-${user}`, 2))]);
  await storage.append([
    react("person-x", 1),
    reaction.merge!(["y", "z"].map((at) => react(`person-${at}`, 2))) as Command,
  ]);
  const before = await everything();
  for (const part of [/person-ann/, /"parley:{r}:answers:1"/]) assert.match(before, part);
  await storage.append([react("person-again", 2), change(2)]);
  const left = await everything();
  assert.doesNotMatch(left.replaceAll("person-x", ""), /person-|:keys:2|:erasable:2|:answers:|yes/);
  assert.match(left, /person-x/);
  await storage.append([change(1)]);
  assert.doesNotMatch(await everything(), /person-|🍵|:keys:|:erasable:|tea/);
});

serverTest("an entry that erases what is about a message frees its keys, also within one call", [], async (server) => {
  const reset: Kind<CommandBase, { action: string }> = {
    asks: "reset_test_votes",
    tells: "test_votes_reset",
    countsAs: "messages",
    who: "anyone",
    whileLocked: false,
    erases: true,
    decide: () => ({ fields: {} }),
    apply: ({ text }) => ({ text: text! }),
  };
  const storage = await open(server, { kinds: [...KINDS_WITH_VOTE, reset] });
  const asked = { action: "reset_test_votes", from: "Ann", room: "r", user: "ann", target: 1 } as unknown as Command;
  const results = await storage.append([say("one"), castVote("bob", 1, "a"), asked, castVote("bob", 1, "b")]);
  assert.deepEqual(results.map((result) => "entry" in result), [true, true, true, true]);
  assert.deepEqual(await storage.append([castVote("bob", 1, "c")]), [
    { refused: "forbidden", message: "You have voted." },
  ]);
  const [{ votes }] = (await storage.history("r", { limit: 9 })).messages as unknown as [Record<string, unknown>];
  assert.deepEqual(votes, { b: 1 });
});

serverTest("what depends on a change that turns out to be repeated is decided again", [], async (server) => {
  const storage = await open(server);
  const repeated: Command = { ...change(1, "first"), id: "k" };
  await storage.append([say("one"), say("two"), repeated, change(1, "second")]);
  // The first change makes all of them wait, so that the second and the third are decided at once.
  const results = await storage.append([change(2, "TWO"), { ...repeated }, castVote("bob", 1, "a")]);
  assert.deepEqual(results.map((result) => "entry" in result && result.repeated), [false, true, false]);
  const [message] = (await storage.history("r", { limit: 9 })).messages;
  assert.deepEqual([message.text, (message as { votes?: unknown }).votes], ["second", { a: 1 }]);
});

serverTest("a message that turns out to be repeated pushes no other one out of the room", [], async (server) => {
  const storage = await open(server, { retention: { messages: 2, days: 0 } });
  const repeated = { ...say("two"), id: "k" };
  await storage.append([say("one"), repeated]);
  const results = await storage.append([change(1, "first"), { ...repeated }, change(1, "second")]);
  assert.deepEqual(results.map((result) => "entry" in result && result.entry.seq), [3, 2, 4]);
});

serverTest(
  "only an entry that shows a message's words keeps them after the message has expired",
  [],
  async (server) => {
    const clock = new FakeClock();
    const storage = await open(server, { clock: sweptBy(clock), retention: { messages: 2, days: 0 } });
    const held = async () => [...(await server.command("HKEYS", "parley:{r}:documents")).matchAll(/\r\n(\d+)\r/g)];
    const sweep = async () => {
      // Redis' own time, in which one sweep is enough, does not pass.
      await server.command("DEL", "parley:{.all}:swept");
      await clock.advance(SWEEP_INTERVAL);
      await until(async () => (await server.command("ZCARD", "parley:{r}:messages")) === ":2\r\n");
      return (await held()).map(([, seq]) => Number(seq));
    };
    await storage.append([say("one"), say("two"), castVote("bob", 1, "a"), say("four")]);
    assert.deepEqual(await sweep(), [2, 4]);
    await storage.append([change(2, "TWO"), castVote("bob", 2, "a"), say("seven")]);
    assert.deepEqual(await sweep(), [2, 4, 7]);
    await storage.append([say("eight")]);
    assert.deepEqual(await sweep(), [7, 8]);
  },
);

serverTest("a new epoch of all rooms ends the one that a room has for itself", [], async (server) => {
  const storage = await open(server);
  const epoch = async () => (await storage.read("r", 0)).epoch;
  await storage.append([say("one")]);
  await storage.renewEpoch("r");
  const own = await epoch();
  await storage.renewEpoch();
  const next = await epoch();
  assert.notEqual(next, own);
  assert.equal((await storage.read("other", 0)).epoch, next);
});

serverTest("reading stops where a page is full", [], async (server) => {
  const storage = await open(server);
  await storage.append(Array.from({ length: 40 }, () => say("x".repeat(PAGE_BYTES / 8))));
  for (const read of [() => storage.history("r", { limit: 40 }), () => storage.read("r", 0)]) {
    await server.command("CONFIG", "RESETSTAT");
    await read();
    const [, looks] = /cmdstat_hget:calls=(\d+)/.exec(await server.command("INFO", "commandstats"))!;
    assert.equal(looks, "8");
  }
});

serverTest("an id that was used again stays the second entry's when the first one is removed", [], async (server) => {
  const clock = new FakeClock();
  const storage = await open(server, { clock: sweptBy(clock), retention: { messages: 0, days: 1 } });
  await storage.append([say("one", "k")]);
  clock.set(clock.now() + IDEMPOTENCY_WINDOW + 1);
  await storage.append([say("two", "k")]);
  await clock.advance(SWEEP_INTERVAL);
  await until(async () => (await server.command("XLEN", "parley:{r}:log")) === ":1\r\n");
  const [again] = await storage.append([say("three", "k")]);
  assert.ok("entry" in again && again.repeated && again.entry.seq === 2);
});

serverTest("a repeated id of an entry that was removed is answered with who said it, and when", [], async (server) => {
  const clock = new FakeClock();
  const storage = await open(server, { clock: sweptBy(clock), retention: { messages: 1, days: 0 } });
  const [first] = await storage.append([say("one", "k")]);
  clock.set(clock.now() + 1);
  await storage.append([say("two")]);
  await clock.advance(SWEEP_INTERVAL);
  await until(async () => (await server.command("XLEN", "parley:{r}:log")) === ":1\r\n");
  const [again] = await storage.append([say("three", "k")]);
  assert.ok("entry" in first && "entry" in again && again.repeated);
  const { text: _, ...rest } = first.entry as ReceiveMessage;
  assert.deepEqual(again.entry, { ...rest, deleted: true });
});

serverTest(
  "the first message finds that a store was emptied, also before the next pulse does",
  [],
  async (server) => {
    // Nothing is looked for by itself while this clock stands still.
    const storage = await open(server, { clock: new FakeClock() });
    await storage.append([say("before")]);
    const { epoch } = await storage.read("r", 0);
    await server.command("FLUSHALL");
    await storage.append([say("after")]);
    const after = await storage.read("r", 0);
    assert.deepEqual([after.seq, after.epoch === epoch], [1, false]);
    assert.match(await server.command("SMEMBERS", "parley:{.all}:rooms"), /\br\b/);
  },
);

serverTest("functions that somebody flushed are brought back", [], async (server) => {
  const storage = await open(server);
  await server.command("FUNCTION", "FLUSH");
  await storage.append([say("still here")]);
  assert.equal((await storage.history("r", { limit: 9 })).messages.length, 1);
});

serverTest("nonsense on the channel harms nobody, and a kind of a newer version is ignored", [], async (server) => {
  const storage = await open(server);
  const seen = new LogView(storage, "r");
  const publish = (message: string) => server.command("PUBLISH", "parley:news", message);
  await quietly(async () => {
    for (const nonsense of ["log x 7 e\n[", "signals x\n{}", "log"]) await publish(nonsense);
    await storage.append([say("well")]);
    await until(() => seen.entries.length === 1);
  });
  const said = await quietly(async () => {
    for (const other of ["", "\n", `weather x\n[["r","e",[]]]`, "weather x\nrain"]) await publish(other);
    await storage.check();
  });
  assert.deepEqual([said, seen.epochs.has("e")], ["", false]);
});

serverTest("a page of history looks at messages only, however many changes lie between them", [], async (server) => {
  const storage = await open(server);
  await storage.append([say("one"), ...Array.from({ length: 500 }, (_, at) => change(1, `edit ${at}`)), say("two")]);
  for (const query of [{ limit: 9 }, { limit: 9, after: 0 }]) {
    await server.command("CONFIG", "RESETSTAT");
    const before = await commands(server);
    const { messages, seq, more } = await storage.history("r", query);
    // A pulse may fall in between.
    assert.ok(await commands(server) - before <= 2);
    assert.deepEqual([messages.map(({ text }) => text), seq, more], [["edit 499", "two"], 502, false]);
    const [, looks] = /cmdstat_xrange:calls=(\d+)/.exec(await server.command("INFO", "commandstats"))!;
    assert.equal(looks, "2");
  }
});

serverTest(
  "what expired by one call is removed, also when nobody speaks afterwards",
  ["--rdbcompression", "no"],
  async (server) => {
    const clock = new FakeClock();
    const storage = await open(server, { clock: sweptBy(clock), retention: { messages: 1, days: 0 } });
    await storage.append(Array.from({ length: 3_000 }, (_, at) => say(`word-${at}`)));
    await clock.advance(SWEEP_INTERVAL);
    await until(async () => {
      await server.command("SAVE");
      const dump = new TextDecoder("latin1").decode(await server.file("dump.rdb"));
      return [...dump.matchAll(/word-\d+/g)].length === 1;
    });
  },
);

for (const retention of [{ messages: 130, days: 0 }, { messages: 0, days: 1 }]) {
  const kept = JSON.stringify(retention);
  const title = `nothing is left of what has expired and whose id may be forgotten, with ${kept}`;
  serverTest(title, ["--rdbcompression", "no"], async (server) => {
    const clock = new FakeClock();
    const storage = await open(server, { clock: sweptBy(clock), retention });
    const dump = async () => {
      await server.command("SAVE");
      return new TextDecoder("latin1").decode(await server.file("dump.rdb"));
    };
    const each = (work: string, ...words: string[]) =>
      server.command(
        "EVAL",
        `local lasting = 0
        for _, key in ipairs(redis.call('KEYS', '*')) do local left = redis.call('PTTL', key) ${work} end
        return lasting`,
        "0",
        ...words,
      );
    /** How many keys don't end by themselves. */
    const lasting = () => each("if left < 0 then lasting = lasting + 1 end");
    /** Time passes for what ends by itself. */
    const pass = async (milliseconds: number) => {
      await each("if left >= 0 then redis.call('PEXPIRE', key, left - ARGV[1]) end", String(milliseconds));
      clock.set(clock.now() + milliseconds);
    };
    const expire = async () => {
      const later = ["one", "other"].map((room): Command => ({ ...say("later"), room }));
      if (retention.messages > 0) await storage.append(Array(retention.messages).fill(later).flat());
      await pass(retention.days * 24 * 60 * 60 * 1000 + SWEEP_INTERVAL);
      clock.set(clock.now() - SWEEP_INTERVAL);
      await clock.advance(SWEEP_INTERVAL);
      await until(async () => leftovers(await dump(), "kept-word").length === 0);
    };
    await storage.append(["one", "other"].map((room): Command => ({ ...say("kept-word"), room })));
    await expire();
    const [before, { length: size }] = [await lasting(), await dump()];

    const start = clock.now();
    const commands = ["one", "other"].map((room) => eventfulRoom(room, 1 + retention.messages));
    await storage.append(commands.flat());
    assert.deepEqual(leftovers(await dump(), "gone-word"), []);
    await expire();
    if (retention.days === 0) {
      await pass(start + IDEMPOTENCY_WINDOW - clock.now() - 60_000);
      const [repeated] = await storage.append([commands[0][0]]);
      assert.ok("entry" in repeated && repeated.repeated && repeated.entry.seq === 132);
      await pass(60_000);
      // Who said it and under which id stands in the log until a whole node of it is let go of.
      await expire();
    }
    await until(async () => await lasting() === before);
    // A sweep goes on for a moment after the last words are gone.
    await until(async () => (await dump()).length < size + 10_000);
    assert.deepEqual(leftovers(await dump(), "kept-word", "kept-person", "kept-id"), []);
  });
}
