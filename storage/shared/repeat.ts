import type { Clock } from "../../chat/clock.ts";

/**
 * Does some work again and again, each time `pause` milliseconds after it was done, also when it failed.
 * @returns ends it; what is being done is not waited for
 */
export function repeat(clock: Clock, pause: number, work: () => Promise<void>): () => void {
  let isOver = false;
  let cancel = () => {};
  const next = () => {
    if (isOver) return;
    cancel = clock.after(pause, () => void work().catch(() => {/* it is for the work to say why */}).finally(next));
  };
  next();
  return () => {
    isOver = true;
    cancel();
  };
}
