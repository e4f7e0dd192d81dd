import assert from "node:assert/strict";
import { readText } from "./body.ts";

const ask = (...chunks: (Uint8Array | Error)[]) =>
  new Request("http://x/", {
    method: "POST",
    body: new ReadableStream({
      pull(controller) {
        const next = chunks.shift();
        if (next === undefined) controller.close();
        else if (next instanceof Error) controller.error(next);
        else controller.enqueue(next);
      },
    }),
  });
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("a body is read in its pieces, and no more of it than may be", async () => {
  assert.equal(await readText(ask(), 4), "");
  assert.equal(await readText(ask(bytes("é").subarray(0, 1), bytes("é").subarray(1), bytes("ab")), 4), "éab");
  await assert.rejects(readText(ask(bytes("abc"), bytes("de"), new Error("was read")), 4), { code: "frame_too_large" });
});

Deno.test("a body that breaks off, or is no UTF-8, is its sender's fault and no failure of the server", async () => {
  await assert.rejects(readText(ask(bytes("a"), new Deno.errors.BadResource("gone")), 4), { code: "bad_json" });
  await assert.rejects(readText(ask(new Uint8Array([0xc3, 0x28])), 4), { code: "bad_json" });
  await assert.rejects(readText(ask(bytes("é").subarray(0, 1)), 4), { code: "bad_json" });
});
