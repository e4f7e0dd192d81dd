import type { HeldName, NameClaim, NameHolder, NameRegistry } from "../chat/storage.ts";

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

  hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (const { user, until } of holds) {
      const name = this.#names.get(this.#keys.get(user) ?? "");
      if (name) name.until = Math.max(name.until, until);
    }
    return Promise.resolve();
  }

  #claim(claim: NameClaim): HeldName | NameHolder {
    const ownKey = this.#keys.get(claim.user);
    const own = ownKey === undefined ? undefined : this.#names.get(ownKey);
    if (own && !claim.chosen) {
      own.until = Math.max(own.until, claim.until);
      return { name: own.name, chosen: own.chosen };
    }
    const holder = this.#names.get(claim.key);
    if (holder && holder.user !== claim.user) {
      if (holder.until > claim.now) return { holder: holder.user, until: holder.until };
      this.#keys.delete(holder.user);
    }
    if (ownKey !== undefined) this.#names.delete(ownKey);
    if (this.#names.size >= this.#beforeSweep) this.#sweep(claim.now);
    const { user, name, chosen, until } = claim;
    this.#names.set(claim.key, { user, name, chosen, until });
    this.#keys.set(user, claim.key);
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
