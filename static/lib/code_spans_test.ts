import assert from "node:assert/strict";
import { codeSpans, isInCode } from "./code_spans.ts";

const code = (text: string) =>
  codeSpans(text).filter(({ certain }) => certain).map(({ start, end }) => text.slice(start, end));

Deno.test("code is between as many backticks as it began with, in one paragraph, or between fences", () => {
  assert.deepEqual(code("a `b` c ``d ` e`` f"), ["`b`", "``d ` e``"]);
  assert.deepEqual(code("a `b"), []);
  assert.deepEqual(code("a `b\n\nc` d"), []);
  assert.deepEqual(code("a\n```ts\nb `c\n```\nd `e`"), ["```ts\nb `c\n```", "`e`"]);
  assert.deepEqual(code("~~~\na\n```\nb\n~~~\nc"), ["~~~\na\n```\nb\n~~~"]);
  assert.deepEqual(code("````\n```\na\n````"), ["````\n```\na\n````"]);
  assert.deepEqual(code("```\na"), ["```\na"]);
});

Deno.test("who has begun code writes code until they end it", () => {
  const at = (text: string) => isInCode(text, text.length);
  assert.deepEqual(["`a", "a ``b `", "```\na", "`a` `b", "```ts"].map(at), [true, true, true, true, true]);
  assert.deepEqual(["`a`", "a", "```\na\n```\n", "```\na\n``` ", "`a\n\nb", ""].map(at), Array(6).fill(false));
});
