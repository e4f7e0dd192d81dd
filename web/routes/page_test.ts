/** The page as a server gives it to browsers and to everyone else. */
import fc from "fast-check";
import assert from "node:assert/strict";
import type { InitialData } from "../../chat/protocol.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { Issuer } from "../../testing/servers/issuer.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";
import { BasePath } from "../base_path.ts";
import { type Asset, PAGE } from "./assets.ts";
import { PageFiles } from "./page_files.ts";

const NAVIGATION = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", accept: "text/html,*/*;q=0.8" };
const DATA = /<script id="initial-data" type="application\/json">(.*?)<\/script>/s;

let server: RunningServer;

Deno.test.beforeAll(async () => {
  const unlimited = { MESSAGE_RATE: "0", NEWCOMERS_PER_MINUTE: "0", READS_PER_MINUTE: "0" };
  server = await startServer({ env: { DATABASE_URL: "memory:", ...unlimited } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** Asks as a browser does that opens the page, or as somebody else. */
async function open(path: string, { url = server.url, headers = {} as Record<string, string>, method = "GET" } = {}) {
  const answer = await fetch(url + path, { method, headers: { ...NAVIGATION, ...headers } });
  const body = await answer.text();
  const [, json] = DATA.exec(body) ?? [];
  const data: InitialData | undefined = json === undefined ? undefined : JSON.parse(json);
  const cookie = answer.headers.getSetCookie().map((line) => line.split(";")[0]).join("; ");
  return { answer, body, data, cookie };
}

/** Says something in a room. */
async function say(room: string, text: string): Promise<void> {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(`${server.url}/api/rooms/${room}/messages`, {
    method: "POST",
    headers,
    body: JSON.stringify({ text }),
  });
  assert.equal(answer.status, 201);
  await answer.body?.cancel();
}

Deno.test("who opens the page is a person, and has the room's newest messages with it", async () => {
  for (let at = 1; at <= 60; at++) await say("busy", `line ${at}`);
  const { answer, data, cookie } = await open("/r/Busy");
  assert.equal(answer.headers.get("cache-control"), "private, no-cache");
  assert.equal(answer.headers.get("x-robots-tag"), "noindex");
  assert.equal(answer.headers.get("etag"), null, "it is another one each time");
  const { session, history } = data!;
  assert.match(session.name, /^User \d+$/);
  assert.deepEqual([history?.room, history?.seq, history?.more, history?.messages.length], ["busy", 60, true, 50]);
  assert.deepEqual(history?.messages.at(-1)?.text, "line 60");
  // With that cookie one is that person, and the socket goes on behind the page.
  const client = await TestClient.open(server.url, { headers: { cookie }, query: "?room=" });
  const welcome = await client.until("welcome");
  assert.deepEqual([welcome.user, welcome.name, welcome.token], [session.user, session.name, undefined]);
  assert.deepEqual(welcome.limits, session.limits);
  await say("busy", "line 61");
  const { epoch, seq } = history!;
  client.send({ action: "join_room", room: "busy", since: { epoch, seq } });
  const joined = await client.until("room_joined");
  assert.deepEqual([joined.recovered, joined.messages.map((entry) => "text" in entry && entry.text)], [true, [
    "line 61",
  ]]);
  await client.close();
  const again = await open("/", { headers: { cookie } });
  assert.equal(again.data?.session.user, session.user);
  assert.equal(again.data?.history?.room, "general");
  assert.equal(again.answer.headers.getSetCookie().length, 1, "each visit renews it");
});

