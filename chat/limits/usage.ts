import { isUnlimited, type Rate, type RateLimitedAction, type Rates, TokenBucket } from "./token_bucket.ts";

/** From one address may come what so many people may do, all at full speed: a classroom never feels it. */
const PEOPLE_AT_ADDRESS = 30;
/**
 * Seconds of that which may be read at once. A person may read two minutes' worth, since few ever do; as many people as
 * one address can bring would keep the server busy for as long.
 */
const READ_BURST_SECONDS = 10;
/**
 * As multiples of the connections that an address may have: so many may be opened at once, as after a restart, and so many
 * a second. The runtime keeps what is left of one that broke off (some 6 KB) for up to a minute.
 */
const OPENINGS = { perSecond: 0.1, burst: 2 };
/** So much that was refused is answered; whoever goes on without waiting is flooding and gets no more answers. */
const PATIENCE: Rate = { perSecond: 1, burst: 50 };
/** How long a flooder stays away, milliseconds: twice as long each time up to the most, until calm for as long as that. */
const FIRST_BLOCK = 5_000;
const LONGEST_BLOCK = 10 * 60 * 1000;
/**
 * People, and addresses, that are gone and remembered because they have used up something: some 500 bytes each. Past
 * that the ones that were gone the longest are forgotten, first those that would have everything back by now.
 */
export const REMEMBERED = 20_000;
/** So many of those gone the longest are looked at for one that can be forgotten without loss. */
const LOOKED_AT = 8;

/** What is counted under one key, for as long as someone is there, and after that until all would be back. */
interface Usage {
  readonly key: string;
  /** Those who look at it, for as long as they do. */
  holders: number;
  /** Whether forgetting it would give nothing away. */
  isRested(now: number): boolean;
}

/** What one person has used up; their user is the key. Times are milliseconds that never go back. */
export class PersonUsage implements Usage {
  readonly key: string;
  holders = 0;
  readonly #rates: Rates;
  /** Made when first used: most people who are connected do little but listen. */
  readonly #buckets: { [D in RateLimitedAction]?: TokenBucket } = {};
  #patience: TokenBucket | undefined;
  #blockedUntil = 0;
  #nextBlock = FIRST_BLOCK;

  constructor(user: string, rates: Rates) {
    this.key = user;
    this.#rates = rates;
  }

  /** Whether this is neither limited nor forbidden, so that there is nothing to be counted. */
  mayAlways(deed: RateLimitedAction): boolean {
    return this.#blockedUntil === 0 && isUnlimited(this.#rates[deed]);
  }

  /** @returns 0, or the seconds to wait */
  take(deed: RateLimitedAction, now: number): number {
    const bucket = this.#buckets[deed] ??= new TokenBucket(this.#rates[deed]);
    return bucket.take(now);
  }

  /** Notes that something was refused. @returns whether that was once too often */
  addStrike(now: number): boolean {
    this.#patience ??= new TokenBucket(PATIENCE);
    return this.#patience.take(now) > 0;
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
    return (this.#patience?.isFull(now) ?? true) && Object.values(this.#buckets).every((bucket) => bucket.isFull(now));
  }
}

/** What has been used up from one address. */
export class AddressUsage implements Usage {
  readonly key: string;
  holders = 0;
  /** Open now, those that stalled among them. */
  connections = 0;
  /** Held in memory now, and opened from there. */
  rooms = 0;
  /** Bytes of answers that wait to be taken. */
  underWay = 0;
  readonly newcomers: TokenBucket;
  readonly openings: TokenBucket;
  readonly #rates: Rates;
  /** For what people do whom one address may bring in any number; made when first used. */
  readonly #buckets: { [D in AddressLimitedAction]?: TokenBucket } = {};

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
  take(deed: RateLimitedAction, now: number): number {
    const counted = ADDRESS_LIMITED_ACTIONS.find((one) => one === deed);
    if (!counted) return 0;
    const bucket = this.#buckets[counted] ??= new TokenBucket(ofAddress(counted, this.#rates[counted]));
    return bucket.take(now);
  }

  isRested(now: number): boolean {
    const buckets = [this.newcomers, this.openings, ...Object.values(this.#buckets)];
    return buckets.every((bucket) => bucket.isFull(now));
  }
}

/** What costs this server so much that it is counted by address too. */
const ADDRESS_LIMITED_ACTIONS = ["messages", "joins", "reads"] as const satisfies RateLimitedAction[];
type AddressLimitedAction = typeof ADDRESS_LIMITED_ACTIONS[number];

/** What one address may do, given what one person may. */
function ofAddress(deed: AddressLimitedAction, { perSecond, burst }: Rate): Rate {
  const all = PEOPLE_AT_ADDRESS * perSecond;
  return { perSecond: all, burst: deed === "reads" ? READ_BURST_SECONDS * all : PEOPLE_AT_ADDRESS * burst };
}

/** Accounts by key: all of those who are there, and of those who are gone as many as memory is set aside for. */
export class UsageTable<A extends Usage> {
  readonly #open: (key: string) => A;
  readonly #here = new Map<string, A>();
  /** In the order in which they left. */
  readonly #gone = new Map<string, A>();

  constructor(open: (key: string) => A) {
    this.#open = open;
  }

  /** Someone more is there under this key. */
  enter(key: string): A {
    let account = this.#here.get(key);
    if (!account) {
      account = this.#gone.get(key) ?? this.#open(key);
      this.#gone.delete(key);
      this.#here.set(key, account);
    }
    account.holders++;
    return account;
  }

  leave(account: A, now: number): void {
    if (--account.holders > 0) return;
    this.#here.delete(account.key);
    if (account.isRested(now)) return;
    if (this.#gone.size >= REMEMBERED) this.#forgetOne(now);
    this.#gone.set(account.key, account);
  }

  /** How many are held in memory. */
  get size(): number {
    return this.#here.size + this.#gone.size;
  }

  #forgetOne(now: number): void {
    const oldest = [...this.#gone.values().take(LOOKED_AT)];
    this.#gone.delete((oldest.find((account) => account.isRested(now)) ?? oldest[0]).key);
  }
}
