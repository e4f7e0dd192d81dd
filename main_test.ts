/**
 * The whole thing as its users meet it: a real server in a process of its own, real sockets, other people's clients.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { WebSocket as NodeWebSocket } from "ws";
import type { ReceiveMessage, ServerFrame } from "./chat/protocol.ts";
import { start } from "./main.ts";
import { readSettings } from "./settings.ts";
import { TestClient } from "./testing/clients/client.ts";
import { FakeClock } from "./testing/clock.ts";
import { StalledClient } from "./testing/clients/stalled.ts";
import { type RunningServer, startServer, taskArguments } from "./testing/servers/server.ts";
import { GIVE_UP_AFTER, LONGEST_PAUSE } from "./web/transport/http_server.ts";

/** A test with a server of its own. */
function serverTest(title: string, check: (server: RunningServer) => Promise<void>, env: Record<string, string> = {}) {
  Deno.test(title, async () => {
    const server = await startServer({ env });
    try {
      await check(server);
    } finally {
      await server.stop();
    }
  });
}

serverTest("a client with no parameters at all lands in general and talks", async ({ url }) => {
  const socket = new NodeWebSocket(`${url.replace("http", "ws")}/connect`);
  const frames: ServerFrame[] = [];
  const received = new Promise<void>((resolve) => {
    socket.on("message", (data: Uint8Array) => {
      frames.push(JSON.parse(String(data)));
      if (frames.at(-1)!.action === "receive_message") resolve();
    });
  });
  await new Promise((resolve) => socket.on("open", resolve));
  socket.send('{"action":"send_message","room":"general","text":"Hi everyone"}');
  await received;
  assert.deepEqual(frames.map(({ action }) => action), ["welcome", "room_joined", "receive_message"]);
  const { from, text, date, room } = frames[2] as ReceiveMessage;
  assert.match(from, /^User \d{3}$/);
  assert.deepEqual([room, text], ["general", "Hi everyone"]);
  assert.ok(Math.abs(date - Date.now()) < 60_000);
  socket.close();
  await new Promise((resolve) => socket.on("close", resolve));
});

serverTest("two hundred sockets have two hundred names and see one order", async ({ url }) => {
  const clients = await Promise.all(Array.from({ length: 200 }, () => TestClient.open(url)));
  const names = new Set(await Promise.all(clients.map((client) => client.until("welcome").then(({ name }) => name))));
  assert.equal(names.size, 200);
  for (const [at, client] of clients.entries()) client.say(`from ${at}`);
  const views = await Promise.all(clients.map(async (client) => {
    await client.until("receive_message", ({ seq }) => seq === 200);
    return client.frames.filter(({ action }) => action === "receive_message");
  }));
  assert.equal(new Set(views[0].map((frame) => (frame as ReceiveMessage).text)).size, 200);
  for (const view of views) assert.deepEqual(view, views[0]);
  await Promise.all(clients.map((client) => client.close()));
}, { CONNECTIONS_PER_IP: "0" });

