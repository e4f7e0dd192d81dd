import fc from "fast-check";
import assert from "node:assert/strict";
import { parseAction, parseText } from "./parse_text.ts";
import type { Part } from "./text_tree.ts";

/** The tree on one line: `b`, `i` and `s` are spans, `c` is code, `a` a link, `pre`, `q` and lists are blocks. */
function shown(parts: readonly Part[]): string {
  return parts.map((part) => {
    if (typeof part === "string") return part;
    switch (part.kind) {
      case "strong":
        return `<b>${shown(part.parts)}</b>`;
      case "emphasis":
        return `<i>${shown(part.parts)}</i>`;
      case "strike":
        return `<s>${shown(part.parts)}</s>`;
      case "code":
        return `<c>${part.text}</c>`;
      case "link":
        return `<a ${part.href}${part.host === null ? "" : ` !${part.host}`}>${shown(part.parts)}</a>`;
      case "code_block":
        return `<pre ${part.language}>${part.text}</pre>`;
      case "quote":
        return `<q>${shown(part.parts)}</q>`;
      case "list":
        return `<list ${part.numbers ?? "-"}>${part.items.map((item) => `<li>${shown(item)}</li>`).join("")}</list>`;
    }
  }).join("");
}

const is = (text: string, expected: string) => assert.equal(shown(parseText(text)), expected);
const isAsTyped = (...texts: string[]) => texts.forEach((text) => is(text, text));

Deno.test("bold, italic, struck and code are what their marks say", () => {
  is("**bold** and __bold__", "<b>bold</b> and <b>bold</b>");
  is("*italic*, _italic_, **_both_**", "<i>italic</i>, <i>italic</i>, <b><i>both</i></b>");
  is("~~gone~~ `a *b*` ``c ` d``", "<s>gone</s> <c>a *b*</c> <c>c ` d</c>");
  is(
    "*강조*는 **볼드**를, **“인용”**은 **중요(필독)**은",
    "<i>강조</i>는 <b>볼드</b>를, <b>“인용”</b>은 <b>중요(필독)</b>은",
  );
  is(
    String.raw`\*no\* \_no\_ \`no\` \[no](https://a.example/)`,
    "*no* _no_ `no` [no](<a https://a.example/>https://a.example/</a>)",
  );
});

Deno.test("what chats have no use for, and what only looks like markup, stays as it was typed", () => {
  isAsTyped("# not a heading\n#channel\n###", "a\n===\nb\n---\nc", "***", "- - -", "* * *");
  isAsTyped("<b>not HTML</b> <!-- a --> <https:> &amp; &lt;", "    not code\n\tnor this", "|a|b|\n|-|-|\n|1|2|");
  isAsTyped(
    "[ref]: /there\n[ref] [a][ref] [x] [ ] ![no](image.png)",
    "snake_case_name __init__.py",
    "2*3*4 = 24, a*b*c",
  );
  isAsTyped(
    "안녕~ 반가워~ 좋아~그래~",
    "¯\\_(ツ)_/¯",
    "> \n>",
    ">_< >:( >.<",
    "-",
    "1.",
    "-5 degrees",
    "* ",
    "+ one",
    "1) one",
  );
  isAsTyped(
    "2026. 11. 27. 회의",
    "11. 27. 회의",
    "it was in\n86. That year",
    "```",
    "```\n```",
    "```\nno end",
    "**no end",
    "** a **",
  );
  isAsTyped("  spaces  kept \n\n\n  and lines\n", "[a](javascript:alert(1)) [b](/path) [c](mailto:x@y.z)", "");
});

Deno.test("links are those that were typed as http or https, whatever is around them", () => {
  const link = (address: string) => `<a ${address}>${address}</a>`;
  is("see https://a.example/b_c_d*e*f, ok", `see ${link("https://a.example/b_c_d*e*f")}, ok`);
  is(
    "**https://a.example/x** _https://a.example/y_",
    `<b>${link("https://a.example/x")}</b> <i>${link("https://a.example/y")}</i>`,
  );
  is("*see https://a.example/x*y z* b", `<i>see ${link("https://a.example/x*y")} z</i> b`);
  is("`https://a.example/` (https://a.example/)", `<c>https://a.example/</c> (${link("https://a.example/")})`);
  is("![x](https://a.example/i.png)", "!<a https://a.example/i.png>x</a>");
  is("[the **docs**](https://a.example/d)", "<a https://a.example/d>the <b>docs</b></a>");
  is("[a](https://a.example/ 'title')", `[a](${link("https://a.example/")} 'title')`);
});

Deno.test("a link that looks like another address shows where it leads", () => {
  is("[bank.example](https://evil.example/)", "<a https://evil.example/ !evil.example>bank.example</a>");
  is("[evil.example](https://evil.example/a)", "<a https://evil.example/a>evil.example</a>");
});

