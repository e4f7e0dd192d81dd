import type { Clock } from "../clock.ts";

/** The longest wait for the pace, milliseconds: people do not notice it in a conversation. */
export const LONGEST_WAIT = 80;

/**
 * From the start of one run to that of the next, as a multiple of what the run cost: work takes less than half of the
 * event loop. With 2 the slowest deliveries of many rooms come a sixth sooner, and each costs a tenth more; with 2.5 it
 * is the other way round.
 */
const PERIOD = 2.25;
/** The same while more waits than one run can do: a fifth of the event loop is enough for everything else. */
const PERIOD_BEHIND = 1.25;
/**
 * The longest period, milliseconds, and more for each frame. A pause is there to save frames, and saves no more by being
 * longer than this. It must not follow the cost further up: what gathers in a longer pause costs more to send, and a
 * flood of messages would keep both long for as long as it lasts. A run that took longer than this is followed by the
 * next one at once, because whoever is behind must not rest.
 */
const LONGEST_PERIOD = 15;
const LONGEST_PERIOD_PER_FRAME = 0.05;

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
   * Sets the pace by what sending since `start` really cost.
   * @param start by the clock's `monotonic`
   * @param frames how many connections were sent something
   * @param isBehind whether more waits than one run can do: then the next one comes sooner
   */
  async keepPace(start: number, frames: number, isBehind: boolean): Promise<void> {
    await this.written();
    const cost = this.#clock.monotonic() - start;
    const longest = Math.min(LONGEST_PERIOD + frames * LONGEST_PERIOD_PER_FRAME, LONGEST_WAIT);
    this.#due = start + Math.max(cost, Math.min((isBehind ? PERIOD_BEHIND : PERIOD) * cost, longest));
  }

  /**
   * Resolves when the runtime has written what it was given to send. Sending returns before the work is done: the next
   * turn of the event loop begins it, and the turn after that comes when it is done.
   */
  async written(): Promise<void> {
    await this.#soon();
    await this.#soon();
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
