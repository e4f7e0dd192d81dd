/**
 * The tokens of the full-text index, here called terms: beginnings of words, and pairs of characters (bigrams) of
 * Korean, Japanese and Chinese. Every text that `matches` finds has all terms of the query, so an index of terms finds
 * what may match; what does is for the matcher to say. A term has only letters, marks, digits and emoji.
 */
import { isOfLetters, isRun, normalise, SEPARATOR, TOUCHING } from "./normalise.ts";

/**
 * Raise it whenever another version makes other terms of some text, also for a change of `normalise`: then indexes are
 * built again.
 */
export const TERMS_VERSION = 1;

/** The lengths of a word's beginnings that are terms, in UTF-16 units: they find what begins so in one step. */
const LENGTHS = [2, 3, 4, 5, 6, 8, 10, 12];
/** Words up to this length have a term of their own, too: in a phrase, `in` is not the beginning of another word. */
const LONGEST_WHOLE = 4;
/** Stands behind a whole word in its term, and before the term of a user. No text has these signs in a term. */
const WHOLE_SIGN = "\ue001";
const USER_SIGN = "\ue000";
/** Terms of one query that are looked up; more would find hardly less. */
const MOST_LOOKED_UP = 12;

/** All terms of a text, each once. */
export function termsOfText(text: string): Set<string> {
  const terms = new Set<string>();
  for (const { piece, before } of pieces(normalise(text))) {
    if (before !== undefined && isLettersMet(before, piece)) terms.add(last(before) + first(piece));
    if (!isOfLetters(piece)) terms.add(piece);
    else if (isRun(piece)) addPairs(terms, piece, 1);
    else {
      for (const length of LENGTHS) {
        if (length > piece.length) break;
        terms.add(beginning(piece, length));
      }
      if (piece.length > 1 && piece.length <= LONGEST_WHOLE) terms.add(piece + WHOLE_SIGN);
    }
  }
  return terms;
}

/** Terms that a text with all these phrases has, the longest first; none if there is too little to look for. */
export function termsOfPhrases(phrases: readonly string[]): string[] {
  const terms = new Set<string>();
  for (const phrase of phrases) {
    for (const { piece, before, isLast } of pieces(SEPARATOR + phrase)) {
      if (before !== undefined && isLettersMet(before, piece)) terms.add(last(before) + first(piece));
      if (!isOfLetters(piece)) terms.add(piece);
      // Every second pair has all characters.
      else if (isRun(piece)) addPairs(terms, piece, 2);
      else if (piece.length > 1) {
        const isWhole = !isLast && piece.length <= LONGEST_WHOLE;
        const length = LENGTHS.findLast((length) => length <= piece.length)!;
        terms.add(isWhole ? piece + WHOLE_SIGN : beginning(piece, length));
      }
    }
  }
  return [...terms].sort((one, other) => other.length - one.length).slice(0, MOST_LOOKED_UP);
}

/** The term by which a person's messages are found. Others may have the same one. */
export function termOfUser(user: string): string {
  return USER_SIGN + user.replace(/[^0-9A-Za-z]/g, "").toLowerCase();
}

interface Piece {
  piece: string;
  /** The one that it touches. */
  before: string | undefined;
  isLast: boolean;
}

/** The pieces of a normalised text. */
function* pieces(normalised: string): Generator<Piece> {
  const groups = normalised.slice(SEPARATOR.length).split(SEPARATOR);
  for (const [group, touching] of groups.entries()) {
    let before: string | undefined;
    const together = touching.split(TOUCHING);
    for (const [at, piece] of together.entries()) {
      const isLast = group === groups.length - 1 && at === together.length - 1;
      if (piece !== "") yield { piece, before, isLast };
      before = piece;
    }
  }
}

/** Whether a word and a run touch, as in `3월`: neither of both may be long enough to be found by itself. */
function isLettersMet(one: string, other: string): boolean {
  return isOfLetters(one) && isOfLetters(other);
}

function addPairs(terms: Set<string>, run: string, step: 1 | 2): void {
  const characters = Array.from(run);
  const end = characters.length - 1;
  for (let at = 0; at < end; at += step) terms.add(characters[at] + characters[at + 1]);
  if (end > 0) terms.add(characters[end - 1] + characters[end]);
}

/** Half of a character would be no text. */
function beginning(word: string, length: number): string {
  return word.slice(0, length).toWellFormed();
}

function first(piece: string): string {
  return String.fromCodePoint(piece.codePointAt(0)!);
}

function last(piece: string): string {
  const unit = piece.at(-1)!;
  return /[\udc00-\udfff]/.test(unit) ? piece.slice(-2) : unit;
}
