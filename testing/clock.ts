import type { Clock } from "../chat/clock.ts";

/** Time that stands still until a test moves it. */
export class FakeClock implements Clock {
  #now = Date.UTC(2026, 0, 1);
  #timers: { at: number; act: () => void }[] = [];

  /** How many calls are due at some later time. */
  get waiting(): number {
    return this.#timers.length;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(milliseconds: number, act: () => void): () => void {
    const timer = { at: this.#now + milliseconds, act };
    this.#timers.push(timer);
    return () => this.#timers = this.#timers.filter((other) => other !== timer);
  }

  soon(act: () => void): void {
    queueMicrotask(act);
  }

  /** Sets the clock, as an administrator does: nothing that waits is due for it. */
  set(now: number): void {
    for (const timer of this.#timers) timer.at += now - this.#now;
    this.#now = now;
  }

  /** Time that a test's own work takes: it passes at once, and nothing else happens meanwhile. */
  spend(milliseconds: number): void {
    this.#now += milliseconds;
  }

  /** Lets time pass, calling what falls due in its order, and lets all that follows from it happen. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.#now + milliseconds;
    for (;;) {
      await settle();
      const due = this.#timers.filter(({ at }) => at <= end).sort((one, other) => one.at - other.at)[0];
      if (!due) break;
      this.#timers = this.#timers.filter((timer) => timer !== due);
      this.#now = Math.max(this.#now, due.at);
      due.act();
    }
    this.#now = Math.max(this.#now, end);
  }
}

/** Resolves when all that only waited for its turn has had it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
