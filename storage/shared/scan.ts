import { Serializer } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import type { Position, ReceiveMessage } from "../../chat/protocol.ts";
import { isFound } from "../../chat/search/matcher.ts";
import type { History, HistoryQuery, SearchRequest, SearchResult } from "../../chat/storage.ts";
import { fillPage } from "./page.ts";
import { MOST_SEARCHES_WAITING, searchResult, tooManySearches } from "./search_result.ts";

/** Messages that one search looks at; then it says where to go on: some 35 ms in memory, 75 ms on Redis and Deno KV. */
export const SCAN_LIMIT = 5_000;
/** Messages of one page: it is read in a turn of the event loop. */
export const SCAN_PAGE = 100;
/** How long a turn may look, milliseconds: a text of thousands of accents takes four of them by itself. */
export const TURN_TIME = 5;

/** Searches the logs of a store that has no index, by looking at the newest messages, page by page. */
export class Scanner {
  readonly #history: (room: string, query: HistoryQuery) => Promise<History>;
  readonly #clock: Clock;
  /** One at a time: several would take as many turns at once. */
  readonly #turns = new Serializer();
  #waiting = 0;

  /** @param history as a storage has it */
  constructor(history: (room: string, query: HistoryQuery) => Promise<History>, clock: Clock) {
    this.#history = history;
    this.#clock = clock;
  }

  /** @throws {ChatError} `unavailable` */
  async search(room: string, request: SearchRequest): Promise<SearchResult> {
    if (this.#waiting > MOST_SEARCHES_WAITING) throw tooManySearches();
    this.#waiting++;
    try {
      return await this.#turns.run("all", () => this.#scan(room, request));
    } finally {
      this.#waiting--;
    }
  }

  async #scan(room: string, { query, user, before, limit }: SearchRequest): Promise<SearchResult> {
    const found: ReceiveMessage[] = [];
    let position = { epoch: "", seq: 0 };
    let next = before;
    for (let looked = 0; looked < SCAN_LIMIT;) {
      const page = await this.#history(room, { limit: Math.min(SCAN_PAGE, SCAN_LIMIT - looked), before: next });
      position = { epoch: page.epoch, seq: page.seq };
      let turn = this.#clock.monotonic();
      for (const message of page.messages.toReversed()) {
        const took = this.#clock.monotonic() - turn;
        if (took >= TURN_TIME) {
          // A message's way has several turns: as much time is left for all of them.
          await new Promise<void>((resolve) => this.#clock.after(took, resolve));
          turn = this.#clock.monotonic();
        }
        const isWanted = user === undefined || message.user === user;
        if (isWanted && isFound(query, message)) found.push(message);
      }
      looked += page.messages.length;
      if (!page.more) return pageOf(position, found, limit);
      next = page.messages[0].seq;
      if (found.length > limit) break;
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
    }
    return pageOf(position, found, limit, next);
  }
}

/**
 * The page of what has been found, newest first.
 * @param next where to go on; absent: all has been looked at
 */
function pageOf(position: Position, found: readonly ReceiveMessage[], limit: number, next?: number): SearchResult {
  const { page, more } = fillPage(found, limit);
  const before = more ? page.at(-1)!.seq : next;
  return searchResult(position, page.reverse(), before);
}
