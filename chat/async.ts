import type { Clock } from "./clock.ts";

/**
 * Waits for some work, though not for ever.
 * @param milliseconds how long to wait; the work itself goes on, and what it throws later is dropped
 * @param late gives the result in its place, or throws
 */
export async function withTimeout<Result>(
  clock: Clock,
  milliseconds: number,
  work: Promise<Result>,
  late: () => Result,
): Promise<Result> {
  const timeout = Promise.withResolvers<Result>();
  const cancel = clock.after(milliseconds, () => {
    work.catch(() => {/* nobody waits for it any more */});
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

/** Runs the work of each key one piece after the other, in the order in which it comes, also after one that failed. */
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
 * Repeats some work, each time `pause` milliseconds after it was done, also when it failed: the work itself has to say why.
 * @returns ends it, without waiting for a run under way
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
    } catch { /* the work has said why */ }
  };
  next();
  return () => {
    isOver = true;
    cancel();
  };
}
