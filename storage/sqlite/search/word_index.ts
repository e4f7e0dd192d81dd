import type { StatementSync } from "node:sqlite";
import type { Document } from "../../../chat/entries/kind.ts";
import { termOfUser, termsOfText } from "../../../chat/search/terms.ts";
import { type Database, OnceMore } from "../database.ts";
import { termNumber } from "./term_number.ts";
import { EMPTY_INDEX, isBroken, LEAVE_INDEX } from "./terms_version.ts";

/** The `rowid` of a message in the index: as a text of SQL, since it may be more than a number of JavaScript holds. */
export const ROWID = "? * 4294967296 + ?";
/** How long an isolate that builds the index has the turn after its last step, milliseconds. */
export const BUILD_LEASE = 10_000;

const SQL = {
  add: `INSERT INTO words (rowid, terms) VALUES (${ROWID}, ?)`,
  remove: `INSERT INTO words (words, rowid, terms) VALUES ('delete', ${ROWID}, ?)`,
  // Or it would happen at the commit, where nobody could take care of what fails.
  flush: "INSERT INTO words (words) VALUES ('flush')",
  merge: "INSERT INTO words (words, rank) VALUES ('merge', ?)",
  changes: "SELECT total_changes() AS changes",
  toRemove: "SELECT terms FROM words_to_remove WHERE room = ? AND seq = ?",
  remember: "INSERT OR REPLACE INTO words_to_remove (room, seq, terms) VALUES (?, ?, ?)",
  forget: "DELETE FROM words_to_remove WHERE room = ? AND seq = ?",
  nextToRemove: "SELECT room, seq, terms FROM words_to_remove ORDER BY room, seq LIMIT ?",
  roomToBuild: "SELECT room, unindexed FROM rooms WHERE unindexed > 0 ORDER BY date DESC LIMIT 1",
  nextToBuild: `SELECT seq, user, document FROM entries INDEXED BY messages
    WHERE room = ? AND seq <= ? AND shown_by IS NOT NULL ORDER BY seq DESC LIMIT ?`,
  leave: `${LEAVE_INDEX} WHERE room = ?`,
  built: "UPDATE rooms SET unindexed = ? WHERE room = ?",
  turn: "SELECT value FROM meta WHERE key = 'indexing'",
  takeTurn: "INSERT OR REPLACE INTO meta VALUES ('indexing', ?)",
  anythingToRemove: "SELECT EXISTS (SELECT 1 FROM words_to_remove) AS found",
  anythingToBuild: "SELECT EXISTS (SELECT 1 FROM rooms WHERE unindexed > 0) AS found",
};

/** A message of which the index is to know: what it said, and what it says now. */
interface Change {
  room: number;
  seq: number;
  user: string;
  before: Document | undefined;
  after: Document | undefined;
}

/**
 * The full-text index of a database file (FTS5): which messages have a term. The caller opens the transaction.
 *
 * It has the terms of every message above its room's `unindexed` that has a document. Those below are added in the
 * background. Taking terms out is slow, so they are remembered in the same transaction, and taken out in small steps:
 * until then the index finds messages that don't have them any more, which the matcher sees.
 */
export class WordIndex {
  readonly #database: Database;
  readonly #changes = new Map<string, Change>();
  /** Parts that have been written since parts were last merged: each write makes one, and each search looks in all. */
  unmerged = 0;
  /** Its part of the file is damaged: it is neither written nor read any more, until the next start. */
  #isLeft = false;
  /** Which isolate builds the index is known by this. */
  readonly #isolate = crypto.randomUUID();

  constructor(database: Database) {
    this.#database = database;
  }

  /** Forgets what has not been written: a transaction begins, maybe once more. */
  begin(): void {
    this.#changes.clear();
  }

  /**
   * Takes down that a message has another document. `write` writes it.
   * @param room `unindexed`: messages up to there are not in the index yet
   * @param before undefined: there was none
   */
  changed(
    { room, unindexed }: { room: number; unindexed: number },
    { seq, user, before, after }: Omit<Change, "room">,
  ): void {
    if (seq <= unindexed) return;
    const key = `${room} ${seq}`;
    const known = this.#changes.get(key);
    if (known) known.after = after;
    else this.#changes.set(key, { room, seq, user, before, after });
  }

  /** @returns whether there are words to be removed */
  write(): boolean {
    if (this.#changes.size === 0) return false;
    // In this order FTS5 writes them all at once.
    const changes = [...this.#changes.values()].sort((one, other) => one.room - other.room || one.seq - other.seq);
    this.#changes.clear();
    if (this.#isLeft) {
      for (const room of new Set(changes.map(({ room }) => room))) this.#sql("leave").run(room);
      return false;
    }
    return this.#guarded(() => {
      let removes = false;
      for (const change of changes) removes = this.#write(change) || removes;
      return removes;
    }) ?? true;
  }

  /** Whether there is something to remove or to build. */
  get hasWork(): boolean {
    return !this.#isLeft && (this.#finds("anythingToRemove") || this.#finds("anythingToBuild"));
  }

