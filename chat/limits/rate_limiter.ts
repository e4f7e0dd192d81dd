import { AddressUsage, PersonUsage, UsageTable } from "./usage.ts";
import type { Clock } from "../clock.ts";
import type { RateLimitedAction, Rates } from "./token_bucket.ts";
import { type EntryFrame, KINDS } from "../entries/kinds.ts";
import type { ClientFrame } from "../protocol.ts";
import { ChatError } from "../errors.ts";

/** Newcomers that a flood costs its address, so that coming back as somebody else does not help. */
const FLOOD_COST = 10;
/** The share of all rooms that one address may open: enough for a classroom in which everyone opens thirty. */
const SHARE_OF_ROOMS = 0.1;

const SENTENCES: Record<RateLimitedAction, string> = {
  messages: "You are sending too fast. Wait, then send it again.",
  joins: "You are joining rooms too fast. Wait, then join again.",
  renames: "You are changing your name too often. Wait, then choose it again.",
  signals: "You are sending too many small frames. Wait between them.",
  reads: "You are reading too fast. Wait, then ask again.",
  malformed: "Too many frames made no sense. Wait, and send only what the protocol knows.",
};

/** What a flooder is told, as the reason of the close or as an error. */
export const FLOODING = "Too many frames. Come back later, wait for answers and heed retry_after.";

/** What each action counts as. For one that asks for an entry, the kind of the entry says it. */
const COUNTED: Record<string, RateLimitedAction> = {
  join_room: "joins",
  set_name: "renames",
  leave_room: "signals",
  typing: "signals",
  ping: "signals",
  ...Object.fromEntries(Object.values(KINDS).map(({ asks, countsAs }) => [asks, countsAs])),
} satisfies Record<Exclude<ClientFrame, EntryFrame>["action"], RateLimitedAction>;

/** What a frame counts as, or the refusal of one that could not be read. */
export function rateLimitedActionOf(frame: ClientFrame | ChatError): RateLimitedAction {
  return frame instanceof ChatError ? "malformed" : COUNTED[frame.action];
}

/** A limit that somebody reached, for the audit log. */
export interface LimitReached {
  limit: RateLimitedAction | "newcomers" | "connections" | "answers" | "flooding";
  user?: string;
  addressKey?: string;
}

/**
 * Keeps one person, and one address, from taking more than their share of this isolate. A connection looks up its usage
 * once; from then on a check is a comparison of numbers.
 */
export class RateLimiter {
  readonly #rates: Rates;
  readonly #clock: Clock;
  readonly #report: (reached: LimitReached) => void;
  readonly #users: UsageTable<PersonUsage>;
  readonly #addresses: UsageTable<AddressUsage>;

  /** @param report called for every refusal, also in a flood of them */
  constructor(rates: Rates, clock: Clock, report: (reached: LimitReached) => void = () => {}) {
    this.#rates = rates;
    this.#clock = clock;
    this.#report = report;
    this.#users = new UsageTable((user) => new PersonUsage(user, rates));
    this.#addresses = new UsageTable((key) => new AddressUsage(key, rates));
  }

  /** The usage of a person. The caller must `release` it. */
  person(user: string): PersonUsage {
    return this.#users.enter(user);
  }

  /** The usage of an address. The caller must `release` it. */
  address(key: string): AddressUsage {
    return this.#addresses.enter(key);
  }

  /** Ends the use of what `person` and `address` gave. */
  release(person: PersonUsage | undefined, address: AddressUsage | undefined): void {
    const now = this.#clock.monotonic();
    if (person) this.#users.leave(person, now);
    if (address) this.#addresses.leave(address, now);
  }

  /** Counts one more connection from an address. `disconnected` must follow once it takes no memory any more. */
  connected(addressKey: string): AddressUsage {
    const address = this.#addresses.enter(addressKey);
    address.connections++;
    return address;
  }

  disconnected(address: AddressUsage): void {
    address.connections--;
    this.release(undefined, address);
  }

