import type { Subscriber } from "../subscriber.ts";

/** The connections that get everything that a room sends. */
export class LiveSubscribers {
  readonly #subscribers = new Set<Subscriber>();
  #batching = 0;

  get size(): number {
    return this.#subscribers.size;
  }

  /** How many of them take each frame by itself. */
  get plain(): number {
    return this.size - this.#batching;
  }

  /** Whether one of them takes many frames as one, so that waiting for more frames saves work. */
  get deferrable(): boolean {
    return this.#batching > 0;
  }

  [Symbol.iterator](): Iterator<Subscriber> {
    return this.#subscribers.values();
  }

  add(subscriber: Subscriber): void {
    this.#subscribers.add(subscriber);
    if (subscriber.connection.batch) this.#batching++;
  }

  /** @returns whether it was one of them */
  delete(subscriber: Subscriber): boolean {
    const wasLive = this.#subscribers.delete(subscriber);
    if (wasLive && subscriber.connection.batch) this.#batching--;
    return wasLive;
  }
}
