/** How long something real may take to happen, milliseconds: far more than it does on a busy machine. */
const TIMEOUT = 20_000;
/** Milliseconds between two looks. */
const PAUSE = 5;

/**
 * Resolves as soon as it is so: for what another process or a socket brings, which no fake clock can hurry.
 * @param timeout milliseconds
 * @throws {Error} if it is not so after that
 */
export async function until(isSo: () => boolean | Promise<boolean>, timeout = TIMEOUT): Promise<void> {
  for (const start = performance.now(); performance.now() - start < timeout;) {
    if (await isSo()) return;
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
  throw new Error(`It did not become so within ${timeout} ms: ${isSo}`);
}
