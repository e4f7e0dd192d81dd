import assert from "node:assert/strict";
import { startServer } from "../testing/server.ts";
import { TestClient } from "../testing/client.ts";
import { writeLogLines } from "./log_lines.ts";

function listen(isRead: (output: string) => boolean) {
  const lines: unknown[][] = [];
  const write = (...said: unknown[]) => void lines.push(said);
  const console = { log: write, warn: write, error: write };
  writeLogLines(console, isRead, () => 0);
  return { console, lines };
}

Deno.test("each thing said is one line of JSON, an error with its stack", () => {
  const { console, lines } = listen(() => false);
  console.log("Parley is open");
  console.warn("two", "words", { and: "more\nlines" });
  console.error("it could not be read:", new Error("the disk is full"));
  console.warn('{"event":"refused"}');
  const [open, words, failure, refused] = lines.map(([line]) => JSON.parse(String(line)));
  const time = "1970-01-01T00:00:00.000Z";
  assert.deepEqual(open, { time, level: "info", message: "Parley is open" });
  assert.equal(words.message, "two words { and: 'more\\nlines' }");
  assert.deepEqual([failure.level, failure.message], ["error", "it could not be read"]);
  assert.match(failure.error, /^Error: the disk is full\n +at /);
  assert.deepEqual(refused, { event: "refused" });
  assert.ok(lines.every(([line]) => !String(line).includes("\n")));
});

Deno.test("what people read stays sentences", () => {
  const { console, lines } = listen((output) => output === "stdout");
  console.log("Parley is open");
  console.error("it could not be read");
  assert.deepEqual(lines[0], ["Parley is open"]);
  assert.match(String(lines[1]), /^\{"time"/);
});

Deno.test("a server whose output is collected tells in lines of JSON that it opens, leaves and has stopped", async () => {
  const server = await startServer({ env: { WORKERS: "2" } });
  await (await TestClient.open(server.url)).close();
  await server.stop();
  const lines = server.output().trim().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ level, message }) => [level, message]), [
    ["info", `Parley is open at ${server.url}`],
    ["info", "Parley is leaving: everyone is sent away to come back."],
    ["info", "Parley has stopped."],
  ]);
});
