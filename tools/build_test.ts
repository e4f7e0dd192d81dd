import assert from "node:assert/strict";
import { systemClock } from "../chat/clock.ts";
import type { Storage } from "../chat/storage.ts";
import { RedisStorage } from "../storage/redis/redis.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite.ts";
import { TestClient } from "../testing/clients/client.ts";
import { copyTree } from "../testing/files.ts";
import { RedisServer, redisTest } from "../testing/servers/redis.ts";
import { startServer, taskArguments } from "../testing/servers/server.ts";
import { castVote, KINDS_WITH_VOTE } from "../testing/storage/vote.ts";

const root = new URL("../", import.meta.url);

async function deno(args: string[], options: Deno.CommandOptions = {}): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { cwd: root, args, ...options }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
}

/**
 * Tests of the page that come to the same end where its files come as one. What they look at asks for no file by its
 * name, and what it loads later others load too. They take a third of the time of all.
 */
const ONLY_AS_SOURCE = new Set(
  ["accessibility", "editing", "log_held", "log_slice", "reading", "restart"].map((name) =>
    `static/${name}_page_test.ts`
  ),
);

Deno.test("the built file, alone in an empty folder with no registry in reach, does what the source does", async () => {
  await deno(await taskArguments("build"));
  const env = { BUILT_FILE: new URL("dist/chat.js", root).pathname, DENO_JOBS: "2" };
  const play = (...args: string[]) =>
    deno(["test", "--lock=all.lock", "-P", "--no-check", "--sanitize-ops", "--sanitize-resources", ...args], { env });
  const pages = (await Array.fromAsync(Deno.readDir(new URL("static", root)), ({ name }) => `static/${name}`))
    .filter((name) => name.endsWith("page_test.ts") && !ONLY_AS_SOURCE.has(name));
  // The page is another one there: bundled, and minified. Other files' tests run meanwhile, so two at a time will do.
  await play("--parallel", "main_test.ts", ...pages);
  await play("drain_test.ts", "workers_test.ts", "--filter", "/^(a restart under load|with two isolates)/");
});

Deno.test("what deno.json has Deno Deploy take is enough to build what it has it run", async () => {
  const { deploy } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  const cwd = await Deno.makeTempDir();
  for (const path of deploy.include) await copyTree(new URL(path, root).pathname, `${cwd}/${path}`);
  await deno(deploy.build.split(" ").slice(1), { cwd });
  const built = await Deno.readTextFile(`${cwd}/${deploy.runtime.entrypoint}`);
  assert.equal(built, await Deno.readTextFile(new URL("dist/chat.js", root)), "and from anywhere it is the same");
  await Deno.remove(cwd, { recursive: true });
});

/** A built server, which does not know the kind, while somebody newer writes it into the same store. */
async function besideNewer(cwd: string, database: string, open: () => Promise<Storage>): Promise<void> {
  await Deno.copyFile(new URL("dist/chat.js", root), `${cwd}/chat.js`);
  const args = ["run", "--no-config", "--allow-all", "--quiet", `${cwd}/chat.js`];
  const older = await startServer({ cwd, args, env: { DATABASE_URL: database } });
  const newer = await open();
  const client = await TestClient.open(older.url);
  client.say("tea?");
  await client.until("receive_message");
  await newer.append([castVote("bob", 1, "tea", { room: "general" }), castVote("eve", 1, "tea", { room: "general" })]);
  client.say("still here");
  assert.equal((await client.until("receive_message", ({ text }) => text === "still here")).seq, 4);
  const live = client.frames.flatMap((frame) => "seq" in frame && frame.action !== "room_joined" ? [frame] : []);
  assert.deepEqual(live.map(({ seq, action }) => [seq, action as string]), [
    [1, "receive_message"],
    [2, "unknown_entry"],
    [3, "unknown_entry"],
    [4, "receive_message"],
  ]);
  const { epoch } = await client.until("room_joined");
  client.send({ action: "join_room", room: "general", since: { epoch, seq: 1 }, id: "again" });
  const resumed = await client.until("room_joined", ({ id }) => id === "again");
  assert.deepEqual([resumed.recovered, resumed.messages.map(({ seq }) => seq)], [true, [2, 3, 4]]);
  client.send({ action: "edit_message", room: "general", target: 1, text: "Tea?" });
  await client.until("message_edited");
  const [first] = (await newer.history("general", { limit: 9 })).messages;
  assert.deepEqual([first.text, (first as { votes?: unknown }).votes], ["Tea?", { tea: 2 }]);
  client.send({ action: "delete_message", room: "general", target: 1 });
  await client.until("message_deleted");
  assert.doesNotMatch(JSON.stringify(await newer.read("general", 0)), /tea/i);
  assert.equal(older.errors(), "");
  await client.close();
  await newer.close();
  assert.equal(await older.stop(), 0);
}

Deno.test("a version that does not know a kind of entry runs beside one that does, on one file", async () => {
  const cwd = await Deno.makeTempDir();
  const options = { clock: systemClock, retention: { messages: 0, days: 0 }, kinds: KINDS_WITH_VOTE };
  await besideNewer(cwd, `sqlite:${cwd}/chat.db`, () => SqliteStorage.open(`${cwd}/chat.db`, options));
  await Deno.remove(cwd, { recursive: true });
});

redisTest("a version that does not know a kind of entry runs beside one that does, on one Redis", async () => {
  const [cwd, redis] = [
    await Deno.makeTempDir(),
    await RedisServer.start("--appendonly", "yes", "--appendfsync", "always"),
  ];
  const place = { url: redis.url, prefix: "parley", mayLoseASecond: false };
  const options = { clock: systemClock, retention: { messages: 0, days: 0 }, kinds: KINDS_WITH_VOTE };
  await besideNewer(cwd, redis.url, () => RedisStorage.open(place, options));
  await redis.stop();
  await Deno.remove(cwd, { recursive: true });
});

const wget = await new Deno.Command("wget", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "the Dockerfile's commands serve and find that healthy, without a second Deno",
  ignore: !wget && Deno.env.get("CI") === undefined,
  async fn() {
    const dockerfile = await Deno.readTextFile(new URL("Dockerfile", root));
    const health = /^HEALTHCHECK .*\n +CMD (.+)$/m.exec(dockerfile)![1];
    const serve = JSON.parse(/^CMD (\[.+\])$/m.exec(dockerfile)![1]) as string[];
    assert.doesNotMatch(health, /deno/);
    const cwd = await Deno.makeTempDir();
    await Deno.copyFile(new URL("dist/chat.js", root), `${cwd}/chat.js`);
    const server = await startServer({ cwd, args: serve });
    const isHealthy = async (env: Record<string, string>) =>
      (await new Deno.Command("sh", { args: ["-c", health], env, stderr: "null" }).output()).success;
    const proxy = { http_proxy: "http://127.0.0.1:9" };
    assert.equal(await isHealthy({ PORT: String(server.port), ...proxy }), true, "Docker may set a proxy for all");
    assert.equal(await server.stop(), 0);
    assert.equal(await isHealthy({ PORT: String(server.port) }), false);
    await Deno.remove(cwd, { recursive: true });
  },
});
