import assert from "node:assert/strict";
import fc from "fast-check";
import { searchableText } from "../../testing/storage/searchable_text.ts";
import { matches } from "./matcher.ts";
import { parseQuery } from "./query.ts";
import { termsOfPhrases, termsOfText } from "./terms.ts";

const found = (query: string, text: string) => matches(parseQuery(query), text);

/** Each line: a query, texts in which it is found, and texts in which it is not. */
const CASES: [query: string, found: string[], not: string[]][] = [
  // Words, at their beginnings.
  ["coffee", ["Coffee!", "two COFFEES", "(coffee)", "커피coffee", "iced-coffee", "coffee_break"], [
    "decoffee",
    "coffe",
  ]],
  ["meet mon", ["We meet on Monday.", "monday: meeting"], ["we meet", "on Monday"]],
  ["a meeting", ["A meeting", "all meetings"], ["the meeting"]],
  ["42", ["42", "4200", "room 42b"], ["142", "4 2"]],
  // Case, accents and width.
  ["cafe", ["Café", "CAFE\u0301", "ｃａｆé"], ["cave"]],
  ["strasse", ["Straße", "STRASSE"], ["Strase"]],
  ["straße", ["Strasse"], []],
  ["istanbul", ["İstanbul", "ISTANBUL", "ıstanbul"], []],
  ["fin", ["ﬁn", "FIN"], []],
  ["lodz", ["Łódź"], []],
  ["ΣΟΦΟΣ", ["σοφος", "σοφός"], []],
  ["x2", ["x²", "X₂"], []],
  ["שלום", ["שָׁלוֹם"], []],
  ["شدة", ["شَدَّة"], []],
  // Marks that are letters of their word stay.
  ["की", ["की बात"], ["का बात"]],
  // What nobody sees parts no word.
  ["invisible", ["in\u00advis\u200bible", "in\u2060visible"], []],
  // Scripts without spaces: anywhere, from two characters.
  ["커피", ["아이스커피를", "커피", "커\u200b피", "커피".normalize("NFD")], ["커 피", "코피", "커"]],
  ["하다", ["공부하다"], ["공부한다"]],
  ["タワー", ["東京ﾀﾜｰ", "東京タワー"], ["東京タワ"]],
  ["ガキ", ["ｶﾞｷ"], ["カキ"]],
  ["東京", ["大東京都"], ["東大京"]],
  ["ไทย", ["ภาษาไทย"], ["ไท"]],
  ["ㅋㅋ", ["ㅋㅋㅋ", "아ㅋㅋ"], ["ㅋ ㅋ", "크크"]],
  ["ㅠㅠ", ["ㅋㅠㅠ"], ["유유"]],
  ["한 커피", ["커피 한 잔"], ["커피 두 잔"]],
  // Where scripts meet.
  ["3월", ["3월에", "올해3월"], ["13월", "3 월", "3일"]],
  ["pr을", ["PR을 봐요"], ["PR 을", "XPR을"]],
  ["커피coffee", ["아이스커피coffees"], ["커피 coffee", "coffee커피"]],
  // Phrases.
  ['"good morning"', ["Good morning!", "good, MORNINGS", "good-morning"], ["good old morning", "morning good"]],
  ['"in the"', ["in the end"], ["inside the", "in a the"]],
  ["e-mail", ["an e-mail", "e mails"], ["email", "the-mail"]],
  ["example.com", ["https://example.com/x"], ["example.org", "examples.com"]],
  ['"커피 한 잔"', ["아이스커피 한 잔만"], ["커피 두 잔", "한 잔 커피"]],
  // Emoji.
  ["🎉", ["🎉", "party🎉🎉", "🎉\ufe0f"], ["🥳"]],
  ["👍", ["👍🏽", "👍🏿👍"], ["👎"]],
  ["❤", ["❤️", "❤"], ["💙"]],
  ["👩‍💻", ["👩🏽‍💻"], ["👩 💻", "💻👩"]],
  ["👩", ["👩‍💻"], []],
  ["🇰🇷", ["🇺🇸🇰🇷"], ["🇰🇪🇷🇺"]],
];

Deno.test("words are found at their beginnings, scripts without spaces anywhere, whatever case, accents and width", () => {
  for (const [query, texts, others] of CASES) {
    for (const text of texts) assert.ok(found(query, text), `${query} in ${text}`);
    for (const text of others) assert.ok(!found(query, text), `${query} not in ${text}`);
  }
});

Deno.test("a text that matches has all terms by which an index looks for it", () => {
  const halves = fc.tuple(fc.nat(200), fc.nat(200));
  let matched = 0;
  const check = (query: string, text: string) => {
    let parsed;
    try {
      parsed = parseQuery(query);
    } catch {
      return;
    }
    const looked = termsOfPhrases(parsed.phrases);
    assert.ok(looked.every((term) => /^[\p{L}\p{M}\p{N}\p{Extended_Pictographic}\p{RI}\ue000\ue001]+$/u.test(term)));
    if (!matches(parsed, text)) return;
    matched++;
    const terms = termsOfText(text);
    for (const term of looked) assert.ok(terms.has(term), JSON.stringify({ query, text, term }));
  };
  fc.assert(
    fc.property(searchableText(), searchableText(), halves, (text, other, [from, length]) => {
      // Parts of texts, since others are hardly ever in one.
      const part = text.slice(from % (text.length + 1)).slice(0, 1 + length % 12);
      check(part, text);
      check(`"${part.replaceAll('"', "")}"`, text);
      check(part, other);
    }),
    { numRuns: 3_000, examples: [["𒾐\u200bthe coffee ", "", [0, 79]], ["t𒾐𒾐𒾐 t𒾐", "𒾐t𒾐 x", [0, 11]]] },
  );
  assert.ok(matched > 1_000, `only ${matched} matched`);
});

Deno.test("two common words in quotation marks are looked for by a term that few other texts have", () => {
  const looked = termsOfPhrases(parseQuery('"in the"').phrases);
  for (const text of ["in the end", "Was IN, the end"]) assert.ok(isLookedAt(text), text);
  for (const text of ["the cat in a hat", "the end is in sight", "inn the"]) assert.ok(!isLookedAt(text), text);

  function isLookedAt(text: string): boolean {
    const terms = termsOfText(text);
    return looked.every((term) => terms.has(term));
  }
});
