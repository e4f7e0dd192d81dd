import type { Clock } from "../chat/clock.ts";
import { networkOf } from "./address.ts";

/** Under attack so many lines are written for each reason within each of these times, milliseconds; the rest is counted. */
export const LINES = 5;
export const WINDOW = 10_000;
/** Characters of what a client wrote itself; longer ones are cut. */
const LENGTH = 100;

/** Who was refused, and why. There is no place in it for a message's text, a token or a full address. */
export interface Refused {
  /** A word for the reason, one of a few: lines are counted by it. */
  why: string;
  user?: string;
  addressKey?: string;
  origin?: string | null;
  path?: string;
}

interface Window {
  written: number;
  leftOut: number;
  over: () => void;
}

/** One line of JSON for each who was refused, as long as they are few. */
export class Journal {
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  readonly #windows = new Map<string, Window>();

  constructor(clock: Clock, write: (line: string) => void) {
    this.#clock = clock;
    this.#write = write;
  }

  refused({ why, user, addressKey, origin, path }: Refused): void {
    let window = this.#windows.get(why);
    if (!window) {
      window = { written: 0, leftOut: 0, over: this.#clock.after(WINDOW, () => this.#close(why)) };
      this.#windows.set(why, window);
    }
    if (window.written === LINES) return void window.leftOut++;
    window.written++;
    const network = addressKey === undefined ? undefined : networkOf(addressKey);
    this.#line({ why, user, network, origin: origin?.slice(0, LENGTH), path: path?.slice(0, LENGTH) });
  }

  /** Writes what is still to be said of those that were left out. */
  close(): void {
    for (const [why, { over }] of this.#windows) {
      over();
      this.#close(why);
    }
  }

  #close(why: string): void {
    const { leftOut } = this.#windows.get(why)!;
    this.#windows.delete(why);
    if (leftOut > 0) this.#line({ why, left_out: leftOut });
  }

  #line(entry: Record<string, unknown>): void {
    this.#write(JSON.stringify({ time: new Date(this.#clock.now()).toISOString(), event: "refused", ...entry }));
  }
}
