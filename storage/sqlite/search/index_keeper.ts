import type { Clock } from "../../../chat/clock.ts";
import type { Database } from "../database.ts";
import { BUILD_LEASE, type WordIndex } from "./word_index.ts";

/** How long a step may stop everything else, milliseconds: what it does follows from what the last one took. */
const STEP_TIME = 3;
/** How much larger than the last one a step may be: one that was quick by chance should not make the next one slow. */
const GROWTH = 1.5;
/** The first step, and the smallest and the largest one. */
const REMOVE = { first: 100, least: 10, most: 2_000 };
const BUILD = { first: 20, least: 5, most: 500 };
/** Parts of the index that are merged at once, and about how many pages of the file a step of it writes: 1 to 5 ms. */
const UNMERGED = 16;
const MERGE_PAGES = 16;
/** It rests so many times as long as it has worked, and a millisecond at least. */
const REST = 2;

/**
 * Removes words from the index that are to be removed, merges its parts, and adds messages that are not in it yet, in
 * small steps with everyone else's writes between them. It stops when there is nothing left; what a restart leaves, it
 * finds.
 */
export class IndexKeeper {
  readonly #database: Database;
  readonly #words: WordIndex;
  readonly #clock: Clock;
  readonly #removed: () => void;
  #isRunning = false;
  #isAsked = false;
  #isClosed = false;
  #isRenewed = false;
  #cancel: (() => void) | undefined;

  /** @param removed called when words have been overwritten, which still stand in the write-ahead log */
  constructor(database: Database, words: WordIndex, clock: Clock, removed: () => void) {
    this.#database = database;
    this.#words = words;
    this.#clock = clock;
    this.#removed = removed;
  }

  /** Begins, if there is something to do. */
  start(): void {
    this.#isAsked = true;
    if (!this.#isRunning && !this.#isClosed) void this.#run();
  }

  /** The index has been written to. @param removesWords and there are words to be removed */
  written(removesWords: boolean): void {
    if (removesWords || this.#words.unmerged >= UNMERGED) this.start();
  }

  /** Builds the index again, once: what is broken after that is not the index alone. */
  async renew(): Promise<void> {
    if (this.#isRenewed) return;
    this.#isRenewed = true;
    await this.#database.write(() => this.#words.renew());
    this.start();
  }

  /** No step begins any more. One that has begun ends as a write of the database. */
  stop(): void {
    this.#isClosed = true;
    this.#cancel?.();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    try {
      while (this.#isAsked && !this.#isClosed) {
        this.#isAsked = false;
        await this.#merge();
        if (!this.#words.hasWork) break;
        await this.#remove();
        await this.#build();
      }
    } catch {
      // The database has reported it.
      if (!this.#isClosed) this.#cancel = this.#clock.after(BUILD_LEASE, () => this.start());
    }
    this.#isRunning = false;
  }

  async #remove(): Promise<void> {
    let most = REMOVE.first;
    while (!this.#isClosed) {
      const asked = most;
      const { result, took } = await this.#step(() => this.#words.removeStep(asked));
      if (result > 0) this.#removed();
      if (result < asked) return;
      most = adapted(asked, took, REMOVE);
      await this.#rest(took);
      await this.#merge();
    }
  }

  async #merge(): Promise<void> {
    if (this.#words.unmerged < UNMERGED) return;
    while (!this.#isClosed) {
      const { result: more, took } = await this.#step(() => this.#words.mergeStep(MERGE_PAGES));
      if (!more) return;
      await this.#rest(took);
    }
  }

  async #build(): Promise<void> {
    let most = BUILD.first;
    while (!this.#isClosed) {
      const asked = most;
      const { result, took } = await this.#step(() => this.#words.buildStep(asked, this.#clock.now()));
      if (result === undefined) return;
      if (result === "later") {
        // That one may die.
        this.#cancel = this.#clock.after(BUILD_LEASE, () => this.start());
        return;
      }
      most = adapted(asked, took, BUILD);
      await this.#rest(took);
      await this.#merge();
      if (this.#isAsked) return;
    }
  }

  async #step<Result>(work: () => Result): Promise<{ result: Result; took: number }> {
    let took = 0;
    const result = await this.#database.write(() => {
      const start = this.#clock.monotonic();
      const done = work();
      took = this.#clock.monotonic() - start;
      return done;
    });
    return { result, took };
  }

  #rest(took: number): Promise<void> {
    return new Promise((resolve) => this.#cancel = this.#clock.after(Math.max(1, REST * took), resolve));
  }
}

/** How much the next step does, so that it takes `STEP_TIME`. */
function adapted(asked: number, took: number, { least, most }: { least: number; most: number }): number {
  const fitting = took > 0 ? asked * STEP_TIME / took : asked * 2;
  return Math.round(Math.min(most, GROWTH * asked, Math.max(least, fitting)));
}
