import assert from "node:assert/strict";
import { serveFile, staticFile } from "./static_file.ts";

const file = staticFile("body { color: red }", "text/css");
const ask = (known?: string, status?: number) =>
  serveFile(file, new Request("http://x/", { headers: known === undefined ? {} : { "if-none-match": known } }), status);

Deno.test("a file that the client has is not sent again, whatever stands around its tag", async () => {
  for (const known of [file.etag, `W/${file.etag}`, `"other", ${file.etag}`, `"other",W/${file.etag}`, "*"]) {
    const { status, body, headers } = ask(known);
    assert.deepEqual([status, body, headers.get("etag")], [304, null, file.etag], known);
  }
  for (const known of [undefined, "", '"other"', file.etag.slice(0, -2) + '"', file.etag.replaceAll('"', "")]) {
    const answer = ask(known);
    assert.equal(answer.status, 200, known);
    assert.equal(await answer.text(), "body { color: red }");
    assert.deepEqual(
      ["content-type", "etag", "cache-control"].map((name) => answer.headers.get(name)),
      ["text/css", file.etag, "no-cache"],
    );
  }
});

Deno.test("what is sent for an address that leads nowhere is sent each time", () => {
  assert.equal(ask(file.etag, 404).status, 404);
});

Deno.test("a file with other words has another tag", () => {
  assert.notEqual(staticFile("body { color: blue }", "text/css").etag, file.etag);
});