Deno.test("scripts, frames and guesses make no person, and get no messages", async () => {
  await say("quiet", "only for who comes");
  for (
    const headers of [
      { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty" },
      { "sec-fetch-mode": "no-cors", "sec-fetch-dest": "iframe" },
      { "sec-purpose": "prefetch" },
    ] as Record<string, string>[]
  ) {
    const { answer, body, cookie } = await open("/r/quiet", { headers });
    assert.equal(answer.status, 200);
    assert.equal(cookie, "");
    assert.doesNotMatch(body, /only for who comes|initial-data/);
    assert.equal(answer.headers.get("cache-control"), "no-cache");
    const known = await open("/r/quiet", { headers: { ...headers, "if-none-match": answer.headers.get("etag")! } });
    assert.equal(known.answer.status, 304);
  }
  const head = await open("/r/quiet", { method: "HEAD", headers: { cookie: "parley_session=junk" } });
  assert.deepEqual([head.answer.status, head.cookie], [200, ""]);
  const { body } = await open("/r/quiet");
  assert.match(body, /only for who comes/);
  // What shows a link says the same of every room.
  const metas = (page: string) => [...page.matchAll(/<(?:meta|title)[^>]*>[^<]*/g)].map(([meta]) => meta);
  const other = await open("/r/another");
  assert.deepEqual(metas(body), metas(other.body));
  assert.match(body, /<meta property="og:title" content="[^"]+">/);
});

Deno.test("an address without a room has a person, and no messages", async () => {
  for (const path of ["/r/no%20room", "/r/%E0%A4%A", "/somewhere", `/r/${"x".repeat(65)}`]) {
    const { answer, data } = await open(path);
    assert.deepEqual([answer.status, data?.history], [404, undefined], path);
    assert.ok(data?.session.user, path);
  }
});

Deno.test("where people need an account the page brings nothing, also to who has one", async () => {
  const issuer = await Issuer.open();
  const closed = await startServer({ env: issuer.env });
  const stranger = await open("/r/general", { url: closed.url });
  assert.deepEqual([stranger.answer.status, stranger.data, stranger.cookie], [200, undefined, ""]);
  const authorization = `Bearer ${await issuer.token({ sub: "ada" })}`;
  const session = await fetch(`${closed.url}/api/session`, { method: "POST", headers: { authorization } });
  await session.body?.cancel();
  const cookie = session.headers.get("set-cookie")!.split(";")[0];
  const known = await open("/r/general", { url: closed.url, headers: { cookie } });
  assert.deepEqual([known.answer.status, known.data, known.cookie], [200, undefined, ""]);
  await closed.stop();
  await issuer.close();
});

Deno.test("below a path, a page that is opened beside it makes nobody whose cookie would not come back", async () => {
  const below = await startServer({ env: { DATABASE_URL: "memory:", BASE_PATH: "/chat" } });
  const beside = await open("/r/islands", { url: below.url });
  assert.deepEqual([beside.answer.status, beside.data, beside.cookie], [200, undefined, ""]);
  const { data, cookie } = await open("/chat/r/islands", { url: below.url });
  assert.equal(data?.history?.room, "islands");
  // A proxy that strips the path passes the cookie on.
  const stripped = await open("/r/islands", { url: below.url, headers: { cookie } });
  assert.equal(stripped.data?.session.user, data?.session.user);
  await below.stop();
});

Deno.test("the page opens, without anything, for more new people than may come from an address", async () => {
  const narrow = await startServer({ env: { DATABASE_URL: "memory:", NEWCOMERS_PER_MINUTE: "2" } });
  const visits = [];
  for (let at = 0; at < 8; at++) visits.push(await open("/r/general", { url: narrow.url }));
  assert.ok(visits.every(({ answer }) => answer.status === 200));
  assert.ok(visits[0].data?.history);
  const late = visits.at(-1)!;
  assert.deepEqual([late.data, late.cookie], [undefined, ""]);
  const [{ cookie }] = visits;
  assert.ok((await open("/r/general", { url: narrow.url, headers: { cookie } })).data, "who has been there comes in");
  await narrow.stop();
});

Deno.test("who reads too much gets the page, and no messages with it", async () => {
  const narrow = await startServer({ env: { DATABASE_URL: "memory:", READS_PER_MINUTE: "1" } });
  const { cookie, data } = await open("/", { url: narrow.url });
  assert.ok(data?.history);
  const visits = [];
  for (let at = 0; at < 12; at++) visits.push(await open("/", { url: narrow.url, headers: { cookie } }));
  assert.ok(visits.every(({ answer }) => answer.status === 200));
  assert.equal(visits.at(-1)?.data, undefined);
  await narrow.stop();
});

Deno.test("a file is kept for good under the address that the page names, and for now under any other", async () => {
  const { body } = await open("/");
  const names = [...body.matchAll(/ (?:href|src)="([^"]+)"/g)].map(([, name]) => name);
  assert.ok(names.length > 2);
  for (const name of names) {
    const answer = await fetch(server.url + name);
    await answer.body?.cancel();
    assert.match(name, /^\/static\/[0-9a-f]{16}\//);
    assert.deepEqual([answer.status, answer.headers.get("cache-control")], [
      200,
      "public, max-age=31536000, immutable",
    ], name);
    assert.equal(answer.headers.getSetCookie().length, 0);
    assert.equal(answer.headers.get("x-content-type-options"), "nosniff");
    const isDocument = name.endsWith(".svg");
    assert.equal(answer.headers.has("content-security-policy"), isDocument, name);
    for (const folder of ["/static/", "/static/0123456789abcdef/"]) {
      const now = await fetch(server.url + name.replace(/^\/static\/[0-9a-f]{16}\//, folder));
      await now.body?.cancel();
      assert.deepEqual([now.status, now.headers.get("cache-control")], [200, "no-cache"], name);
    }
  }
});

Deno.test("the service worker and the page that it keeps are nobody's: no data, no cookie, no new person", async () => {
  const { cookie } = await open("/r/kept");
  const worker = await fetch(`${server.url}/service-worker.js`, { headers: { cookie, "service-worker": "script" } });
  const script = await worker.text();
  assert.deepEqual(["content-type", "cache-control"].map((name) => worker.headers.get(name)), [
    "text/javascript; charset=utf-8",
    "no-cache",
  ]);
  assert.match(worker.headers.get("content-security-policy") ?? "", /default-src 'none'.*connect-src 'self'/);
  assert.doesNotMatch(script, /^import |\bimport\(|importScripts|: string\b/m);
  const shell: { page: string; files: string[]; base: string } = JSON.parse(/^const SHELL = (.+);$/m.exec(script)![1]);
  assert.equal(shell.base, "/");
  const page = await fetch(server.url + shell.page, { headers: { ...NAVIGATION, cookie } });
  assert.match(await page.text(), /^<!doctype html>\n<html data-shell lang="en">(?![^]*initial-data)/);
  assert.match(page.headers.get("content-security-policy") ?? "", /trusted-types parley/);
  const { body } = await open("/r/kept");
  const named = [...body.matchAll(/ (?:href|src)="(\/static\/[^"]+)"/g)].map(([, path]) => path);
  assert.deepEqual(named.filter((path) => !shell.files.includes(path)), []);
  const answers = await Promise.all(shell.files.map(async (path) => {
    const answer = await fetch(server.url + path, { headers: { cookie } });
    await answer.body?.cancel();
    return answer;
  }));
  for (const { status, url, headers } of [worker, page, ...answers]) {
    assert.deepEqual([status, headers.getSetCookie()], [200, []], url);
    if (url !== worker.url) assert.match(headers.get("cache-control") ?? "", /immutable/);
  }
  // What is loaded later is kept too, such as the dialogs.
  assert.ok(shell.files.some((path) => path.endsWith("/dialogs/share_dialog.ts")));
});

Deno.test("pages and JSON are compressed as the client takes them, and streams never", async () => {
  for (let at = 1; at <= 20; at++) await say("long", `line ${at}`);
  const paths = ["/r/long", "/api/rooms/long/messages", "/docs", "/openapi.json", "/static/client.ts"];
  for (const path of paths) {
    for (const [accepted, encoding] of [["br, gzip", "br"], ["gzip", "gzip"], ["identity", null]] as const) {
      const answer = await fetch(server.url + path, { headers: { ...NAVIGATION, "accept-encoding": accepted } });
      await answer.body?.cancel();
      assert.equal(answer.headers.get("content-encoding"), encoding, `${path} for ${accepted}`);
    }
  }
  const stream = await fetch(`${server.url}/api/rooms/long/events`, { headers: { "accept-encoding": "br, gzip" } });
  assert.equal(stream.headers.get("content-encoding"), null);
  const reader = stream.body!.getReader();
  assert.match(new TextDecoder().decode((await reader.read()).value), /^(retry|event|data|:)/);
  await reader.cancel();
});

const assets = (more: [string, Asset][] = []) =>
  new Map<string, Asset>([
    [PAGE, { body: '<body><script src="/static/client.ts"></script></body>', type: "text/html" }],
    ["/static/client.ts", { body: "one", type: "text/javascript" }],
    ...more,
  ]);

Deno.test("no text can leave the place of the data in a page, or be taken for something else there", () => {
  const files = new PageFiles(assets(), new BasePath());
  const nasty = fc.constantFrom(
    "</script>",
    "<!--",
    "<script>",
    "-->",
    "]]>",
    "$&",
    "$'",
    "\u2028",
    "\ud800",
    "</body>",
  );
  fc.assert(fc.property(fc.array(fc.oneof(nasty, fc.string({ unit: "binary" }))), (parts) => {
    const data = { text: parts.join("") };
    const page = files.pageWith(data);
    const [before, json, after, ...more] = page.split(
      /<script id="initial-data" type="application\/json">|<\/script>(?=<\/body>)/,
    );
    assert.deepEqual(JSON.parse(json), JSON.parse(JSON.stringify(data)));
    assert.doesNotMatch(json, /</);
    assert.deepEqual([before.endsWith("</script>"), after, more], [true, "</body>", []]);
  }));
});

Deno.test("another content of any file has another address, and the same content has the same", () => {
  const address = (more?: [string, Asset][]) => new PageFiles(assets(more), new BasePath("/chat")).address("client.ts");
  assert.match(address(), /^\/chat\/static\/[0-9a-f]{16}\/client\.ts$/);
  assert.equal(address(), address());
  assert.notEqual(address(), address([["/static/client.ts", { body: "two", type: "text/javascript" }]]));
  assert.notEqual(address(), address([["/static/other.ts", { body: "", type: "text/javascript" }]]));
});
