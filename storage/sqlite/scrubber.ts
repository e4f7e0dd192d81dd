import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import type { Database } from "./database.ts";
import { isBusy } from "./file.ts";

/** How long deleted words may still stand in the write-ahead log, milliseconds; then it is emptied. */
export const SCRUB_DELAY = 1_000;

/** Empties the write-ahead log, in which deleted words stand that are overwritten in the file itself. */
export class Scrubber {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #whenNobodyReads: (act: () => void) => void;
  #cancel: (() => void) | undefined;

  /** @param whenNobodyReads calls what it is given once no search reads the file, which would keep the log as it is */
  constructor(database: Database, clock: Clock, whenNobodyReads: (act: () => void) => void) {
    this.#database = database;
    this.#clock = clock;
    this.#whenNobodyReads = whenNobodyReads;
  }

  /** Empties it in a moment, and tries again until that works. */
  later(): void {
    this.#cancel ??= this.#clock.after(SCRUB_DELAY, () => {
      this.#cancel = undefined;
      this.#whenNobodyReads(() => this.#scrub());
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #scrub(): void {
    try {
      if (!this.#database.emptyLog()) this.later();
    } catch (error) {
      if (!isBusy(error) && !(error instanceof ChatError)) {
        console.error("the write-ahead log could not be emptied:", error);
      }
      this.later();
    }
  }
}
