import type { Clock } from "../clock.ts";

/** The longest wait for the pace, milliseconds: people do not notice it in a conversation. */
export const LONGEST_WAIT = 100;

/**
 * How long deferrable requests wait after a run, as a multiple of what that run cost: work takes less than half of the
 * event loop. With 1 the slowest deliveries of many rooms come a sixth sooner, and each costs a tenth more; with 1.5 it
 * is the other way round.
 */
const REST = 1.25;

/**
 * Runs one piece of work whenever something waits for it, one run at a time: the next run takes all that arrived during
 * the last one. Idle, a run starts as soon as the events at hand have been handled. Under load it keeps a pace:
 * deferrable requests wait in proportion to what the last run cost, so that the loop has time for everything else, and
 * each run does more at once.
 */
export class Pacer {
  readonly #clock: Clock;
  readonly #work: () => Promise<void>;
  #wanted = false;
  #urgent = false;
  #endPause: (() => void) | undefined;
  #running: Promise<void> | undefined;
  #due = -Infinity;

  /** @param work takes all that waits when it starts; must not throw */
  constructor(clock: Clock, work: () => Promise<void>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Asks for a run that begins after this call. @param deferrable whether it may wait for the pace */
  request(deferrable = false): void {
    this.#wanted = true;
    if (!deferrable) {
      this.#urgent = true;
      this.#endPause?.();
    }
    this.#running ??= this.#run();
  }

  /** Whether deferrable requests have waited long enough. */
  get isDue(): boolean {
    return this.#clock.monotonic() >= this.#due;
  }

  /**
   * Sets the pace by what sending since `start` really cost. Sending returns before the work is done: the next turn of
   * the event loop begins it, and the turn after that comes when it is done.
   * @param start by the clock's `monotonic`
   */
  async keepPace(start: number): Promise<void> {
    await this.#soon();
    await this.#soon();
    const cost = this.#clock.monotonic() - start;
    this.#due = start + cost + Math.min(REST * cost, LONGEST_WAIT);
  }

  /** Resolves when nothing waits any more; under constant load that may be never. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      await this.#soon();
      if (!this.#urgent && !this.isDue) await this.#pause();
      this.#wanted = false;
      this.#urgent = false;
      await this.#work();
    }
    this.#running = undefined;
  }

  async #pause(): Promise<void> {
    let cancel = () => {};
    await new Promise<void>((resolve) => {
      this.#endPause = resolve;
      cancel = this.#clock.after(Math.max(0, this.#due - this.#clock.monotonic()), resolve);
    });
    cancel();
    this.#endPause = undefined;
  }

  #soon(): Promise<void> {
    return new Promise((resolve) => this.#clock.soon(resolve));
  }
}
