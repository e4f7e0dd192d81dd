/**
 * The form in which texts and queries are compared, so that every storage finds the same.
 *
 * A text becomes its pieces, each after a sign that says how it stands beside the one before. There are three kinds:
 * - words: letters, marks and digits of scripts that put spaces between words. They are found at their beginning.
 * - runs: characters of Korean, Japanese and Chinese, and of Thai, Lao, Khmer and Burmese, which put none. What is
 *   inside of a run is found too.
 * - single emoji and flags. A skin tone is no difference, and a family is its people.
 */

/** Stands before a piece that something else separates from the one before, and before the first one. */
export const SEPARATOR = "\n";
/** Stands between two pieces that touch: `커피coffee`. Either way, a piece begins. */
export const TOUCHING = "\t";

const RUN_SCRIPTS = [
  "Hangul",
  "Han",
  "Hiragana",
  "Katakana",
  "Bopomofo",
  "Yi",
  "Thai",
  "Lao",
  "Khmer",
  "Myanmar",
].map((script) => `\\p{scx=${script}}`).join("");
const RUN = `[[\\p{L}\\p{M}\\p{N}]&&[${RUN_SCRIPTS}]]`;
const PIECE = new RegExp(
  `${RUN}+|[[\\p{L}\\p{M}\\p{N}]--[${RUN_SCRIPTS}]]+|\\p{RI}\\p{RI}|\\p{Extended_Pictographic}`,
  "gv",
);
const BEGINS_RUN = new RegExp(`^${RUN}`, "v");
const IS_WORD = /^[\p{L}\p{M}\p{N}]/u;

const IS_ASCII = /^[\0-\x7f]*$/;
const NO_WORDS_IN_ASCII = /[^a-z0-9]+/g;
/** ㅋㅋ and ㅠㅠ would become parts of syllables, and be found no more beside others. */
const BUT_SINGLE_JAMO = /[^\u3131-\u318e]+/g;
/**
 * Accents, the vowel points of Hebrew and Arabic, skin tones, and what nobody sees. The marks of other scripts are
 * letters of their words. The two of kana stay: they make another letter.
 */
const DROPPED =
  /(?![\u3099\u309a])[[\p{M}&&[\p{Script=Inherited}\p{Script=Hebrew}\p{Script=Arabic}]]\p{Emoji_Modifier}\p{Default_Ignorable_Code_Point}]/gv;
/** Letters that Unicode does not take apart. */
const FOLDED: Record<string, string> = {
  "ς": "σ",
  "æ": "ae",
  "œ": "oe",
  "ø": "o",
  "đ": "d",
  "ð": "d",
  "ł": "l",
  "ħ": "h",
  "ŧ": "t",
};
const TO_FOLD = new RegExp(`[${Object.keys(FOLDED).join("")}]`, "g");

/** A text's pieces, each with `SEPARATOR` or `TOUCHING` before it; the empty text if it has none. */
export function normalise(text: string): string {
  if (IS_ASCII.test(text)) {
    const words = text.toLowerCase().replace(NO_WORDS_IN_ASCII, SEPARATOR);
    const begun = words.startsWith(SEPARATOR) ? words : SEPARATOR + words;
    return begun.endsWith(SEPARATOR) ? begun.slice(0, -1) : begun;
  }
  let normalised = "";
  let end = -1;
  for (const { 0: piece, index } of fold(text).matchAll(PIECE)) {
    normalised += (index === end ? TOUCHING : SEPARATOR) + piece;
    end = index + piece.length;
  }
  return normalised;
}

/** Case, accents and width folded. Twice the case, because only upper case takes ß and ligatures apart. */
function fold(text: string): string {
  return text.replace(BUT_SINGLE_JAMO, (part) => part.normalize("NFKD"))
    .replace(DROPPED, "")
    .toUpperCase()
    .toLowerCase()
    .replace(TO_FOLD, (letter) => FOLDED[letter])
    .normalize("NFC");
}

/** Whether a piece is a run, in which any part is found. */
export function isRun(piece: string): boolean {
  return BEGINS_RUN.test(piece);
}

/** Whether a piece is a word or a run, and not an emoji. */
export function isOfLetters(piece: string): boolean {
  return IS_WORD.test(piece);
}
