import assert from "node:assert/strict";
import { taskArguments } from "../testing/servers/server.ts";

for (
  const name of [
    "build",
    "bench",
    "bench:memory",
    "bench:page",
    "bench:reconnect",
    "bench:search",
    "bench:sweep",
    "new-epoch",
    "migrate",
  ]
) {
  Deno.test(`${name} --help says what it takes and does nothing else, and an unknown argument ends it`, async () => {
    const cwd = await Deno.makeTempDir();
    const task = await taskArguments(name);
    const run = async (word: string) => {
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...task, word], cwd }).output();
      const [said, complaint] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      return { code, said, complaint };
    };
    for (const word of ["--help", "-h"]) {
      const { code, said, complaint } = await run(word);
      assert.deepEqual([code, complaint], [0, ""]);
      assert.ok(said.includes(`\n  deno task ${name}`), said);
    }
    const { code, said, complaint } = await run("--nothing");
    assert.deepEqual([code, said], [1, ""]);
    assert.match(complaint, /^[^\n]*takes no argument --nothing[^\n]*\n$/);
    assert.deepEqual([...Deno.readDirSync(cwd)], [], "it has not begun");
    await Deno.remove(cwd);
  });
}
