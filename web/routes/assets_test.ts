import assert from "node:assert/strict";
import { loadAssets, withoutComments } from "./assets.ts";

Deno.test("comments of own lines are left out, and every other line stays where it was", () => {
  const text = [
    "/** What it is. */",
    "const a = 1; // why",
    "  // why not",
    "/* short */ const b = 2;",
    "/**",
    " * In lines.",
    " */",
    'const url = "https://example.com/*";',
    "/* */",
  ];
  const kept = ["", text[1], "", text[3], "", "", "", text[7], ""];
  assert.equal(withoutComments(text.join("\n")), kept.join("\n"));
});

Deno.test("what the page is served has no comments of own lines, and the lines of the source", async () => {
  const root = new URL("../../", import.meta.url);
  let count = 0;
  for (const [path, { body }] of await loadAssets(root)) {
    if (!/^\/static\/(?!docs).*\.ts$/.test(path)) continue;
    const [inStatic, inRoot] = [`.${path}`, path.replace("/static/", "./")].map((each) => new URL(each, root));
    const source = await Deno.readTextFile(inStatic).catch(() => Deno.readTextFile(inRoot));
    assert.equal(body.split("\n").length, source.split("\n").length, path);
    assert.doesNotMatch(body, /^\s*(\/\/|\/\*\*)/m, path);
    count++;
  }
  assert.ok(count > 100, String(count));
});
