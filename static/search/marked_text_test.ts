import assert from "node:assert/strict";
import fc from "fast-check";
import { matches } from "../../chat/search/matcher.ts";
import { parseQuery } from "../../chat/search/query.ts";
import { searchableText } from "../../testing/storage/searchable_text.ts";
import { excerptOf, marksIn } from "./marked_text.ts";

const marked = (text: string, query: string) =>
  marksIn(text, parseQuery(query).phrases).map(({ from, to }) => text.slice(from, to));

Deno.test("what was searched for is marked, however it is written", () => {
  assert.deepEqual(marked("Coffee, decaf coffee and COFFEEHOUSE", "coffee"), ["Coffee", "coffee", "COFFEE"]);
  assert.deepEqual(marked("a cafe\u0301 in Straße", "café strasse"), ["cafe\u0301", "Straße"]);
  assert.deepEqual(marked("Say: hello, world! hello", '"hello world"'), ["hello, world"]);
  assert.deepEqual(marked("오늘회의록과 회의실", "회의"), ["회의", "회의"]);
  assert.deepEqual(marked("東京都の会議", "京都"), ["京都"]);
  assert.deepEqual(marked("ＡＢＣ ㈜ 3월의 ﬁne ﬁsh", '"3월" fin abc'), ["ＡＢＣ", "3월", "ﬁn"]);
  assert.deepEqual(marked("a 👍🏽 and 👨‍👩‍👧", "👍 👨"), ["👍🏽", "👨‍👩‍👧"], "never a part of what is seen as one");
  assert.deepEqual(marked("aaa aaaa", "aa aaa"), ["aaa", "aaa"], "once, where several match");
  assert.deepEqual(marked("one", "other"), []);
});

Deno.test("a text that is found nearly always has a mark, and marks are apart and in order", () => {
  let [found, unmarked] = [0, 0];
  fc.assert(
    fc.property(searchableText(), searchableText(), fc.nat(), fc.nat(20), (text, other, from, length) => {
      // A part of it is what finds most.
      const query = from % 3 === 0 ? other : text.slice(from % (text.length + 1)).slice(0, length);
      let phrases: readonly string[];
      try {
        ({ phrases } = parseQuery(query));
      } catch {
        return;
      }
      const marks = marksIn(text, phrases);
      for (const [at, { from, to }] of marks.entries()) {
        assert.ok(from < to && from >= 0 && to <= text.length && (at === 0 || marks[at - 1].to < from));
      }
      if (!matches({ phrases }, text)) return;
      found++;
      if (marks.length === 0) unmarked++;
    }),
    { numRuns: 3_000 },
  );
  assert.ok(found > 200 && unmarked <= found / 20, `${unmarked} of ${found}`);
});

Deno.test("of a long text that part is shown where the first mark is, on one line", () => {
  const text = `${"before ".repeat(100)}\n\nthe needle\n${"after ".repeat(200)}`;
  const pieces = excerptOf(text, marksIn(text, ["needle"]));
  assert.deepEqual(pieces.filter(({ marked }) => marked), [{ text: "needle", marked: true }]);
  const shown = pieces.map(({ text }) => text).join("");
  assert.match(shown, /^…before .{20,60} the needle after .*…$/);
  assert.ok(shown.length < 330);
  assert.deepEqual(excerptOf("short\ntext", []), [{ text: "short text", marked: false }]);
  for (let at = 60; at < 70; at++) {
    const emoji = "👍".repeat(100);
    assert.doesNotMatch(excerptOf(emoji, [{ from: at * 2, to: at * 2 + 2 }])[1].text, /\ufffd/);
  }
  assert.deepEqual(excerptOf("", []), []);
});
