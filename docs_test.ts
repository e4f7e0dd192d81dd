/**
 * `docs/` and the README tell the truth: their examples are run, their tables compared with the code, their links
 * followed.
 */
import assert from "node:assert/strict";
import { CLOSE, type ServerFrame } from "./chat/protocol.ts";
import { readSettings } from "./settings.ts";
import { help } from "./settings_help.ts";
import { TestClient } from "./testing/clients/client.ts";
import { Listener } from "./testing/clients/listener.ts";
import { allPages, type Page } from "./testing/markdown.ts";
import { startServer, taskArguments } from "./testing/servers/server.ts";
import { readArguments } from "./tools/doctor/arguments.ts";
import { clientFrames } from "./web/schema/client_frames.ts";
import { PROBLEMS } from "./web/schema/problem.ts";
import { serverFrames } from "./web/schema/server_frames.ts";

const root = new URL("./", import.meta.url);
const pages = await allPages();
const TOKEN = "a token of the tests";
/** Examples that are not run here, by how they begin, and why not. */
const NOT_RUN: Record<string, string> = {
  "npx -y deno task start": "start_test.ts and main_test.ts start it",
  "npx -y deno task test": "this is it",
  "main.ts         puts": "a tree of folders",
  "npx -y wscat": "it waits for somebody to type",
  "import asyncio": "it needs python3-websockets",
  "package main": "it needs Go",
  "<form": "web/auth/jwt_issuer_test.ts sends it",
  "chat.example {": "tools/doctor_proxies_test.ts",
  "location /": "tools/doctor_proxies_test.ts",
  "defaults": "tools/doctor_proxies_test.ts",
  "npx -y deno task doctor": "tools/doctor_test.ts; its arguments are read below",
  "HOST=127.0.0.1": "it starts a server; its settings are looked up below",
  "WORKERS=4": "workers_test.ts",
  "DATABASE_URL=redis": "storage/redis/redis_test.ts",
  "OTEL_DENO": "it needs a collector",
  "deno run --allow-net": "testing/servers/server.ts, wherever the built file is tested",
  "docker build": "it needs Docker",
  "deno deploy": "it needs Deno Deploy",
  "npx -y deno task migrate": "tools/migrate_test.ts",
  "npx -y deno task bench": "it takes half an hour",
  "deno bench": "it measures; its files are looked up below",
};
/** Those that a test below runs. */
const RUN = new Set<string>();

function page(path: string): Page {
  return pages.find((page) => page.path === path)!;
}

/** An example of a page, below this heading, which the test that asks for it runs. */
function example(path: string, heading: string, at = 0): string {
  const { text } = page(path).examples.filter((example) => example.heading === heading)[at];
  RUN.add(text);
  return text;
}

const [PROTOCOL, HTTP, DEPLOYING] = ["docs/protocol.md", "docs/http.md", "docs/deploying.md"];
const conversation = [
  ...lines(example(PROTOCOL, "Try it", 1)),
  ...lines(example(PROTOCOL, "Idempotency: send again without doubling")),
  ...lines(example(PROTOCOL, "Resume: join with since")),
];
const byThemselves = lines(example(PROTOCOL, "Try it", 2));
const batching = lines(example(PROTOCOL, "Batching"));
const listening = example(HTTP, "Listen and post");
const posting = example(HTTP, "Listen and post", 1);
const shellClient = example(HTTP, "Listen and post", 2);
const asOne = example(HTTP, "Sessions and idempotency keys");
const reading = example(HTTP, "History");
const reacting = example(HTTP, "Answers and reactions");
const searching = example(HTTP, "Search");
const listing = example(HTTP, "People");
const [refused, problem] = [example(HTTP, "Errors"), example(HTTP, "Errors", 1)];
const moderating = example("docs/moderation.md", "Commands");
const [backingUp, restoring] = [example(DEPLOYING, "Backups"), example(DEPLOYING, "Backups", 1)];
const scraping = example(DEPLOYING, "Monitoring");

/** What each line of a conversation sends, or what comes. */
function lines(text: string): { sent: boolean; frame: ServerFrame }[] {
  return text.trim().split("\n").map((line) => ({ sent: line[0] === "→", frame: JSON.parse(line.slice(2)) }));
}

