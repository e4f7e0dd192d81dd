import type { Clock } from "../../../chat/clock.ts";
import type { Rulebook } from "../../../chat/rulebook.ts";
import { isFound } from "../../../chat/search/matcher.ts";
import type { SearchQuery } from "../../../chat/search/query.ts";
import type { SearchRequest, SearchResult } from "../../../chat/storage.ts";
import { historyPage, type StoredMessage } from "../../shared/page.ts";
import { searchResult } from "../../shared/search_result.ts";
import type { Database } from "../database.ts";
import { ACTIONS, MESSAGE, stored } from "../entry_rows.ts";
import { type RoomRow, type RoomTable, toRecord } from "../rooms.ts";
import type { Found } from "./find.ts";
import { Searcher } from "./searcher.ts";

const FOUND = `SELECT ${MESSAGE} FROM entries ${ACTIONS}
  WHERE entries.room = ? AND entries.seq IN (SELECT value FROM json_each(?)) ORDER BY entries.seq DESC`;

/**
 * Searches the logs in a database file. A worker says which messages match. They are read here, with everything else
 * that is shown, as they are by then.
 */
export class Search {
  readonly #database: Database;
  readonly #rooms: RoomTable;
  readonly #rules: Rulebook;
  readonly #clock: Clock;
  readonly #searcher: Searcher;

  constructor(
    path: string,
    { database, rooms, rules, clock, broken }: {
      database: Database;
      rooms: RoomTable;
      rules: Rulebook;
      clock: Clock;
      broken: () => void;
    },
  ) {
    this.#database = database;
    this.#rooms = rooms;
    this.#rules = rules;
    this.#clock = clock;
    this.#searcher = new Searcher(path, clock, broken);
  }

  /** @throws {ChatError} `unavailable` */
  async search(name: string, { query, user, before, limit }: SearchRequest): Promise<SearchResult> {
    const { room, head, floor, messages } = await this.#database.read(() => this.#rooms.find(name));
    const found: Found = room === 0 ? { seqs: [] } : await this.#searcher.find({
      room,
      phrases: query.phrases,
      user,
      before: Math.min(before ?? Infinity, head + 1),
      limit,
      floor,
      oldest: this.#rules.oldest(this.#clock.now()),
      ordinalFloor: this.#rules.ordinalFloor(messages),
    });
    return await this.#database.read(() => this.#page(this.#rooms.find(name), query, found));
  }

  /** Does something while no search reads the file. */
  between(act: () => void): void {
    this.#searcher.between(act);
  }

  close(): Promise<void> {
    return this.#searcher.close();
  }

  #page(room: RoomRow, query: SearchQuery, { seqs, next }: Found): SearchResult {
    const { messages, more } = historyPage(this.#matching(room, seqs, query), {
      room: room.name,
      record: toRecord(room),
      rules: this.#rules,
      now: this.#clock.now(),
      limit: seqs.length,
      isBackwards: true,
    });
    const before = more ? messages[0].seq : next;
    return searchResult({ epoch: room.epoch, seq: room.head }, messages, before);
  }

  /** Newest first, without those that have been changed since. */
  *#matching(room: RoomRow, seqs: readonly number[], query: SearchQuery): Generator<StoredMessage> {
    for (const message of stored(this.#database.sql(FOUND).iterate(room.room, JSON.stringify(seqs)))) {
      if (message.document && isFound(query, message.document)) yield message;
    }
  }
}
