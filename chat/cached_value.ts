import type { Clock } from "./clock.ts";

/** Wait before what could not be read is read again, milliseconds. */
const REREAD_DELAY = 1_000;

/**
 * Something that stands in the store, as this isolate read it last. Whoever hears that it may be another one by now asks
 * for it to be read again; what was heard is never taken for it, since it may be late, doubled or out of order.
 */
export class CachedValue<Value> {
  readonly #read: () => Promise<Value>;
  readonly #clock: Clock;
  readonly #changed: (value: Value, before: Value | undefined) => void;
  #value: Value | undefined;
  #reading: Promise<Value> | undefined;
  #outdated = false;
  #cancelReread: (() => void) | undefined;
  #disposed = false;

  /** @param changed is called after each reading, whatever came of it */
  constructor(read: () => Promise<Value>, clock: Clock, changed: (value: Value, before: Value | undefined) => void) {
    this.#read = read;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** What it was at the last reading, or undefined before the first one. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** What it was at the last reading, which is waited for where there was none. @throws {ChatError} `unavailable` */
  async get(): Promise<Value> {
    return this.#value ?? await (this.#reading ?? this.#begin());
  }

  /**
   * Has it read again: from a moment after this call, and until that works.
   * @returns resolves once that was done or has failed
   */
  async refresh(): Promise<void> {
    this.#cancelReread?.();
    if (!this.#reading) return await done(this.#begin());
    this.#outdated = true;
    await done(this.#reading);
    // Another one has begun as that one ended.
    await done(this.#reading);
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    this.#disposed = true;
    this.#cancelReread?.();
  }

  #begin(): Promise<Value> {
    return this.#reading = this.#read().then((value) => {
      if (this.#disposed) return value;
      const before = this.#value;
      this.#value = value;
      this.#changed(value, before);
      return value;
    }, (error) => {
      if (!this.#disposed && this.#value !== undefined) {
        this.#cancelReread = this.#clock.after(REREAD_DELAY, () => this.refresh());
      }
      throw error;
    }).finally(() => {
      this.#reading = undefined;
      if (!this.#outdated || this.#disposed) return;
      this.#outdated = false;
      done(this.#begin());
    });
  }
}

/** Resolves when a reading is over. Of one that failed the next one, or whoever asks, will know. */
async function done(reading: Promise<unknown> | undefined): Promise<void> {
  await reading?.catch(() => {});
}
