/** Time as the page's modules see it, in milliseconds; passed in, so that tests move it by hand. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls back once, `delay` milliseconds from now. What it returns calls that off. */
  after(delay: number, callback: () => void): () => void;
}

export const browserClock: Clock = {
  now: () => Date.now(),
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};