/** The names of a frame's fields and their types, deeply: what a client may rely on. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, shape(inner)]));
}

/** Plays a conversation against a server. What is the same line twice in it must be the same frame twice. */
async function play(client: TestClient, conversation: { sent: boolean; frame: ServerFrame }[]): Promise<void> {
  let read = 0;
  const epochs = new Map<string, string>();
  const came = new Map<string, ServerFrame>();
  for (const { sent, frame: wanted } of conversation) {
    if (sent) {
      // Where the page has the epoch of its examples, the server's own is meant.
      client.send(JSON.stringify(wanted, (name, value) => name === "epoch" ? epochs.get(value) ?? value : value));
      continue;
    }
    const got = await client.until(wanted.action, (frame) => client.frames.indexOf(frame) >= read);
    read = client.frames.indexOf(got) + 1;
    assert.deepEqual(shape(got), shape(wanted), wanted.action);
    const fields = "room seq target reply_to text emoji on code message id count recovered".split(" ");
    for (const name of fields) {
      if (name in wanted) assert.equal((got as never)[name], (wanted as never)[name], `${wanted.action} ${name}`);
    }
    if (got.action === "room_joined" && wanted.action === "room_joined") {
      epochs.set(wanted.epoch, got.epoch);
      assert.equal(got.messages.length, wanted.messages.length);
    }
    const line = JSON.stringify(wanted);
    if (got.action === "receive_message") assert.deepEqual(got, came.get(line) ?? got);
    came.set(line, got);
  }
}

Deno.test("a server says what the conversations in the protocol say", async () => {
  const server = await startServer();
  const client = new TestClient(server.url);
  await play(client, conversation);
  const batchClient = await TestClient.open(server.url, { protocols: ["chat.batch.v1"], query: "?room=" });
  await play(batchClient, batching);
  await Promise.all([client, batchClient].map((each) => each.close()));
  await server.stop();
});

Deno.test("what arrives without asking looks as the protocol says", async () => {
  const server = await startServer();
  const client = await TestClient.open(server.url);
  const other = await TestClient.open(server.url);
  other.send({ action: "typing", room: "general" }, { action: "leave_room", room: "general" });
  await other.until("room_left");
  const crowd = await Promise.all(Array.from({ length: 100 }, () => TestClient.open(server.url)));
  for (const { frame } of byThemselves) {
    const got = await client.until(frame.action);
    assert.deepEqual(shape(got), shape(frame));
  }
  await Promise.all([client, other, ...crowd].map((each) => each.close()));
  await server.stop();
});

async function isInstalled(command: string): Promise<boolean> {
  const run = new Deno.Command(command, { args: ["--version"], stdout: "null", stderr: "null" }).output();
  return await run.then(({ success }) => success, () => false);
}
const [curl, jq, sqlite3] = await Promise.all(["curl", "jq", "sqlite3"].map(isInstalled));

