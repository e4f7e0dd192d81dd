/** How many per second, and how many at once after a quiet time. 0 in either: no limit. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** The limits of one isolate. Each is a setting, whose default is in `settings.ts`. */
export interface Rates {
  /** Per person: messages, edits and deletions together. */
  messages: Rate;
  /** Per person: rooms joined. Each costs a page of history. Per address 30 times that, as with messages. */
  joins: Rate;
  /** Per person: names chosen. Each goes to everyone who sees them. */
  renames: Rate;
  /** Per person: `typing`, `ping` and `leave_room`, which cost little. */
  signals: Rate;
  /** Per person: pages and lists asked for over HTTP. Per address 30 times that, ten seconds' worth at once. */
  reads: Rate;
  /** Per person: frames that make no sense. Far fewer than messages: no working client sends any. */
  malformed: Rate;
  /** Per address: new people. */
  newcomers: Rate;
  /** Open at a time per address, stalled ones included; 0: no limit. */
  connections: number;
  /** Bytes of answers on their way to one address; 0: no limit. */
  answers: number;
  /** Held in memory at a time, by all people together; 0: no limit. */
  rooms: number;
}

/** What is counted of the things a person does. */
export type RateLimitedAction = "messages" | "joins" | "renames" | "signals" | "reads" | "malformed";

export function isUnlimited({ perSecond, burst }: Rate): boolean {
  return perSecond === 0 || burst === 0;
}

/** Milliseconds by which sums of fractions may be off. */
const ROUNDING = 1e-3;

/**
 * A token bucket, kept as one number: the moment at which it will be full again (the generic cell rate algorithm). It
 * needs no timer, and an unused one costs nothing.
 */
export class TokenBucket {
  /** Milliseconds until one token comes, and until all do; 0: unlimited. */
  readonly #interval: number;
  readonly #window: number;
  /** Milliseconds, by the clock of `now`. */
  #fullAt = 0;

  constructor({ perSecond, burst }: Rate) {
    this.#interval = isUnlimited({ perSecond, burst }) ? 0 : 1000 / perSecond;
    this.#window = burst * this.#interval;
  }

  /**
   * Takes a token, or several at once.
   * @param now milliseconds that never go back
   * @param tokens more than the bucket holds are as many as it holds: it must be full
   * @returns 0, or the seconds until there are as many if none could be taken
   */
  take(now: number, tokens = 1): number {
    if (this.#interval === 0) return 0;
    const taken = Math.max(this.#interval, Math.min(tokens * this.#interval, this.#window));
    const fullAt = Math.max(this.#fullAt, now) + taken;
    const early = fullAt - this.#window - now;
    if (early > ROUNDING) return Math.ceil(early / 100) / 10;
    this.#fullAt = fullAt;
    return 0;
  }

  /** Takes as many of these tokens as there are. */
  spend(now: number, tokens: number): void {
    this.#fullAt = Math.min(Math.max(this.#fullAt, now) + tokens * this.#interval, now + this.#window);
  }

  isFull(now: number): boolean {
    return this.#fullAt <= now;
  }
}
