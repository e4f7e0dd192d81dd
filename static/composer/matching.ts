/** How what somebody types is compared with the words that they may mean. */

/** Syllables of Hangul stand in Unicode by their first consonant, then by their vowel, then by their last consonant. */
const [FIRST_SYLLABLE, SYLLABLES, ENDINGS, VOWELS] = [0xac00, 11_172, 28, 21];
/** The first consonants as letters of their own, in the same order. NFKC makes them of those that a keyboard types. */
const [FIRST_CONSONANT, CONSONANTS] = [0x1100, 19];

/** The form in which texts are compared: case and width make no difference. */
export function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase().normalize("NFKC");
}

/** The words of a folded text. */
export function wordsOf(folded: string): string[] {
  return folded.split(/[^\p{L}\p{M}\p{N}+]+/u).filter((word) => word !== "");
}

/**
 * Whether a word begins with what is typed, both folded. A syllable of Hangul that is still being typed begins as well:
 * 기 begins 김, and so does ㄱ, in any place, as people type ㄱㅁㅅ for 김민수.
 */
export function begins(word: string, typed: string): boolean {
  if (word.startsWith(typed)) return true;
  if (typed.length > word.length) return false;
  for (let at = 0; at < typed.length; at++) {
    if (!isBegun(word.charCodeAt(at), typed.charCodeAt(at), at === typed.length - 1)) return false;
  }
  return true;
}

function isBegun(syllable: number, typed: number, isLast: boolean): boolean {
  if (syllable === typed) return true;
  const place = syllable - FIRST_SYLLABLE;
  if (place < 0 || place >= SYLLABLES) return false;
  const consonant = typed - FIRST_CONSONANT;
  if (consonant >= 0 && consonant < CONSONANTS) return Math.floor(place / (ENDINGS * VOWELS)) === consonant;
  const typedPlace = typed - FIRST_SYLLABLE;
  return isLast && typedPlace % ENDINGS === 0 && Math.floor(place / ENDINGS) === typedPlace / ENDINGS;
}
