import type { Clock } from "../../chat/clock.ts";
import { IDEMPOTENCY_WINDOW, type Rulebook, type StoredEntry } from "../../chat/rulebook.ts";
import { type Kept, type KvRoom, NO_ROOM, toRecord } from "./append.ts";
import type { KvRooms } from "./rooms.ts";
import { KEY, type KvStore } from "./store.ts";

/** Entries that one step looks at, and takes away in one commit, which may check 100 ids. */
const EXPIRE_STEP = 90;

/** Removes expired entries from Deno KV. */
export class KvExpiry {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;
  readonly #rules: Rulebook;
  readonly #clock: Clock;

  constructor(store: KvStore, rooms: KvRooms, rules: Rulebook, clock: Clock) {
    this.#store = store;
    this.#rooms = rooms;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** In all rooms, as long as it is `going`. Expired entries have been hidden since they expired. */
  async run(going: () => boolean): Promise<void> {
    for await (const { key } of this.#store.kv.list({ prefix: KEY.rooms })) {
      if (!going()) return;
      const room = String(key.at(-1));
      await this.#rooms.erase(room);
      if (!this.#rules.expires) continue;
      while (going() && await this.#takeAway(room, await this.#raiseFloor(room)));
    }
  }

  /** Notes up to where the entries of a room have expired. @returns that place */
  #raiseFloor(room: string): Promise<number> {
    return this.#store.writing(async () => {
      const { value: record = NO_ROOM, check } = await this.#store.get<KvRoom>(KEY.room(room));
      const now = this.#clock.now();
      let { floor } = record;
      for await (const { entry } of this.#rooms.entries(room, floor + 1, Math.min(record.head, floor + EXPIRE_STEP))) {
        if (this.#rules.isHeld(entry, toRecord(record), now)) break;
        floor = entry.seq;
      }
      if (floor === record.floor) return floor;
      const operation = this.#store.kv.atomic().check(check).set(KEY.room(room), { ...record, floor });
      return (await operation.commit()).ok ? floor : undefined;
    });
  }

  /** Takes some of the entries up to the floor away. Their ids stay for as long as they are to be remembered. */
  async #takeAway(room: string, floor: number): Promise<boolean> {
    const now = this.#clock.now();
    const expired: Kept[] = [];
    for await (const kept of this.#rooms.entries(room, 1, floor)) {
      // A message whose words a later entry shows waits for that.
      if ((kept.shownBy ?? 0) > floor) continue;
      if (expired.push(kept) === EXPIRE_STEP) break;
    }
    if (expired.length === 0) return false;
    const operation = this.#store.kv.atomic();
    for (const { entry: { seq, target }, shownBy } of expired) {
      operation.delete(shownBy === undefined ? KEY.change(room, seq) : KEY.message(room, seq));
      if (shownBy !== undefined) await this.#rooms.removeParts({ prefix: KEY.documentKeys(room, seq) }, () => true);
      else if (target !== undefined) operation.delete(KEY.erasable(room, target, seq));
    }
    const withId = expired.map(({ entry }) => entry).filter(({ id }) => id !== undefined);
    const ids = withId.map(({ user, action, id }) => KEY.id(room, user, action, id!));
    // An id may have been used again since.
    for (const [at, { value, check }] of (await this.#store.load<StoredEntry>(ids)).entries()) {
      const { seq, date } = withId[at];
      if (value?.seq !== seq) continue;
      operation.check(check);
      const expireIn = date + IDEMPOTENCY_WINDOW - now;
      if (expireIn > 0) operation.set(ids[at], value, { expireIn });
      else operation.delete(ids[at]);
    }
    return (await operation.commit()).ok;
  }
}
