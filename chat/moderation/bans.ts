import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import { CachedValue } from "../rooms/cached_value.ts";
import type { Ban, Storage } from "../storage.ts";
import { BannedError } from "../errors.ts";

/** How often the bans are read again, milliseconds: the event that they have changed may get lost. */
export const BANS_INTERVAL = 30_000;
/** In place of an address: it will be filled in, and banned too, as soon as this person comes from one. */
export const ADDRESS_PENDING = "";

/** Who was kept out, for the audit log. */
export interface BannedVisit {
  user: string;
  addressKey?: string;
}

/** What the bans work on. */
interface BansDeps {
  storage: Pick<Storage, "moderation" | "publish">;
  clock: Clock;
  /** The form in which an address is kept; undefined for one that is never banned. */
  hashAddress(addressKey: string): string | undefined;
  /** Called when there are other bans than before. */
  changed(): void;
  /** Called each time that somebody is kept out. */
  audit(visit: BannedVisit): void;
}

/** The bans, as this isolate knows them. */
export class Bans {
  readonly #deps: BansDeps;
  readonly #bans: CachedValue<Ban[]>;
  #byUser = new Map<string, Ban>();
  #byAddress = new Map<string, Ban>();
  #stopReading: (() => void) | undefined;

  constructor(deps: BansDeps) {
    const { storage, clock } = deps;
    this.#deps = deps;
    this.#bans = new CachedValue(() => storage.moderation.bans(clock.now()), clock, (bans, before) => {
      // Mostly nothing has changed, and checking every session is expensive.
      if (JSON.stringify(bans) === JSON.stringify(before)) return;
      this.#byUser = new Map(bans.map((ban) => [ban.user, ban]));
      // Of several with one address the longest counts.
      const byEnd = bans.toSorted((one, other) => one.until - other.until);
      this.#byAddress = new Map(byEnd.map((ban) => [ban.address ?? ADDRESS_PENDING, ban]));
      this.#byAddress.delete(ADDRESS_PENDING);
      if (bans.length > 0) deps.changed();
    });
  }

  /**
   * Lets in whoever is not banned.
   * @throws {BannedError}
   * @throws {ChatError} `unavailable` until the bans have been read once
   */
  async admit(user: string, addressKey?: string): Promise<void> {
    this.#stopReading ??= interval(this.#deps.clock, BANS_INTERVAL, () => void this.refresh());
    await this.#bans.get();
    this.check(user, addressKey);
  }

  /**
   * The same by the bans that are known here now. Tells the audit log.
   * @throws {BannedError}
   */
  check(user: string, addressKey?: string): void {
    if (this.#byUser.size === 0) return;
    const address = this.hashed(addressKey);
    const now = this.#deps.clock.now();
    const bans = [this.#byUser.get(user), this.#byAddress.get(address ?? ADDRESS_PENDING)];
    const ban = bans.find((ban) => ban !== undefined && ban.until > now);
    if (!ban) return;
    if (ban.address === ADDRESS_PENDING && address !== undefined) this.#addAddress({ ...ban, address });
    this.#deps.audit({ user, addressKey });
    const end = new Date(ban.until).toISOString().slice(0, 16);
    throw new BannedError(`A moderator keeps you out until ${end} UTC. Come back after that.`);
  }

  /** The form in which an address is kept; undefined for one that is never banned. */
  hashed(addressKey: string | undefined): string | undefined {
    return addressKey === undefined ? undefined : this.#deps.hashAddress(addressKey);
  }

  /** Reads them again. Resolves when that is done or has failed. */
  refresh(): Promise<void> {
    return this.#bans.refresh();
  }

  /** Stops all timers. */
  dispose(): void {
    this.#stopReading?.();
    this.#bans.dispose();
  }

  /** Stores the address with its ban, unless that has been lifted or replaced in the meantime. */
  #addAddress(ban: Ban & { address: string }): void {
    this.#byUser.set(ban.user, ban);
    this.#byAddress.set(ban.address, ban);
    this.#deps.storage.moderation.bans(this.#deps.clock.now()).then(async (bans) => {
      const current = bans.find(({ user, date }) => user === ban.user && date === ban.date);
      if (current?.address !== ADDRESS_PENDING) return;
      await this.#deps.storage.moderation.ban(ban);
      this.#deps.storage.publish({ kind: "bans_changed" });
    }).catch((error) => console.error("the address of a ban could not be stored:", error));
  }
}
