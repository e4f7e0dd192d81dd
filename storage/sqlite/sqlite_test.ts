/** What SQLite promises beyond the contract: about the file, its faults, and others who write to it. */
import assert from "node:assert/strict";
import { DatabaseSync, StatementSync } from "node:sqlite";
import { type Clock, systemClock } from "../../chat/clock.ts";
import { IDEMPOTENCY_WINDOW } from "../../chat/rulebook.ts";
import { type Command, type LogNotification } from "../../chat/storage.ts";
import { FakeClock } from "../../testing/clock.ts";
import { eventfulRoom, leftovers } from "../../testing/storage/leftovers.ts";
import { until } from "../../testing/until.ts";
import { castVote, KINDS_WITH_VOTE } from "../../testing/storage/vote.ts";
import { COMPANION_INTERVAL } from "../shared/data_file.ts";
import { SCRUB_DELAY } from "./scrubber.ts";
import { SqliteStorage, SWEEP_INTERVAL } from "./sqlite.ts";
import { CHECK_INTERVAL } from "./change_detector.ts";
import { BUSY_TIMEOUT } from "./file.ts";

const RETENTION = { messages: 0, days: 0 };
const say = (text: string, id?: string): Command => {
  const command: Command = { action: "send_message", room: "r", user: "ann", from: "Ann", text };
  return id === undefined ? command : { ...command, id };
};

