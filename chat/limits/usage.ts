import { isUnlimited, type Rate, type RateLimitedAction, type Rates, TokenBucket } from "./token_bucket.ts";

/** One address may do what so many people may, all at full speed: a classroom never feels it. */
const PEOPLE_AT_ADDRESS = 30;
/**
 * One address may read so many seconds' worth at once. A person may read two minutes' worth, since few ever do; as many
 * people as one address can bring would keep the server busy for as long.
 */
const READ_BURST_SECONDS = 10;
/**
 * As multiples of the connections that an address may have: so many may be opened at once, as after a restart, and so many
 * a second. The runtime keeps what is left of one that broke off (some 6 KB) for up to a minute.
 */
const OPENINGS = { perSecond: 0.1, burst: 2 };
/** So many refusals are answered, each a strike; whoever goes on without waiting is flooding and gets no more answers. */
const STRIKES: Rate = { perSecond: 1, burst: 50 };
/** How long a flooder is blocked, milliseconds: twice as long each time, until calm for as long as the longest. */
const FIRST_BLOCK = 5_000;
const LONGEST_BLOCK = 10 * 60 * 1000;
/**
 * How many people, and how many addresses, are remembered after they are gone because they have used up something: some
 * 500 bytes each. Past that those gone the longest are forgotten, first the ones that would have everything back by now.
 */
export const REMEMBERED = 20_000;
/** So many of those gone the longest are searched for one that can be forgotten without loss. */
const CANDIDATES = 8;

/** What is counted under one key: while it is in use, and after that until its limits are full again. */
interface Usage {
  readonly key: string;
  /** How many use it now. */
  holders: number;
  /** Whether its limits are full again, so that it can be forgotten. */
  isRested(now: number): boolean;
}

/** What one person has used up; their user is the key. Times are milliseconds that never go back. */
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

  /** @returns 0, or the seconds to wait */
  take(action: RateLimitedAction, now: number): number {
    const bucket = this.#buckets[action] ??= new TokenBucket(this.#rates[action]);
    return bucket.take(now);
  }

  /** Notes that something was refused. @returns whether that was one strike too many */
  addStrike(now: number): boolean {
    this.#strikes ??= new TokenBucket(STRIKES);
    return this.#strikes.take(now) > 0;
  }

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
  /** Open now, those among them that stalled. */
  connections = 0;
  /** Opened from there, and held in memory now. */
  rooms = 0;
  /** Bytes of answers that are on their way. */
  underWay = 0;
  readonly newcomers: TokenBucket;
  readonly openings: TokenBucket;
  readonly #rates: Rates;
  /** For what is limited by address too, since one may bring any number of people; made when first used. */
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

  /** @returns 0, or the seconds to wait until somebody at this address may do it */
  take(action: RateLimitedAction, now: number): number {
    if (!LIMITED_BY_ADDRESS.includes(action)) return 0;
    const bucket = this.#buckets[action] ??= new TokenBucket(ofAddress(action, this.#rates[action]));
    return bucket.take(now);
  }

  isRested(now: number): boolean {
    const buckets = [this.newcomers, this.openings, ...Object.values(this.#buckets)];
    return buckets.every((bucket) => bucket.isFull(now));
  }
}

/** What costs this server so much that it is limited by address too. */
const LIMITED_BY_ADDRESS: readonly RateLimitedAction[] = ["messages", "joins", "reads"];

/** What one address may do, given what one person may. */
function ofAddress(action: RateLimitedAction, { perSecond, burst }: Rate): Rate {
  const all = PEOPLE_AT_ADDRESS * perSecond;
  return { perSecond: all, burst: action === "reads" ? READ_BURST_SECONDS * all : PEOPLE_AT_ADDRESS * burst };
}

/** Usage by key: all that is in use, and as much of what is not as memory is set aside for. */
export class UsageTable<A extends Usage> {
  readonly #open: (key: string) => A;
  readonly #inUse = new Map<string, A>();
  /** Not in use any more, in the order in which that began. */
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
