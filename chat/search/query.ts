import { ChatError } from "../errors.ts";
import { normalise } from "./normalise.ts";
import { termsOfPhrases } from "./terms.ts";

/** Code points that a query may have. */
export const QUERY_LIMIT = 200;

/** What is searched for. Plain data, which a worker can be sent. */
export interface SearchQuery {
  /**
   * Each must occur: the pieces of a word, or of words in quotation marks, as `normalise` has them, without the sign
   * before the first.
   */
  readonly phrases: readonly string[];
}

/** Quotation marks as keyboards and phones make them. */
const QUOTES = /[\u201c-\u201f\u301d-\u301f\uff02]/g;
const PARTS = /"([^"]*)"|[^\s"]+/g;

/**
 * Reads what somebody has typed into a search box.
 *
 * - What stands between spaces must occur, all of it and in any order. Words are found at their beginnings; Korean,
 *   Japanese, Chinese, and other scripts without spaces, anywhere; emoji as they are.
 * - What stands in quotation marks must occur together and in this order. Signs and spaces between words are no
 *   difference. What has signs inside (`e-mail`) is such a phrase too. Its last word is found at its beginning, like
 *   any other.
 * - Nothing else is syntax. A quotation mark without a second one is nothing.
 * - A single letter, digit, or character of Korean, Japanese or Chinese must occur too, but there must be something to
 *   look for beside it: a word of two, two characters that touch (`커피`, `3월`), or an emoji.
 *
 * @throws {ChatError} `bad_query`
 */
export function parseQuery(text: string): SearchQuery {
  // Whoever sends more of them gets an answer at once.
  if (text.length > 2 * QUERY_LIMIT || [...text].length > QUERY_LIMIT) {
    throw new ChatError("bad_query", `A search has at most ${QUERY_LIMIT} characters. Search for fewer words.`);
  }
  const phrases = new Set<string>();
  for (const [part, quoted] of text.replace(QUOTES, '"').matchAll(PARTS)) {
    const phrase = normalise(quoted ?? part).slice(1);
    if (phrase !== "") phrases.add(phrase);
  }
  const query = { phrases: [...phrases] };
  if (termsOfPhrases(query.phrases).length === 0) {
    throw new ChatError("bad_query", "There is too little to search for. Write a word of two letters at least.");
  }
  return query;
}
