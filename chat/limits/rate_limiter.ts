import { AddressUsage, PersonUsage, UsageTable } from "./usage.ts";
import type { Clock } from "../clock.ts";
import type { RateLimitedAction, Rates } from "./token_bucket.ts";
import { type EntryFrame, KINDS } from "../entries/kinds.ts";
import type { ClientFrame } from "../protocol.ts";
import { ChatError } from "../errors.ts";

/** A flood costs its address so many newcomers, so that coming back as somebody else does not help. */
const FLOOD_COST = 10;
/** The share of all rooms that one address may open: a classroom in which each opens thirty. */
const SHARE_OF_ROOMS = 0.1;

const SENTENCES: Record<RateLimitedAction, string> = {
  messages: "You are sending too fast. Wait, then send it again.",
  joins: "You are joining rooms too fast. Wait, then join again.",
  renames: "You are changing your name too often. Wait, then choose it again.",
  signals: "You are sending too many small frames. Wait between them.",
  reads: "You are reading too fast. Wait, then ask again.",
  malformed: "Too many frames made no sense. Wait, and send only what the protocol knows.",
};

/** What a flooder is told, as the reason for the close or instead of an answer. */
export const FLOODING = "Too many frames. Come back later, wait for answers and heed retry_after.";

/** What each action counts as; what asks for an entry counts as its kind says. */
const COUNTED: Record<string, RateLimitedAction> = {
  join_room: "joins",
  set_name: "renames",
  leave_room: "signals",
  typing: "signals",
  ping: "signals",
  ...Object.fromEntries(Object.values(KINDS).map(({ asks, countsAs }) => [asks, countsAs])),
} satisfies Record<Exclude<ClientFrame, EntryFrame>["action"], RateLimitedAction>;

/** What a frame counts as, or what came in place of one. */
export function rateLimitedActionOf(frame: ClientFrame | ChatError): RateLimitedAction {
  return frame instanceof ChatError ? "malformed" : COUNTED[frame.action];
}

/** A limit that somebody reached, for whoever runs the server. */
export interface LimitReached {
  limit: RateLimitedAction | "newcomers" | "connections" | "answers" | "flooding";
  user?: string;
  addressKey?: string;
}

/**
 * Keeps any one person, and any one address, from taking more than their share of this instance. Each connection looks its
 * usage up once; from then on a check is a comparison of numbers.
 */
export class RateLimiter {
  readonly #rates: Rates;
  readonly #clock: Clock;
  readonly #report: (reached: LimitReached) => void;
  readonly #users: UsageTable<PersonUsage>;
  readonly #addresses: UsageTable<AddressUsage>;

  /** @param report told of every refusal, also in a flood of them */
  constructor(rates: Rates, clock: Clock, report: (reached: LimitReached) => void = () => {}) {
    this.#rates = rates;
    this.#clock = clock;
    this.#report = report;
    this.#users = new UsageTable((user) => new PersonUsage(user, rates));
    this.#addresses = new UsageTable((key) => new AddressUsage(key, rates));
  }

  /** What a person has used up. The caller must `release` it. */
  person(user: string): PersonUsage {
    return this.#users.enter(user);
  }

  /** What has been used up from an address. The caller must `release` it. */
  address(key: string): AddressUsage {
    return this.#addresses.enter(key);
  }

  release(person: PersonUsage | undefined, address: AddressUsage | undefined): void {
    const now = this.#clock.monotonic();
    if (person) this.#users.leave(person, now);
    if (address) this.#addresses.leave(address, now);
  }

  /** One more connection from an address; `disconnected` must follow once it costs nothing any more. */
  connected(addressKey: string): AddressUsage {
    const address = this.#addresses.enter(addressKey);
    address.connections++;
    return address;
  }

  disconnected(address: AddressUsage): void {
    address.connections--;
    this.release(undefined, address);
  }

  /** Connections from an address that are more than it may have; Infinity where it opens them too fast. */
  connectionsOver(address: AddressUsage): number {
    const { connections } = this.#rates;
    const isTooFast = address.openings.take(this.#clock.monotonic()) > 0;
    const over = connections === 0 ? 0 : isTooFast ? Infinity : Math.max(0, address.connections - connections);
    if (over > 0) this.#report({ limit: "connections", addressKey: address.key });
    return over;
  }

  /**
   * Begins an answer that may have so many bytes.
   * @returns to be called once its size is known, see `underWay`
   * @throws {ChatError} `rate_limited` to an address that has as many bytes waiting as it may
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
   * Notes that so many bytes are on their way to an address.
   * @returns to be called once they have arrived, or can't any more
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
   * Counts someone who was never here before.
   * @throws {ChatError} `rate_limited` when too many of them have come from their address
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
   * Whether a person may do something now; if so it is counted.
   * @param address where they do it from, if that is known
   * @returns why not, or "flooding" once they were refused too often
   */
  check(
    person: PersonUsage,
    address: AddressUsage | undefined,
    action: RateLimitedAction,
  ): ChatError | "flooding" | undefined {
    // Where there is no limit not even the clock is read.
    if (person.isUnlimited(action)) return undefined;
    const now = this.#clock.monotonic();
    if (person.blockedFor(now) > 0) return "flooding";
    const own = person.take(action, now);
    const wait = own || (address?.take(action, now) ?? 0);
    if (wait === 0) return undefined;
    // Nobody is a flooder for what others at their address have used up.
    if (own > 0 && person.addStrike(now)) {
      this.block(person, address);
      return "flooding";
    }
    this.#report({ limit: action, user: person.key, addressKey: address?.key });
    return new ChatError("rate_limited", SENTENCES[action], wait);
  }

  /**
   * The same for someone who keeps no connection.
   * @param user undefined: someone unknown, who is counted with all others at their address
   * @throws {ChatError} why not
   */
  admit(user: string | undefined, addressKey: string, action: RateLimitedAction): void {
    const [person, address] = [this.person(user ?? addressKey), this.address(addressKey)];
    const verdict = this.check(person, address, action);
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
   * @param opener the address that opens it, if that is known: it may open its share, unless limits by address are lifted
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
