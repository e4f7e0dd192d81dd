import assert from "node:assert/strict";
import { RawClient } from "../../testing/clients/raw.ts";
import { startServer } from "../../testing/servers/server.ts";
import { hostName, namesAskedFor } from "./host.ts";

Deno.test("a host is a name without port, in one form however it is written", () => {
  for (
    const [text, name] of [
      ["Chat.Example", "chat.example"],
      ["chat.example.", "chat.example"],
      ["bücher.example", "xn--bcher-kva.example"],
      ["192.0.2.1", "192.0.2.1"],
      ["[2001:DB8::1]", "[2001:db8::1]"],
    ]
  ) assert.equal(hostName(text), name);
  for (
    const text of [
      "",
      ".",
      "a:80",
      "[::1]:80",
      "https://a",
      "a/b",
      "a b",
      "a@b",
      "%%%",
      "[::",
      "a#b",
      "a?b",
      "*",
      "*.a",
      "a;b",
      "a..b",
      "-",
      "a.-b",
    ]
  ) {
    assert.equal(hostName(text), undefined, text);
  }
});

Deno.test("a request whose address and Host header differ asks for both", () => {
  const asked = (url: string, host?: string) => namesAskedFor(new Request(url, { headers: host ? { host } : {} }));
  assert.deepEqual(asked("http://a:1/x", "B.:2"), ["a", "b"]);
  assert.deepEqual(asked("http://a/x"), ["a"]);
  assert.deepEqual(asked("http://a:1/x", "a:1"), ["a"]);
  for (const host of ["%%%", "a b", "x:99999", "a/b", "a@b"]) assert.equal(asked("http://a/", host), undefined, host);
});

Deno.test("with HOSTS no name but these is answered to, through no door; monitors may use any", async () => {
  const server = await startServer({ env: { HOSTS: "chat.example, localhost", DATABASE_URL: "memory:" } });
  const origin = (host: string) => ({ host, origin: `http://${host}` });
  // As a page whose own name was made to lead here would ask.
  const status = async (method: string, path: string, host: string, target = path) => {
    const raw = await RawClient.connect(server.port);
    const headers = Object.entries(origin(host)).map((pair) => pair.join(": "));
    await raw.send([`${method} ${target} HTTP/1.1`, ...headers, "connection: close", "", ""].join("\r\n"));
    await raw.until(() => raw.head !== "");
    const { head } = raw;
    await raw.close();
    return Number(head.split(" ")[1]);
  };
  const doors = [
    ["GET", "/", 200],
    ["POST", "/api/session", 201],
    ["GET", "/api/rooms/general/messages", 200],
    ["GET", "/api/rooms/general/events", 200],
    ["GET", "/static/client.ts", 200],
    ["GET", "/docs", 200],
  ] as const;
  for (const [method, path, answered] of doors) {
    for (const host of ["chat.example", "CHAT.example.:8000", `localhost:${server.port}`]) {
      assert.equal(await status(method, path, host), answered, `${host}${path}`);
    }
    for (const host of ["evil.example", "127.0.0.1", "chat.example.evil.example"]) {
      assert.equal(await status(method, path, host), 421, `${host}${path}`);
    }
  }
  for (
    const path of ["/r/x\\..\\..\\healthz", "/chat/../healthz", "/r/./../metrics", "/r/healthz", "/nowhere/healthz"]
  ) {
    assert.equal(await status("GET", path, "evil.example"), 421, `${path}: no monitor asks so`);
  }
  for (const [host, target] of [["evil.example", "chat.example"], ["chat.example", "evil.example"]]) {
    assert.equal(await status("GET", "/", host, `http://${target}/`), 421, "whichever of the two is foreign");
  }
  const socket = async (host: string) => {
    const raw = await RawClient.open(server.port, { headers: origin(host) });
    await raw.close();
    return raw.head.split(" ")[1];
  };
  assert.deepEqual([await socket("chat.example"), await socket("evil.example")], ["101", "421"]);
  for (const path of ["/healthz", "/readyz"]) assert.equal(await status("GET", path, "10.0.0.7"), 200);
  assert.equal(await status("GET", "/metrics", "127.0.0.1"), 200);
  assert.equal(await status("GET", "/metrics", "evil.example"), 403, "it has a judgement of its own");
  assert.match(server.errors(), /"why":"forbidden".*"origin":"http:\/\/evil.example","path":"\/"/);
  await server.stop();
});
