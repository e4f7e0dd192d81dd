import type { Clock } from "../clock.ts";

/** Wait before a failed reading is tried again, milliseconds. */
const REREAD_DELAY = 1_000;

/**
 * A value in the store, as this isolate read it last. An event that it has changed only causes another reading: the
 * event itself never gives the value, since events may be late, doubled or out of order.
 */
export class CachedValue<Value> {
  readonly #read: () => Promise<Value>;
  readonly #clock: Clock;
  readonly #changed: (value: Value, before: Value | undefined) => void;
  #value: Value | undefined;
  #reading: Promise<Value> | undefined;
  #mustReread = false;
  #cancelReread: (() => void) | undefined;
  #disposed = false;

  /** @param changed called after each successful reading, also if the value is the same */
  constructor(read: () => Promise<Value>, clock: Clock, changed: (value: Value, before: Value | undefined) => void) {
    this.#read = read;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** The value at the last reading, or undefined before the first one. */
  get value(): Value | undefined {
    return this.#value;
  }

  /** The value at the last reading, or at the first one if there was none yet. @throws {ChatError} `unavailable` */
  async get(): Promise<Value> {
    return this.#value ?? await (this.#reading ?? this.#begin());
  }

  /**
   * Reads it again, beginning after this call; a failed reading is repeated later.
   * @returns resolves once the reading is done or has failed
   */
  async refresh(): Promise<void> {
    this.#cancelReread?.();
    if (!this.#reading) return await done(this.#begin());
    this.#mustReread = true;
    await done(this.#reading);
    // Another one has begun as that one ended.
    await done(this.#reading);
  }

  /** Stops all timers, and forgets a reading that has begun. */
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
      if (!this.#mustReread || this.#disposed) return;
      this.#mustReread = false;
      done(this.#begin());
    });
  }
}

/** Resolves when a reading is over. If it failed, `get` throws, or there is an older value. */
async function done(reading: Promise<unknown> | undefined): Promise<void> {
  await reading?.catch(() => {});
}
