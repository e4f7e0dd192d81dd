import type { Clock } from "../../chat/clock.ts";

/**
 * Connections that are taken in one turn of the event loop. Each makes work in the turns that follow, a third of a
 * millisecond in all; thousands at once, as after a restart, would hold up messages for as long as all of them take.
 */
export const ARRIVALS_A_TURN = 40;

/** Lets those who connect in, a few in each turn of the event loop, in the order in which they came. */
export class Arrivals {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #places = ARRIVALS_A_TURN;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whose turn it is: undefined for somebody who may go on at once. */
  wait(): Promise<void> | undefined {
    if (this.#places === ARRIVALS_A_TURN) this.#clock.soon(() => this.#next());
    if (this.#places === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#places--;
  }

  #next(): void {
    const taken = this.#waiting.splice(0, ARRIVALS_A_TURN);
    this.#places = ARRIVALS_A_TURN - taken.length;
    if (taken.length > 0) this.#clock.soon(() => this.#next());
    for (const go of taken) go();
  }
}
