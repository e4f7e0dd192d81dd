/** Time, passed in so that tests move it by hand instead of sleeping. */
export interface Clock {
  /** Milliseconds since 1970. It may go back: the store, not the clock, keeps dates in order. */
  now(): number;
  /** Milliseconds since some moment, with fractions; never goes back. For measuring how long something took. */
  monotonic(): number;
  /** Calls `act` once after `milliseconds`. @returns cancels that */
  after(milliseconds: number, act: () => void): () => void;
  /** Calls `act` once the events that are already waiting have been taken, without adding a wait of its own. */
  soon(act: () => void): void;
}

export const systemClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  after(milliseconds, act) {
    const timer = setTimeout(act, milliseconds);
    return () => clearTimeout(timer);
  },
  soon(act) {
    setImmediate(act);
  },
};