/** Runs an example against a server that listens elsewhere. */
function run(script: string, { url, cwd }: { url: string; cwd?: string }): Deno.ChildProcess {
  return new Deno.Command("bash", {
    args: ["-euc", script.replaceAll("http://localhost:8000", url)],
    env: { ADMIN_TOKEN: TOKEN, METRICS_TOKEN: TOKEN },
    cwd,
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

async function answers(script: string, server: { url: string; cwd?: string }): Promise<string> {
  return new TextDecoder().decode((await run(script, server).output()).stdout);
}

/** What each call of an example answers, of which each answer is JSON. */
async function jsonOf(script: string, server: { url: string }) {
  const texts = (await answers(script, server)).replaceAll("}{", "}\n{").replaceAll("}[", "}\n[").split("\n");
  return texts.map((text) => JSON.parse(text));
}

/** What a process that goes on has said once it has said this. */
async function heardFrom({ stdout }: Deno.ChildProcess, wanted: string): Promise<string> {
  let text = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes(wanted)) break;
  }
  return text;
}

Deno.test({
  name: "the HTTP page's curl commands work as they stand",
  ignore: !curl,
  async fn() {
    const server = await startServer();
    const listener = await Listener.open(server.url, "islands");
    const heard = run(`exec ${listening}`, server);
    await listener.until("member_joined");
    const piped = jq ? run(shellClient, server) : undefined;
    if (piped) await listener.until("member_joined", ({ user }) => user !== listener.all("member_joined")[0].user);
    assert.equal(JSON.parse(await answers(posting, server)).text, "Hi from curl");
    assert.match(
      await answers(asOne, server),
      /"text":"Once".*"action":"name_changed".*"name":"Curly".*"messages":\[{.*}\]/s,
    );
    const [after, before, around, message, rooms] = await jsonOf(reading, server);
    assert.deepEqual(after.messages.map(({ text }: { text: string }) => text), ["Hi from curl", "Once"]);
    assert.deepEqual(before.messages, after.messages);
    assert.deepEqual(around.messages, after.messages);
    assert.deepEqual(message, after.messages[0]);
    assert.equal(rooms[0].room, "general");
    const [answer, told, own, thread, who] = await jsonOf(reacting, server);
    assert.deepEqual([answer.text, answer.reply_to], ["Me too", 1]);
    assert.deepEqual(told, { action: "reacted", room: "islands", target: 1, emoji: "👋", on: true });
    const { reacted, messages: [{ reactions, replies }] } = own;
    const { user } = answer;
    assert.deepEqual([reacted, reactions, replies], [{ 1: ["👋"] }, [{ emoji: "👋", count: 1, users: [user] }], 1]);
    assert.deepEqual(thread.messages, [answer]);
    assert.deepEqual(who, {
      reactions: [{ emoji: "👋", count: 1, people: [{ user, from: answer.from }] }],
      more: false,
    });
    assert.match(
      await heardFrom(heard, "message_reacted"),
      /^event: room_joined\nid: .*?^event: welcome\n.*?^event: receive_message\nid: .*?Hi from curl.*?^event: message_reacted$/ms,
    );
    for (const page of await jsonOf(searching, server)) {
      assert.deepEqual([page.messages.map(({ text }: { text: string }) => text), page.more], [["Hi from curl"], false]);
    }
    const { people, more } = JSON.parse(await answers(listing, server));
    assert.ok(people.some(({ name }: { name: string }) => /^User \d+$/.test(name)) && !more);
    assert.deepEqual(JSON.parse(await answers(refused, server)), JSON.parse(problem));
    if (piped) assert.match(await heardFrom(piped, "Hi from curl"), /^User \d+: Hi from curl$/m);
    heard.kill();
    await listener.close();
    await server.stop();
    await Promise.all([heard.status, piped?.status]);
  },
});

Deno.test({
  name: "commands for who runs a chat work as they stand, and every call is on a page",
  ignore: !curl,
  async fn() {
    const cwd = await Deno.makeTempDir();
    const server = { ...await startServer({ cwd, env: { ADMIN_TOKEN: TOKEN, METRICS_TOKEN: TOKEN } }), cwd };
    const client = await TestClient.open(server.url);
    client.say("bad words");
    await client.until("receive_message");
    assert.match(
      await answers(moderating, server),
      /"message_deleted".*"locked":true.*"slow_seconds":30.*"reason":"spam".*\[{"user":"pWm.*}\]$/s,
    );
    assert.equal((await client.until("message_deleted")).target, 1);
    assert.equal((await client.until("room_changed", ({ locked }) => !locked)).slow_seconds, 30);
    assert.match(await answers(scraping, server), /^parley_messages_in_total 1$/m);
    const { paths } = await (await fetch(`${server.url}/openapi.json`)).json();
    const served = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) =>
        `\`${method.toUpperCase()} ${path.replace(/{(\w+)}/g, (_, name) => name.toUpperCase())}\``
      )
    );
    const documented = [page(HTTP), page("docs/moderation.md")].flatMap((page) => page.table("Calls"));
    assert.deepEqual(documented.map(([call]) => call).toSorted(), served.toSorted());
    await client.close();
    await server.stop();
    await Deno.remove(cwd, { recursive: true });
  },
});

Deno.test({
  name: "after a restored backup everyone is who they were, and is told that messages may be missing",
  ignore: !sqlite3,
  async fn() {
    const cwd = await Deno.makeTempDir();
    const before = { ...await startServer({ cwd }), cwd };
    const first = await TestClient.open(before.url);
    const { user, token } = await first.until("welcome");
    const { epoch } = await first.until("room_joined");
    first.say("in the backup");
    await first.until("receive_message");
    await answers(backingUp, before);
    for (const name of ["copy.db", "copy.db.secret"]) {
      const { mode, size } = await Deno.stat(`${cwd}/${name}`);
      assert.deepEqual([mode! & 0o777, size > 0], [0o600, true]);
    }
    first.say("lost");
    await first.until("receive_message", ({ text }) => text === "lost");
    await first.close();
    await before.stop();
    // Another machine, on which nobody has the old secret, and where a server has died.
    await Deno.remove(`${cwd}/data/chat.db.secret`);
    for (const end of ["-wal", "-shm"]) await Deno.writeTextFile(`${cwd}/data/chat.db${end}`, "of another file");
    const task = [Deno.execPath(), ...await taskArguments("new-epoch")].map((word) => `'${word}'`).join(" ");
    const { success } = await run(restoring.replace("npx -y deno task new-epoch", task), before).output();
    assert.ok(success);
    const after = await startServer({ cwd });
    const again = await TestClient.open(after.url, { query: "?room=", protocols: [`bearer.${token}`] });
    assert.equal((await again.until("welcome")).user, user);
    again.send({ action: "join_room", room: "general", since: { epoch, seq: 1 } });
    const { recovered, messages } = await again.until("room_joined");
    assert.equal(recovered, false);
    assert.deepEqual(messages.map((entry) => entry.action === "receive_message" && entry.text), ["in the backup"]);
    await again.close();
    await after.stop();
    await Deno.remove(cwd, { recursive: true });
  },
});

