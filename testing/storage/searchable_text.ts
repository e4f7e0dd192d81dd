import fc from "fast-check";

const WORDS = [
  ...[
    "coffee",
    "Café",
    "coff",
    "meet",
    "Meeting",
    "a",
    "I",
    "the",
    "them",
    "Straße",
    "ﬁn",
    "İstanbul",
    "don't",
    "e-mail",
  ],
  ...["커피", "커", "피커피", "아이스커피를", "3월", "PR을", "ㅋㅋㅋ", "ㅠㅠ", "한", "한잔", "가ㄱ", "커피coffee"],
  ...["東京", "タワー", "ﾀﾜｰ", "がぎ", "ｶﾞ", "ー", "𠮷野家", "字", "ไทย", "ภาษาไทย", "हिन्दी", "שָׁלוֹם", "Łódź", "x²"],
  ...["🎉", "👍🏽", "👩‍💻", "🇰🇷🇺🇸", "❤️", "1️⃣", "42", "4200", "a1b2", "internationalization", "𝐁𝐨𝐥𝐝", "\u0301", "\ud83c"],
];
const BETWEEN = [" ", " ", " ", "", "-", ", ", "\n", "\u200b", "/", "_", "…"];

/** Texts of few words in many scripts, so that parts of one are often in another. */
export function searchableText(): fc.Arbitrary<string> {
  const word = fc.oneof(
    { arbitrary: fc.constantFrom(...WORDS), weight: 8 },
    { arbitrary: fc.string({ unit: "binary", maxLength: 4 }), weight: 1 },
  );
  return fc.array(fc.tuple(word, fc.constantFrom(...BETWEEN)), { maxLength: 10 }).map((all) => all.flat().join(""));
}
