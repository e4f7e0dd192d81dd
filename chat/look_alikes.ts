/**
 * Letters and digits that look like those of the names that nobody may choose, by what they look like. This is what
 * Unicode's `confusables.txt` (13.0) has for these few beyond NFKC, case folding and marks, and the small capitals that
 * it leaves out; what could be two of them is one. The libraries of UTS #39 on npm are no longer kept up.
 */
export const LOOK_LIKE = {
  a: "ᴀɑαаᗅꓮꭺ𐊠𖽀",
  d: "ᴅðđƌɖɗԁᑯᑺᑻᒇᗞᗪꓒꓓꭰꮷ",
  e: "ᴇɇεеҽҿⴹꓰꬲꭼ𐊆𑣎",
  i: "ɪᵻᵼꙇꭵ",
  l: "ʟłƚǀɨɩɫɭιіӏוןױا١ٳ۱ߊᒪᒶᒷᛁⲓⳑⵏꓡꓲꮮ𐊊𐌉𐌠𐑃𐔦𑣃𑣒𖼖𖼨𞣇",
  m: "ᴍμϻмӎᗰᛖⲙꓟꮇ𐊰𐌑",
  n: "ɴƞɲɳηνոռᵰⲛꓠ𐔓",
  o: "øɵθοσоѳөօסه٥ھہە۵ۿ߀०০੦૦ଠ୦௦౦೦ഠ൦๐໐တဝ၀ჿዐᴏᴑⲟⴱⵁⵔ〇ꓳꝋꬽꬾꭴꮎꮻ𐊒𐊫𐐬𐓪𐔖𑓐𑣈𑣗𑣠",
  r: "ɍɼɽʀгґғᖇᴦᵲⲅꓣꭇꭈꭱꮁꮢ𐓜𖼵",
  s: "ʂѕտᵴꓢꜱꮥꮪ𐊖𐑈𑣁𖼺",
  t: "ᴛŧƭʈτтҭᵵⱦⲧꓔꭲ𐊗𐊱𐌕𑣜𖼊",
  u: "ʉʋυսሀᑌᑗᑘᑧᴜᵾꓴꞟꭎꭒꮜ𐓶𑣘𖽂",
  y: "ƴɏɣʏγуүұყᶌỿⲩꓬꭚꭹꮍ𐊲𑣄𖽃",
  2: "ƨƻϩᒿꙅꛯꝛ",
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
/** What names are made of beside letters and digits, and what can stand between or on them unnoticed. */
const AROUND = /[\p{M}\p{P}\p{Z}\p{S}\p{C}]/gu;
const SYMBOL = /\p{S}/u;

/**
 * What is left of a name for a reader who looks at it for a moment: letters and digits in their plainest form, without
 * marks, spaces and signs. `I`, `l` and `1` are `l`, `O` and `0` are `o`. It is for comparing only.
 */
export function skeleton(name: string): string {
  let plain = "";
  for (const character of name.normalize("NFD")) {
    const letters = fold(inACircle(character) ?? character.normalize("NFKC")).normalize("NFD").replaceAll(AROUND, "");
    // A sign may stand for a letter (Ⓤ), or for a whole word, which nobody reads as letters (№).
    if (SYMBOL.test(character) && letters.length > 1) continue;
    for (const letter of letters) plain += LETTER_OF.get(letter) ?? letter;
  }
  return plain.replaceAll(/[1i]/g, "l").replaceAll("0", "o").replaceAll("rn", "m").normalize("NFC");
}

/** White letters in black circles and squares: 🅐 and 🅰, which NFKC leaves as they are. */
function inACircle(character: string): string | undefined {
  const code = character.codePointAt(0)!;
  const first = [0x1f150, 0x1f170].find((first) => first <= code && code < first + 26);
  return first === undefined ? undefined : String.fromCharCode("a".charCodeAt(0) + code - first);
}

/** Upper, then lower case is the fold that the language offers: ß, ſ and final sigma fall together as they should. */
export function fold(text: string): string {
  return text.toUpperCase().toLowerCase().replaceAll("ς", "σ");
}
