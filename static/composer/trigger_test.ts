import assert from "node:assert/strict";
import { begins, fold } from "./matching.ts";
import { findShortcode, findTrigger } from "./trigger.ts";

/** What is completed at `|`, as `kind start query`. */
function at(marked: string): string | null {
  const caret = marked.indexOf("|");
  const trigger = findTrigger(marked.replace("|", ""), caret);
  return trigger && `${trigger.kind} ${trigger.start} ${trigger.query}`;
}

Deno.test("@ asks for a name, which may have spaces, but not in an address or in code", () => {
  assert.equal(at("hi @|"), "mention 3 ");
  assert.equal(at("@User 4|"), "mention 0 User 4");
  assert.equal(at("안녕@민|수"), "mention 2 민");
  for (const text of ["ann@exa|", "a @ 5|", "`@an|", "```\n@an|", "@ann\n|"]) assert.equal(at(text), null, text);
});

Deno.test(": asks for an emoji from two letters or one syllable on, not in times, addresses and code", () => {
  assert.equal(at("so :sm|"), "emoji 3 sm");
  assert.equal(at("(:+1|"), "emoji 1 +1");
  assert.equal(at(":웃|"), "emoji 0 웃");
  for (const text of [":|", ":s|", ":)|", ":-D|", "10:30|", "http:ab|", "std::ve|", "a:sm|", "`:sm|", ":sm |"]) {
    assert.equal(at(text), null, text);
  }
});

Deno.test("/ asks for a command at the beginning of the text, and a path is none", () => {
  assert.equal(at("/|"), "command 0 ");
  assert.equal(at("/ni|"), "command 0 ni");
  assert.equal(at("/mute Us|"), "person 6 Us");
  assert.equal(at("/mute @|"), "person 7 ");
  for (const text of ["a /ni|", "/etc/|", "/etc|/hosts", "//x|", "/nick A|", " /ni|"]) {
    assert.equal(at(text), null, text);
  }
});

Deno.test("a name of an emoji in full is found at its closing colon", () => {
  const found = (text: string) => findShortcode(text, text.length)?.code ?? null;
  assert.deepEqual(["ok :+1:", ":Smile:", "(:tada:"].map(found), ["+1", "smile", "tada"]);
  assert.deepEqual(["10:30:", "`:smile:", "a:b:", "::x:", ": x:"].map(found), Array(5).fill(null));
});

Deno.test("a syllable of Hangul is found while it is typed, and a name by its first consonants", () => {
  const found = (word: string, typed: string) => begins(fold(word), fold(typed));
  assert.ok(["ㄱ", "기", "김", "김ㅁ", "김미", "ㄱㅁㅅ", "김민수"].every((typed) => found("김민수", typed)));
  assert.ok(!["가", "긴", "ㄴ", "기민", "김민수님", "민"].some((typed) => found("김민수", typed)));
  assert.ok(found("ＡＮＮ", "an") && !found("Ann", "na"));
});
