import type { HeldName, NameCandidate, NameClaim, NameHolder, NameOffer, NameRegistry } from "../chat/storage.ts";

/** How many names there are before the first sweep. The next one comes when twice as many are there as it has left. */
const NAMES_BEFORE_SWEEP = 10_000;

/** Who is called what, in this process. */
export class MemoryNames implements NameRegistry {
  readonly #names = new Map<string, HeldName & { user: string; until: number }>();
  readonly #keys = new Map<string, string>();
  #beforeSweep = NAMES_BEFORE_SWEEP;

  claim(claim: NameClaim): Promise<HeldName | NameHolder> {
    return Promise.resolve(this.#claim(claim));
  }

  give(offers: readonly NameOffer[], until: number, now: number): Promise<(HeldName | undefined)[]> {
    return Promise.resolve(offers.map((offer) => this.#give(offer, until, now)));
  }

  hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (const { user, until } of holds) {
      const name = this.#names.get(this.#keys.get(user) ?? "");
      if (name) name.until = Math.max(name.until, until);
    }
    return Promise.resolve();
  }

  #claim(claim: NameClaim): HeldName | NameHolder {
    const { user, now, until } = claim;
    const holder = this.#names.get(claim.key);
    if (holder && holder.user !== user && holder.until > now) return { holder: holder.user, until: holder.until };
    return this.#take(user, claim, true, until, now);
  }

  #give({ user, candidates }: NameOffer, until: number, now: number): HeldName | undefined {
    const own = this.#names.get(this.#keys.get(user) ?? "");
    if (own) {
      own.until = Math.max(own.until, until);
      return { name: own.name, chosen: own.chosen };
    }
    const free = candidates.find(({ key }) => (this.#names.get(key)?.until ?? now) <= now);
    return free && this.#take(user, free, false, until, now);
  }

  #take(user: string, { name, key }: NameCandidate, chosen: boolean, until: number, now: number): HeldName {
    const [ownKey, before] = [this.#keys.get(user), this.#names.get(key)];
    if (before) this.#keys.delete(before.user);
    if (ownKey !== undefined) this.#names.delete(ownKey);
    if (this.#names.size >= this.#beforeSweep) this.#sweep(now);
    this.#names.set(key, { user, name, chosen, until });
    this.#keys.set(user, key);
    return { name, chosen };
  }

  /** Removes given names whose time is over: every visitor leaves one. */
  #sweep(now: number): void {
    for (const [key, { user, chosen, until }] of this.#names) {
      if (chosen || until > now) continue;
      this.#names.delete(key);
      this.#keys.delete(user);
    }
    this.#beforeSweep = Math.max(NAMES_BEFORE_SWEEP, 2 * this.#names.size);
  }
}
