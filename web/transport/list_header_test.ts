import assert from "node:assert/strict";
import fc from "fast-check";
import { listIn, withoutBlanks } from "./list_header.ts";

Deno.test("a list's members stand between commas, without blanks around them; empty ones are none", () => {
  assert.deepEqual(listIn("a,b"), ["a", "b"]);
  assert.deepEqual(listIn(" \ta\t ,, b c ,"), ["a", "b c"]);
  assert.deepEqual(listIn("\xa0a,\x0bb"), ["\xa0a", "\x0bb"], "no white space in a header");
  for (const nothing of [null, "", " ", ",", "\t,  ,"]) assert.deepEqual(listIn(nothing), []);
});

Deno.test("only blanks are taken away, and only around", () => {
  const text = fc.string({ unit: fc.constantFrom(" ", "\t", "a", "\xa0", "\n") });
  fc.assert(fc.property(text, (text) => assert.equal(withoutBlanks(text), text.replace(/^[ \t]+|[ \t]+$/g, ""))));
});

Deno.test("the time it takes goes with the length: with its square this one would take an hour", () => {
  const blanks = " ".repeat(3_000_000);
  assert.deepEqual(listIn(`a${blanks}b,${blanks}`), [`a${blanks}b`]);
});
