import assert from "node:assert/strict";
import { mayListen, originAllowed } from "./origin.ts";

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

Deno.test("a stream is opened by programs, by the page's own scripts and by allowed ones, by no other page", () => {
  const listen = (headers: Record<string, string>) =>
    mayListen(new Request("http://x/", { headers: { host: "chat.example", ...headers } }), ["https://app.example"]);
  const [stream, any] = ["text/event-stream", "*/*"];
  assert.ok(listen({}), "no browser");
  assert.ok(listen({ accept: any }), "curl");
  assert.ok(listen({ accept: any, "sec-fetch-site": "none" }), "a browser's extension");
  for (const accept of [stream, any, "application/json, text/event-stream"]) {
    assert.ok(listen({ accept, "sec-fetch-site": "same-origin" }));
    assert.ok(listen({ accept, origin: "https://app.example", "sec-fetch-site": "cross-site" }));
    assert.ok(listen({ accept, origin: "https://chat.example" }));
    for (const site of ["cross-site", "same-site", "", "None"]) {
      assert.equal(listen({ accept, "sec-fetch-site": site }), false, `no-cors from a page that is ${site}`);
    }
    assert.equal(listen({ accept, origin: "https://evil.example", "sec-fetch-site": "same-origin" }), false);
  }
  const shown = [
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8",
    "*/*, TEXT/HTML",
  ];
  for (const accept of shown) {
    assert.equal(listen({ accept }), false, "plain HTTP tells nothing of where it comes from");
    assert.equal(listen({ accept, "sec-fetch-site": "none" }), false);
    assert.equal(listen({ accept, "sec-fetch-site": "same-origin" }), false);
  }
});
