import type { Clock } from "../clock.ts";
import type { ServerFrame } from "../protocol.ts";

/**
 * How long a notice of who came or went waits per connection that it goes to, and at most, milliseconds: so arrivals
 * stay cheap where many come at once. If it goes to fewer than `A_FEW`, it does not wait.
 */
const WAIT_PER_RECIPIENT = 10;
const LONGEST_WAIT = 1_000;
const A_FEW = 10;
/** If so many have come together by then, more are on their way: they wait for so long in all, milliseconds. */
const A_CROWD = 5;
const LONGEST_CROWD_WAIT = 2_000;

/** Collects what a room sends beside its log: together the notices cost as much as one of them. */
export class NoticeBuffer {
  readonly #clock: Clock;
  readonly #due: () => void;
  #frames: ServerFrame[] = [];
  #cancel: (() => void) | undefined;

  /** @param due called when the notices have waited long enough */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get length(): number {
    return this.#frames.length;
  }

  /** @param recipients how many connections it goes to */
  add(frame: ServerFrame, recipients: number): void {
    this.#frames.push(frame);
    if (recipients < A_FEW || frame.action === "room_count") this.#due();
    else if (!this.#cancel) {
      const wait = Math.min(recipients * WAIT_PER_RECIPIENT, LONGEST_WAIT);
      this.#cancel = this.#clock.after(wait, () => {
        if (this.#frames.length < A_CROWD) this.#due();
        else this.#cancel = this.#clock.after(LONGEST_CROWD_WAIT - wait, this.#due);
      });
    }
  }

  /** Takes the notices since the last call. */
  take(): ServerFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.dispose();
    return frames;
  }

  /** Stops the timer. */
  dispose(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
