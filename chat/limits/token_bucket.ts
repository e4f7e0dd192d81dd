/** So many a second, and so many at once by whoever has been quiet for a while. A 0 in either: no limit. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** How much anyone may ask of this instance. Each is a setting; `settings.ts` says what it is when it is not set. */
export interface Rates {
  /** Of a person: messages, edits and deletions together. */
  messages: Rate;
  /** Of a person: rooms joined. Each costs a page of history. From an address 30 times that, as with messages. */
  joins: Rate;
  /** Of a person: names chosen. Each is told to everyone who sees them. */
  renames: Rate;
  /** Of a person: `typing`, `ping` and `leave_room`, which cost little. */
  signals: Rate;
  /**
   * Of a person: pages of history and lists asked for without a connection. From an address 30 times that, ten seconds'
   * worth at once.
   */
  reads: Rate;
  /** Of a person: frames that make no sense. Far fewer than messages: no client that works sends any. */
  malformed: Rate;
  /** From an address: people who were never here before. */
  newcomers: Rate;
  /** From an address, at a time, those among them that stalled; 0: no limit. */
  connections: number;
  /** Bytes of answers that may be on their way to one address; 0: no limit. */
  answers: number;
  /** Held in memory at a time, whoever is in them; 0: no limit. */
  rooms: number;
}

/** What a person does that is counted. */
export type RateLimitedAction = "messages" | "joins" | "renames" | "signals" | "reads" | "malformed";

export function isUnlimited({ perSecond, burst }: Rate): boolean {
  return perSecond === 0 || burst === 0;
}

/** Milliseconds by which sums of fractions may be off. */
const ROUNDING = 1e-3;

/**
 * A bucket of tokens that fills at an even pace, kept as one number: the moment at which it will be full again
 * (telephone networks call it GCRA). No timer fills it, and one that nobody touches costs nothing.
 */
export class TokenBucket {
  /** Milliseconds in which one token comes, and in which all do; 0: there are always enough. */
  readonly #interval: number;
  readonly #window: number;
  /** Milliseconds, by the clock that `now` is read from. */
  #fullAt = 0;

  constructor({ perSecond, burst }: Rate) {
    this.#interval = isUnlimited({ perSecond, burst }) ? 0 : 1000 / perSecond;
    this.#window = burst * this.#interval;
  }

  /**
   * Takes a token.
   * @param now milliseconds that never go back
   * @returns 0, or the seconds until there is a token; then none was taken
   */
  take(now: number): number {
    if (this.#interval === 0) return 0;
    const fullAt = Math.max(this.#fullAt, now) + this.#interval;
    const early = fullAt - this.#window - now;
    if (early > ROUNDING) return Math.ceil(early / 100) / 10;
    this.#fullAt = fullAt;
    return 0;
  }

  /** Takes tokens away, as many as there are at most, whether or not someone asked for them. */
  spend(now: number, tokens: number): void {
    this.#fullAt = Math.min(Math.max(this.#fullAt, now) + tokens * this.#interval, now + this.#window);
  }

  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
