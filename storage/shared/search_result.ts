/** What the searches of all stores have in common. */
import { ChatError } from "../../chat/errors.ts";
import type { ReceiveMessage } from "../../chat/protocol.ts";
import type { SearchResult } from "../../chat/storage.ts";

/** Searches that wait for those before them; one more is refused. */
export const MOST_SEARCHES_WAITING = 32;

/** @param before where to go on; undefined: all has been looked at */
export function searchResult(
  { epoch, seq }: { epoch: string; seq: number },
  messages: ReceiveMessage[],
  before: number | undefined,
): SearchResult {
  return { epoch, seq, messages, more: before !== undefined, ...(before !== undefined && { before }) };
}

export function tooManySearches(): ChatError {
  return new ChatError("unavailable", "Too many people search at the same time. Try again in a moment.", 1);
}
