import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { FakeClock } from "../../testing/clock.ts";
import { startServer } from "../../testing/servers/server.ts";
import { writeLogLines } from "./json_console.ts";
import { KINDS, LINES, WINDOW } from "./log_sampler.ts";

function listen(isRead: (output: string) => boolean) {
  const lines: unknown[][] = [];
  const write = (...said: unknown[]) => void lines.push(said);
  const console = { log: write, warn: write, error: write };
  const clock = new FakeClock();
  const close = writeLogLines(console, isRead, clock);
  return { console, lines, clock, close };
}

Deno.test("each thing said is one line of JSON, an error with its stack", () => {
  const { console, lines, clock } = listen(() => false);
  console.log("Parley is open");
  console.warn("two", "words", { and: "more\nlines" });
  console.error("it could not be read:", new Error("the disk is full"));
  console.warn('{"event":"refused"}');
  const [open, words, failure, refused] = lines.map(([line]) => JSON.parse(String(line)));
  const time = new Date(clock.now()).toISOString();
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

Deno.test("of what goes wrong again and again a few lines are written, and how many were left out", async () => {
  for (const isRead of [false, true]) {
    const { console, lines, clock } = listen(() => isRead);
    for (let at = 0; at < 1_000; at++) console.error("it could not be written:", new Error(`reason ${at}`));
    console.error("it could not be read:", new Error("another reason"));
    assert.equal(lines.length, LINES + 1);
    await clock.advance(WINDOW);
    assert.match(String(lines.at(-1)), isRead ? /^it could not be written: 995 more times$/ : /"left_out":995\}$/);
    console.error("it could not be written:", new Error("anew"));
    assert.match(lines.at(-1)!.map(String).join(), /anew/);
    await clock.advance(WINDOW);
    assert.equal(lines.length, LINES + 3);
  }
});

Deno.test("when it ends it says what was left out so far, and what it was told to say is never left out", () => {
  const { console, lines, close } = listen(() => false);
  for (let at = 0; at < 100; at++) console.error("it failed");
  for (let at = 0; at < 100; at++) console.log("it is open");
  assert.equal(lines.length, LINES + 100);
  close();
  assert.equal(JSON.parse(String(lines.at(-1))).left_out, 100 - LINES);
});

Deno.test("lines that all say something else are no way around that", async () => {
  const { console, lines, clock } = listen(() => false);
  for (let at = 0; at < 10_000; at++) console.warn(`somebody wrote ${at}`);
  assert.equal(lines.length, KINDS + LINES);
  console.warn("somebody wrote 7");
  assert.equal(lines.length, KINDS + LINES + 1, "those that were known before are told apart as before");
  await clock.advance(WINDOW);
  assert.equal(JSON.parse(String(lines.at(-1))).left_out, 10_000 - KINDS - LINES);
});

Deno.test("a line has an end, however long what it tells of is", () => {
  const { console, lines } = listen(() => false);
  console.error("x".repeat(1e6), new Error("y".repeat(1e6)));
  assert.ok(String(lines[0]).length < 10_000);
});

Deno.test("a full disk is told in a few lines, however many messages it keeps from being stored", async () => {
  const server = await startServer({ fileSize: 1024 * 1024, env: { MESSAGE_RATE: "0" } });
  const { token } = await (await fetch(`${server.url}/api/session`, { method: "POST" })).json();
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ text: "x".repeat(4_000) });
  // One after the other, so that each is stored, or not, by itself.
  for (let refused = 0; refused < 500;) {
    const answer = await fetch(`${server.url}/api/rooms/general/messages`, { method: "POST", headers, body });
    await answer.body?.cancel();
    if (answer.status === 503) refused++;
    else assert.equal(answer.status, 201);
  }
  const lines = server.errors().split("\n").filter((line) => line.includes("could not be written"));
  assert.ok(lines.length > 0 && lines.length <= 2 * LINES, `${lines.length} lines`);
  await server.stop();
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
