import type { DatabaseSync } from "node:sqlite";
import { isFound } from "../../../chat/search/matcher.ts";
import { termOfUser, termsOfPhrases } from "../../../chat/search/terms.ts";
import { termNumber } from "./term_number.ts";

/** How long one search may take, milliseconds; then what has been found so far is the answer. */
export const SEARCH_DEADLINE = 150;
/**
 * Messages that one statement looks through. SQLite can't be interrupted, so the width follows from what the last
 * statement cost: a rare word is found in a few of them, and two common words that never meet stop in time.
 */
const FIRST_WINDOW = 32_768;
const NARROWEST_WINDOW = 1_024;
const WIDEST_WINDOW = 1_048_576;
/** How many times wider than the last one a window may be. */
const GROWTH = 4;
/** What a statement should take, milliseconds: some two or three are for finding where to begin, however wide it is. */
const WINDOW_TIME = 10;

/** What is looked for, and where. Plain data. */
export interface Wanted {
  /** Its number in the file. */
  room: number;
  phrases: readonly string[];
  user?: string | undefined;
  /** Messages before this one are looked at. */
  before: number;
  limit: number;
  /** What is not above these has expired: a `seq`, milliseconds since 1970 (that one is still held), an ordinal. */
  floor: number;
  oldest: number;
  ordinalFloor: number;
}

/** The messages that match, newest first. `next`: before this one there may be more; absent: there are none. */
export interface Found {
  seqs: number[];
  next?: number;
}

interface Row {
  seq: number;
  user: string;
  document: string;
}

const HELD = "entries.date >= ? AND entries.ordinal > ? AND entries.document IS NOT NULL";
const SQL = {
  unindexed: "SELECT unindexed FROM rooms WHERE room = ?",
  // Walks through the index from the newest on, and looks up each message: a sorter would read them all first.
  byIndex: `SELECT entries.seq, entries.user, entries.document FROM words CROSS JOIN entries
    WHERE words MATCH ?1 AND words.rowid > ?2 * 4294967296 + ?3 AND words.rowid <= ?2 * 4294967296 + ?4
      AND entries.room = ?2 AND entries.seq = words.rowid - ?2 * 4294967296
      AND entries.date >= ?5 AND entries.ordinal > ?6 AND entries.document IS NOT NULL
    ORDER BY words.rowid DESC`,
  byScan: `SELECT seq, user, document FROM entries INDEXED BY messages
    WHERE room = ? AND seq > ? AND seq <= ? AND ${HELD} AND shown_by IS NOT NULL ORDER BY seq DESC`,
};

/**
 * Finds messages in a database file, with the index as far as that has been built.
 * @param now milliseconds, from any start
 */
export function find(file: DatabaseSync, wanted: Wanted, now: () => number, deadline = SEARCH_DEADLINE): Found {
  const end = now() + deadline;
  const { room, phrases, user, before, limit, floor, oldest, ordinalFloor } = wanted;
  const query = { phrases };
  const seqs: number[] = [];

  /** @returns where to go on, if this is the end of the search */
  function take({ seq, user: author, document }: Row): Found | undefined {
    if (user === undefined || user === author) {
      if (isFound(query, JSON.parse(document))) {
        // There is one more than was asked for.
        if (seqs.length === limit) return { seqs, next: seqs[limit - 1] };
        seqs.push(seq);
      }
    }
    return now() >= end ? { seqs, next: seq } : undefined;
  }

  // All of it in one state of the file.
  file.exec("BEGIN");
  try {
    const unindexed = (file.prepare(SQL.unindexed).get(room) as { unindexed: number } | undefined)?.unindexed ?? 0;
    const terms = termsOfPhrases(phrases);
    if (user !== undefined) terms.push(termOfUser(user));
    const match = terms.map((term) => `"${termNumber(term)}"`).join(" AND ");
    let to = before - 1;
    let width = FIRST_WINDOW;
    const bottom = Math.max(floor, unindexed);
    // An index that is left alone may be damaged.
    const byIndex = to > bottom ? file.prepare(SQL.byIndex) : undefined;
    while (to > bottom) {
      const start = now();
      const from = Math.max(bottom, to - width);
      for (const row of byIndex!.iterate(match, room, from, to, oldest, ordinalFloor)) {
        const found = take(row as unknown as Row);
        if (found) return found;
      }
      to = from;
      if (now() >= end && to > floor) return { seqs, next: to + 1 };
      const fitting = width * WINDOW_TIME / (now() - start);
      width = Math.floor(Math.min(WIDEST_WINDOW, GROWTH * width, Math.max(NARROWEST_WINDOW, fitting)));
    }
    for (const row of file.prepare(SQL.byScan).iterate(room, floor, to, oldest, ordinalFloor)) {
      const found = take(row as unknown as Row);
      if (found) return found;
    }
    return { seqs };
  } finally {
    file.exec("COMMIT");
  }
}
