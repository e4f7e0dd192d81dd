import assert from "node:assert/strict";
import { originAllowed } from "./origin.ts";

const ask = (headers: Record<string, string>, allowed: string[] = []) =>
  originAllowed(new Request("http://x/", { headers }), allowed);

Deno.test("a page of this server's own host and port is let in, whatever ended TLS in front", () => {
  assert.ok(ask({ origin: "http://chat.example:8000", host: "chat.example:8000" }));
  assert.ok(ask({ origin: "https://chat.example", host: "chat.example" }));
  assert.ok(ask({ origin: "https://chat.example", host: "chat.example:443" }));
  assert.ok(ask({ origin: "http://[::1]:8000", host: "[::1]:8000" }));
});

Deno.test("over HTTP/2, which has no Host, the address that was asked for is the host", () => {
  const asked = (origin: string) =>
    originAllowed(new Request("http://chat.example:8000/", { headers: { origin } }), []);
  assert.ok(asked("http://chat.example:8000"));
  assert.equal(asked("http://evil.example:8000"), false);
});

Deno.test("who is no browser sends no origin and is let in", () => {
  assert.ok(ask({ host: "chat.example" }));
});

Deno.test("foreign, opaque and look-alike origins are refused", () => {
  const foreign = [
    "https://evil.example",
    "null",
    "",
    "https://chat.example.evil.example",
    "https://evilchat.example",
    "https://chat.example:8443",
    "http://chat.example:80.evil.example",
    "file://",
    "not a url",
    "https://chat.example@evil.example",
  ];
  for (const origin of foreign) assert.equal(ask({ origin, host: "chat.example" }), false, origin);
  assert.equal(ask({ origin: "null", host: "null" }), false);
  assert.equal(ask({ origin: "https://chat.example" }), false, "no host");
});

Deno.test("an allowed origin is compared whole", () => {
  assert.ok(ask({ origin: "https://app.example", host: "chat.example" }, ["https://app.example"]));
  assert.equal(ask({ origin: "http://app.example", host: "chat.example" }, ["https://app.example"]), false);
});