Deno.test("a block of code has its language, and everything between its fences as it is", () => {
  is("before\n```ts\nconst a = `*1*`;\n\n  b\n```\nafter", "before<pre ts>const a = `*1*`;\n\n  b</pre>after");
  is("```\n> a\n- b```", "<pre >> a\n- b</pre>");
  is("```two words\nb\n```", "<pre >two words\nb</pre>");
  is("~~~\n```\n~~~", "<pre >```</pre>");
  is("```one line```", "<c>one line</c>");
});

Deno.test("quotes end with their line, and may be in each other", () => {
  is("> one\n> *two*\nanswer", "<q>one\n<i>two</i></q>answer");
  is(">one\n>> two\n> three", "<q>one<q>two</q>three</q>");
  is("> ```\n> a\n> ```\n> - b", "<q><pre >a</pre><list -><li>b</li></list></q>");
  is("> a\n\n\n> b", "<q>a</q><q>b</q>");
});

Deno.test("lists may be in each other, and a numbered one begins with its number", () => {
  is(
    "to do:\n- a\n- **b**\n  - c\n    more\n- d\ndone",
    "to do:<list -><li>a</li><li><b>b</b><list -><li>c\nmore</li></list></li><li>d</li></list>done",
  );
  is("3. a\n4. b\n  - c\n\n5. d", "<list 3,4,5><li>a</li><li>b<list -><li>c</li></list></li><li>d</li></list>");
  is("10. a\n20. b", "<list 10,20><li>a</li><li>b</li></list>");
  is("1. a\n1. b", "<list 1,2><li>a</li><li>b</li></list>");
  is("- a\n* b\n1. c", "<list -><li>a</li></list><list -><li>b</li></list><list 1><li>c</li></list>");
});

Deno.test("an action has no blocks", () => {
  assert.equal(shown(parseAction("> waves *hard*")), "> waves <i>hard</i>");
});

const markup = fc.constantFrom(
  ..."* ** *** _ __ ~~ ~ ` `` ``` ~~~ [ ] ( ) ](https:// ![ > >> < <a \\ ! # 1. - | & http://x.y https://".split(" "),
  " ",
  "  ",
  "\n",
  "\n\n",
  "\n> ",
  "\n- ",
  "\n  - ",
  "\n3. ",
  "\n```\n",
  "\t",
  "\u200b",
  "\ud83d",
);
const word = fc.constantFrom("a", "bc", "한글", "x_y");

/** What is seen of the parts, one after the other. */
function seen(parts: readonly Part[]): string {
  return parts.map((part): string => {
    if (typeof part === "string") return part;
    if (part.kind === "code") return part.text;
    if (part.kind === "code_block") return part.language + part.text;
    return part.kind === "list" ? part.items.map(seen).join("") : seen(part.parts);
  }).join("");
}

const letters = (text: string) => text.replaceAll(/[^\p{L}]/gu, "");

/** Whether the letters of one text are all in the other, in their order. */
function has(whole: string, part: string): boolean {
  let at = 0;
  for (const letter of letters(whole)) if (letter === letters(part)[at]) at++;
  return at === letters(part).length;
}

Deno.test("whatever is typed, no letter of it is lost, and without a mark it stays as it is", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(markup, word), { maxLength: 60 }), (pieces) => {
      const text = pieces.join("");
      const visible = seen(parseText(text));
      assert.ok(has(text, visible), "nothing is added");
      // Where a link leads is not in its text.
      assert.ok(has(visible, text.replaceAll(/\]\(https:[^\s]*/g, "")), visible);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(fc.property(fc.stringMatching(/^[^*_~`[\]\\>]*$/), (text) => {
    if (!/^\s*(?:-|\d+\.)\s/m.test(text) && !text.includes("://")) assert.equal(parseText(text).join(""), text);
  }));
});

Deno.test("4,000 hostile characters take no time to speak of", () => {
  const hostile = fc.tuple(
    fc.array(fc.oneof(markup, word), { minLength: 1, maxLength: 6 }),
    fc.array(markup, { maxLength: 3 }),
  );
  const known = [
    "*",
    "**a",
    "[",
    "[[a](",
    "[a](b",
    ">",
    "> ",
    "> - ",
    "`",
    "`a``b```",
    "- ",
    "-\n",
    "```\n",
    "~~~a\n",
    "_a",
    "~~a",
    ">>\n",
    "\n> ",
    "~",
    "``` ",
  ];
  fc.assert(
    fc.property(hostile, ([pieces, end]) => {
      const text = (pieces.join("").repeat(4_000).slice(0, 4_000 - 9) + end.join("")).slice(0, 4_000);
      let fastest = Infinity;
      // A machine with other work to do is slow at times; a bad expression is slow each time.
      for (let times = 0; times < 5 && fastest > 10; times++) {
        const start = performance.now();
        parseText(text);
        fastest = Math.min(fastest, performance.now() - start);
      }
      assert.ok(fastest < 40, `${fastest} ms for ${JSON.stringify(pieces)}`);
    }),
    { numRuns: 300, examples: known.map((piece) => [[[piece], []]]) },
  );
});