/** What stands between backticks in a cell. */
function codes(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code]) => code);
}

/** A frame's fields as the page writes them, but for `action`. An `id` that only comes back is said once for all. */
function fieldsOf({ entries }: { entries: Record<string, { type: string }> }): string[] {
  const fields = Object.entries(entries).map(([name, { type }]) => type === "optional" ? `${name}?` : name);
  return fields.filter((field) => field !== "action" && (field !== "id?" || "date" in entries));
}

Deno.test("every frame is in the protocol with its fields, and no other", () => {
  for (const [heading, frames] of [["Actions", clientFrames], ["Server frames", serverFrames]] as const) {
    const rows = page(PROTOCOL).table(heading);
    assert.deepEqual(rows.map(([cell]) => codes(cell)[0]).toSorted(), Object.keys(frames).toSorted());
    for (const [cell, fields] of rows) {
      const [action] = codes(cell);
      const { entries } = frames[action as keyof typeof frames];
      // What is in brackets says more about a field.
      const documented = codes(fields.replaceAll(/\(.*?\)/g, ""));
      assert.deepEqual(
        documented.filter((field) => !field.startsWith("{")).toSorted(),
        fieldsOf({ entries }).toSorted(),
      );
    }
  }
});

Deno.test("every error code, HTTP status and close code is on its page, and no other", () => {
  const errors = page(PROTOCOL).table("Errors").map(([code]) => codes(code)[0]);
  assert.deepEqual(errors.toSorted(), Object.keys(PROBLEMS).toSorted());
  const statuses = page(HTTP).table("Errors").flatMap(([status, cell]) =>
    codes(cell).map((code) => [code, Number(status)] as const)
  );
  assert.deepEqual(
    Object.fromEntries(statuses),
    Object.fromEntries(Object.entries(PROBLEMS).map(([code, { status }]) => [code, status])),
  );
  const closing = page(PROTOCOL).table("Close codes").map(([code]) => Number(code));
  assert.deepEqual(closing, Object.values(CLOSE).toSorted());
});

Deno.test("every setting is on its page with what it is unless set, in the order of --help, and no other", () => {
  const tables = ["All settings", "Rate limits"].flatMap((heading) => page("docs/settings.md").table(heading));
  const documented = new Map(tables.map(([name, , unset]) => [codes(name)[0], unset]));
  const asked: string[] = [];
  const unset: Record<string, unknown> = readSettings((name) => void asked.push(name));
  assert.deepEqual([...documented.keys()].toSorted(), asked.toSorted());
  assert.equal(tables.length, documented.size, "none stands there twice");
  for (const [name, words] of documented) {
    if (typeof unset[name] === "number") assert.ok(codes(words).includes(String(unset[name])), `${name}: ${words}`);
  }
  const listed = [...help().matchAll(/^ {2}([A-Z_]+) {2,}\S/gm)].map(([, name]) => name);
  assert.deepEqual(listed, [...documented.keys()].filter((name) => name !== "DENO_DEPLOYMENT_ID"), "--help's order");
});

Deno.test("commands name settings, tasks and files that there are, and arguments that the doctor takes", async () => {
  const asked: string[] = [];
  readSettings((name) => void asked.push(name));
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", root)));
  for (const { path, text, examples } of pages) {
    for (const [, name] of text.matchAll(/deno task ([a-z-]+)/g)) {
      assert.ok(Object.hasOwn(tasks, name), `${path} ${name}`);
    }
    for (const [, file] of text.matchAll(/`([\w-]+\/[\w./-]+\.ts)`/g)) await Deno.stat(new URL(file, root));
    for (const { language, text } of examples) {
      if (language !== "sh") continue;
      for (const [, name] of text.matchAll(/(?<=^| )([A-Z_]+)=/gm)) {
        assert.ok(asked.includes(name) || name.startsWith("OTEL_"), `${path} ${name}`);
      }
      for (const [, words] of text.matchAll(/deno task doctor (.+)/g)) {
        const wish = readArguments(words.split(" "));
        assert.ok(typeof wish === "object" && !("mistake" in wish), words);
      }
      for (const [file] of text.matchAll(/\S+\.ts\b/g)) await Deno.stat(new URL(file, root));
    }
  }
});

