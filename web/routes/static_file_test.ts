import { Hono } from "hono";
import assert from "node:assert/strict";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { StaticFile } from "./static_file.ts";

const CONTENT = "body { color: red }\n".repeat(100);
const file = new StaticFile(CONTENT, "text/css");
const app = new Hono();
app.get("/file", (c) => file.serve(c));
app.get("/immutable", (c) => file.serve(c, { immutable: true }));
app.get("/nowhere", (c) => file.serve(c, { status: 404 }));
const ask = (headers: Record<string, string> = {}, path = "/file") => app.request(path, { headers });

Deno.test("a file that the client has is not sent again, whatever stands around its tag", async () => {
  for (const known of [file.etag, `W/${file.etag}`, `"other", ${file.etag}`, `"other",W/${file.etag}`, "*"]) {
    const { status, body, headers } = await ask({ "if-none-match": known });
    assert.deepEqual([status, body, headers.get("etag")], [304, null, file.etag], known);
  }
  for (const known of ["", '"other"', file.etag.slice(0, -2) + '"', file.etag.replaceAll('"', "")]) {
    const answer = await ask({ "if-none-match": known });
    assert.equal(answer.status, 200, known);
    assert.equal(await answer.text(), CONTENT);
    assert.deepEqual(
      ["content-type", "etag", "cache-control", "vary"].map((name) => answer.headers.get(name)),
      ["text/css", file.etag, "no-cache", "accept-encoding"],
    );
  }
});

Deno.test("a file comes as small as the client can take it", async () => {
  const decompress: Record<string, (bytes: Uint8Array) => Uint8Array> = { br: brotliDecompressSync, gzip: gunzipSync };
  for (
    const [accepted, encoding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["BR;q=0.1, gzip", "br"],
      ["gzip;q=0.5, br;q=0", "gzip"],
      ["gzip;q=0, br;q=0", null],
      ["deflate, identity", null],
      ["*", null],
      [";;,q=,br=;", null],
    ] as const
  ) {
    for (let times = 0; times < 2; times++) {
      const answer = await ask({ "accept-encoding": accepted });
      const sent = await answer.bytes();
      assert.equal(answer.headers.get("content-encoding"), encoding, accepted);
      assert.equal(answer.headers.get("etag"), encoding === null ? file.etag : `W/${file.etag}`);
      assert.equal(new TextDecoder().decode(encoding === null ? sent : decompress[encoding](sent)), CONTENT);
      assert.ok(encoding === null || sent.length < CONTENT.length / 10);
    }
  }
});

Deno.test("what is sent for an address that leads nowhere is sent each time", async () => {
  assert.equal((await ask({ "if-none-match": file.etag }, "/nowhere")).status, 404);
});

Deno.test("a file under an address of its content is kept for good", async () => {
  assert.equal((await ask({}, "/immutable")).headers.get("cache-control"), "public, max-age=31536000, immutable");
});

Deno.test("a file with other words has another tag", () => {
  assert.notEqual(new StaticFile("body { color: blue }", "text/css").etag, file.etag);
});