  /** How many connections an address has beyond its limit; Infinity if it opens them too fast. */
  connectionsOver(address: AddressUsage): number {
    const { connections } = this.#rates;
    const isTooFast = address.openings.take(this.#clock.monotonic()) > 0;
    const over = connections === 0 ? 0 : isTooFast ? Infinity : Math.max(0, address.connections - connections);
    if (over > 0) this.#report({ limit: "connections", addressKey: address.key });
    return over;
  }

  /**
   * Reserves bytes for an answer whose size is not known yet.
   * @returns gives them back: to be called once the size is known, and counted by `underWay`
   * @throws {ChatError} `rate_limited` if an address has as many bytes waiting as it may
   */
  answering(addressKey: string, bytes: number): () => void {
    const address = this.#addresses.enter(addressKey);
    const { underWay } = address;
    this.release(undefined, address);
    if (this.#rates.answers === 0 || underWay < this.#rates.answers) return this.underWay(addressKey, bytes);
    this.#report({ limit: "answers", addressKey });
    throw new ChatError(
      "rate_limited",
      "Too many answers to your address are under way. Take them, then ask again.",
      1,
    );
  }

  /**
   * Counts bytes that are on their way to an address.
   * @returns to be called once they have arrived, or never will
   */
  underWay(addressKey: string, bytes: number): () => void {
    const address = this.#addresses.enter(addressKey);
    address.underWay += bytes;
    return () => {
      address.underWay -= bytes;
      this.release(undefined, address);
    };
  }

  /**
   * Counts a new person.
   * @throws {ChatError} `rate_limited` if too many have come from their address
   */
  admitNewcomer(addressKey: string): void {
    const address = this.address(addressKey);
    const wait = address.newcomers.take(this.#clock.monotonic());
    this.release(undefined, address);
    if (wait === 0) return;
    this.#report({ limit: "newcomers", addressKey });
    throw new ChatError("rate_limited", "Too many new people have come from your address. Come back later.", wait);
  }

  /**
   * Counts what a person does, if they may do it now.
   * @param times how often it counts, if it costs more than most
   * @returns undefined if they may, else why not: "flooding" after too many refusals
   */
  check(
    person: PersonUsage,
    address: AddressUsage | undefined,
    action: RateLimitedAction,
    times = 1,
  ): ChatError | "flooding" | undefined {
    // Without a limit not even the clock is read.
    if (person.isUnlimited(action)) return undefined;
    const now = this.#clock.monotonic();
    if (person.blockedFor(now) > 0) return "flooding";
    const own = person.take(action, now, times);
    const wait = own || (address?.take(action, now, times) ?? 0);
    if (wait === 0) return undefined;
    // What others at the same address have used up makes nobody a flooder.
    if (own > 0 && person.addStrike(now)) {
      this.block(person, address);
      return "flooding";
    }
    this.#report({ limit: action, user: person.key, addressKey: address?.key });
    return new ChatError("rate_limited", SENTENCES[action], wait);
  }

  /**
   * The same for a request without a connection.
   * @param user undefined: unknown, and counted together with all others at the address
   * @param times as in `check`
   * @throws {ChatError} `rate_limited`
   */
  admit(user: string | undefined, addressKey: string, action: RateLimitedAction, times = 1): void {
    const [person, address] = [this.person(user ?? addressKey), this.address(addressKey)];
    const verdict = this.check(person, address, action, times);
    const wait = this.blockedFor(person);
    this.release(person, address);
    if (verdict === "flooding") throw new ChatError("rate_limited", FLOODING, wait);
    if (verdict) throw verdict;
  }

  /** Blocks a flooder, longer each time. */
  block(person: PersonUsage, address: AddressUsage | undefined): void {
    const now = this.#clock.monotonic();
    person.block(now);
    address?.newcomers.spend(now, FLOOD_COST);
    this.#report({ limit: "flooding", user: person.key, addressKey: address?.key });
  }

  /**
   * Whether one more room than these may be held in memory.
   * @param opener the address that opens it: it may open its share, unless limits by address are switched off
   */
  hasPlaceForRoom(rooms: number, opener?: AddressUsage): boolean {
    const { rooms: places, connections } = this.#rates;
    if (places === 0) return true;
    const share = opener && connections > 0 ? Math.ceil(places * SHARE_OF_ROOMS) : places;
    return rooms < places && (opener?.rooms ?? 0) < share;
  }

  /** Seconds until a flooder may come back; 0 for everyone else. */
  blockedFor(person: PersonUsage): number {
    return person.blockedFor(this.#clock.monotonic());
  }
}
