/** The examples as their readers run them: processes of their own, against a real server. */
import assert from "node:assert/strict";
import { TestClient } from "../testing/clients/client.ts";
import { startServer } from "../testing/servers/server.ts";

const SECRET = "a secret of the tests, long enough";

function example(name: string, args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  const file = new URL(name, import.meta.url).pathname;
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-config", "--allow-net", "--allow-env=SECRET", file, ...args],
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
}

async function end(process: Deno.ChildProcess): Promise<void> {
  process.kill();
  await process.status;
}

Deno.test("the bot answers, once, also what it was asked while it or the server was away", async () => {
  const lines = (await Deno.readTextFile(new URL("bot.ts", import.meta.url))).trim().split("\n");
  assert.ok(lines.length < 30, `${lines.length} lines`);
  const cwd = await Deno.makeTempDir();
  let server = await startServer({ cwd });
  const first = await TestClient.open(server.url);
  const bot = example("bot.ts", [server.url]);
  await first.until("member_joined");
  first.say("!roll");
  const { name } = await first.until("welcome");
  const answer = await first.until("receive_message", ({ text }) => text!.startsWith(`${name} rolls a `));
  assert.match(answer.text!, / [1-6]$/);
  await server.stop();
  server = await startServer({ cwd, port: server.port });
  const second = await TestClient.open(server.url);
  second.say("!roll");
  await second.until("receive_message", ({ id }) => id === "roll-3");
  second.say("enough");
  const { seq } = await second.until("receive_message", ({ text }) => text === "enough");
  assert.equal(seq, 5);
  await second.close();
  await end(bot);
  await bot.stdout.cancel();
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the webhook says what is posted to it, once a delivery, and only to who knows its secret", async () => {
  const server = await startServer();
  const ann = await TestClient.open(server.url, { query: "?room=builds" });
  const webhook = example("webhook.ts", [server.url, "builds", "0"], { SECRET: encodeURIComponent(SECRET) });
  const reader = webhook.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const url = (await reader.read()).value!.trim();
  const post = async (path: string, text: string, delivery: string) => {
    const body = JSON.stringify({ text });
    const response = await fetch(url + path, { method: "POST", headers: { "x-github-delivery": delivery }, body });
    await response.body?.cancel();
    return response.status;
  };
  const path = `/${encodeURIComponent(SECRET)}`;
  assert.equal(await post("/guess", "no", "1"), 404);
  assert.equal(await post(path, "build 7 is green", "2"), 201);
  assert.equal(await post(path, "build 7 is green", "2"), 200);
  assert.equal(await post(path, " ", "3"), 422);
  assert.equal(await post(path, "build 8 is red", "4"), 201);
  await ann.until("receive_message", ({ seq }) => seq === 2);
  const heard = ann.frames.flatMap((frame) => frame.action === "receive_message" ? [frame.text] : []);
  assert.deepEqual(heard, ["build 7 is green", "build 8 is red"]);
  await end(webhook);
  await reader.cancel();
  await ann.close();
  await server.stop();
});
