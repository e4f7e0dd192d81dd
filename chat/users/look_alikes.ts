/**
 * Letters and digits that look like those in reserved names, by what they look like. This is what Unicode's
 * `confusables.txt` (13.0) has for these few beyond NFKC, case folding and marks, and what it leaves out: small
 * capitals, letters with a hook, signs that are read as letters. A character that looks like two of them stands for
 * one. The libraries for UTS #39 on npm are no longer maintained.
 */
export const LOOK_LIKE = {
  a: "ᴀɑαаᗅꓮꭺ𐊠𖽀@⍺ⱥᶏꬰɒ",
  d: "ᴅðđƌɖɗԁᑯᑺᑻᒇᗞᗪꓒꓓꭰꮷ∂ȡᶁꝺᵭ",
  e: "ᴇɇεеҽҿⴹꓰꬲꭼ𐊆𑣎℮əᶒǝ",
  i: "ɪᵻᵼꙇꭵ⍳",
  l: "ʟłƚǀɨɩɫɭιіӏוןױا١ٳ۱ߊᒪᒶᒷᛁⲓⳑⵏꓡꓲꮮ𐊊𐌉𐌠𐑃𐔦𑣃𑣒𖼖𖼨𞣇|¦∣ǃ!¡❘",
  m: "ᴍμϻмӎᗰᛖⲙꓟꮇ𐊰𐌑ɱᶆꭑ𐓄",
  n: "ɴƞɲɳηνոռᵰⲛꓠ𐔓∩пղꞑꬻȵᶇŋ",
  o: "øɵθοσоѳөօסه٥ھہە۵ۿ߀०০੦૦ଠ୦௦౦೦ഠ൦๐໐တဝ၀ჿዐᴏᴑⲟⴱⵁⵔ〇ꓳꝋꬽꬾꭴꮎꮻ𐊒𐊫𐐬𐓪𐔖𑓐𑣈𑣗𑣠○◯⚪⭕⚬🅾",
  r: "ɍɼɽʀгґғᖇᴦᵲⲅꓣꭇꭈꭱꮁꮢ𐓜𖼵ɾɹꝛʳɚᶉꞧ",
  s: "ʂѕտᵴꓢꜱꮥꮪ𐊖𐑈𑣁𖼺$§ȿᶊ",
  t: "ᴛŧƭʈτтҭᵵⱦⲧꓔꭲ𐊗𐊱𐌕𑣜𖼊†⊤ȶ",
  u: "ʉʋυսሀᑌᑗᑘᑧᴜᵾꓴꞟꭎꭒꮜ𐓶𑣘𖽂∪ᥙⴎᶙ",
  y: "ƴɏɣʏγуүұყᶌỿⲩꓬꭚꭹꮍ𐊲𑣄𖽃ʎ",
  2: "ƨƻϩᒿꙅꛯ",
  3: "ȝɜʒзҙӡⳍꝫ𑣊𖼻",
  4: "ᔯᔰꮞ𑣏",
  5: "ƽ𑣛",
  6: "бⳓꮾ𑣕",
  7: "𐓺𑣆",
  8: "ȣ৪੪𐌚𞣋",
  9: "৭੧୨൭ⳋꝯ𑣌𑣖",
};
const LETTER_OF = new Map(
  Object.entries(LOOK_LIKE).flatMap(([letter, others]) => [...others].map((other) => [other, letter] as const)),
);
/** What names have beside letters and digits, between or above them. */
const AROUND = /[\p{M}\p{P}\p{Z}\p{S}\p{C}]/gu;
const SYMBOL = /\p{S}/u;

/**
 * What a name looks like at a glance: letters and digits in their plainest form, without marks, spaces and signs. `I`,
 * `l` and `1` are `l`, `O` and `0` are `o`. It is only for comparing.
 */
export function skeleton(name: string): string {
  let plain = "";
  for (const character of name.normalize("NFD")) {
    // A sign that looks like a letter is one; the others only stand between.
    const known = LETTER_OF.get(character);
    if (known !== undefined) {
      plain += known;
      continue;
    }
    const letters = fold(inACircle(character) ?? character.normalize("NFKC")).normalize("NFD").replaceAll(AROUND, "");
    // A sign may stand for a letter (Ⓤ), or for a whole word, which nobody reads as letters (№).
    if (SYMBOL.test(character) && letters.length > 1) continue;
    for (const letter of letters) plain += LETTER_OF.get(letter) ?? letter;
  }
  return plain.replaceAll(/[1i]/g, "l").replaceAll("0", "o").replaceAll("rn", "m").normalize("NFC");
}

/** Ranges of letters and digits in circles and squares that NFKC leaves as they are: code point, first one, length. */
const CIRCLED: [start: number, first: string, count: number][] = [
  [0x1f150, "a", 26],
  [0x1f170, "a", 26],
  [0x1f1e6, "a", 26],
  [0x2776, "1", 9],
  [0x2780, "1", 9],
  [0x278a, "1", 9],
];

function inACircle(character: string): string | undefined {
  const code = character.codePointAt(0)!;
  const [start, first] = CIRCLED.find(([start, , count]) => start <= code && code < start + count) ?? [];
  return first === undefined ? undefined : String.fromCharCode(first.charCodeAt(0) + code - start!);
}

/** Folds case: upper, then lower case, so that ß and ss, ſ and s are the same; final sigma needs a replacement. */
export function fold(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll("ς", "σ");
}
