/** What `deno task start` costs a newcomer: what it downloads into an empty cache. */
import assert from "node:assert/strict";
import { copyTree } from "./testing/files.ts";

const root = new URL("./", import.meta.url);
/** Bytes in Deno's cache after a first start: packages, and what Deno itself makes of them and of the source. */
const CACHE_LIMIT = 25 * 1024 * 1024;
const NOT_FOR_SERVING = /redis|playwright|sparticuz|axe-core|fast-check|redocly|amaro/;

const committed = await lockInGit();
const lock = committed ?? await Deno.readTextFile(new URL("deno.lock", root));
// A bare `deno test` has put into the file what the tests need. Without Git nobody knows what was in it before.
const ignore = committed === undefined && NOT_FOR_SERVING.test(lock);

Deno.test({
  name: "a start downloads what serving needs, and none of what tests, tools or Redis need",
  ignore,
  async fn() {
    const { deploy } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
    const folder = await Deno.makeTempDir();
    for (const path of deploy.include) await copyTree(new URL(path, root).pathname, `${folder}/chat/${path}`);
    await Deno.writeTextFile(`${folder}/chat/deno.lock`, lock);
    const cache = `${folder}/cache`;
    const task = new Deno.Command(Deno.execPath(), {
      args: ["task", "start"],
      cwd: `${folder}/chat`,
      env: { DENO_DIR: cache, PORT: "0", HOST: "127.0.0.1" },
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const complaints = new Response(task.stderr).text();
    let said = "";
    for await (const text of task.stdout.pipeThrough(new TextDecoderStream())) {
      said += text;
      const [url] = /http:\/\/[^"\s]+/.exec(said) ?? [];
      if (!url) continue;
      const answer = await fetch(url);
      await answer.body?.cancel();
      assert.equal(answer.status, 200);
      break;
    }
    assert.match(said, /Parley is open/, said + await (said ? "" : complaints));
    task.kill("SIGTERM");
    await Promise.all([task.status, complaints]);
    const packages = (await Array.fromAsync(Deno.readDir(`${cache}/npm/registry.npmjs.org`))).map(({ name }) => name);
    const size = await bytesIn(cache);
    await Deno.remove(folder, { recursive: true });
    assert.ok(size < CACHE_LIMIT, `${size} bytes`);
    assert.ok(packages.includes("hono") && packages.includes("valibot"));
    for (const name of packages) assert.doesNotMatch(name, NOT_FOR_SERVING);
  },
});

Deno.test({
  name: "the lock of what serves has the versions of all.lock, and nothing else in it",
  ignore,
  async fn() {
    const all = JSON.parse(await Deno.readTextFile(new URL("all.lock", root)));
    const { specifiers, npm } = JSON.parse(lock);
    for (const [specifier, version] of Object.entries(specifiers)) assert.equal(all.specifiers[specifier], version);
    for (const [name, { integrity }] of Object.entries<{ integrity: string }>(npm)) {
      assert.equal(all.npm[name]?.integrity, integrity, name);
      assert.doesNotMatch(name, NOT_FOR_SERVING, "not to be committed");
    }
  },
});

/** deno.lock as it was committed; undefined where this is no working tree of Git's. */
async function lockInGit(): Promise<string | undefined> {
  const git = new Deno.Command("git", { args: ["show", "HEAD:./deno.lock"], cwd: root, stderr: "null" });
  const { success, stdout } = await git.output().catch(() => ({ success: false, stdout: new Uint8Array() }));
  return success ? new TextDecoder().decode(stdout) : undefined;
}

async function bytesIn(folder: string): Promise<number> {
  let bytes = 0;
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    bytes += isDirectory ? await bytesIn(path) : (await Deno.stat(path)).size;
  }
  return bytes;
}
