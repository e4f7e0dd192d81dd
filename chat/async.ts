import type { Clock } from "./clock.ts";

/**
 * Waits for some work, but not longer than a given time. After that the work goes on, and what it throws is dropped.
 * @param late gives the result if the work takes longer, or throws
 */
export async function withTimeout<Result>(
  clock: Clock,
  milliseconds: number,
  work: Promise<Result>,
  late: () => Result,
): Promise<Result> {
  const timeout = Promise.withResolvers<Result>();
  const cancel = clock.after(milliseconds, () => {
    work.catch(() => {/* nobody waits for it now */});
    try {
      timeout.resolve(late());
    } catch (error) {
      timeout.reject(error);
    }
  });
  try {
    return await Promise.race([work, timeout.promise]);
  } finally {
    cancel();
  }
}

/** Runs the work of each key one piece after the other, in the order of the calls, also after one that failed. */
export class Serializer<Key = "all"> {
  readonly #last = new Map<Key, Promise<unknown>>();

  run<Result>(key: Key, work: () => Result | Promise<Result>): Promise<Result> {
    const result = (this.#last.get(key) ?? Promise.resolve()).then(work);
    const over = result.then(() => {}, () => {}).then(() => {
      if (this.#last.get(key) === over) this.#last.delete(key);
    });
    this.#last.set(key, over);
    return result;
  }

  /** Resolves when no work waits or runs; under unbroken load that may be never. */
  async settled(): Promise<void> {
    while (this.#last.size > 0) await Promise.all(this.#last.values());
  }
}

/**
 * Repeats some work, each time `pause` milliseconds after it ended. A failure is dropped: the work logs its own.
 * @returns stops it, without waiting for a run that has begun
 */
export function interval(clock: Clock, pause: number, work: () => void | Promise<void>): () => void {
  let isOver = false;
  let cancel = () => {};
  const next = () => {
    if (isOver) return;
    cancel = clock.after(pause, () => void run().finally(next));
  };
  const run = async () => {
    try {
      await work();
    } catch { /* the work has logged it */ }
  };
  next();
  return () => {
    isOver = true;
    cancel();
  };
}
