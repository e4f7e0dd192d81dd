import { type Clock, systemClock } from "../../chat/clock.ts";

/** So often the server answers others, one after the other, while nothing comes: then nothing will come any more. */
const ANSWERS = 20;
/** Milliseconds between two of these answers. */
const PAUSE = 50;

/** Time in which timeouts are over as soon as nothing will come, on a machine however fast or busy. */
export class PatientClock implements Clock {
  readonly #url: string;
  readonly #timeout: number;
  /** What is to be done when nothing comes, and how often the server has answered others meanwhile. */
  readonly #waits = new Map<() => void, number>();
  #looking: Promise<void> | undefined;
  readonly now = systemClock.now;
  readonly monotonic = systemClock.monotonic;
  readonly soon = systemClock.soon;

  /**
   * @param url what is asked there comes the way of what is waited for
   * @param timeout milliseconds; who asks for as many has no other time
   */
  constructor(url: string, timeout: number) {
    this.#url = url;
    this.#timeout = timeout;
  }

  after(milliseconds: number, act: () => void): () => void {
    if (milliseconds !== this.#timeout) return systemClock.after(milliseconds, act);
    const wait = () => act();
    this.#waits.set(wait, 0);
    this.#looking ??= this.#look();
    return () => this.#waits.delete(wait);
  }

  /** Something came or went between the server and the doctor. */
  notePiece(): void {
    for (const wait of this.#waits.keys()) this.#waits.set(wait, 0);
  }

  /** Resolves when nobody waits any more. */
  async end(): Promise<void> {
    await this.#looking;
  }

  async #look(): Promise<void> {
    while (this.#waits.size > 0) {
      await new Promise<void>((resolve) => systemClock.after(PAUSE, resolve));
      if (this.#waits.size === 0) break;
      await fetch(this.#url).then((answer) => answer.text(), () => {/* what fails has answered too */});
      for (const [wait, answers] of this.#waits) {
        this.#waits.set(wait, answers + 1);
        if (answers + 1 < ANSWERS) continue;
        this.#waits.delete(wait);
        wait();
      }
    }
    this.#looking = undefined;
  }
}
