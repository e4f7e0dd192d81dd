/** The README tells the truth: what stands in it is read and played against a real server. */
import assert from "node:assert/strict";
import type { ServerFrame } from "./chat/protocol.ts";
import { readSettings } from "./settings.ts";
import { TestClient } from "./testing/client.ts";
import { Listener } from "./testing/listener.ts";
import { startServer } from "./testing/server.ts";

const readme = await Deno.readTextFile(new URL("README.md", import.meta.url));
const config = JSON.parse(await Deno.readTextFile(new URL("deno.json", import.meta.url)));
const [conversation, byThemselves] = [...readme.matchAll(/```text\n((?:[←→] .+\n)+)```/g)].map(([, lines]) =>
  lines.trim().split("\n").map((line) => ({ sent: line[0] === "→", frame: JSON.parse(line.slice(2)) }))
);

/** The names of a frame's fields and their types, deeply: what a client may rely on. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

Deno.test("the README's conversation is what a server says", async () => {
  const server = await startServer();
  const client = new TestClient(server.url);
  let read = 0;
  for (const { sent, frame } of conversation) {
    if (sent) {
      client.send(frame);
      continue;
    }
    const wanted = frame as ServerFrame;
    const got = await client.until(wanted.action, (come) => client.frames.indexOf(come) >= read);
    read = client.frames.indexOf(got) + 1;
    assert.deepEqual(shape(got), shape(wanted), wanted.action);
    for (const name of ["room", "seq", "target", "text", "code", "message", "id", "count"] as const) {
      if (name in wanted) assert.equal((got as never)[name], (wanted as never)[name], `${wanted.action} ${name}`);
    }
  }
  await client.close();
  await server.stop();
});

Deno.test("what arrives by itself looks as the README says", async () => {
  const server = await startServer();
  const client = await TestClient.open(server.url);
  const other = await TestClient.open(server.url);
  other.send({ action: "typing", room: "general" }, { action: "leave_room", room: "general" });
  await other.until("room_left");
  const crowd = await Promise.all(Array.from({ length: 100 }, () => TestClient.open(server.url)));
  for (const { frame } of byThemselves) {
    const got = await client.until((frame as ServerFrame).action);
    assert.deepEqual(shape(got), shape(frame));
  }
  await Promise.all([client, other, ...crowd].map((each) => each.close()));
  await server.stop();
});

const curl = await new Deno.Command("curl", { args: ["--version"], stdout: "null" }).output()
  .then(({ success }) => success, () => false);

Deno.test({
  name: "the README's curl commands work as they stand",
  ignore: !curl,
  async fn() {
    const [, chapter] = /\n## Without a WebSocket\n(.*?)\n## /s.exec(readme)!;
    const [listening, posting, asOne] = [...chapter.matchAll(/```sh\n(.*?)```/gs)].map(([, script]) => script);
    const server = await startServer();
    const listener = await Listener.open(server.url, "islands");
    const run = (script: string) =>
      new Deno.Command("bash", {
        args: ["-euc", script.replaceAll("http://localhost:8000", server.url)],
        stdout: "piped",
        stderr: "null",
      }).spawn();
    const answers = async (script: string) => new TextDecoder().decode((await run(script).output()).stdout);

    const heard = run(`exec ${listening}`);
    await listener.until("member_joined");
    assert.equal(JSON.parse(await answers(posting)).text, "Hi from curl");
    assert.match(await answers(asOne), /"text":"Once".*"action":"name_changed".*"name":"Curly".*"messages":\[{.*}\]/s);
    let text = "";
    for await (const chunk of heard.stdout.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"text":"Once"')) break;
    }
    heard.kill();
    await heard.status;
    assert.match(
      text,
      /^event: room_joined\nid: .*?^event: welcome\n.*?^event: receive_message\nid: .*?Hi from curl/ms,
    );
    await listener.close();
    await server.stop();
  },
});

Deno.test({
  name: "the README's commands for moderators work as they stand",
  ignore: !curl,
  async fn() {
    const [, script] = /\n## Moderate\n.*?```sh\n(.*?)```/s.exec(readme)!;
    const server = await startServer({ env: { ADMIN_TOKEN: "a token of the tests" } });
    const client = await TestClient.open(server.url);
    client.say("bad words");
    await client.until("receive_message");
    const { stdout } = await new Deno.Command("bash", {
      args: ["-euc", script.replaceAll("http://localhost:8000", server.url)],
      env: { ADMIN_TOKEN: "a token of the tests" },
      stderr: "null",
    }).output();
    const said = new TextDecoder().decode(stdout);
    assert.match(said, /"message_deleted".*"locked":true.*"slow_seconds":30.*"reason":"spam".*\[{"user":"pWm.*}\]$/s);
    assert.equal((await client.until("message_deleted")).target, 1);
    assert.equal((await client.until("room_changed", ({ locked }) => !locked)).slow_seconds, 30);
    await client.close();
    await server.stop();
  },
});

Deno.test("every setting stands in the README, and no other", () => {
  const documented = [...readme.matchAll(/^\| `([A-Z_]+)` +\|/gm)].map(([, name]) => name);
  const asked: string[] = [];
  readSettings((name) => void asked.push(name));
  assert.deepEqual(documented.toSorted(), asked.toSorted());
});

Deno.test("every task stands in the README, and no other", () => {
  const { tasks } = config as { tasks: Record<string, { command: string }> };
  for (const name of Object.keys(tasks)) assert.match(readme, new RegExp(`deno task ${name}|\`${name}\``), name);
  for (const [, name] of readme.matchAll(/deno task ([a-z-]+)/g)) assert.ok(Object.hasOwn(tasks, name), name);
});

Deno.test("every file that the README names is there", async () => {
  for (const [, path] of readme.matchAll(/\]\(((?!http)[^)]+)\)/g)) await Deno.stat(new URL(path, import.meta.url));
});
