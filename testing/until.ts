/** How long something real may take to happen, milliseconds: far more than it does on a busy machine. */
const TIMEOUT = 60_000;
/** Milliseconds between two looks, unless a look takes more. */
const PAUSE = 5;

/**
 * Resolves as soon as it is so: for what another process or a socket brings, which no fake clock can hurry.
 * @param timeout milliseconds
 * @throws {Error} if it is not so after that
 */
export async function until(isSo: () => boolean | Promise<boolean>, timeout = TIMEOUT): Promise<void> {
  for (const start = performance.now(); performance.now() - start < timeout;) {
    const look = performance.now();
    if (await isSo()) return;
    // Looking leaves at least half of the time to what it looks for.
    await new Promise((resolve) => setTimeout(resolve, Math.max(PAUSE, performance.now() - look)));
  }
  throw new Error(`It did not become so within ${timeout} ms: ${isSo}`);
}