Deno.test("every example is run by a test, or it is said why not", () => {
  const unused = new Set(Object.keys(NOT_RUN));
  for (const { path, examples } of pages) {
    for (const { text } of examples) {
      if (RUN.has(text)) continue;
      const known = Object.keys(NOT_RUN).find((begin) => text.startsWith(begin));
      assert.ok(known, `${path}: no test runs ${text.split("\n")[0]}`);
      unused.delete(known);
    }
  }
  assert.deepEqual([...unused], []);
});

Deno.test("every link leads to a file that is there, and to a heading in it", async () => {
  let count = 0;
  for (const { path, links, anchors } of pages) {
    for (const link of links) {
      if (/^https?:/.test(link)) continue;
      const [file, anchor] = link.split("#");
      const target = new URL(file, new URL(path, root));
      if (file !== "") await Deno.stat(target);
      if (anchor !== undefined) {
        const there = file === "" ? anchors : page(target.href.slice(root.href.length)).anchors;
        assert.ok(there.has(anchor), `${path} links to ${link}`);
      }
      count++;
    }
  }
  assert.ok(count > 100, `only ${count} links were found`);
});

Deno.test("figures are those that were measured", () => {
  const measured = page("bench/results.md").tables;
  /** What was measured of this server under this load, cell by cell. */
  const rowOf = (load: string, server: string) => {
    const [, [table]] = [...measured].find(([heading]) => heading.startsWith(`${load}:`))!;
    return table.find(([name]) => name === server)!;
  };
  const compared = [
    ...page("README.md").table("How it compares").map((cells) => ["storm", "", ...cells]),
    ...page("docs/performance.md").table("Results"),
  ];
  for (const [load, , server, ...figures] of compared) {
    const row = rowOf(load, server);
    for (const figure of figures) assert.ok(row.includes(figure), `${load}, ${server}: ${figure}`);
  }
  // In sentences too: at least a number that stands nowhere in the results is none of theirs.
  const results = page("bench/results.md").text;
  for (const heading of ["Results", "Where it is slower"]) {
    const [, section] = page("docs/performance.md").text.split(`## ${heading}\n`);
    for (const [figure] of section.split("\n## ")[0].matchAll(/\d[\d.,]*\d (?:µs|KiB|ms|%)/g)) {
      if (figure !== "99 %") assert.ok(results.includes(figure), `${heading}: ${figure}`);
    }
  }
});

Deno.test("the page's figures are those that were measured", () => {
  const measured = page("bench/page_results.md");
  const rows = (heading: string, ...start: string[]) =>
    measured.table(heading).filter((cells) => start.every((cell) => cells.includes(cell)));
  for (const [server, visit, requests, document, files, fast, slow] of page("docs/performance.md").table("The page")) {
    const [one, other] = rows("How long it takes", server, visit);
    assert.deepEqual([fast, slow], [one[5], other[5]], `${server}, ${visit}`);
    for (const wire of rows("What goes over the wire", server, visit)) {
      assert.deepEqual([requests, document, files], [wire[5], wire[6], wire[8]], `${server}, ${visit}`);
    }
  }
  const [, section] = page("docs/performance.md").text.split("## The page\n");
  for (const server of ["`dist/chat.js`", "`deno task start`"]) {
    const [, ...points] = section.match(new RegExp(`Lighthouse gives [^]*?${server}\\s+(\\d+), (\\d+) and (\\d+)`))!;
    assert.deepEqual(rows("Lighthouse", server)[0].slice(1, 4), points, server);
  }
  const reading = rows("Reading in a busy room", "100,000");
  assert.deepEqual(reading.map((cells) => cells[3]), ["0", "0", "0", "0"], "no task takes 50 ms");
});

Deno.test("the way of one message leads through functions that there are, in at most ten hops", async () => {
  const page = await Deno.readTextFile(new URL("docs/architecture.md", import.meta.url));
  const hops = [...page.matchAll(/^\| \d+ +\| `([^`]+)` +\| `([^`]+)`/gm)];
  assert.ok(hops.length > 5 && hops.length <= 10, `${hops.length} hops`);
  for (const [, file, name] of hops) {
    const source = await Deno.readTextFile(new URL(file, import.meta.url));
    const [own, member] = name.split(".");
    const found = member === undefined
      ? source.includes(`export function ${own}(`) || source.includes(`export async function ${own}(`)
      : source.includes(`class ${own} `) && new RegExp(`^  (async )?${member}\\(`, "m").test(source);
    assert.ok(found, `${file} ${name}`);
  }
});
