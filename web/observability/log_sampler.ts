import type { Clock } from "../../chat/clock.ts";

/** How many lines of a kind are written per window, and its length in milliseconds; the rest is counted. */
export const LINES = 5;
export const WINDOW = 10_000;
/** Kinds that are told apart at a time; all further ones count as one. There are some fifty. */
export const KINDS = 200;
const OTHERS = "other lines";

interface Window {
  written: number;
  leftOut: number;
  cancel: () => void;
}

/** Keeps events that can happen a thousand times a second from filling the disk with equal lines. */
export class LogSampler {
  readonly #clock: Clock;
  readonly #leftOut: (kind: string, count: number) => void;
  readonly #windows = new Map<string, Window>();

  /** @param leftOut called at the end of a window with the number of lines that were not written, if there are any */
  constructor(clock: Clock, leftOut: (kind: string, count: number) => void) {
    this.#clock = clock;
    this.#leftOut = leftOut;
  }

  /** Whether to write one more line of this kind now; if not, it is counted. */
  admits(kind: string): boolean {
    if (!this.#windows.has(kind) && this.#windows.size >= KINDS) kind = OTHERS;
    let window = this.#windows.get(kind);
    if (!window) {
      window = { written: 0, leftOut: 0, cancel: this.#clock.after(WINDOW, () => this.#close(kind)) };
      this.#windows.set(kind, window);
    }
    const isWritten = window.written < LINES;
    if (isWritten) window.written++;
    else window.leftOut++;
    return isWritten;
  }

  /** Ends all windows, so that lines left out so far are reported. */
  close(): void {
    for (const [kind, { cancel }] of this.#windows) {
      cancel();
      this.#close(kind);
    }
  }

  #close(kind: string): void {
    const { leftOut } = this.#windows.get(kind)!;
    this.#windows.delete(kind);
    if (leftOut > 0) this.#leftOut(kind, leftOut);
  }
}
