/** Answers through the whole of a real server: what they carry, how they are counted, and who gets none. */
import assert from "node:assert/strict";
import http2 from "node:http2";
import { TestClient } from "../../testing/clients/client.ts";
import { RawClient } from "../../testing/clients/raw.ts";
import { startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";

const METRICS_TOKEN = "the metrics of the tests";

async function statusOf(url: string): Promise<number> {
  const { status, body } = await fetch(url);
  await body?.cancel();
  return status;
}

async function refusals(url: string, code: string): Promise<number> {
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const text = await (await fetch(`${url}/metrics`, { headers })).text();
  return Number(new RegExp(`^parley_refusals_total\\{code="${code}"\\} (\\d+)$`, "m").exec(text)?.[1] ?? 0);
}

Deno.test("what is refused is counted, whatever the door, and whoever refuses it", async () => {
  const server = await startServer({ env: { METRICS_TOKEN, HOSTS: "127.0.0.1", DATABASE_URL: "memory:" } });
  const raw = async (host: string, path: string) => {
    const client = await RawClient.connect(server.port);
    await client.send(`GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    await client.until(() => client.head !== "");
    await client.close();
    return client.head.split(" ")[1];
  };
  const doors: [string, string, () => Promise<string>][] = [
    ["bad_frame", "400", () => raw("%%%", "/")],
    ["forbidden", "421", () => raw("evil.example", "/")],
    ["bad_frame", "426", () => raw("127.0.0.1", "/connect")],
    ["not_found", "404", () => raw("127.0.0.1", "/nowhere")],
    ["bad_room", "422", () => raw("127.0.0.1", "/api/rooms/a.b/messages")],
    ["forbidden", "403", async () => {
      const client = await RawClient.open(server.port, { headers: { origin: "https://evil.example" } });
      await client.close();
      return client.head.split(" ")[1];
    }],
  ];
  for (const [code, status, ask] of doors) {
    const before = await refusals(server.url, code);
    assert.equal(await ask(), status);
    assert.equal(await refusals(server.url, code), before + 1, `${status} ${code}`);
  }
  await server.stop();
});

Deno.test("HEAD tells the length that GET has, wherever it is asked", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  for (const path of ["/", "/docs", "/static/style.css", "/api/rooms", "/api/rooms/general/messages", "/nowhere"]) {
    for (const encoding of ["identity", "gzip"]) {
      const headers = { "accept-encoding": encoding };
      const head = await fetch(server.url + path, { method: "HEAD", headers });
      const get = await fetch(server.url + path, { headers });
      const length = (await get.bytes()).length;
      const lengths = [head, get].map(({ headers }) => Number(headers.get("content-length")));
      assert.equal(lengths[0], lengths[1], path);
      assert.equal(lengths[0] === length, get.headers.get("content-encoding") === null, `${path} as ${encoding}`);
      assert.equal(head.status, get.status);
    }
  }
  await server.stop();
});

Deno.test("while an address leaves its answers, it is told so in words that a page may read; monitors are answered", async () => {
  const origin = "https://app.example";
  const env = { METRICS_TOKEN, CONNECTIONS_PER_IP: "30", ALLOWED_ORIGINS: origin, DATABASE_URL: "memory:" };
  const server = await startServer({ env });
  // Streams are counted as connections, and leave room for everything else.
  const streams = await Promise.all(Array.from({ length: 25 }, () => fetch(`${server.url}/api/rooms/general/events`)));
  assert.equal(await statusOf(`${server.url}/docs`), 200);
  const sessions = Array.from({ length: 3 }, () => http2.connect(server.url, { settings: { initialWindowSize: 0 } }));
  let answered = 0;
  for (const session of sessions) {
    session.on("error", () => {/* it is cut off at the end */});
    for (let at = 0; at < 150; at++) {
      const request = session.request({ ":path": "/openapi.json" });
      request.on("response", () => answered++).on("error", () => {});
      request.end();
    }
  }
  await until(() => answered === 450);
  const refused = await fetch(`${server.url}/api/rooms`, { headers: { origin } });
  assert.equal(refused.status, 429);
  assert.equal((await refused.json()).code, "rate_limited");
  assert.deepEqual(
    ["retry-after", "access-control-allow-origin", "x-content-type-options"].map((name) => refused.headers.get(name)),
    ["1", origin, "nosniff"],
  );
  for (const path of ["/healthz", "/readyz"]) assert.equal(await statusOf(server.url + path), 200);
  assert.ok(await refusals(server.url, "rate_limited") > 0);
  assert.match(server.errors(), /"why":"answers"/);
  for (const session of sessions) session.destroy();
  await Promise.all(streams.map(({ body }) => body?.cancel()));
  await server.stop();
});

Deno.test("the page counts as much as its messages do among the answers that an address leaves", async () => {
  const env = { DATABASE_URL: "memory:", MESSAGE_RATE: "0", NEWCOMERS_PER_MINUTE: "0", READS_PER_MINUTE: "0" };
  const server = await startServer({ env });
  const client = await TestClient.open(server.url, { query: "?room=full" });
  for (let at = 1; at <= 50; at++) client.say("x".repeat(2_500), { room: "full" });
  await client.until("receive_message", ({ seq }) => seq === 50);
  const sessions = Array.from({ length: 3 }, () => http2.connect(server.url, { settings: { initialWindowSize: 0 } }));
  const statuses: number[] = [];
  for (const session of sessions) {
    session.on("error", () => {/* it is cut off at the end */});
    for (let at = 0; at < 150; at++) {
      const request = session.request({ ":path": "/r/full", accept: "text/html" });
      request.on("response", (headers) => statuses.push(Number(headers[":status"]))).on("error", () => {});
      request.end();
    }
  }
  await until(() => statuses.length === 450);
  assert.deepEqual([...new Set(statuses)].sort(), [200, 429]);
  for (const session of sessions) session.destroy();
  await client.close();
  await server.stop();
});

Deno.test("however many pages are read at the same moment, a message is stored and told between them", async () => {
  const server = await startServer({ env: { MESSAGE_RATE: "0" } });
  const client = await TestClient.open(server.url, { query: "?room=full" });
  for (let at = 1; at <= 200; at++) client.say("x".repeat(600), { room: "full" });
  await client.until("receive_message", ({ seq }) => seq === 200);
  let read = 0;
  const page = async () => {
    await (await fetch(`${server.url}/api/rooms/full/messages?limit=200`)).bytes();
    read++;
  };
  const pages = Array.from({ length: 150 }, page);
  await until(() => read > 0);
  client.say("in between", { room: "full" });
  await client.until("receive_message", ({ text }) => text === "in between");
  assert.ok(read < 100, `${read} of 150 pages came first`);
  await Promise.all(pages);
  await client.close();
  await server.stop();
});
