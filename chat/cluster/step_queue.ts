import type { Clock } from "../clock.ts";

/** So many rooms are taken in each step, which are so many milliseconds apart: after a pause it is the turn of all. */
const ROOMS_PER_STEP = 20;
const STEP = 100;

/** Rooms in which something is to be published that is not urgent: their turn comes in steps, a few rooms in each. */
export class StepQueue {
  readonly #clock: Clock;
  readonly #publish: (room: string, asks: boolean) => void;
  readonly #waiting = new Map<string, boolean>();
  #cancelStep: (() => void) | undefined;
  #isClosed = false;

  /** @param publish publishes in a room whose turn it is; `asks` if one of those who put it in wanted to ask */
  constructor(clock: Clock, publish: (room: string, asks: boolean) => void) {
    this.#clock = clock;
    this.#publish = publish;
  }

  /** Puts a room in; one that is in keeps its place. */
  add(room: string, asks: boolean): void {
    if (this.#isClosed) return;
    this.#waiting.set(room, asks || (this.#waiting.get(room) ?? false));
    this.#cancelStep ??= this.#clock.after(0, () => this.#step());
  }

  /** Drops all that waits, and takes nothing more. */
  close(): void {
    this.#isClosed = true;
    this.#cancelStep?.();
  }

  #step(): void {
    for (const [room, asks] of [...this.#waiting.entries().take(ROOMS_PER_STEP)]) {
      this.#waiting.delete(room);
      this.#publish(room, asks);
    }
    this.#cancelStep = this.#waiting.size > 0 ? this.#clock.after(STEP, () => this.#step()) : undefined;
  }
}
