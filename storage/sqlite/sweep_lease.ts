import type { DatabaseSync, StatementSync } from "node:sqlite";

/** Whose turn it is to sweep, among the isolates that share a database file. The caller keeps the transaction. */
export class SweepLease {
  readonly #take: StatementSync;

  constructor(file: DatabaseSync) {
    // A clock that was set back must not keep everyone waiting.
    this.#take = file.prepare(`
      INSERT INTO meta VALUES ('swept', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value
      WHERE abs(CAST(value AS INTEGER) - ?1) >= ?2`);
  }

  /** Whether the turn is the caller's: nobody had one within `pause`, milliseconds, before `now`. */
  take(now: number, pause: number): boolean {
    return this.#take.run(now, pause).changes > 0;
  }
}
