import {
  GIVEN_NAME_MEMORY,
  type HeldName,
  type NameClaim,
  type NameHolder,
  type NameOffer,
  type NameRegistry,
} from "../../chat/storage.ts";
import { KEY, type KvStore } from "./store.ts";

/** Users whose names are held in one commit: what one read may ask for. */
const HOLDS_A_COMMIT = 10;

interface NameRecord extends HeldName {
  user: string;
  until: number;
}

/** Who is called what, in Deno KV. */
export class KvNames implements NameRegistry {
  readonly #store: KvStore;

  constructor(store: KvStore) {
    this.#store = store;
  }

  claim(claim: NameClaim): Promise<HeldName | NameHolder> {
    return this.#claim({ ...claim, chosen: true });
  }

  async give(offers: readonly NameOffer[], until: number, now: number): Promise<(HeldName | undefined)[]> {
    return await Promise.all(offers.map(async ({ user, candidates }) => {
      for (const candidate of candidates) {
        const claimed = await this.#claim({ ...candidate, user, chosen: false, until, now });
        if (!("holder" in claimed)) return claimed;
      }
    }));
  }

  async hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    const now = this.#store.clock.now();
    for (let from = 0; from < holds.length; from += HOLDS_A_COMMIT) {
      const some = holds.slice(from, from + HOLDS_A_COMMIT);
      await this.#store.writing(async () => {
        const called = await this.#store.load<string>(some.map(({ user }) => KEY.called(user)));
        const known = called.flatMap(({ value }, at) => value === undefined ? [] : [{ ...some[at], key: value }]);
        const names = await this.#store.load<NameRecord>(known.map(({ key }) => KEY.name(key)));
        const operation = this.#store.kv.atomic();
        for (const [at, { value, check }] of names.entries()) {
          const { user, until, key } = known[at];
          if (value?.user !== user || value.until >= until) continue;
          operation.check(check);
          put(operation, key, { ...value, until }, now);
        }
        return (await operation.commit()).ok || undefined;
      });
    }
  }

  /** Where the name was not chosen, a user who has one keeps that. */
  async #claim({ user, key, name, chosen, until, now }: NameClaim & HeldName): Promise<HeldName | NameHolder> {
    return await this.#store.writing<HeldName | NameHolder>(async () => {
      const called = await this.#store.get<string>(KEY.called(user));
      const [own, holder] = await this.#store.load<NameRecord>([KEY.name(called.value ?? key), KEY.name(key)]);
      const operation = this.#store.kv.atomic().check(called.check, own.check, holder.check);
      const before = own.value?.user === user ? own.value : undefined;
      const other = holder.value?.user === user ? undefined : holder.value;
      const hold = async (at: string, record: NameRecord) => {
        put(operation, at, record, now);
        return (await operation.commit()).ok ? { name: record.name, chosen: record.chosen } : undefined;
      };
      if (before && !chosen) return hold(called.value!, { ...before, until: Math.max(before.until, until) });
      if (other && other.until > now) return { holder: other.user, until: other.until };
      if (other) operation.delete(KEY.called(other.user));
      if (before && called.value !== key) operation.delete(KEY.name(called.value!));
      return hold(key, { user, name, chosen, until });
    });
  }
}

/** Writes who holds a name, and what that user is called. A given name expires when it has been nobody's for long. */
function put(operation: Deno.AtomicOperation, key: string, record: NameRecord, now: number): void {
  const expireIn = record.chosen ? undefined : Math.max(1, record.until - now) + GIVEN_NAME_MEMORY;
  operation.set(KEY.name(key), record, { expireIn }).set(KEY.called(record.user), key, { expireIn });
}