  /**
   * Takes some of the terms out that are to be removed.
   * @param most terms
   * @returns how many it were
   */
  removeStep(most: number): number {
    if (this.#isLeft) return 0;
    let left = most;
    this.#guarded(() => {
      for (const row of this.#sql("nextToRemove").all(most)) {
        const { room, seq, terms } = row as { room: number; seq: number; terms: string };
        const all = terms.split(" ");
        const some = all.splice(0, left);
        left -= some.length;
        this.#sql("remove").run(room, seq, some.join(" "));
        // FTS5 counts rows, and takes a count below zero for a broken file: for each that goes, one without terms comes.
        this.#sql("add").run(room, seq, "");
        if (all.length === 0) this.#sql("forget").run(room, seq);
        else this.#sql("remember").run(room, seq, all.join(" "));
        if (left === 0) break;
      }
      return true;
    });
    return most - left;
  }

  /**
   * Adds the newest messages that are not in the index, in the room with the newest entry.
   * @param most messages
   * @returns how many it were; undefined if there are none, "later" if another isolate is at it
   */
  buildStep(most: number, now: number): number | "later" | undefined {
    if (this.#isLeft) return undefined;
    const next = this.#sql("roomToBuild").get() as { room: number; unindexed: number } | undefined;
    if (!next) return undefined;
    if (!this.#isOurTurn(now)) return "later";
    const rows = this.#sql("nextToBuild").all(next.room, next.unindexed, most) as unknown as {
      seq: number;
      user: string;
      document: string | null;
    }[];
    this.#guarded(() => {
      for (const { seq, user, document } of rows.toReversed()) {
        const terms = document === null ? "" : termsOf(user, JSON.parse(document)).join(" ");
        if (terms !== "") this.#sql("add").run(next.room, seq, terms);
      }
      this.#sql("built").run(rows.length < most ? 0 : rows.at(-1)!.seq - 1, next.room);
      return true;
    });
    return rows.length;
  }

  /**
   * Merges some of the parts that have been written.
   * @param pages about so many are written
   * @returns whether there may be more to merge
   */
  mergeStep(pages: number): boolean {
    if (this.#isLeft) return false;
    const changes = () => Number(this.#sql("changes").get()!.changes);
    const written = this.#guarded(() => {
      const before = changes();
      this.#sql("merge").run(pages);
      return changes() - before;
    });
    this.unmerged = 0;
    // So FTS5 says that there was nothing left.
    return written !== undefined && written >= 2;
  }

  /** Empties it, so that it is built again. Where the file is so damaged that this can't be done, it is left alone. */
  renew(): void {
    if (this.#isLeft) return this.#database.execute(LEAVE_INDEX);
    try {
      this.#database.execute(EMPTY_INDEX);
    } catch (error) {
      if (!isBroken(error)) throw error;
      this.#isLeft = true;
      console.error(
        "a part of the database file is damaged, and the index of words in it can't be built again. Messages are stored, " +
          "and searches look at each of them. Put a backup in place, or repair the file with .recover of sqlite3.",
        error,
      );
      // After that FTS5 lets nothing more be written in the same transaction.
      throw new OnceMore();
    }
  }

  #write({ room, seq, user, before, after }: Change): boolean {
    const now = after ? termsOf(user, after) : [];
    if (!before) {
      if (now.length > 0) this.#sql("add").run(room, seq, now.join(" "));
      return false;
    }
    const present = new Set(now);
    const removing = (this.#sql("toRemove").get(room, seq) as { terms: string } | undefined)?.terms.split(" ") ?? [];
    const kept = new Set([...removing, ...termsOf(user, before)]);
    const added = now.filter((term) => !kept.has(term));
    const removed = [...kept].filter((term) => !present.has(term));
    if (added.length > 0) this.#sql("add").run(room, seq, added.join(" "));
    if (removed.length > 0) this.#sql("remember").run(room, seq, removed.join(" "));
    else if (removing.length > 0) this.#sql("forget").run(room, seq);
    return removed.length > 0;
  }

  /** Messages are stored also when the index is broken: then it is emptied, and built again. */
  #guarded<Result>(work: () => Result): Result | undefined {
    try {
      const result = work();
      this.#sql("flush").run();
      this.unmerged++;
      return result;
    } catch (error) {
      if (!isBroken(error)) throw error;
      console.error("the index of words was broken. It is built again; until then searching takes longer.", error);
      this.renew();
    }
  }

  #isOurTurn(now: number): boolean {
    const [isolate, since] = (this.#sql("turn").get()?.value as string | undefined)?.split(" ") ?? [];
    // A clock that was set back must not keep everyone waiting.
    if (isolate !== this.#isolate && Math.abs(Number(since) - now) < BUILD_LEASE) return false;
    this.#sql("takeTurn").run(`${this.#isolate} ${now}`);
    return true;
  }

  #finds(name: "anythingToRemove" | "anythingToBuild"): boolean {
    return this.#sql(name).get()!.found === 1;
  }

  #sql(name: keyof typeof SQL): StatementSync {
    return this.#database.sql(SQL[name]);
  }
}

/** By these a message is found: none if it has no words. */
function termsOf(user: string, { text, deleted }: Document): string[] {
  if (deleted || text === undefined) return [];
  const terms = termsOfText(text);
  if (terms.size === 0) return [];
  const numbers = new Set<string>();
  for (const term of terms) numbers.add(termNumber(term));
  return [...numbers.add(termNumber(termOfUser(user)))];
}
