/** Handshakes as clients of many languages send them, byte by byte, and as the RFCs would allow others to. */
import assert from "node:assert/strict";
import type { ServerFrame } from "../chat/protocol.ts";
import { frame, RawClient, type upgradeRequest } from "../testing/clients/raw.ts";
import { proxyTest, RealProxy } from "../testing/servers/real_proxy.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

let server: RunningServer;
/** Somebody who was here before. */
let known: { user: string; token: string };

Deno.test.beforeAll(async () => {
  server = await startServer({ env: { DATABASE_URL: "memory:", CONNECTIONS_PER_IP: "0" } });
  known = await (await fetch(`${server.url}/api/session`, { method: "POST" })).json();
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** Shakes hands. @returns the status, the sub-protocol selected, who one is then, and which rooms one is in */
async function shake(headers: Record<string, string | undefined>, rest: Parameters<typeof upgradeRequest>[1] = {}) {
  const client = await RawClient.open(server.port, { headers, ...rest });
  const frames = () => client.texts.flatMap((text): ServerFrame[] => [JSON.parse(text)].flat());
  if (client.isOpen) {
    // It is answered after all that comes without being asked for.
    await client.send(frame(0x81, '{"action":"ping"}'));
    await client.until(() => frames().some(({ action }) => action === "pong") || client.closeCode !== undefined);
  }
  await client.close();
  const welcome = frames().find((frame) => frame.action === "welcome");
  return {
    status: Number(client.head.split(" ")[1]),
    selected: /^sec-websocket-protocol: (.*)$/mi.exec(client.head)?.[1],
    isKnown: welcome?.user === known.user,
    errors: frames().flatMap((frame) => frame.action === "error" ? [frame.code] : []),
    rooms: frames().flatMap((frame) => frame.action === "room_joined" ? [frame.room] : []),
    closeCode: client.closeCode,
  };
}

Deno.test("a client that offers to compress its frames is told that the server does not, and talks all the same", async () => {
  const extensions = "permessage-deflate; client_max_window_bits, permessage-deflate";
  const client = await RawClient.open(server.port, { headers: { "sec-websocket-extensions": extensions } });
  assert.doesNotMatch(client.head, /sec-websocket-extensions/i);
  await client.until(() => client.texts.some((text) => text.includes("room_joined")));
  await client.close();
});

Deno.test("sub-protocols are told apart by commas, whatever white space is around them", async () => {
  const lists: [string, string | undefined][] = [
    ["chat.v1,bearer.TOKEN", "chat.v1"],
    ["chat.v1 ,bearer.TOKEN", "chat.v1"],
    ["chat.v1\t,\t bearer.TOKEN", "chat.v1"],
    ["bearer.TOKEN,chat.batch.v1,chat.v1", "chat.batch.v1"],
    ["chat.v1,bearer.TOKEN,", "chat.v1"],
    [", ,chat.v1,,bearer.TOKEN", "chat.v1"],
    ["chat.v1\r\nSec-WebSocket-Protocol: bearer.TOKEN", "chat.v1"],
    ["graphql-ws,bearer.TOKEN", undefined],
    ["\u00a0chat.v1,bearer.TOKEN", undefined],
  ];
  for (const [list, selected] of lists) {
    const shaken = await shake({ "sec-websocket-protocol": list.replace("TOKEN", known.token) });
    assert.deepEqual([shaken.status, shaken.selected, shaken.isKnown], [101, selected, true], list);
  }
  for (const list of ["", " ", ",", "graphql-ws"]) {
    const shaken = await shake({ "sec-websocket-protocol": list });
    assert.deepEqual([shaken.status, shaken.selected], [101, undefined], list);
  }
});

Deno.test("a token that is all that was offered is selected, good or not", async () => {
  const good = `bearer.${known.token}`;
  for (const list of [good, `,${good}`, `${good} , ${good}`]) {
    const { selected, isKnown } = await shake({ "sec-websocket-protocol": list });
    assert.deepEqual([selected, isKnown], [good, true]);
  }
  const { selected, closeCode } = await shake({ "sec-websocket-protocol": "bearer.no-token" });
  assert.deepEqual([selected, closeCode], ["bearer.no-token", 4401]);
});

Deno.test("an upgrade may be to one of several protocols, in whatever case", async () => {
  for (const upgrade of ["WebSocket", "websocket, foo", "foo,WEBSOCKET", "h2c ,\twebsocket"]) {
    assert.equal((await shake({ upgrade })).status, 101, upgrade);
  }
  assert.equal((await shake({ upgrade: "foo", Upgrade: "websocket" })).status, 101, "in two lines");
  for (const upgrade of ["foo", "websockets", "web socket", undefined]) {
    assert.equal((await shake({ upgrade })).status, 426, upgrade);
  }
});

Deno.test("a token may stand behind more than one space, for a socket as over HTTP", async () => {
  for (const scheme of ["Bearer ", "Bearer  ", "bearer \t ", "BEARER\t"]) {
    const authorization = scheme + known.token;
    assert.equal((await shake({ authorization })).isKnown, true, scheme);
    const answer = await fetch(`${server.url}/api/session`, { method: "POST", headers: { authorization } });
    assert.equal((await answer.json()).user, known.user, scheme);
  }
  assert.equal((await shake({ authorization: "Bearer" })).closeCode, 4401);
  assert.equal((await shake({ authorization: "Basic dXNlcjpwYXNz" })).closeCode, undefined, "a proxy's password");
});

Deno.test("an address may end with a slash", async () => {
  assert.deepEqual((await shake({}, { path: "/connect/", query: "?room=islands" })).rooms, ["islands"]);
  for (const path of ["/r/islands/", "/docs/", "/api/rooms/", "/healthz/"]) {
    const answer = await fetch(server.url + path);
    await answer.body?.cancel();
    assert.equal(answer.status, 200, path);
  }
});

Deno.test("rooms to join may stand in one parameter or in several", async () => {
  for (
    const [query, rooms] of [
      ["", ["general"]],
      ["?x=1", ["general"]],
      ["?room=", []],
      ["?room=a&room=b", ["a", "b"]],
      ["?room=a,b&room=c", ["a", "b", "c"]],
      ["?room=a&room=&room=b", ["a", "b"]],
      ["?room=a&room=a", ["a", "a"]],
    ] as const
  ) {
    const shaken = await shake({}, { query });
    assert.deepEqual([shaken.rooms, shaken.errors], [rooms, []], query);
  }
});

Deno.test("a program that names itself an origin of another port is told to leave the header out", async () => {
  const raw = await RawClient.open(server.port, {
    headers: { origin: "http://127.0.0.1", connection: "close, upgrade" },
  });
  assert.match(raw.head, /^HTTP\/1\.1 403 /);
  await raw.close();
  for (const call of ["POST /api/session", "POST /api/actions", "GET /api/rooms/general/events"]) {
    const [method, path] = call.split(" ");
    const answer = await fetch(server.url + path, { method, headers: { origin: "http://127.0.0.1" } });
    const { detail } = await answer.json();
    assert.equal(answer.status, 403);
    assert.match(detail, /program.* leaves the Origin header out/);
  }
});

// Java's own client sent this until 2026. Once Deno takes it again, the README need not say what to do.
Deno.test("a handshake that names the length of no body is still refused by the runtime, which goes on serving", async () => {
  const raw = await RawClient.open(server.port, { headers: { "content-length": "0" } });
  assert.match(raw.head, /^HTTP\/1\.1 400 /);
  assert.doesNotMatch(raw.head, /problem\+json/, "it never comes to us");
  await raw.close();
  assert.equal((await shake({})).status, 101);
});

await proxyTest("caddy", "a handshake that names the length of no body comes through a Caddy", async () => {
  const proxy = await RealProxy.start(
    "caddy",
    (port) =>
      `{\n\tadmin off\n\tauto_https off\n}\nhttp://127.0.0.1:${port} {\n\treverse_proxy 127.0.0.1:${server.port}\n}\n`,
  );
  const raw = await RawClient.open(proxy.port, { headers: { "content-length": "0" } });
  assert.equal(raw.isOpen, true);
  await raw.close();
  await proxy.stop();
});

Deno.test("whoever mistypes an address is shown the page, and a program is told of a problem", async () => {
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";
  const programs = [undefined, "*/*", "application/json", "application/problem+json", "application/json, text/html"];
  for (const path of ["/islands", "/r", "/r/", "/a/b/c", "/static/nothing.ts"]) {
    const page = await fetch(server.url + path, { headers: { accept: browser } });
    assert.equal(page.status, 404, path);
    assert.match(page.headers.get("content-type")!, /^text\/html/);
    assert.match(await page.text(), /<script type="module" src="\/static\/[0-9a-f]{16}\/client\.ts"/);
    assert.match(page.headers.get("vary")!, /accept/);
    for (const accept of [...programs, "text/html;q=0", "application/problem+json, text/html"]) {
      const answer = await fetch(server.url + path, { headers: accept === undefined ? {} : { accept } });
      assert.equal(answer.status, 404);
      assert.match(answer.headers.get("vary")!, /accept/);
      assert.equal((await answer.json()).code, "not_found", `${path} as ${accept}`);
    }
  }
  for (const path of ["/api/bans", "/api/nowhere", "/chat/api/nowhere"]) {
    const call = await fetch(server.url + path, { headers: { accept: path.startsWith("/api/") ? browser : "*/*" } });
    assert.equal((await call.json()).code, "not_found", `${path} is for programs`);
  }
  const posted = await fetch(`${server.url}/islands`, { method: "POST", headers: { accept: browser } });
  assert.equal((await posted.json()).code, "not_found");
});
