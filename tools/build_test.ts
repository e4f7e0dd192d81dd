import assert from "node:assert/strict";
import { copyTree } from "../testing/files.ts";
import { startServer, taskArguments } from "../testing/server.ts";

const root = new URL("../", import.meta.url);

async function deno(args: string[], options: Deno.CommandOptions = {}): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { cwd: root, args, ...options }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
}

Deno.test("the built file, alone in an empty folder with no registry in reach, does what the source does", async () => {
  await deno(await taskArguments("build"));
  const env = { BUILT_FILE: new URL("dist/chat.js", root).pathname };
  const play = ["test", "--lock=all.lock", "-P", "--no-check", "--sanitize-ops", "--sanitize-resources"];
  await deno([...play, "main_test.ts"], { env });
  const more = "/^(a restart under load|with two isolates)/";
  await deno([...play, "drain_test.ts", "workers_test.ts", "--filter", more], { env });
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
