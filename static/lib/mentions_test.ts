import assert from "node:assert/strict";
import { mentions } from "./mentions.ts";

/** Whether these mention someone, each by a text. */
function check(name: string, expected: Record<string, boolean>) {
  const found = Object.keys(expected).map((text) => [text, mentions(text, name)]);
  assert.deepEqual(Object.fromEntries(found), expected);
}

Deno.test("a mention is @ and the name, in any case and width, alone or inside a sentence", () => {
  check("Ann", {
    "@Ann": true,
    "hi @ann, and (@ANN)!": true,
    "＠Ａｎｎ": true,
    "see @Ann's list. @Ann: yes": true,
    "안녕@Ann": true,
    "Ann": false,
    "@ Ann": false,
    "@An": false,
  });
  check("", { "@": false, "@ ": false });
  check("Zoë", { "@Zoe\u0308 hi": true });
});

Deno.test("a longer name is another name", () => {
  check("Ann", { "@Anna": false, "@Ann2": false, "@Ann-Marie": false, "@Ann_": false, "@Anna or @Ann": true });
  check("User 48", { "@User 482": false, "@User 48": true, "@user 48, hi": true, "@User  48": false });
  check("Ann Lee", { "@Ann Lee": true, "@Ann": false });
});

Deno.test("there is no mention in code, in a link or in an address", () => {
  check("Ann", {
    "`@Ann`": false,
    "```\n@Ann\n```": false,
    "`@Ann": true,
    "`x` @Ann": true,
    "https://example.org/@Ann": false,
    "[to @Ann](https://example.org/)": false,
    "me@ann": false,
    "me.@ann": false,
    "https://example.org/ @Ann": true,
  });
});

Deno.test("titles and particles that Korean writes behind a name are no part of it", () => {
  check("민수", {
    "@민수": true,
    "@민수님": true,
    "@민수야": true,
    "@민수씨는 어때요": true,
    "@민수님께서": true,
    "@민수님이": true,
    "@민수에게도": true,
    "@민수가 왔어요": true,
    "@민수랑": true,
    "@민수정": false,
    "@민수아": false,
    "@민수이": false,
    "@민수님2": false,
  });
  check("지훈", { "@지훈아": true, "@지훈이": true, "@지훈은": true, "@지훈가": false, "@지훈들": true });
  check("하늘", { "@하늘로": true, "@하늘을": true });
  check("Ann", { "@Ann은": true, "@Ann는": true, "@Ann님": true, "@Ann정": false });
});
