import assert from "node:assert/strict";
import { asBlock, mayBeBlock } from "./code_block.ts";

const lines = (count: number, line: string) => Array(count).fill(line).join("\n");

Deno.test("more than ten lines may be a block, and more than five if they look like code", () => {
  assert.ok(mayBeBlock(lines(11, "a line of a poem")));
  assert.ok(!mayBeBlock(`${lines(10, "a line of a poem")}\n\n`));
  assert.ok(mayBeBlock(lines(6, "const one = 1;")));
  assert.ok(mayBeBlock("def one():\n    return 1\n\n\ndef two():\n    return 2"));
  assert.ok(!mayBeBlock(lines(5, "const one = 1;")));
  assert.ok(!mayBeBlock("```\n" + lines(20, "one") + "\n```"));
});

Deno.test("exactly the pasted part becomes a block, in a fence longer than any in it", () => {
  assert.equal(asBlock("one\ntwo", 0, 7), "```\none\ntwo\n```\n");
  const text = "look: one\ntwo and so on";
  assert.equal(asBlock(text, 6, 13), "\n```\none\ntwo\n```\n");
  assert.equal(asBlock("one\n", 0, 3), "```\none\n```");
  assert.equal(asBlock("```\n````\n", 0, 9), "`````\n```\n````\n`````\n");
});
