/**
 * The tokens of the full-text index, here called terms: beginnings of words, pairs of characters (bigrams) of Korean,
 * Japanese and Chinese, and where one word ends and the next begins. Every text that `matches` finds has all terms of
 * the query, so an index of terms finds what may match; what does is for the matcher to say. A term has only letters,
 * marks, digits and emoji.
 */
import { isOfLetters, isRun, normalise, SEPARATOR, TOUCHING } from "./normalise.ts";

/**
 * Raise it whenever another version makes other terms of some text, also for a change of `normalise`: then indexes are
 * built again.
 */
export const TERMS_VERSION = 3;

/** The lengths of a word's beginnings that are terms, in UTF-16 units: they find what begins so in one step. */
const LENGTHS = [2, 3, 4, 5, 6, 8, 10, 12];
/** A word's last UTF-16 units that stand in the term of where the next begins. The words of most texts are not longer. */
const END_LENGTH = 4;
/** Stands where a word ends in such a term, and before the term of a user. No text has these signs in a term. */
const END_SIGN = "\ue001";
const USER_SIGN = "\ue000";
/** Terms of one query that are looked up; more would find hardly less. */
const MOST_LOOKED_UP = 12;

/** All terms of a text, each once. */
export function termsOfText(text: string): Set<string> {
  const terms = new Set<string>();
  for (const part of pieces(normalise(text))) {
    const { piece } = part;
    addMeetings(terms, part);
    if (!isOfLetters(piece)) terms.add(piece);
    else if (isRun(piece)) addPairs(terms, piece, 1);
    else {
      for (const length of LENGTHS) {
        if (length > piece.length) break;
        terms.add(beginning(piece, length));
      }
    }
  }
  return terms;
}

/** Terms that a text with all these phrases has, the longest first; none if there is too little to look for. */
export function termsOfPhrases(phrases: readonly string[]): string[] {
  const terms = new Set<string>();
  for (const phrase of phrases) {
    for (const part of pieces(SEPARATOR + phrase)) {
      const { piece, next } = part;
      addMeetings(terms, part);
      if (!isOfLetters(piece)) terms.add(piece);
      // Every second pair has all characters.
      else if (isRun(piece)) addPairs(terms, piece, 2);
      // Where the next word begins, a short one has been added whole.
      else if (piece.length > (next === undefined ? 1 : END_LENGTH)) {
        terms.add(beginning(piece, LENGTHS.findLast((length) => length <= piece.length)!));
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
  /** The one before that it touches. */
  before: string | undefined;
  /** The first character of the one behind, where that is of letters too, and doesn't touch it. */
  next: string | undefined;
}

/** The pieces of a normalised text. */
function* pieces(normalised: string): Generator<Piece> {
  const groups = normalised.slice(SEPARATOR.length).split(SEPARATOR);
  for (const [group, touching] of groups.entries()) {
    let before: string | undefined;
    const together = touching.split(TOUCHING);
    for (const [at, piece] of together.entries()) {
      const after = at === together.length - 1 ? groups[group + 1] : undefined;
      const next = after && isOfLetters(after) ? first(after) : undefined;
      if (piece !== "") yield { piece, before, next };
      before = piece;
    }
  }
}

/**
 * Adds where a word or a run touches another, as in `3월`: neither of both may be long enough to be found by itself. And
 * where the next one begins: many texts have both `in` and `the`, and few of those have `in t`.
 */
function addMeetings(terms: Set<string>, { piece, before, next }: Piece): void {
  if (!isOfLetters(piece)) return;
  if (before !== undefined && isOfLetters(before)) terms.add(last(before) + first(piece));
  if (next === undefined || piece === last(piece)) return;
  // A run of the phrase may be the end of a longer one.
  terms.add((isRun(piece) ? last(piece) : ending(piece)) + END_SIGN + next);
}

function addPairs(terms: Set<string>, run: string, step: 1 | 2): void {
  const characters = Array.from(run);
  const end = characters.length - 1;
  for (let at = 0; at < end; at += step) terms.add(characters[at] + characters[at + 1]);
  if (end > 0) terms.add(characters[end - 1] + characters[end]);
}

/** Without half of a character, which would be no letter. */
function beginning(word: string, length: number): string {
  return word.slice(0, length).replace(/[\ud800-\udbff]$/, "");
}

function ending(word: string): string {
  return word.slice(-END_LENGTH).replace(/^[\udc00-\udfff]/, "");
}

function first(piece: string): string {
  return String.fromCodePoint(piece.codePointAt(0)!);
}

function last(piece: string): string {
  const unit = piece.at(-1)!;
  return /[\udc00-\udfff]/.test(unit) ? piece.slice(-2) : unit;
}
