/** How long a client waits before it connects again. */
import { CLOSE } from "../chat/protocol.ts";

/** Milliseconds: the first retry comes after about this long, and the delay doubles with every further one… */
export const RETRY_BASE = 500;
/** …up to this, so that a page left open overnight is back within half a minute. */
export const RETRY_CEILING = 30_000;
/**
 * Milliseconds over which clients spread their return after a restart of the server: there may be thousands of them.
 */
export const RESTART_SPREAD = 4_000;
/** Milliseconds, at least, before the next try after one connection too many. */
export const CROWDED_DELAY = 15_000;

/** Milliseconds until try number `attempt` (from 0) after a close with `code`. */
export function retryDelay(attempt: number, code: number, random: () => number): number {
  if (code === CLOSE.tooManyConnections || code === CLOSE.flooding) {
    return CROWDED_DELAY + random() * (RETRY_CEILING - CROWDED_DELAY);
  }
  if (attempt > 0) return random() * Math.min(RETRY_CEILING, RETRY_BASE * 2 ** attempt);
  if (code === CLOSE.restarting || code === 1001) return random() * RESTART_SPREAD;
  return RETRY_BASE * (0.5 + random());
}
