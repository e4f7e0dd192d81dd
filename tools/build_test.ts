import assert from "node:assert/strict";
import { taskArguments } from "../testing/server.ts";

const root = new URL("../", import.meta.url);

async function deno(args: string[], env: Record<string, string> = {}): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args, env, cwd: root }).output();
  const decoder = new TextDecoder();
  assert.ok(success, decoder.decode(stdout) + decoder.decode(stderr));
}

Deno.test("the built file, alone in an empty folder with no registry in reach, does what the source does", async () => {
  await deno(await taskArguments("build"));
  const env = { BUILT_FILE: new URL("dist/chat.js", root).pathname };
  const play = ["test", "-P", "--no-check", "--sanitize-ops", "--sanitize-resources"];
  await deno([...play, "main_test.ts"], env);
  const more = "/^(a restart under load|with two isolates)/";
  await deno([...play, "drain_test.ts", "workers_test.ts", "--filter", more], env);
});
