import { isUnlimited, type Rate, type RateLimitedAction, type Rates, TokenBucket } from "./token_bucket.ts";

/** One address may do as much as this many people at full speed: a classroom never notices it. */
const PEOPLE_AT_ADDRESS = 30;
/**
 * Seconds' worth of reading that one address may do at once. A person may read two minutes' worth, since few ever do;
 * all the people that one address can bring would keep the server busy for that long.
 */
const READ_BURST_SECONDS = 10;
/**
 * How fast an address may open connections, as multiples of how many it may have: all of them twice at once, as after a
 * restart. The runtime keeps what is left of a broken one (some 6 KB) for up to a minute.
 */
const OPENINGS = { perSecond: 0.1, burst: 2 };
/** Refusals that are answered, each a strike. Whoever goes on without waiting is flooding and gets no more answers. */
const STRIKES: Rate = { perSecond: 1, burst: 50 };
/** How long a flooder is blocked, milliseconds: twice as long each time, until none came for `LONGEST_BLOCK`. */
const FIRST_BLOCK = 5_000;
const LONGEST_BLOCK = 10 * 60 * 1000;
/**
 * How many people, and how many addresses, are remembered after they have left with limits that are not full again:
 * some 500 bytes each. Beyond that those gone the longest are forgotten, rested ones first.
 */
export const REMEMBERED = 20_000;
/** How many of those gone the longest are searched for a rested one. */
const CANDIDATES = 8;

/** What is counted under one key, while it is in use and until its limits are full again. */
interface Usage {
  readonly key: string;
  /** How many connections and requests use it now. */
  holders: number;
  /** Whether its limits are full again, so that it can be forgotten. */
  isRested(now: number): boolean;
}

/** What one person, whose user is the key, has used up. Times are milliseconds that never go back. */
export class PersonUsage implements Usage {
  readonly key: string;
  holders = 0;
  readonly #rates: Rates;
  /** Made when first used: most people who are connected do little but listen. */
  readonly #buckets: { [D in RateLimitedAction]?: TokenBucket } = {};
  #strikes: TokenBucket | undefined;
  #blockedUntil = 0;
  #nextBlock = FIRST_BLOCK;

  constructor(user: string, rates: Rates) {
    this.key = user;
    this.#rates = rates;
  }

  /** Whether there is nothing to count: no limit, and no block. */
  isUnlimited(action: RateLimitedAction): boolean {
    return this.#blockedUntil === 0 && isUnlimited(this.#rates[action]);
  }

  /**
   * @param times how often it counts
   * @returns 0, or the seconds to wait
   */
  take(action: RateLimitedAction, now: number, times = 1): number {
    const bucket = this.#buckets[action] ??= new TokenBucket(this.#rates[action]);
    return bucket.take(now, times);
  }

  /** Counts a refusal. @returns whether that was one strike too many */
  addStrike(now: number): boolean {
    this.#strikes ??= new TokenBucket(STRIKES);
    return this.#strikes.take(now) > 0;
  }

  /** Blocks this person, twice as long as the last time. */
  block(now: number): void {
    if (now - this.#blockedUntil > LONGEST_BLOCK) this.#nextBlock = FIRST_BLOCK;
    this.#blockedUntil = now + this.#nextBlock;
    this.#nextBlock = Math.min(2 * this.#nextBlock, LONGEST_BLOCK);
  }

  /** Seconds until a flooder may come back; 0 for everyone else. */
  blockedFor(now: number): number {
    return Math.max(0, this.#blockedUntil - now) / 1000;
  }

  isRested(now: number): boolean {
    if (this.#nextBlock > FIRST_BLOCK && now - this.#blockedUntil <= LONGEST_BLOCK) return false;
    return (this.#strikes?.isFull(now) ?? true) && Object.values(this.#buckets).every((bucket) => bucket.isFull(now));
  }
}

/** What has been used up from one address. */
export class AddressUsage implements Usage {
  readonly key: string;
  holders = 0;
  /** Open now, stalled ones included. */
  connections = 0;
  /** Opened from there and in memory now. */
  rooms = 0;
  /** Bytes of answers that are on their way. */
  underWay = 0;
  readonly newcomers: TokenBucket;
  readonly openings: TokenBucket;
  readonly #rates: Rates;
  /** Made when first used. */
  readonly #buckets: { [D in RateLimitedAction]?: TokenBucket } = {};

  constructor(key: string, rates: Rates) {
    const { newcomers, connections } = rates;
    this.key = key;
    this.#rates = rates;
    this.newcomers = new TokenBucket(newcomers);
    this.openings = new TokenBucket({
      perSecond: OPENINGS.perSecond * connections,
      burst: OPENINGS.burst * connections,
    });
  }

  /**
   * @param times how often it counts
   * @returns 0, or the seconds until somebody at this address may do it
   */
  take(action: RateLimitedAction, now: number, times = 1): number {
    if (!LIMITED_BY_ADDRESS.includes(action)) return 0;
    const bucket = this.#buckets[action] ??= new TokenBucket(ofAddress(action, this.#rates[action]));
    return bucket.take(now, times);
  }

  isRested(now: number): boolean {
    if (this.rooms > 0) return false;
    const buckets = [this.newcomers, this.openings, ...Object.values(this.#buckets)];
    return buckets.every((bucket) => bucket.isFull(now));
  }
}

/** What costs so much that it is limited by address too, which may bring any number of people. */
const LIMITED_BY_ADDRESS: readonly RateLimitedAction[] = ["messages", "joins", "reads"];

/** What one address may do, given what one person may. */
function ofAddress(action: RateLimitedAction, { perSecond, burst }: Rate): Rate {
  const all = PEOPLE_AT_ADDRESS * perSecond;
  return { perSecond: all, burst: action === "reads" ? READ_BURST_SECONDS * all : PEOPLE_AT_ADDRESS * burst };
}

/** Usage by key: all that is in use, and up to `REMEMBERED` that are not. */
export class UsageTable<A extends Usage> {
  readonly #open: (key: string) => A;
  readonly #inUse = new Map<string, A>();
  /** No longer in use, the longest first. */
  readonly #remembered = new Map<string, A>();

  constructor(open: (key: string) => A) {
    this.#open = open;
  }

  /** The usage under this key; the caller must `leave` it. */
  enter(key: string): A {
    let usage = this.#inUse.get(key);
    if (!usage) {
      usage = this.#remembered.get(key) ?? this.#open(key);
      this.#remembered.delete(key);
      this.#inUse.set(key, usage);
    }
    usage.holders++;
    return usage;
  }

  /** Ends one use. A usage that nobody uses is remembered until it is rested. */
  leave(usage: A, now: number): void {
    if (--usage.holders > 0) return;
    this.#inUse.delete(usage.key);
    if (usage.isRested(now)) return;
    if (this.#remembered.size >= REMEMBERED) this.#forgetOne(now);
    this.#remembered.set(usage.key, usage);
  }

  /** How many are held in memory. */
  get size(): number {
    return this.#inUse.size + this.#remembered.size;
  }

  #forgetOne(now: number): void {
    const oldest = [...this.#remembered.values().take(CANDIDATES)];
    this.#remembered.delete((oldest.find((usage) => usage.isRested(now)) ?? oldest[0]).key);
  }
}
