import type { Clock } from "./clock.ts";

/**
 * Runs one piece of work whenever something waits for it, one run at a time: what arrives during a run is taken
 * together by the next. Idle, a run starts as soon as the events at hand have been taken.
 */
export class Tick {
  readonly #clock: Clock;
  readonly #work: () => Promise<void>;
  #wanted = false;
  #running: Promise<void> | undefined;

  /** @param work must not throw; it takes all that waits at its start */
  constructor(clock: Clock, work: () => Promise<void>) {
    this.#clock = clock;
    this.#work = work;
  }

  /** Asks for a run that begins after this call. */
  request(): void {
    this.#wanted = true;
    this.#running ??= this.#run();
  }

  /** Resolves when nothing waits any more; under unbroken load that may be never. */
  async settled(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    while (this.#wanted) {
      await new Promise<void>((resolve) => this.#clock.soon(resolve));
      this.#wanted = false;
      await this.#work();
    }
    this.#running = undefined;
  }
}
