import assert from "node:assert/strict";
import fc from "fast-check";
import { ChatError } from "../errors.ts";
import { parseQuery, QUERY_LIMIT } from "./query.ts";

/** What is searched for, each part on its own; or the code of the refusal. */
function parsed(text: string): string[] | string {
  try {
    return parseQuery(text).phrases.map((phrase) => phrase.replaceAll("\n", " ").replaceAll("\t", "|"));
  } catch (error) {
    assert.ok(error instanceof ChatError, String(error));
    assert.match(error.message, /\. (Write|Search for) .*\.$/);
    return error.code;
  }
}

Deno.test("words must all occur, and what stands in quotation marks or has signs inside is a phrase", () => {
  assert.deepEqual(parsed("Hello wörld"), ["hello", "world"]);
  assert.deepEqual(parsed('say "Good Morning" all'), ["say", "good morning", "all"]);
  assert.deepEqual(parsed("“guten Tag” „ja wohl‟"), ["guten tag", "ja wohl"]);
  assert.deepEqual(parsed("e-mail don't"), ["e mail", "don t"]);
  assert.deepEqual(parsed("hello hello"), ["hello"]);
  assert.deepEqual(parsed("커피coffee 🎉"), ["커피|coffee", "🎉"]);
});

Deno.test("nothing that is typed is syntax", () => {
  const typed: Record<string, string[] | string> = {
    "NEAR(": ["near"],
    "a OR": ["a", "or"],
    "cats AND NOT dogs": ["cats", "and", "not", "dogs"],
    "word*": ["word"],
    "^word": ["word"],
    "terms: word": ["terms", "word"],
    "-word +other": ["word", "other"],
    '"unbalanced word': ["unbalanced", "word"],
    'one" two': ["one", "two"],
    "{a b}: word": ["a", "b", "word"],
    "'; DROP TABLE words; --": ["drop", "table", "words"],
    "\0\uffffword": ["word"],
    "\ud83cword": ["word"],
  };
  for (const [text, phrases] of Object.entries(typed)) assert.deepEqual(parsed(text), phrases, text);
});

Deno.test("there must be something to look for, and not too much", () => {
  const tooLittle = ["", " \n\t", "*", '"', '""', '"a', "a", "a*", "é", "x", "7", "한", "字"];
  const single = ["한 잔", '"한 잔"', '"𠮷 野"', "a b c", '"a b"', "-", "^", ":", "...", "\u200b", "\u0301", "ㅋ"];
  for (const text of [...tooLittle, ...single]) assert.equal(parsed(text), "bad_query", JSON.stringify(text));
  for (const text of ["ab", "a bc", "커피", "3월", "A형", "字a", "ㅋㅋ", "🎉", "🇰🇷", "👍🏽", "ไทย", "42"]) {
    assert.ok(Array.isArray(parsed(text)), text);
  }
  assert.ok(Array.isArray(parsed("😀".repeat(QUERY_LIMIT))));
  for (const text of ["😀".repeat(QUERY_LIMIT + 1), "x".repeat(QUERY_LIMIT + 1), "x".repeat(10_240)]) {
    assert.equal(parsed(text), "bad_query");
  }
});

Deno.test("whatever is typed, it is a query or a bad one", () => {
  const typed = fc.oneof(
    fc.string({ unit: "binary", maxLength: 220 }),
    fc.string({ unit: fc.constantFrom('"', "*", "(", ")", "-", "^", ":", " ", "a", "b", "한", "\ud800", "'", "NEAR") }),
    fc.uint8Array({ maxLength: 300 }).map((bytes) => String.fromCharCode(...bytes)),
  );
  fc.assert(fc.property(typed, (text) => {
    const phrases = parsed(text);
    assert.ok(phrases === "bad_query" || Array.isArray(phrases) && phrases.length > 0);
  }));
});
