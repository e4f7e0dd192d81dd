/** What `deno task start` costs a newcomer: what it downloads into an empty cache. */
import assert from "node:assert/strict";

const root = new URL("./", import.meta.url);
/** Bytes in Deno's cache after a first start, packages and what Deno itself keeps of them. */
const DOWNLOAD_LIMIT = 25 * 1024 * 1024;

Deno.test("a start downloads what serving needs, and none of what tests, tools or Redis need", async () => {
  const folder = await Deno.makeTempDir();
  const env = { DENO_DIR: `${folder}/cache`, DATABASE_URL: `sqlite:${folder}/chat.db`, PORT: "0", HOST: "127.0.0.1" };
  const task = new Deno.Command(Deno.execPath(), {
    args: ["task", "start"],
    cwd: root,
    env,
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const complained = new Response(task.stderr).text();
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
  assert.match(said, /Parley is open/, `it says ${said || await complained}`);
  task.kill("SIGTERM");
  await Promise.all([task.status, complained]);
  const { size, packages } = await contents(env.DENO_DIR);
  await Deno.remove(folder, { recursive: true });
  assert.ok(size < DOWNLOAD_LIMIT, `${size} bytes`);
  assert.ok(packages.includes("hono") && packages.includes("valibot"));
  for (const name of packages) assert.doesNotMatch(name, /redis|playwright|sparticuz|axe|fast-check|redocly|amaro/);
});

Deno.test("the lock of what serves and that of everything have the same versions", async () => {
  const [serving, everything] = await Promise.all(["deno.lock", "all.lock"].map(async (name) => {
    const lock = JSON.parse(await Deno.readTextFile(new URL(name, root)));
    return lock as { specifiers: Record<string, string>; npm: Record<string, { integrity: string }> };
  }));
  for (const [specifier, version] of Object.entries(serving.specifiers)) {
    assert.equal(everything.specifiers[specifier], version, specifier);
  }
  for (const [name, { integrity }] of Object.entries(serving.npm)) {
    assert.equal(everything.npm[name]?.integrity, integrity, name);
    assert.doesNotMatch(name, /redis|playwright|sparticuz|axe|fast-check|redocly|amaro/, "not to be committed");
  }
});

async function contents(cache: string): Promise<{ size: number; packages: string[] }> {
  let size = 0;
  const count = async (path: string) => {
    for await (const { name, isDirectory } of Deno.readDir(path)) {
      if (isDirectory) await count(`${path}/${name}`);
      else size += (await Deno.stat(`${path}/${name}`)).size;
    }
  };
  await count(cache);
  const packages: string[] = [];
  for await (const { name } of Deno.readDir(`${cache}/npm/registry.npmjs.org`)) packages.push(name);
  return { size, packages };
}
