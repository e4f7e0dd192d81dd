import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import type { DataFile } from "../shared/data_file.ts";
import { BUSY_TIMEOUT, isBusy } from "./file.ts";

/**
 * How long it pauses on average between two tries, milliseconds: about as long as somebody's commit takes. It does not
 * grow, or whoever has waited longest would come too late most often.
 */
const BUSY_PAUSE = 2;

interface Waiting {
  work: () => unknown;
  resolve(result: unknown): void;
  reject(reason: unknown): void;
}

/** Writes as much as a name or a message may need, and removes it. */
const PROBE = "INSERT OR REPLACE INTO meta VALUES ('probe', hex(zeroblob(8192))); DELETE FROM meta WHERE key = 'probe'";

/** Thrown by work that knows now what not to do: the transaction is done once more. */
export class OnceMore extends Error {}

/**
 * One connection to a database file. What waits to be written goes into one transaction: one `fsync` serves all of it.
 */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #file: DataFile;
  readonly #clock: Clock;
  readonly #statements = new Map<string, StatementSync>();
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #gathered = false;
  #failed = false;

  /** @param file looked at before each commit: what is written to another file than the one at the path is lost */
  constructor(connection: DatabaseSync, file: DataFile, clock: Clock) {
    this.#connection = connection;
    this.#file = file;
    this.#clock = clock;
  }

  /** A statement, which is prepared once. @param text one of a few: each is remembered */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) this.#statements.set(text, statement = this.#connection.prepare(text));
    return statement;
  }

  /** Does what some statements say, inside of a transaction. */
  execute(statements: string): void {
    this.#connection.exec(statements);
  }

  /** Reads, and sees one state of the file throughout. @throws {ChatError} `unavailable` */
  read<Result>(work: () => Result): Promise<Result> {
    try {
      return Promise.resolve(this.inOneState(work));
    } catch (error) {
      console.error("the database could not be read:", error);
      return Promise.reject(new ChatError("unavailable", "The store can't be read now. Try again in a moment.", 2));
    }
  }

  /** The same at once. @throws what SQLite throws */
  inOneState<Result>(work: () => Result): Result {
    this.#connection.exec("BEGIN");
    try {
      return work();
    } finally {
      this.#connection.exec("COMMIT");
    }
  }

  /**
   * Finds out whether the file is there, can be read, and is not locked by another process; after a write that failed,
   * also whether it can be written.
   * @throws {ChatError} `unavailable`
   */
  async check(): Promise<void> {
    await this.write(() => this.#connection.exec(this.#failed ? PROBE : "SELECT value FROM meta"));
  }

  /**
   * Does some work on the file inside a transaction, and resolves with its result once that is safely on the disk.
   * @param work may be done again if somebody else was writing, so it changes nothing but the file
   * @param gathered the work is a batch already, so it does not wait for more
   * @throws {ChatError} `unavailable`: the work may or may not have been stored
   */
  write<Result>(work: () => Result, gathered = false): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
    });
    this.#gathered ||= gathered;
    this.#running ??= this.#writeAll();
    return result;
  }

  /**
   * Empties the write-ahead log.
   * @returns false if another connection kept it from that
   * @throws what SQLite throws, and {ChatError} `unavailable` if the file was removed or replaced
   */
  emptyLog(): boolean {
    // A file that somebody has put in its place is left alone.
    this.#file.check();
    return (this.sql("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number }).busy === 0;
  }

  /** Resolves when nothing waits to be written. */
  async settled(): Promise<void> {
    await this.#running;
  }

  close(): void {
    this.#connection.close();
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      if (!this.#gathered) await new Promise<void>((resolve) => this.#clock.soon(resolve));
      this.#gathered = false;
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        const results = await this.#commit(batch);
        this.#failed = false;
        batch.forEach(({ resolve }, at) => resolve(results[at]));
      } catch (error) {
        this.#failed = true;
        const refusal = refusalFor(error);
        for (const { reject } of batch) reject(refusal);
      }
    }
    this.#running = undefined;
  }

  /** Tries again from a timer while somebody else is writing; other errors are for the caller. */
  async #commit(batch: Waiting[]): Promise<unknown[]> {
    const start = this.#clock.monotonic();
    for (;;) {
      try {
        return this.#transaction(() => batch.map(({ work }) => work()));
      } catch (error) {
        if (error instanceof OnceMore) continue;
        if (!isBusy(error) || this.#clock.monotonic() - start >= BUSY_TIMEOUT) throw error;
      }
      // Two who wait for each other should not come back at the same time.
      const pause = BUSY_PAUSE * (0.5 + Math.random());
      await new Promise<void>((resolve) => this.#clock.after(pause, resolve));
    }
  }

  #transaction<Result>(work: () => Result): Result {
    this.#file.check();
    this.#connection.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#connection.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#connection.exec("ROLLBACK");
      } catch { /* SQLite has rolled back by itself, as it does when the disk is full */ }
      throw error;
    }
  }
}

/** What those are told who waited for a transaction that failed. Whoever runs the server is told why. */
function refusalFor(error: unknown): ChatError {
  if (error instanceof ChatError) return error;
  if (!isBusy(error)) console.error("the database could not be written:", error);
  else console.error(`the database could not be written: another process has locked it for ${BUSY_TIMEOUT / 1000} s`);
  return new ChatError("unavailable", "The store can't be written now. Send it again, with the same id.", 2);
}
