/** Stores that an older version has written in Redis and Deno KV, and what that version answered about them. */
import assert from "node:assert/strict";
import type { AppendResult } from "../chat/rulebook.ts";
import type { Command, Storage } from "../chat/storage.ts";
import type { Settings } from "../settings.ts";
import { KEY, OLD_EPOCH } from "../storage/kv/store.ts";
import { KvStorage } from "../storage/kv/kv.ts";
import { RedisStorage } from "../storage/redis/redis.ts";
import { FakeClock } from "../testing/clock.ts";
import { sweptBy } from "../testing/storage/leftovers.ts";
import { offer } from "../testing/storage/names.ts";
import { RedisServer, redisTest } from "../testing/servers/redis.ts";
import { taskArguments } from "../testing/servers/server.ts";
import { until } from "../testing/until.ts";
import { migrate } from "./migrate.ts";
import { BOTH_WROTE, DONE_BEFORE, EMPTY, type MigrateOptions, OLDER_REMOVED } from "./migrate/options.ts";

const KEEP_ALL = { messages: 0, days: 0 };
const DONE = /^Done: 3 rooms, 7 messages\./;

interface OldAnswers {
  /** When they were given. */
  now: number;
  rooms: Record<string, { after: number; read: unknown; history: unknown; settings: unknown }>;
  bans: unknown;
  listed: unknown;
  secret: string;
  /** Commands that had been kept before, and what was answered to them. */
  again: Command[];
  outcomes: AppendResult[];
}

async function answersOf(name: string): Promise<OldAnswers> {
  const answers: OldAnswers = JSON.parse(await Deno.readTextFile(oldFile(`${name}.json`)));
  // Which message an edit was about is not known any more, once the edit has expired.
  for (const outcome of answers.outcomes) {
    if ("entry" in outcome && outcome.entry.action === "message_edited" && outcome.entry.seq === 2) {
      outcome.entry.target = 0;
    }
  }
  return answers;
}

function oldFile(name: string): URL {
  return new URL(`../testing/old_files/${name}`, import.meta.url);
}

async function unpack(name: string, path: string): Promise<void> {
  const packed = (await Deno.open(oldFile(name))).readable;
  await Deno.writeFile(path, packed.pipeThrough(new DecompressionStream("gzip")));
}

function clockAt({ now }: OldAnswers): FakeClock {
  const clock = new FakeClock();
  clock.set(now);
  return clock;
}

/** The new version answers what the old one did. */
async function sameAnswers(storage: Storage, { rooms, bans, listed, secret, again, outcomes }: OldAnswers) {
  for (const [room, { after, read, history, settings }] of Object.entries(rooms)) {
    assert.deepEqual(await storage.read(room, after), read, room);
    assert.deepEqual(await storage.history(room, { limit: 50 }), history, room);
    assert.deepEqual(await storage.moderation.settings(room), settings, room);
  }
  assert.deepEqual(
    {
      bans: await storage.moderation.bans(0),
      listed: await storage.moderation.listed(),
      secret: await storage.secret(),
    },
    { bans, listed, secret },
  );
  assert.deepEqual(await storage.append(again), outcomes);
}

/** It goes on from where the old one was. */
async function goesOn(storage: Storage): Promise<void> {
  assert.ok("holder" in await storage.names.claim({ user: "eve", name: "Ann", key: "ann", until: 2e15, now: 0 }));
  assert.deepEqual(
    await storage.names.give([offer("ann", "User 1"), offer("bob", "User 1")], 2e15, 0),
    [{ name: "Ann", chosen: true }, { name: "User 482", chosen: false }],
  );
  const general = { room: "general", user: "ann", from: "Ann" };
  const results = await storage.append([
    { ...general, action: "edit_message", target: 3, text: "newer" },
    { ...general, action: "edit_message", target: 1, text: "of what has expired" },
    { ...general, action: "edit_message", target: 5, text: "of what was deleted" },
    { ...general, action: "delete_message", target: 2 },
    { ...general, action: "send_message", text: "locked?", room: "방-locked" },
    { ...general, action: "send_message", text: "next" },
  ]);
  assert.deepEqual(results.map((result) => "entry" in result ? result.entry.seq : result.refused), [
    8,
    "not_found",
    "not_found",
    "forbidden",
    "locked",
    9,
  ]);
  const { messages } = await storage.history("general", { limit: 50 });
  assert.deepEqual(messages.map(({ seq, text }) => [seq, text]).slice(1), [[3, "newer"], [5, undefined], [9, "next"]]);
  assert.doesNotMatch(JSON.stringify(await storage.read("general", 1)), /final one/);
}

