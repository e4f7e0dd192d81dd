import type { DatabaseSync } from "node:sqlite";
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

/** Writes what waits in one transaction, so that one `fsync` serves all of it. */
export class GroupCommit {
  readonly #file: DatabaseSync;
  readonly #place: DataFile;
  readonly #clock: Clock;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #gathered = false;
  #failed = false;

  /** @param place where the file stands: what is committed elsewhere is not kept */
  constructor(file: DatabaseSync, place: DataFile, clock: Clock) {
    this.#file = file;
    this.#place = place;
    this.#clock = clock;
  }

  /** Whether the latest transaction failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Does some work on the file inside a transaction, and resolves with its result once that is safely on the disk.
   * @param work may be done again if somebody else was writing, so it changes nothing but the file
   * @param gathered it is many pieces of work already, for which no others need be waited
   * @throws {ChatError} `unavailable`: it may or may not have been kept
   */
  run<Result>(work: () => Result, gathered = false): Promise<Result> {
    const result = new Promise<Result>((resolve, reject) => {
      this.#waiting.push({ work, resolve: resolve as Waiting["resolve"], reject });
    });
    this.#gathered ||= gathered;
    this.#running ??= this.#writeAll();
    return result;
  }

  /** Resolves when nothing waits to be written. */
  async settled(): Promise<void> {
    await this.#running;
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
        if (!isBusy(error) || this.#clock.monotonic() - start >= BUSY_TIMEOUT) throw error;
      }
      // Two who wait for each other should not come back at the same time.
      const pause = BUSY_PAUSE * (0.5 + Math.random());
      await new Promise<void>((resolve) => this.#clock.after(pause, resolve));
    }
  }

  #transaction<Result>(work: () => Result): Result {
    this.#place.check();
    this.#file.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#file.exec("COMMIT");
      return result;
    } catch (error) {
      try {
        this.#file.exec("ROLLBACK");
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
