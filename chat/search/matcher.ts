import { isRun, normalise, SEPARATOR, TOUCHING } from "./normalise.ts";
import type { SearchQuery } from "./query.ts";

/** Whether a text has all that is searched for: the one truth of what is found, whatever finds it. */
export function matches(query: SearchQuery, text: string): boolean {
  const normalised = normalise(text);
  return query.phrases.every((phrase) =>
    isRun(phrase)
      ? normalised.includes(phrase)
      : normalised.includes(SEPARATOR + phrase) || normalised.includes(TOUCHING + phrase)
  );
}

/** Whether a message is found, by its present state: a deleted one never is. */
export function isFound(query: SearchQuery, { text, deleted }: { text?: string; deleted?: true }): boolean {
  return !deleted && text !== undefined && matches(query, text);
}