serverTest(
  "nothing that a client sends ends a socket, the server, or reaches another client unchecked",
  async ({ url }) => {
    // One after the other: who comes last hears of nobody's coming.
    const [ann, bob, eve] = [await TestClient.open(url), await TestClient.open(url), await TestClient.open(url)];
    const send = (more: object) => ({ action: "send_message", room: "general", ...more });
    const bad: [unknown, string][] = [
      ["not json", "bad_json"],
      ["", "bad_json"],
      ["[1]", "bad_frame"],
      ["null", "bad_frame"],
      [new Uint8Array([1, 2, 3]), "bad_frame"],
      [{ action: "nope" }, "unknown_action"],
      ['{"action":"__proto__"}', "unknown_action"],
      ['{"__proto__":{"action":"ping"}}', "unknown_action"],
      [{ action: "constructor" }, "unknown_action"],
      [{}, "unknown_action"],
      [send({}), "bad_frame"],
      [send({ text: 5 }), "bad_frame"],
      [send({ text: { toString: "x" } }), "bad_frame"],
      [{ action: "send_message", text: "x" }, "bad_frame"],
      [send({ text: "" }), "text_empty"],
      [send({ text: " \n" }), "text_empty"],
      [send({ text: "x".repeat(4_001) }), "text_too_long"],
      [send({ text: "nul \0" }), "bad_frame"],
      ['{"action":"send_message","room":"general","text":"\\ud800"}', "bad_frame"],
      [send({ text: "x", room: "no room" }), "bad_room"],
      [send({ text: "x", room: "" }), "bad_room"],
      [send({ text: "x", room: "../etc" }), "bad_room"],
      [{ action: "join_room", room: "x".repeat(65) }, "bad_room"],
      [{ action: "set_name", name: "a\u0007" }, "bad_name"],
      [{ action: "set_name", name: "abc\u202e" }, "bad_name"],
      [{ action: "set_name", name: "User 123" }, "bad_name"],
      [{ action: "set_name", name: "Taken" }, "name_taken"],
      [{ action: "edit_message", room: "general", target: 99, text: "x" }, "not_found"],
      ["x".repeat(70_000), "frame_too_large"],
      [`${"[".repeat(20_000)}`, "bad_json"],
    ];
    ann.send({ action: "set_name", name: "Taken" });
    ann.say("before");
    await Promise.all([bob, eve].map((client) => client.until("receive_message")));
    const told = (await bob.soFar()).length;
    for (const [frame, code] of bad) {
      const known = eve.frames.length;
      if (frame instanceof Uint8Array) eve.socket.send(frame);
      else eve.send(frame);
      const answers = (await eve.soFar()).slice(known).filter(({ action }) => action === "error");
      assert.equal(answers.length, 1, String(frame).slice(0, 80));
      const [error] = answers as Extract<ServerFrame, { action: "error" }>[];
      assert.equal(error.code, code, JSON.stringify(frame).slice(0, 80));
      assert.match(error.message, /^[A-Z"].+\.$/, "a sentence that says what to do");
      eve.frames.splice(known);
    }
    assert.equal((await bob.soFar()).length, told, "nobody else sees a thing");
    eve.say("after");
    assert.equal((await bob.until("receive_message", ({ seq }) => seq === 2)).text, "after");
    await Promise.all([ann, bob, eve].map((client) => client.close()));
  },
);

Deno.test("a token brings a person back under the same name, also after the server was killed", async () => {
  const cwd = await Deno.makeTempDir();
  const server = await startServer({ cwd });
  const first = await TestClient.open(server.url);
  const { user, name, token } = await first.until("welcome");
  await server.stop("SIGKILL");
  await first.closed;
  const again = await startServer({ cwd, port: server.port });
  const second = await TestClient.open(again.url, { headers: { authorization: `Bearer ${token}` } });
  const welcome = await second.until("welcome");
  assert.deepEqual([welcome.user, welcome.name, welcome.token], [user, name, token]);
  await second.close();
  await again.stop();
  if (Deno.build.os !== "windows") {
    const secret = `${cwd}/data/chat.db.secret`;
    assert.equal((await Deno.stat(secret)).mode! & 0o777, 0o600);
    await Deno.chmod(secret, 0o644);
    await (await startServer({ cwd })).stop();
    assert.equal((await Deno.stat(secret)).mode! & 0o777, 0o600, "a copy that was put back open to all is closed");
  }
  await Deno.remove(cwd, { recursive: true });
});

serverTest("a plain request for the socket's address is told what belongs there", async ({ url }) => {
  const response = await fetch(`${url}/connect`);
  assert.equal(response.status, 426);
  assert.equal(response.headers.get("upgrade"), "websocket");
  assert.equal((await response.json()).code, "bad_frame");
});

serverTest("only what is meant to be served is served", async ({ url, port }) => {
  const paths = [
    "/main.ts",
    "/deno.json",
    "/chat/chat.ts",
    "/static/",
    "/static/client_test.ts",
    "/data/secret",
    "/r/",
    "/r/a/b",
    "/static/../main.ts",
  ];
  const encoded = [
    "/static/%2e%2e/main.ts",
    "/static/..%2fmain.ts",
    "/%2e%2e/main.ts",
    "/static/%252e%252e/main.ts",
    "/static/..\\main.ts",
    "/r/..%2f..%2fmain.ts",
    "//main.ts",
    "/static/client.ts%00",
  ];
  for (const path of [...paths, ...encoded]) {
    // A client of its own, because fetch tidies a path up before it asks.
    const connection = await Deno.connect({ port, hostname: "127.0.0.1" });
    await connection.write(
      new TextEncoder().encode(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`),
    );
    const answer = await new Response(connection.readable).text();
    assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
  }
  for (
    const path of [
      "/",
      "/r/general",
      "/r/%ED%95%9C%EA%B5%AD%EC%96%B4",
      "/static/client.ts",
      "/static/style.css",
      "/static/chat/protocol.ts",
      "/static/vendor/lean_qr.js",
      "/static/vendor/linkify.js",
      "/healthz",
      "/readyz",
    ]
  ) {
    const response = await fetch(url + path);
    await response.text();
    assert.equal(response.status, 200, path);
  }
});

serverTest("the page's scripts come as JavaScript, from here only, and are not sent twice", async ({ url }) => {
  const page = await fetch(url);
  const policy = page.headers.get("content-security-policy")!;
  const html = await page.text();
  // One script stands in the page, and the policy knows it by its content.
  const [, theme] = /<script data-base="[^"]*">([^]*?)<\/script>/.exec(html)!;
  const hash = createHash("sha256").update(theme).digest("base64");
  assert.ok(policy.startsWith(`default-src 'none'; script-src 'self' 'sha256-${hash}';`), policy);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(html.replace(theme, ""), /<script(?![^>]* (src|data-base)=)[^>]*>|<style| style=| on\w+=/);
  const script = await fetch(`${url}/static/client.ts`);
  assert.equal(script.headers.get("content-type"), "text/javascript; charset=utf-8");
  assert.doesNotMatch(await script.text(), /\binterface |: string\b/);
  const again = await fetch(`${url}/static/client.ts`, {
    headers: { "if-none-match": script.headers.get("etag")! },
  });
  await again.body?.cancel();
  assert.equal(again.status, 304);
});

serverTest("a session makes a person, and its cookie brings the same one back", async ({ url }) => {
  const first = await fetch(`${url}/api/session`, { method: "POST" });
  assert.equal(first.status, 201);
  const { user, name, token } = await first.json();
  const cookie = first.headers.get("set-cookie")!.split(";")[0];
  const second = await fetch(`${url}/api/session`, { method: "POST", headers: { cookie } });
  assert.deepEqual((({ user, name }) => ({ user, name }))(await second.json()), { user, name });
  const byCookie = await TestClient.open(url, { headers: { cookie } });
  const welcome = await byCookie.until("welcome");
  assert.deepEqual([welcome.user, welcome.name, welcome.token], [user, name, undefined]);
  const byToken = await TestClient.open(url, { protocols: ["chat.v1", `bearer.${token}`] });
  assert.equal((await byToken.until("welcome")).user, user);
  assert.equal(byToken.socket.protocol, "chat.v1");
  assert.equal((await byToken.until("room_joined")).count, 1);
  await Promise.all([byCookie.close(), byToken.close()]);
});

serverTest(
  "a cookie that is no good is replaced by the page and by the session, a token that is no good is told",
  async ({ url }) => {
    const headers = { cookie: "parley_session=junk" };
    for (const [path, method] of [["/", "GET"], ["/r/x", "GET"], ["/api/session", "POST"]]) {
      const response = await fetch(url + path, { method, headers });
      await response.text();
      assert.match(response.headers.get("set-cookie") ?? "", /^parley_session=ey/, path);
      // Or a cache that several people share would make all of them this one.
      assert.match(response.headers.get("cache-control")!, /\b(private|no-store)\b/, path);
    }
    const { headers: fresh } = await fetch(url).then(async (page) => (await page.text(), page));
    const known = await fetch(url, { headers: { ...headers, "if-none-match": fresh.get("etag")! } });
    await known.body?.cancel();
    assert.equal(known.status, 304);
    assert.match(known.headers.get("set-cookie") ?? "", /^parley_session=ey/, "also a page that has not changed");
    assert.match(known.headers.get("cache-control")!, /\bprivate\b/);
    const stranger = await TestClient.open(url, { headers });
    assert.ok((await stranger.until("welcome")).token);
    await stranger.close();
    const forged = new TestClient(url, { protocols: ["chat.batch.v1", "bearer.junk"] });
    assert.equal((await forged.closed).code, 4401);
    assert.deepEqual(forged.frames, []);
    const response = await fetch(`${url}/api/session`, { method: "POST", headers: { authorization: "Bearer junk" } });
    assert.equal(response.status, 401);
    assert.equal(response.headers.get("content-type"), "application/problem+json");
    await response.text();
  },
);

serverTest("history is read page by page from either side, by anyone who knows the room's name", async ({ url }) => {
  const ann = await TestClient.open(url, { query: "?room=Tales" });
  for (let at = 1; at <= 7; at++) ann.say(`m${at}`, { room: "tales" });
  await ann.until("receive_message", ({ seq }) => seq === 7);
  ann.send({ action: "edit_message", room: "tales", target: 6, text: "M6" });
  ann.send({ action: "delete_message", room: "tales", target: 7 });
  await ann.until("message_deleted");
  const ask = async (query: string, room = "tales") => {
    const response = await fetch(`${url}/api/rooms/${room}/messages${query}`);
    return { ...await response.json(), status: response.status, type: response.headers.get("content-type") };
  };
  const texts = (page: { messages: ReceiveMessage[] }) =>
    page.messages.map(({ text, deleted }) => deleted ? null : text);
  const newest = await ask("?limit=3");
  assert.deepEqual([newest.room, newest.seq, newest.more, texts(newest)], ["tales", 9, true, ["m5", "M6", null]]);
  assert.equal(newest.epoch, (await ann.until("room_joined")).epoch);
  assert.deepEqual(texts(await ask("?before=5&limit=3")), ["m2", "m3", "m4"]);
  assert.deepEqual([texts(await ask("?after=0&limit=2")), (await ask("?after=0&limit=2")).more], [["m1", "m2"], true]);
  assert.deepEqual((await ask("?after=7")).more, false);
  assert.deepEqual(texts(await ask("", "TALES")), texts(await ask("")));
  assert.deepEqual((await ask("", "nowhere")).messages, []);
  for (const query of ["?before=x", "?after=-1", "?limit=1.5", "?before=1&after=2", "?after=1e3"]) {
    const { status, type, code } = await ask(query);
    assert.deepEqual([status, type, code], [400, "application/problem+json", "bad_frame"], query);
  }
  assert.deepEqual([(await ask("", "no%20room")).status, (await ask("", "no%20room")).code], [422, "bad_room"]);
  await ann.close();
});

serverTest(
  "only pages of listed origins may read answers, and what is refused is logged without secrets",
  async (server) => {
    const { url } = server;
    const ask = (path: string, method: string, origin: string, more: Record<string, string> = {}) =>
      fetch(url + path, { method, headers: { origin, ...more } }).then(async (response) => {
        await response.body?.cancel();
        return response;
      });
    for (
      const [path, method] of [["/api/rooms", "GET"], ["/api/session", "POST"], [
        "/api/rooms/no%20room/messages",
        "GET",
      ]]
    ) {
      const friend = await ask(path, method, "https://friend.example");
      assert.equal(friend.headers.get("access-control-allow-origin"), "https://friend.example", path);
      assert.equal(friend.headers.get("access-control-allow-credentials"), "true");
      for (
        const origin of ["https://evil.example", "null", "https://friend.example.evil.example", "http://friend.example"]
      ) {
        const foreign = await ask(path, method, origin);
        assert.equal(foreign.headers.get("access-control-allow-origin"), null, `${origin} ${path}`);
      }
    }
    const preflight = { "access-control-request-method": "POST", "access-control-request-headers": "content-type" };
    const allowed = await ask("/api/actions", "OPTIONS", "https://friend.example", preflight);
    assert.deepEqual([allowed.status, allowed.headers.get("access-control-allow-headers")], [204, "content-type"]);
    const foreign = await ask("/api/actions", "OPTIONS", "https://evil.example", preflight);
    assert.equal(foreign.headers.get("access-control-allow-origin"), null);
    await ask("/api/session", "POST", "https://friend.example", { authorization: "Bearer top-secret-token" });
    const forged = new TestClient(url, { protocols: ["chat.v1", "bearer.another-secret-token"] });
    await forged.closed;
    await server.stop();
    const lines = server.errors().trim().split("\n").map((line) => JSON.parse(line));
    const [first] = lines;
    assert.deepEqual([first.event, first.why, first.network], ["refused", "forbidden", "127.0.0.0/24"]);
    assert.equal(first.origin, "https://evil.example");
    assert.deepEqual(new Set(lines.map(({ why }) => why)), new Set(["forbidden", "bad_token"]));
    assert.doesNotMatch(server.errors(), /secret-token|127\.0\.0\.1/);
  },
  { ALLOWED_ORIGINS: "https://friend.example" },
);

serverTest("a foreign page can neither connect nor call, an allowed one can", async ({ url }) => {
  const status = async (path: string, method: string, origin: string) => {
    const upgrade = {
      connection: "upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": btoa("0123456789abcdef"),
    };
    const connection = await Deno.connect({ port: Number(new URL(url).port), hostname: "127.0.0.1" });
    const headers = Object.entries({
      host: new URL(url).host,
      origin,
      ...(path === "/connect" ? upgrade : { "content-length": "0" }),
    });
    await connection.write(
      new TextEncoder().encode(
        `${method} ${path} HTTP/1.1\r\n${headers.map((pair) => pair.join(": ")).join("\r\n")}\r\n\r\n`,
      ),
    );
    const head = new Uint8Array(64);
    await connection.read(head);
    connection.close();
    return Number(new TextDecoder().decode(head).split(" ")[1]);
  };
  for (const origin of ["https://evil.example", "null", `http://127.0.0.1:${Number(new URL(url).port) + 1}`]) {
    assert.equal(await status("/connect", "GET", origin), 403, origin);
    assert.equal(await status("/api/session", "POST", origin), 403, origin);
  }
  for (const origin of [url, "https://friend.example"]) {
    assert.equal(await status("/connect", "GET", origin), 101, origin);
    assert.equal(await status("/api/session", "POST", origin), 201, origin);
  }
}, { ALLOWED_ORIGINS: "https://friend.example" });

serverTest(
  "clients choose how frames come: arrays for those who know them, one object each for all others",
  async ({ url }) => {
    const batch = await TestClient.open(url, { protocols: ["chat.v1", "chat.batch.v1"], query: "?room=a,b" });
    assert.equal(batch.socket.protocol, "chat.batch.v1");
    await batch.until("room_joined", ({ room }) => room === "b");
    batch.socket.send(JSON.stringify([{ action: "ping", id: "1" }, { action: "ping", id: "2" }]));
    await batch.until("pong", ({ id }) => id === "2");
    const plain = await TestClient.open(url, { query: "?room=" });
    assert.equal(plain.socket.protocol, "");
    plain.socket.send(JSON.stringify([{ action: "ping" }]));
    assert.equal((await plain.until("error")).code, "bad_frame");
    assert.deepEqual(plain.frames.map(({ action }) => action), ["welcome", "error"]);
    await Promise.all([batch.close(), plain.close()]);
  },
);

Deno.test("a setting that makes no sense stops the start with one line that names it", async () => {
  for (const [name, value] of [["PORT", "many"], ["DATABASE_URL", "mysql://localhost"], ["ALLOWED_ORIGINS", "evil"]]) {
    const message = await startServer({ env: { [name]: value } }).then(
      (server) => server.stop().then(() => "it started"),
      (error) => error.message,
    );
    assert.match(
      message,
      new RegExp(`^The server did not start with code 1: Parley could not start: ${name} must be [^\\n]+\\n$`),
    );
  }
});

Deno.test("--help lists the settings and starts nothing; any other argument stops the start with one line", async () => {
  const asked = async (...words: string[]) => {
    const error = await startServer({ words }).then(() => assert.fail("it started"), (error: Error) => error);
    return { code: Number(/with code (\d+)/.exec(error.message)![1]), error: error.message, said: String(error.cause) };
  };
  for (const word of ["--help", "-h"]) {
    const { code, said } = await asked(word);
    assert.equal(code, 0);
    assert.match(said, /^Parley: [^{]*\n {2}PORT +the port it listens on[^{]*\n {2}AUTH_LOGIN_URL +/);
  }
  assert.match((await asked("--version")).said, /^\d+\.\d+\.\d+\n$/);
  const { code, error, said } = await asked("--port=9000");
  assert.deepEqual([code, said], [1, ""]);
  assert.match(error, /: Parley could not start: it takes no argument --port=9000\. [^\n]+--help\.\n$/);
});

Deno.test("a setting that is misspelt is warned about by name, and its value is not repeated", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:", ADMIN_TOKENS: "not to be shown" } });
  assert.equal(await server.stop(), 0);
  assert.match(
    server.errors() + server.output(),
    /ADMIN_TOKENS is no setting, and is ignored\. ADMIN_TOKEN may be meant/,
  );
  assert.doesNotMatch(server.errors() + server.output(), /not to be shown/);
});

Deno.test("a database that can't be used stops the start with one line that names it", async () => {
  const cwd = await Deno.makeTempDir();
  await Deno.writeTextFile(`${cwd}/diary.txt`, "Dear diary, ".repeat(100));
  for (const [path, why] of [["diary.txt", "is not a database"], [".", "can't be opened"]]) {
    const message = await startServer({ cwd, env: { DATABASE_URL: `sqlite:${path}` } })
      .then((server) => server.stop().then(() => "it started"), (error) => error.message);
    assert.match(
      message,
      new RegExp(`with code 1: Parley could not start: ${path.replace(".", "\\.")} ${why}[^\n]*\n$`),
    );
  }
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("a server that can listen no more tells whoever started it", async () => {
  const clock = new FakeClock();
  const { serve } = Deno;
  const ended = Promise.withResolvers<void>();
  const failures: string[] = [];
  let isTaken = false;
  // The runtime's own server, whose listener ends when the test says so and whose port is taken from then on.
  Deno.serve = ((...asked: Parameters<typeof serve>) => {
    if (isTaken) throw new Deno.errors.AddrInUse("taken");
    const server = serve(...asked);
    return { addr: server.addr, shutdown: () => server.shutdown(), finished: ended.promise };
  }) as typeof serve;
  const settings = readSettings((name) =>
    ({ DATABASE_URL: "memory:", SECRET: "s", HOST: "127.0.0.1", PORT: "0" })[name]
  );
  const { error } = console;
  console.error = () => {};
  try {
    const server = await start(settings, clock, ({ message }) => failures.push(message));
    isTaken = true;
    ended.resolve();
    await clock.advance(GIVE_UP_AFTER + 2 * LONGEST_PAUSE);
    assert.deepEqual(failures, ["taken"]);
    await Promise.all([server.stop(), clock.advance(10_000)]);
  } finally {
    Deno.serve = serve;
    console.error = error;
  }
});

for (const WORKERS of ["1", "2"]) {
  Deno.test(`a database that is removed under a running server takes nothing more in, whatever the door (WORKERS ${WORKERS})`, async () => {
    const cwd = await Deno.makeTempDir();
    const server = await startServer({ cwd, env: { WORKERS } });
    const client = await TestClient.open(server.url);
    client.say("before");
    await client.until("receive_message");
    await Deno.rename(`${cwd}/data/chat.db`, `${cwd}/chat.db`);
    client.say("lost", { id: "k" });
    assert.equal((await client.until("error")).code, "unavailable");
    const ask = async (path: string, init?: RequestInit) => {
      const answer = await fetch(server.url + path, init);
      await answer.body?.cancel();
      return answer.status;
    };
    assert.equal(await ask("/readyz"), 503);
    assert.equal(await ask("/healthz"), 200);
    assert.equal(await ask("/api/session", { method: "POST" }), 503);
    assert.equal(await ask("/api/rooms/general/events"), 503);
    const json = { method: "POST", body: '{"text":"lost"}', headers: { "content-type": "application/json" } };
    assert.equal(await ask("/api/rooms/general/messages", json), 503);
    assert.equal((await new TestClient(server.url).closed).code, 1011);
    const told = server.errors().split("chat.db was removed or replaced").length - 1;
    assert.ok(told >= 1 && told <= Number(WORKERS), `told ${told} times`);
    await Deno.rename(`${cwd}/chat.db`, `${cwd}/data/chat.db`);
    assert.equal(await ask("/readyz"), 200);
    client.say("kept", { id: "k" });
    assert.equal((await client.until("receive_message", ({ id }) => id === "k")).seq, 2);
    await client.close();
    await server.stop();
    await Deno.remove(cwd, { recursive: true });
  });
}

Deno.test("a database that another process has locked makes the server unready, and well again afterwards", async () => {
  const cwd = await Deno.makeTempDir();
  const server = await startServer({ cwd });
  const other = new DatabaseSync(`${cwd}/data/chat.db`);
  other.exec("BEGIN IMMEDIATE");
  const readiness = async () => {
    const answer = await fetch(`${server.url}/readyz`);
    await answer.body?.cancel();
    return answer.status;
  };
  assert.deepEqual(await Promise.all([readiness(), readiness()]), [503, 503]);
  assert.match(server.errors(), /another process has locked it for 3 s/);
  other.exec("ROLLBACK");
  other.close();
  assert.equal(await readiness(), 200);
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("after a backup was put back and the epoch renewed, no old place is taken for a new one", async () => {
  const cwd = await Deno.makeTempDir();
  const server = await startServer({ cwd });
  const first = await TestClient.open(server.url);
  first.say("kept");
  await first.until("receive_message");
  const { epoch } = await first.until("room_joined");
  await server.stop();
  const args = await taskArguments("new-epoch");
  const { success } = await new Deno.Command(Deno.execPath(), { args, cwd, stdout: "null" }).output();
  assert.ok(success);
  const again = await startServer({ cwd });
  const second = await TestClient.open(again.url, { query: "?room=" });
  second.send({ action: "join_room", room: "general", since: { epoch, seq: 1 } });
  const joined = await second.until("room_joined");
  assert.equal(joined.recovered, false);
  assert.notEqual(joined.epoch, epoch);
  assert.deepEqual(joined.messages.map((entry) => entry.action === "receive_message" && entry.text), ["kept"]);
  await second.close();
  await again.stop();
  await Deno.remove(cwd, { recursive: true });
});

serverTest("a port that is taken stops the start with one line that says so", async ({ port }) => {
  const message = await startServer({ port }).then(
    (server) => server.stop().then(() => "it started"),
    (error) => error.message,
  );
  assert.match(message, new RegExp(`with code 1: Parley could not start: [^\\n]*PORT[^\\n]*\\n$`));
});

serverTest("what is no WebSocket frame ends that connection and nothing else", async ({ url, port }) => {
  const ann = await TestClient.open(url);
  const garbage: Record<string, number[]> = {
    "reserved bits": [0xf1, 0x80, 0, 0, 0, 0],
    "unknown opcode": [0x83, 0x80, 0, 0, 0, 0],
    unmasked: [0x81, 0x02, 0x68, 0x69],
    "invalid UTF-8": [0x81, 0x82, 0, 0, 0, 0, 0xc3, 0x28],
    "a claimed length of 2^40": [0x81, 0xff, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    "an oversized control frame": [0x89, 0xfe, 0x01, 0x00, 0, 0, 0, 0],
  };
  for (const bytes of Object.values(garbage)) {
    const raw = await StalledClient.join(port);
    await raw.write(new Uint8Array(bytes));
    raw.close();
  }
  await ann.soFar();
  ann.say("still here");
  await ann.until("receive_message");
  await ann.close();
});
