import fc from "fast-check";
import assert from "node:assert/strict";
import { ALIASES, LANGUAGES, tokens } from "./highlight.ts";

const coloured = async (code: string, language: string) =>
  (await tokens(code, language))?.filter(({ colour }) => colour !== "").map(({ text, colour }) => `${text}:${colour}`);

Deno.test("code has the colours of its language, by any of the names that people give it", async () => {
  const typescript = ["const:keyword", "1:number", "// one:comment"];
  for (const name of ["ts", "TypeScript", "tsx"]) {
    assert.deepEqual(await coloured("const a; 1; // one", name), typescript);
  }
  assert.deepEqual(await coloured('<a href="b">&amp;</a> <!-- c', "html"), [
    "<a:keyword",
    "href:name",
    '"b":string',
    ">:keyword",
    "&amp;:number",
    "</a>:keyword",
    "<!-- c:comment",
  ]);
  assert.deepEqual(await coloured("-old\n+new", "patch"), ["-old:removed", "+new:string"]);
  for (const language of Object.values(ALIASES)) assert.ok(Object.hasOwn(LANGUAGES, language), language);
});

Deno.test("a language that nobody knows leaves the code as it is", async () => {
  for (const name of ["klingon", "constructor", "__proto__", "../ts"]) {
    assert.equal(await tokens("const a", name), null);
  }
});

Deno.test("whatever the code is, colours change nothing in it, and take no time to speak of", async () => {
  const piece = fc.constantFrom(
    ...[
      "<a",
      " b=",
      " b",
      "'",
      '"',
      "`",
      "${",
      "{",
      "(",
      "\\",
      "/*",
      "//",
      "#",
      "-",
      "=",
      "a",
      "A_",
      "0",
      "1.",
      " ",
      "\n",
      ":",
    ],
    ..."<script> <!-- [ ``` func async asm{ select r# f' $( <<A -- [[ %".split(" "),
  );
  const code = fc.tuple(fc.array(piece, { maxLength: 3 }), fc.array(piece, { minLength: 1, maxLength: 4 }), piece);
  const languages = Object.keys(LANGUAGES);
  for (const language of languages) await tokens("", language);
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...languages), code, async (language, [start, middle, end]) => {
      const text = start.join("") + middle.join("").repeat(300).slice(0, 600) + end;
      let fastest = Infinity;
      for (let times = 0; times < 5 && fastest > 30; times++) {
        const begun = performance.now();
        const found = await tokens(text, language);
        fastest = Math.min(fastest, performance.now() - begun);
        if (found) assert.equal(found.map(({ text }) => text).join(""), text);
      }
      assert.ok(fastest < 200, `${fastest} ms`);
    }),
    { numRuns: 300, examples: [["html", [["<a"], [" b="], " "]], ["js", [[], ["a"], "\n"]]] },
  );
});
