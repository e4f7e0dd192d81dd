import type { DatabaseSync } from "node:sqlite";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import type { DataFile } from "../shared/data_file.ts";
import { isBusy } from "./file.ts";

/** How long deleted words may still stand in the write-ahead log, milliseconds; then it is emptied. */
export const SCRUB_DELAY = 1_000;

/** Empties the write-ahead log, in which deleted words stand that are overwritten in the file itself. */
export class Scrubber {
  readonly #file: DatabaseSync;
  readonly #place: DataFile;
  readonly #clock: Clock;
  #cancel: (() => void) | undefined;

  constructor(file: DatabaseSync, place: DataFile, clock: Clock) {
    this.#file = file;
    this.#place = place;
    this.#clock = clock;
  }

  /** Empties it in a moment, and tries again until that works. */
  later(): void {
    this.#cancel ??= this.#clock.after(SCRUB_DELAY, () => {
      this.#cancel = undefined;
      try {
        // What somebody has put in its place is not to be written to.
        this.#place.check();
        const { busy } = this.#file.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get() as { busy: number };
        if (busy === 1) this.later();
      } catch (error) {
        if (!isBusy(error) && !(error instanceof ChatError)) {
          console.error("the write-ahead log could not be emptied:", error);
        }
        this.later();
      }
    });
  }

  stop(): void {
    this.#cancel?.();
  }
}