/** A test in a folder of its own. */
function fileTest(title: string, check: (path: string) => Promise<void>, options: { ignore?: boolean } = {}) {
  Deno.test({
    name: `sqlite: ${title}`,
    ...options,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        await check(`${folder}/chat.db`);
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}

const open = (path: string, clock: Clock = new FakeClock(), retention = RETENTION) =>
  SqliteStorage.open(path, { clock, retention });

/** Every byte that stands in the database's files. */
async function everything(path: string): Promise<string> {
  const folder = path.slice(0, path.lastIndexOf("/"));
  let text = "";
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (!isFile) continue;
    text += new TextDecoder("latin1").decode(await Deno.readFile(`${folder}/${name}`));
  }
  return text;
}

/** Does something without what it says on the error output, and returns that. */
async function quietly(work: () => Promise<void>): Promise<unknown[][]> {
  const said: unknown[][] = [];
  const { error } = console;
  console.error = (...what) => said.push(what);
  try {
    await work();
  } finally {
    console.error = error;
  }
  return said;
}

fileTest("what was kept, the epoch, the names and the secret are there when the file is opened again", async (path) => {
  const first = await open(path);
  await first.append([say("one", "k"), {
    action: "edit_message",
    from: "Ann",
    room: "r",
    user: "ann",
    target: 1,
    text: "ONE",
  }]);
  await first.names.claim({ user: "ann", name: "Ann", key: "ann", until: 1e15, now: 0 });
  const [before, secret] = [await first.history("r", { limit: 9 }), await first.secret()];
  await first.close();
  const again = await open(path);
  assert.deepEqual(await again.history("r", { limit: 9 }), before);
  assert.equal(await again.secret(), secret);
  const taken = await again.names.claim({ user: "bob", name: "Ann", key: "ann", until: 1e15, now: 0 });
  assert.deepEqual(taken, { holder: "ann", until: 1e15 });
  const [repeated, next] = await again.append([say("one", "k"), say("two")]);
  assert.ok("entry" in repeated && repeated.repeated && "entry" in next && next.entry.seq === 3);
  await again.close();
  if (Deno.build.os !== "windows") assert.equal((await Deno.stat(`${path}.secret`)).mode! & 0o777, 0o600);
});

fileTest("edited, deleted and expired words are gone from the file, not only from what is shown", async (path) => {
  const clock = new FakeClock();
  const storage = await open(path, clock, { messages: 200, days: 0 });
  const word = (kind: string, at: number) => `${kind}-${at}-${"secret".repeat(1 + at % 90)}`;
  for (let at = 0; at < 300; at++) {
    const { entry } = (await storage.append([say(word("old", at))]))[0] as { entry: { seq: number } };
    if (at % 3 === 0) {
      await storage.append([{
        action: "edit_message",
        from: "Ann",
        room: "r",
        user: "ann",
        target: entry.seq,
        text: word("draft", at),
      }]);
      await storage.append([{
        action: "edit_message",
        from: "Ann",
        room: "r",
        user: "ann",
        target: entry.seq,
        text: word("final", at),
      }]);
    }
    if (at % 3 === 1) {
      await storage.append([{ action: "delete_message", from: "Ann", room: "r", user: "ann", target: entry.seq }]);
    }
  }
  await clock.advance(SWEEP_INTERVAL + SCRUB_DELAY);
  const bytes = await everything(path);
  const { messages } = await storage.history("r", { limit: 200 });
  const held = new Set(messages.map(({ text }) => text));
  for (let at = 0; at < 300; at++) {
    for (const kind of ["old", "draft", "final"]) {
      assert.equal(bytes.includes(`${word(kind, at)}`), held.has(word(kind, at)), `${kind} ${at}`);
    }
  }
  assert.ok(held.size > 50);
  await storage.close();
});

for (const retention of [{ messages: 130, days: 0 }, { messages: 0, days: 1 }]) {
  const kept = JSON.stringify(retention);
  fileTest(`nothing is left of what has expired and whose id may be forgotten, with ${kept}`, async (path) => {
    const clock = new FakeClock();
    const storage = await SqliteStorage.open(path, { clock, retention, kinds: KINDS_WITH_VOTE });
    const file = new DatabaseSync(path);
    const rows = () =>
      file.prepare(`SELECT name FROM sqlite_schema
        WHERE type = 'table' AND name NOT IN ('actions', 'words', 'words_config', 'words_data', 'words_idx')`).all()
        .map(({ name }) => Number(file.prepare(`SELECT count(*) AS rows FROM ${name}`).get()!.rows))
        .reduce((sum, rows) => sum + rows);
    const inBoth = (text: string) => ["one", "other"].map((room): Command => ({ ...say(text), room }));
    const sweepOnceIn = async (milliseconds: number) => {
      clock.set(clock.now() + milliseconds);
      await clock.advance(SWEEP_INTERVAL + SCRUB_DELAY);
    };
    const expire = async () => {
      await storage.append(Array(retention.messages).fill(inBoth("later")).flat());
      await sweepOnceIn(retention.days * 24 * 60 * 60 * 1000);
    };
    await storage.append(inBoth("kept-word"));
    await expire();
    const before = rows();

    const start = clock.now();
    await storage.append(["one", "other"].flatMap((room) => eventfulRoom(room, 1 + retention.messages)));
    await clock.advance(SCRUB_DELAY);
    assert.deepEqual(leftovers(await everything(path), "gone-word"), []);
    await expire();
    assert.deepEqual(leftovers(await everything(path), "kept-word"), []);
    if (retention.days === 0) {
      await sweepOnceIn(start + IDEMPOTENCY_WINDOW - clock.now());
    }
    assert.deepEqual(leftovers(await everything(path), "kept-word", "kept-person", "kept-id"), []);
    assert.equal(rows(), before);
    file.close();
    await storage.close();
  });
}

fileTest("what has expired does not come back when more is to be kept", async (path) => {
  const clock = new FakeClock();
  const storage = await open(path, clock, { messages: 1, days: 0 });
  await storage.append([say("secret one", "k"), say("secret two", "l"), say("three")]);
  await clock.advance(SWEEP_INTERVAL + SCRUB_DELAY);
  assert.doesNotMatch(await everything(path), /secret/);
  await storage.close();
  const again = await open(path, clock);
  assert.deepEqual((await again.history("r", { limit: 9 })).messages.map(({ text }) => text), ["three"]);
  assert.deepEqual((await again.history("r", { limit: 9, after: 0 })).messages.map(({ text }) => text), ["three"]);
  assert.deepEqual((await again.read("r", 0)).entries.map(({ seq }) => seq), [3]);
  const [repeated, edited] = await again.append([
    say("secret one", "k"),
    { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 2, text: "x" },
  ]);
  assert.ok("entry" in repeated && repeated.repeated && repeated.entry.seq === 1);
  assert.deepEqual(edited, { refused: "not_found" });
  await again.close();
});

fileTest("edited words are gone from the file a moment later", async (path) => {
  const clock = new FakeClock();
  const storage = await open(path, clock);
  await clock.advance(SCRUB_DELAY);
  await storage.append([say("a secret of ann's")]);
  await storage.append([{ action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text: "nothing" }]);
  await clock.advance(SCRUB_DELAY);
  assert.doesNotMatch(await everything(path), /a secret of ann's/);
  await storage.close();
});

fileTest("deleted words are gone from the file also when the server was killed right after", async (path) => {
  const killed = `${path.slice(0, path.lastIndexOf("/"))}/killed`;
  const storage = await open(path);
  await storage.append([say("a secret of ann's")]);
  await storage.append([{ action: "delete_message", from: "Ann", room: "r", user: "ann", target: 1 }]);
  // What a kill leaves behind is what stands in the files now.
  await Deno.mkdir(killed);
  for (const end of ["", "-wal"]) await Deno.copyFile(path + end, `${killed}/chat.db${end}`);
  assert.match(await everything(`${killed}/chat.db`), /a secret of ann's/);
  await storage.close();
  const clock = new FakeClock();
  const again = await open(`${killed}/chat.db`, clock);
  await clock.advance(SCRUB_DELAY);
  assert.doesNotMatch(await everything(`${killed}/chat.db`), /a secret of ann's/);
  assert.equal((await again.history("r", { limit: 9 })).messages[0].deleted, true);
  await again.close();
});

fileTest("a Deno whose SQLite would show no history stops the start with one sentence", async (path) => {
  const { iterate } = StatementSync.prototype;
  // As Deno 2.5 has it: rows come the first time that a statement is iterated over, and never again.
  const used = new WeakSet<StatementSync>();
  StatementSync.prototype.iterate = function (...parameters) {
    const isFirst = !used.has(this);
    used.add(this);
    return isFirst ? Reflect.apply(iterate, this, parameters) : [].values();
  };
  try {
    await assert.rejects(open(path), /chat\.db needs Deno 2\.6 or newer/);
  } finally {
    StatementSync.prototype.iterate = iterate;
  }
});

fileTest("a file that is no database of Parley stops the start with one sentence that names it", async (path) => {
  await Deno.writeTextFile(path, "I am a diary, not a database. ".repeat(200));
  await assert.rejects(open(path), { message: `${path} is not a database, or a broken one.` });
  assert.match(await Deno.readTextFile(path), /^I am a diary/);
  await Deno.remove(path);

  const foreign = new DatabaseSync(path);
  foreign.exec("CREATE TABLE accounts (money)");
  foreign.close();
  await assert.rejects(open(path), { message: `${path} is another program's database. Name another file.` });
  await Deno.remove(path);

  const newer = await open(path);
  await newer.close();
  const file = new DatabaseSync(path);
  file.exec("PRAGMA user_version = 99");
  file.close();
  await assert.rejects(open(path), /was written by a newer Parley \(schema 99, this one knows \d+\)\.$/);

  await assert.rejects(
    open(path.slice(0, path.lastIndexOf("/"))),
    /can't be opened. Is it a folder, or out of reach\?$/,
  );
});

fileTest("the words of an edit are in one row, however often its message was edited before", async (path) => {
  const storage = await open(path);
  const edits = Array.from({ length: 50 }, (_, at): Command => (
    { action: "edit_message", from: "Ann", room: "r", user: "ann", target: 1, text: `edit ${at}` }
  ));
  await storage.append([say("first"), ...edits]);
  const file = new DatabaseSync(path);
  const rows = () =>
    file.prepare("SELECT * FROM entries").all().filter((row) => JSON.stringify(row).includes("edit 49"));
  assert.equal(rows().length, 1, "the newest words stand in one row");
  await storage.append([{ action: "delete_message", from: "Ann", room: "r", user: "ann", target: 1 }]);
  assert.deepEqual(rows(), []);
  file.close();
  await storage.close();
});

/** A file as an older version has left it, and what that version answered. */
async function oldFile(path: string): Promise<OldAnswers> {
  const folder = new URL("../../testing/old_files/", import.meta.url);
  const file = (await Deno.open(new URL("schema_3.db.gz", folder))).readable.pipeThrough(
    new DecompressionStream("gzip"),
  );
  await Deno.writeFile(path, file);
  const answers: OldAnswers = JSON.parse(await Deno.readTextFile(new URL("schema_3.json", folder)));
  await Deno.writeTextFile(`${path}.secret`, answers.secret);
  return answers;
}

interface OldAnswers {
  rooms: Record<string, { read: unknown; history: unknown; settings: unknown }>;
  bans: unknown;
  listed: unknown;
  secret: string;
}

for (const version of [2, 3]) {
  fileTest(`a file of schema ${version} keeps its history, names, bans, secret and epoch`, async (path) => {
    const { rooms, ...answers } = await oldFile(path);
    if (version === 2) {
      const file = new DatabaseSync(path);
      file.exec(`
        UPDATE entries SET text = (SELECT text FROM entries AS message WHERE message.room = entries.room
          AND message.seq = entries.target) WHERE kind = 1 AND text IS NULL;
        DROP INDEX messages; PRAGMA user_version = 2`);
      file.close();
    }
    const storage = await open(path);
    for (const [room, { read, history, settings }] of Object.entries(rooms)) {
      assert.deepEqual(await storage.read(room, room === "general" || room === "lost" ? 1 : 0), read);
      assert.deepEqual(await storage.history(room, { limit: 50 }), history);
      assert.deepEqual(await storage.moderation.settings(room), settings);
    }
    assert.deepEqual(
      {
        bans: await storage.moderation.bans(0),
        listed: await storage.moderation.listed(),
        secret: await storage.secret(),
      },
      answers,
    );
    const claim = (user: string) => storage.names.claim({ user, name: "Ann", key: "ann", until: 2e15, now: 0 });
    assert.deepEqual([await claim("eve"), await claim("ann")], [{ holder: "ann", until: 1e15 }, {
      name: "Ann",
      chosen: true,
    }]);
    const [repeated, edited] = await storage.append([
      { action: "send_message", room: "general", user: "bob", from: "Bob", text: "sent again", id: "k2" },
      { action: "edit_message", from: "Ann", room: "general", user: "ann", target: 3, text: "newer" },
    ]);
    assert.ok("entry" in repeated && repeated.repeated && repeated.entry.seq === 2);
    assert.ok("entry" in edited && edited.entry.seq === 8);
    assert.doesNotMatch(JSON.stringify(await storage.read("general", 1)), /final one/);
    await storage.close();
  });
}

fileTest("what failed together with a broken write is stored when it is sent again", async (path) => {
  const storage = await SqliteStorage.open(path, {
    clock: new FakeClock(),
    retention: RETENTION,
    kinds: KINDS_WITH_VOTE,
  });
  await storage.append([say("m")]);
  const broken = { user: "x", date: 1, until: 2, reason: Symbol() as never };
  await quietly(async () => {
    const results = await Promise.allSettled([
      storage.moderation.change("q", { locked: true }),
      storage.append([castVote("bob", 1, "tea")]),
      storage.append([castVote("eve", 1, "tea")]),
      storage.moderation.ban(broken),
    ]);
    assert.ok(results.every(({ status }) => status === "rejected"));
  });
  await storage.append([castVote("bob", 1, "tea")]);
  await storage.append([castVote("eve", 1, "tea")]);
  assert.deepEqual((await storage.read("r", 0)).entries.map(({ seq }) => seq), [1, 2, 3]);
  await storage.close();
});

/** A small disk of its own, which only root can make. */
async function withSmallDisk(
  check: (folder: string, fill: () => Promise<void>, free: () => Promise<void>) => Promise<void>,
) {
  const folder = await Deno.makeTempDir();
  const run = (...args: string[]) => new Deno.Command(args[0], { args: args.slice(1) }).output();
  const mounted = await run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder);
  if (!mounted.success) throw new Error(new TextDecoder().decode(mounted.stderr));
  try {
    const fill = async () => {
      const ballast = await Deno.open(`${folder}/ballast`, { create: true, write: true });
      try {
        for (;;) await ballast.write(new Uint8Array(4_096));
      } catch {
        /* full */
      } finally {
        ballast.close();
      }
    };
    await check(folder, fill, () => Deno.remove(`${folder}/ballast`));
  } finally {
    await run("umount", folder);
    await Deno.remove(folder);
  }
}

/** What a name claim needs. */
const claim = (user: string) => ({ user, name: user, key: user, until: 1e15, now: 0 });
const UNAVAILABLE = { name: "ChatError", code: "unavailable" };

for (
  const [how, takeAway, putBack] of [
    [
      "removed",
      (path: string) => Deno.rename(path, `${path}.gone`),
      (path: string) => Deno.rename(`${path}.gone`, path),
    ],
    ["replaced by a backup", async (path: string) => {
      await Deno.rename(path, `${path}.gone`);
      await Deno.copyFile(`${path}.gone`, path);
    }, (path: string) => Deno.rename(`${path}.gone`, path)],
    [
      "left without its write-ahead log",
      (path: string) => Deno.rename(`${path}-wal`, `${path}.gone`),
      (path: string) => Deno.rename(`${path}.gone`, `${path}-wal`),
    ],
  ] as const
) {
  fileTest(`a file that is ${how} while it is open takes nothing more in, and says so once`, async (path) => {
    const clock = new FakeClock();
    const storage = await open(path, clock);
    await storage.append([say("before")]);
    clock.spend(COMPANION_INTERVAL);
    await takeAway(path);
    const said = await quietly(async () => {
      await assert.rejects(storage.append([say("lost", "k")]), UNAVAILABLE);
      await assert.rejects(storage.names.claim(claim("bob")), UNAVAILABLE);
      await assert.rejects(storage.moderation.change("r", { locked: true }), UNAVAILABLE);
      await assert.rejects(storage.check(), UNAVAILABLE);
    });
    assert.equal(said.length, 1);
    assert.match(String(said[0][0]), /chat\.db(-wal)? was removed or replaced while it was open/);
    assert.equal((await storage.history("r", { limit: 9 })).messages.length, 1, "what was said can still be read");
    await putBack(path);
    const { warn } = console;
    const back: unknown[] = [];
    console.warn = (line) => back.push(line);
    await storage.check();
    console.warn = warn;
    assert.match(String(back), /chat\.db is back/);
    const [kept] = await storage.append([say("kept", "k")]);
    assert.ok("entry" in kept && !kept.repeated && kept.entry.seq === 2);
    await storage.close();
  });
}

for (
  const [what, content] of [
    ["a backup", (path: string) => Deno.readFile(`${path}.backup`)],
    ["garbage", () => Promise.resolve(new TextEncoder().encode("garbage ".repeat(1_000)))],
    ["nothing", () => Promise.resolve(new Uint8Array())],
  ] as const
) {
  fileTest(`a file that ${what} is copied over while it is open takes nothing more in`, async (path) => {
    const storage = await open(path, systemClock);
    const sayAndEmptyTheLog = async (word: string, target: number) => {
      await storage.append(Array.from({ length: 40 }, (_, at) => say(`${word} ${at} ${"x".repeat(500)}`)));
      await storage.append([{ action: "delete_message", from: "Ann", room: "r", user: "ann", target }]);
      await until(async () => (await Deno.stat(`${path}-wal`)).size === 0);
    };
    await sayAndEmptyTheLog("old", 1);
    await Deno.copyFile(path, `${path}.backup`);
    await sayAndEmptyTheLog("new", 2);
    await storage.append([say("in the write-ahead log")]);
    await storage.check();
    // As `cp` does it: the file stays the same one.
    await Deno.writeFile(path, await content(path));
    const said = await quietly(async () => {
      await assert.rejects(storage.append([say("lost")]), UNAVAILABLE);
      await assert.rejects(storage.check(), UNAVAILABLE);
      await assert.rejects(storage.names.claim(claim("bob")), UNAVAILABLE);
    });
    assert.deepEqual([said.length, /was written over while it was open/.test(String(said[0]))], [1, true]);
    await quietly(() => storage.close());
  });
}

fileTest("checkpoints and a VACUUM, also by other processes, are no reason to take nothing in", async (path) => {
  const storages = await Promise.all([open(path, systemClock), open(path, systemClock)]);
  const other = new DatabaseSync(path, { timeout: 1_000 });
  const vacuum = setInterval(() => {
    try {
      other.exec("PRAGMA wal_checkpoint(TRUNCATE); VACUUM; PRAGMA wal_checkpoint(PASSIVE)");
    } catch { /* busy */ }
  }, 20);
  for (let time = 0; time < 150; time++) {
    const results = await Promise.all(storages.map((storage) => storage.append([say("x".repeat(20_000))])));
    assert.ok(results.every(([result]) => "entry" in result));
    if (time % 50 === 0) await Promise.all(storages.map((storage) => storage.check()));
  }
  clearInterval(vacuum);
  other.close();
  await Promise.all(storages.map((storage) => storage.close()));
});

fileTest(
  "the file and what stands beside it can be read by its owner only, also where they could by others",
  async (path) => {
    if (Deno.build.os === "windows") return;
    const modes = async () =>
      await Promise.all(["", "-wal", "-shm"].map(async (end) => (await Deno.stat(path + end)).mode! & 0o777));
    const first = await open(path);
    await first.append([say("one")]);
    assert.deepEqual(await modes(), [0o600, 0o600, 0o600]);
    for (const end of ["", "-wal", "-shm"]) await Deno.chmod(path + end, 0o644);
    const second = await open(path);
    assert.deepEqual(await modes(), [0o600, 0o600, 0o600]);
    await Promise.all([first.close(), second.close()]);
  },
);

fileTest("where the path is a link, the file that it leads to is guarded", async (path) => {
  if (Deno.build.os === "windows") return;
  const folder = path.slice(0, path.lastIndexOf("/"));
  const connection = `${folder}/link.db`;
  await (await open(path)).close();
  await Deno.chmod(path, 0o640);
  await Deno.symlink(path, connection);
  const clock = new FakeClock();
  const storage = await open(connection, clock);
  await storage.append([say("before")]);
  for (const end of ["", "-wal", "-shm"]) assert.equal((await Deno.stat(path + end)).mode! & 0o777, 0o600);
  await Deno.rename(`${path}-wal`, `${path}.gone`);
  clock.spend(COMPANION_INTERVAL);
  await quietly(() => assert.rejects(storage.append([say("lost")]), UNAVAILABLE));
  await Deno.rename(`${path}.gone`, `${path}-wal`);
  await Deno.remove(connection);
  await quietly(() => assert.rejects(storage.check(), UNAVAILABLE));
  await storage.close();
});

fileTest("while another process has locked the file the server is not ready, and says why", async (path) => {
  const storage = await open(path, systemClock);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const said = await quietly(() => assert.rejects(storage.check(), UNAVAILABLE));
  assert.match(String(said[0]), /another process has locked it/);
  other.exec("ROLLBACK");
  other.close();
  await storage.check();
  await storage.close();
});

const isRoot = Deno.build.os === "linux" && Deno.uid() === 0;

Deno.test({
  name:
    "sqlite: a full disk is told as unavailable, nothing is stored by halves, and all is well again when there is space",
  ignore: !isRoot,
}, async () => {
  await withSmallDisk(async (folder, fill, free) => {
    const storage = await open(`${folder}/chat.db`, systemClock);
    await storage.append([say("before", "1")]);
    await fill();
    const heard: unknown[] = [];
    storage.subscribe("r", (notification) => heard.push(notification));
    const batch = Array.from({ length: 100 }, (_, at) => say(`${at} ${"x".repeat(4_000)}`, `full ${at}`));
    const said = await quietly(async () => {
      await assert.rejects(storage.append(batch), { name: "ChatError", code: "unavailable" });
      await assert.rejects(storage.check(), { name: "ChatError", code: "unavailable" }).catch(
        () => {/* one row may still fit */},
      );
    });
    assert.match(String(said[0]?.[1]), /full|disk I\/O/);
    assert.deepEqual(heard, []);
    assert.equal((await storage.history("r", { limit: 9 })).seq, 1);
    await free();
    const results = await storage.append(batch);
    assert.ok(results.every((result) => "entry" in result && !result.repeated));
    assert.equal((await storage.history("r", { limit: 9 })).seq, 101);
    await storage.check();
    await storage.close();
  });
});

Deno.test({
  name: "sqlite: a storage that can be read and can't give names to newcomers is not ready",
  ignore: !isRoot,
}, async () => {
  await withSmallDisk(async (folder, fill, free) => {
    const storage = await open(`${folder}/chat.db`, systemClock);
    await storage.append([say("before")]);
    await fill();
    await quietly(async () => {
      const claims = Array.from({ length: 500 }, (_, at) => storage.names.claim(claim(`${at} ${"x".repeat(500)}`)));
      assert.ok((await Promise.allSettled(claims)).every(({ status }) => status === "rejected"));
      await assert.rejects(storage.check(), UNAVAILABLE);
      await assert.rejects(storage.check(), UNAVAILABLE, "also when it is asked again");
    });
    assert.equal((await storage.history("r", { limit: 9 })).seq, 1);
    await free();
    await storage.check();
    assert.ok(await storage.names.claim(claim("bob")));
    await storage.close();
  });
});

Deno.test(
  { name: "sqlite: a read-only file stops the start with one sentence that names it", ignore: !isRoot },
  async () => {
    await withSmallDisk(async (folder) => {
      await (await open(`${folder}/chat.db`)).close();
      const remount = (how: string) => new Deno.Command("mount", { args: ["-o", `remount,${how}`, folder] }).output();
      await remount("ro");
      await assert.rejects(
        open(`${folder}/chat.db`),
        /chat\.db (is read-only\. Make it and its folder writable|can't be opened)/,
      );
      await remount("rw");
    });
  },
);

/** Holds the file's write lock, as another process does. */
function lock(path: string): () => void {
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  return () => {
    other.exec("ROLLBACK");
    other.close();
  };
}

fileTest("while another process has locked the file, writing waits and everything else goes on", async (path) => {
  const storage = await open(path, systemClock);
  const unlock = lock(path);
  let turns = 0;
  const turning = setInterval(() => turns++, 1);
  const kept = storage.append([say("hello")]);
  const before = performance.now();
  while (turns < 50) await new Promise((resolve) => setTimeout(resolve, 1));
  assert.ok(performance.now() - before < BUSY_TIMEOUT);
  assert.deepEqual((await storage.history("r", { limit: 9 })).messages, [], "reading goes on");
  unlock();
  const [result] = await kept;
  clearInterval(turning);
  assert.ok("entry" in result && result.entry.seq === 1);
  await storage.close();
});

fileTest(
  "a lock that is held for too long is told as unavailable, and the same id afterwards makes one message",
  async (path) => {
    const clock = new FakeClock();
    const storage = await open(path, clock);
    const unlock = lock(path);
    const refused = assert.rejects(storage.append([say("late", "k")]), {
      name: "ChatError",
      code: "unavailable",
      retryAfter: 2,
    });
    await clock.advance(2 * BUSY_TIMEOUT);
    await refused;
    unlock();
    await storage.append([say("late", "k")]);
    await storage.append([say("late", "k")]);
    assert.equal((await storage.history("r", { limit: 9 })).seq, 1);
    await storage.close();
  },
);

fileTest("a file that stays locked stops the start with one sentence that names it", async (path) => {
  await (await open(path)).close();
  const unlock = lock(path);
  const clock = new FakeClock();
  let over = false;
  const refused = assert.rejects(open(path, clock), { message: `${path} is locked by another process. Stop it first.` })
    .finally(() => over = true);
  while (!over) await clock.advance(100);
  await refused;
  unlock();
});

fileTest("a storage that closes finishes what is being written, and then leaves the file alone", async (path) => {
  const clock = new FakeClock();
  clock.soon = systemClock.soon;
  const openOne = () => SqliteStorage.open(path, { clock, retention: RETENTION, isolates: true });
  const writing = await openOne();
  await writing.append([say("one")]);
  await clock.advance(SCRUB_DELAY);
  const deleted = writing.append([{ action: "delete_message", from: "Ann", room: "r", user: "ann", target: 1 }]);
  await writing.close();
  assert.ok("entry" in (await deleted)[0]);
  assert.equal(clock.waiting, 0);

  const sweeping = await openOne();
  const unlock = lock(path);
  await clock.advance(SWEEP_INTERVAL);
  const closed = sweeping.close();
  unlock();
  const said = await quietly(async () => {
    await clock.advance(100);
    await closed;
    await clock.advance(100);
  });
  assert.deepEqual([said, clock.waiting], [[], 0]);
});

fileTest("what waits together is written together", async (path) => {
  const storage = await open(path, systemClock);
  const results = (await Promise.all(Array.from({ length: 20 }, (_, at) => storage.append([say(`${at}`)])))).flat();
  assert.deepEqual(
    results.map((result) => "entry" in result && result.entry.seq),
    Array.from({ length: 20 }, (_, at) => at + 1),
  );
  await storage.close();
});

fileTest(
  "subscribers are told of what another process writes, which is found by looking into the file",
  async (path) => {
    const clock = new FakeClock();
    const [storage, stranger] = [await open(path, clock), await open(path)];
    const { epoch } = await storage.history("r", { limit: 1 });
    const heard: LogNotification[] = [];
    storage.subscribe("r", (notification) => heard.push(notification));
    await storage.append([say("ours")]);
    await clock.advance(10 * CHECK_INTERVAL);
    assert.equal(heard.length, 1, "what was told is not told again");
    await stranger.append([say("theirs"), { ...say("theirs"), room: "q" }]);
    await clock.advance(2 * CHECK_INTERVAL);
    assert.deepEqual(heard.slice(1), [{ epoch, entries: [] }]);
    assert.equal(storage.missedNotifications, 1);
    await storage.check();
    await stranger.renewEpoch();
    await clock.advance(2 * CHECK_INTERVAL);
    assert.deepEqual(heard.slice(2), [{ epoch: (await storage.read("r", 0)).epoch, entries: [] }]);
    await Promise.all([storage.close(), stranger.close()]);
  },
);

fileTest(
  "an isolate that gets no notifications is not ready until it does, and tells what it finds",
  async (path) => {
    const clock = new FakeClock();
    const storage = await SqliteStorage.open(path, { clock, retention: RETENTION, isolates: true });
    // Its channel is broken: it writes and notifies nobody.
    const mute = await open(path);
    const heard: LogNotification[] = [];
    storage.subscribe("r", (notification) => heard.push(notification));
    for (let at = 0; at < 4; at++) {
      await storage.check();
      await mute.append([say(`${at}`)]);
      await clock.advance(CHECK_INTERVAL);
    }
    await assert.rejects(storage.check(), { name: "ChatError", code: "unavailable" });
    assert.deepEqual([heard.length, storage.missedNotifications], [3, 3]);
    await mute.close();
    await clock.advance(CHECK_INTERVAL);
    await assert.rejects(storage.check(), "the last one was not told either");
    const other = await SqliteStorage.open(path, { clock, retention: RETENTION, isolates: true });
    await other.append([say("told")]);
    await until(() => heard.at(-1)!.entries.length === 1);
    await clock.advance(2 * CHECK_INTERVAL);
    await storage.check();
    await Promise.all([storage.close(), other.close()]);
  },
);

fileTest("of several isolates one at a time removes what has expired", async (path) => {
  const clock = new FakeClock();
  const storages = [];
  for (let at = 0; at < 3; at++) {
    storages.push(await SqliteStorage.open(path, { clock, retention: { messages: 1, days: 0 }, isolates: true }));
  }
  await storages[1].append([say("expired"), say("kept")]);
  await clock.advance(SWEEP_INTERVAL + SCRUB_DELAY);
  assert.doesNotMatch(await everything(path), /expired/);
  await Promise.all(storages.map((storage) => storage.close()));
});