/** The steps of one whole migration. */
async function stepsOf(run: (options: MigrateOptions) => Promise<string>, clock: FakeClock): Promise<string[]> {
  const steps: string[] = [];
  assert.match(await run({ clock, step: (name) => void steps.push(name) }), DONE);
  return steps;
}

/** What ends the work at this step. */
function endAt(at: number): (name: string) => void {
  let step = 0;
  return () => {
    if (step++ === at) throw new Error("the power is cut");
  };
}

const place = ({ url }: { url: string }) => ({ url, prefix: "parley", mayLoseASecond: false });
const database = (server: RedisServer): Settings["DATABASE_URL"] => ({ kind: "redis", ...place(server) });
const redis = await answersOf("redis_1");

/** A test on a Redis server that holds what the old version has left there. */
function oldRedis(title: string, check: (server: RedisServer) => Promise<void>): void {
  redisTest(`migrate: redis: ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    await unpack("redis_1.rdb.gz", `${folder}/dump.rdb`);
    const server = await RedisServer.start("--dir", folder);
    try {
      await sameRun(server);
      await check(server);
    } finally {
      await server.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}

/** Has the old store stand on the Redis that wrote it: on another one, which may hold less, the epoch is renewed. */
async function sameRun(server: RedisServer): Promise<void> {
  const [, run] = /run_id:(\w+)/.exec(await server.command("INFO", "server"))!;
  await server.command("SET", "parley:run", run);
}

async function withRedis(
  server: RedisServer,
  check: (storage: RedisStorage) => Promise<void>,
  retention = KEEP_ALL,
): Promise<void> {
  const storage = await RedisStorage.open(place(server), { clock: clockAt(redis), retention });
  try {
    await check(storage);
  } finally {
    await storage.close();
  }
}

/** Calls a function of the old version's, which are in the old file. @returns the error, or the answer */
async function oldCall(server: RedisServer, name: string, ...args: string[]): Promise<string> {
  // The new version's library may be there too.
  const [, library] = /(parley_[0-9a-f]{12})_sweep/.exec(await server.command("FUNCTION", "LIST"))!;
  return await server.command("FCALL", `${library}_${name}`, "1", "parley", ...args);
}

const oldAppend = (server: RedisServer, text: string, kind = "m", target = "") =>
  oldCall(
    server,
    ...["append", "origin", String(redis.now), "0", "0", "another epoch"],
    ...["general", kind, "ann", "", target, JSON.stringify(text)],
    ...[kind === "m" ? `"user":"ann","from":"Ann"` : `"target":${target},"user":"ann"`, ""],
  );

oldRedis("it is refused before, and after it nothing is missing", async (server) => {
  await assert.rejects(withRedis(server, () => Promise.resolve()), /older Parley.*run deno task migrate once/);
  const until = (...keys: string[]) => Promise.all(keys.map((key) => server.command("PEXPIRETIME", key)));
  const before = await until("parley:name:user 482", "parley:user:bob", "parley:room:lost:id:ann edit_message e0");
  assert.match(await migrate(database(server), { clock: clockAt(redis) }), DONE);
  const [name, user, id] = ["{.names}:name:user 482", "{.names}:user:bob", "{lost}:id:ann message_edited e0"];
  assert.deepEqual(await until(...[name, user, id].map((key) => `parley:${key}`)), before);
  await withRedis(server, async (storage) => {
    await sameAnswers(storage, redis);
    await goesOn(storage);
  });
  const keys = (await server.command("KEYS", "*")).split("\r\n").filter((word) => word.startsWith("parley:"));
  assert.deepEqual(keys.filter((key) => !key.startsWith("parley:{")).toSorted(), ["parley:run", "parley:told"]);
  assert.equal(await migrate(database(server), { clock: clockAt(redis) }), DONE_BEFORE);
});

oldRedis("messages are counted as they are there", async (server) => {
  await migrate(database(server), { clock: clockAt(redis) });
  await withRedis(server, async (storage) => {
    const { messages } = await storage.history("general", { limit: 50 });
    assert.deepEqual(messages.map(({ seq }) => seq), [3, 5]);
  }, { messages: 2, days: 0 });
});

oldRedis("stopped at any step it is refused, and run again nothing is missing", async (server) => {
  const steps = await stepsOf((options) => migrate(database(server), options), clockAt(redis));
  for (let at = 0; at < steps.length; at++) {
    await server.kill();
    await server.restart();
    await sameRun(server);
    const options = { clock: clockAt(redis), step: endAt(at) };
    await assert.rejects(migrate(database(server), options), /the power is cut/, steps[at]);
    await assert.rejects(withRedis(server, () => Promise.resolve()), /older Parley/, steps[at]);
    if (at > 0) assert.match(await oldCall(server, "begin", "run", "another epoch", "0", ""), /WRONGTYPE/, steps[at]);
    assert.match(await migrate(database(server), { clock: clockAt(redis) }), DONE);
    await withRedis(server, (storage) => sameAnswers(storage, redis));
  }
});

/** Words of a message that has expired stay for an edit of it which is held. The next message ends that. */
async function expires(storage: Storage, swept: () => Promise<void>): Promise<void> {
  await swept();
  const { entries } = await storage.read("general", 5);
  assert.deepEqual(entries.map((entry) => "text" in entry ? entry.text : undefined), [
    undefined,
    "words that outlive their message",
    "newest",
  ]);
  const next = { room: "general", user: "ann", from: "Ann", text: "next" };
  await storage.append([{ action: "send_message", ...next }]);
  await swept();
}

oldRedis("what was kept expires as it would have", async (server) => {
  await oldAppend(server, "newest", "e", "3");
  await migrate(database(server), { clock: clockAt(redis) });
  const clock = clockAt(redis);
  const options = { clock: sweptBy(clock), retention: { messages: 1, days: 0 } };
  const storage = await RedisStorage.open(place(server), options);
  const documents = () => server.command("HKEYS", "parley:{general}:documents");
  let gone = "\r\n2\r\n";
  await expires(storage, async () => {
    await server.command("DEL", "parley:{.all}:swept");
    await clock.advance(60_000);
    await until(async () => !(await documents()).includes(gone));
    gone = "\r\n3\r\n";
  });
  assert.equal(await documents(), "*1\r\n$1\r\n9\r\n");
  assert.equal(await server.command("EXISTS", "parley:{general}:versions"), ":0\r\n");
  await storage.close();
});

oldRedis("a room of many entries is taken in parts", async (server) => {
  for (let at = 0; at < 700; at++) await oldAppend(server, `message ${at}`);
  assert.match(await migrate(database(server), { clock: clockAt(redis) }), /^Done: 3 rooms, 707 messages\./);
  await withRedis(server, async (storage) => {
    const texts: (string | undefined)[] = [];
    for (let after = 7; after < 707;) {
      const { messages } = await storage.history("general", { limit: 500, after });
      texts.push(...messages.map(({ text }) => text));
      after = messages.at(-1)!.seq;
    }
    assert.deepEqual(texts, Array.from({ length: 700 }, (_, at) => `message ${at}`));
    const [sent] = await storage.append([
      { action: "send_message", room: "general", user: "ann", from: "Ann", text: "next" },
    ]);
    assert.ok("entry" in sent && sent.entry.seq === 708);
  });
});

oldRedis("an older server that comes afterwards fails, and what it leaves is removed", async (server) => {
  await migrate(database(server), { clock: clockAt(redis) });
  assert.match(await oldCall(server, "begin", "run", "another epoch", "1", "secret"), /WRONGTYPE/);
  assert.match(await migrate(database(server), { clock: clockAt(redis) }), new RegExp(DONE_BEFORE));
  // Where `appendfsync` is `always` it begins an epoch before it fails.
  assert.match(await oldCall(server, "begin", "run", "another epoch", "0", "secret"), /WRONGTYPE/);
  assert.match(await oldCall(server, "pulse", "origin", "another epoch", ""), /WRONGTYPE/);
  assert.match(await oldAppend(server, "nobody was told"), /WRONGTYPE/);
  // It keeps no newer server out.
  await withRedis(server, () => Promise.resolve());
  assert.equal(await migrate(database(server), { clock: clockAt(redis) }), OLDER_REMOVED);
  assert.match(await oldCall(server, "begin", "run", "another epoch", "1", "secret"), /WRONGTYPE/);
  await withRedis(server, (storage) => sameAnswers(storage, redis));
});

oldRedis("a server that is still connected keeps it from beginning", async (server) => {
  const subscribe = async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: server.port });
    await connection.write(new TextEncoder().encode("SUBSCRIBE parley:news\r\n"));
    await connection.read(new Uint8Array(1_000));
    return connection;
  };
  const connection = await subscribe();
  await assert.rejects(migrate(database(server), { clock: clockAt(redis) }), /still connected/);
  connection.close();
  const counted = () => Promise.all(["told", "run"].map((name) => server.command("GET", `parley:${name}`)));
  const before = await counted();
  // This one comes when it was looked for already.
  let late: Promise<Deno.TcpConn> | undefined;
  const options = {
    clock: clockAt(redis),
    step(name: string) {
      if (name === "block") return (late = subscribe()).then(() => {});
    },
  };
  await assert.rejects(migrate(database(server), options), /still connected/);
  (await late!).close();
  assert.deepEqual(await counted(), before);
  assert.match(await migrate(database(server), { clock: clockAt(redis) }), DONE);
});

redisTest("migrate: redis: what both have written is not joined", async () => {
  const server = await RedisServer.start();
  const run = (dropOlder = false) => migrate(database(server), { clock: clockAt(redis), dropOlder });
  assert.equal(await run(), EMPTY);
  await withRedis(server, async (storage) => {
    await storage.append([{ action: "send_message", room: "general", user: "ann", from: "Ann", text: "new" }]);
  });
  assert.equal(await run(), DONE_BEFORE);
  await server.command("SET", "parley:epoch", "older");
  await server.command("SADD", "parley:rooms", "general");
  await assert.rejects(run(), (error: Error) => error.message.includes(BOTH_WROTE));
  assert.equal(await run(true), OLDER_REMOVED);
  await withRedis(server, async (storage) => {
    assert.equal((await storage.history("general", { limit: 5 })).messages.length, 1);
  });
  await server.stop();
});

const kv = await answersOf("kv_1");

/** A test on a file that holds what the old version has left there. */
function oldKv(title: string, check: (path: string) => Promise<void>): void {
  Deno.test(`migrate: kv: ${title}`, async () => {
    const folder = await Deno.makeTempDir();
    try {
      await unpack("kv_1.kv.gz", `${folder}/chat.kv`);
      await check(`${folder}/chat.kv`);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
}

async function withKv(path: string, check: (storage: KvStorage) => Promise<void>, retention = KEEP_ALL) {
  const storage = await KvStorage.open(path, { clock: clockAt(kv), retention });
  try {
    await check(storage);
  } finally {
    await storage.close();
  }
}

async function inKv<Result>(path: string, work: (kv: Deno.Kv) => Promise<Result>): Promise<Result> {
  const kv = await Deno.openKv(path);
  try {
    return await work(kv);
  } finally {
    kv.close();
  }
}

const runKv = (path: string, options: Partial<MigrateOptions> = {}) =>
  migrate({ kind: "kv", path }, { clock: clockAt(kv), ...options });

oldKv("it is refused before, and after it nothing is missing", async (path) => {
  await assert.rejects(withKv(path, () => Promise.resolve()), /older Parley.*run deno task migrate once/);
  assert.match(await runKv(path), DONE);
  await withKv(path, async (storage) => {
    await sameAnswers(storage, kv);
    await goesOn(storage);
  });
  const keys = await inKv(
    path,
    (kv) => Array.fromAsync(kv.list({ prefix: KEY.epoch.slice(0, 1) }), ({ key }) => key),
  );
  assert.deepEqual(keys.filter((key) => key[1] !== KEY.epoch[1]), []);
  assert.equal(await runKv(path), DONE_BEFORE);
});

oldKv("messages are counted as they are there", async (path) => {
  await runKv(path);
  await withKv(path, async (storage) => {
    const { messages } = await storage.history("general", { limit: 50 });
    assert.deepEqual(messages.map(({ seq }) => seq), [3, 5]);
  }, { messages: 2, days: 0 });
});

oldKv("stopped at any step it is refused, and run again nothing is missing", async (path) => {
  const steps = await stepsOf((options) => runKv(path, options), clockAt(kv));
  for (let at = 0; at < steps.length; at++) {
    const again = `${path}.${at}`;
    await unpack("kv_1.kv.gz", again);
    await assert.rejects(runKv(again, { step: endAt(at) }), /the power is cut/, steps[at]);
    await assert.rejects(withKv(again, () => Promise.resolve()), /older Parley/, steps[at]);
    assert.match(await runKv(again), DONE);
    await withKv(again, (storage) => sameAnswers(storage, kv));
  }
});

oldKv("what was kept expires as it would have", async (path) => {
  const edit = { room: "general", user: "ann", date: kv.now };
  await inKv(path, async (kv) => {
    const { value: room } = await kv.get<object>(["parley", "room", "general"]);
    const { value: message } = await kv.get<object>(["parley", "message", "general", 3]);
    await kv.set(["parley", "message", "general", 3], { ...message, text: "newest", edited: edit.date });
    await kv.set(["parley", "change", "general", 8], { action: "message_edited", seq: 8, target: 3, ...edit });
    await kv.set(["parley", "edited", "general", 3], { text: "newest", seq: 8 });
    await kv.set(["parley", "room", "general"], { ...room, head: 8 });
  });
  await runKv(path);
  const clock = clockAt(kv);
  const options = { clock: sweptBy(clock), retention: { messages: 1, days: 0 } };
  const storage = await KvStorage.open(path, options);
  const rows = () =>
    inKv(path, async (kv) => {
      const lists = [KEY.message("general", 0), KEY.change("general", 0)].map((key) => ({ prefix: key.slice(0, -1) }));
      const found = await Promise.all(lists.map((list) => Array.fromAsync(kv.list(list), ({ key }) => key.at(-1))));
      return found.flat();
    });
  let gone = 2;
  await expires(storage, async () => {
    await until(async () => {
      // Whoever looks into the file may keep a sweep from it.
      await clock.advance(10 * 60_000);
      return !(await rows()).includes(gone);
    });
    gone = 8;
  });
  assert.deepEqual(await rows(), [9]);
  await storage.close();
});

oldKv("a room of many entries is taken in parts", async (path) => {
  await inKv(path, async (kv) => {
    const { value: room } = await kv.get<object>(["parley", "room", "general"]);
    for (let seq = 8; seq <= 707; seq++) {
      const fields = { room: "general", user: "ann", from: "Ann", date: 1_767_226_802_000 };
      const message = { action: "receive_message", seq, text: `message ${seq}`, ...fields };
      await kv.set(["parley", "message", "general", seq], message);
    }
    await kv.set(["parley", "room", "general"], { ...room, head: 707 });
  });
  assert.match(await runKv(path), /^Done: 3 rooms, 707 messages\./);
  await withKv(path, async (storage) => {
    const { messages, seq } = await storage.history("general", { limit: 1_000 });
    assert.equal(seq, 707);
    assert.deepEqual(
      messages.slice(-700).map(({ text }) => text),
      Array.from({ length: 700 }, (_, at) => `message ${at + 8}`),
    );
  });
});

oldKv("what a server writes meanwhile is not lost", async (path) => {
  const other = await Deno.openKv(path);
  const step = async (name: string) => {
    if (name === "names") await other.set(["parley", "room", "general"], { head: 8 });
  };
  await assert.rejects(runKv(path, { step }), /A server has written there meanwhile/);
  other.close();
  await assert.rejects(withKv(path, () => Promise.resolve()), /older Parley/);
});

oldKv("what both have written is not joined", async (path) => {
  await runKv(path);
  await inKv(path, (kv) => kv.set(OLD_EPOCH, "older"));
  assert.equal(await runKv(path), OLDER_REMOVED);
  await inKv(path, async (kv) => {
    await kv.set(OLD_EPOCH, "older");
    await kv.set(["parley", "message", "general", 1], {});
  });
  await assert.rejects(runKv(path), (error: Error) => error.message.includes(BOTH_WROTE));
  assert.equal(await runKv(path, { dropOlder: true }), OLDER_REMOVED);
  await withKv(path, (storage) => sameAnswers(storage, kv));
});

oldKv("the task says in one line what it has done", async (path) => {
  const args = await taskArguments("migrate");
  const task = async (database: string) => {
    const env = { DATABASE_URL: database };
    const { stdout, stderr, code } = await new Deno.Command(Deno.execPath(), { args, env }).output();
    return [code, new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr)];
  };
  assert.deepEqual(await task(`kv:${path}`), [
    0,
    "Done: 3 rooms, 7 messages. Start the new servers, and no older one again.\n",
  ]);
  const [code, said] = await task("redis://127.0.0.1:1");
  assert.equal(code, 1);
  assert.match(String(said), /^The store could not be migrated\. Redis at 127\.0\.0\.1:1: [^\n]+\n$/);
});

Deno.test("migrate: where nothing is to be done it says so", async () => {
  const clock = new FakeClock();
  assert.match(await migrate({ kind: "memory" }, { clock }), /^Nothing is to be done: memory: /);
  assert.match(
    await migrate({ kind: "sqlite", path: "chat.db" }, { clock }),
    /migrates a SQLite file at its first start/,
  );
  const path = `${await Deno.makeTempDir()}/none/chat.kv`;
  assert.equal(await migrate({ kind: "kv", path }, { clock }), EMPTY);
});
