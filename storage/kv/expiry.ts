import type { Clock } from "../../chat/clock.ts";
import { IDEMPOTENCY_WINDOW, type Retention } from "../../chat/storage.ts";
import { type Edited, isHeld, type Kept, NO_ROOM, type RoomRecord, type Used } from "./append.ts";
import type { KvRooms } from "./rooms.ts";
import { KEY, type KvStore } from "./store.ts";

/** Entries that one step of letting go looks at, and takes away in one commit, which may check 100 ids. */
const EXPIRE_STEP = 90;

const ACTIONS = {
  receive_message: "send_message",
  message_edited: "edit_message",
  message_deleted: "delete_message",
} as const;

/** Lets go of what has expired in Deno KV. */
export class KvExpiry {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;
  readonly #retention: Retention;
  readonly #clock: Clock;

  constructor(store: KvStore, rooms: KvRooms, retention: Retention, clock: Clock) {
    this.#store = store;
    this.#rooms = rooms;
    this.#retention = retention;
    this.#clock = clock;
  }

  /** In all rooms, as long as it is `going`. What has expired has been hidden since it did. */
  async run(going: () => boolean): Promise<void> {
    if (this.#retention.messages === 0 && this.#retention.days === 0) return;
    for await (const { key } of this.#store.kv.list({ prefix: KEY.rooms })) {
      if (!going()) return;
      const room = String(key.at(-1));
      while (going() && await this.#takeAway(room, await this.#raiseFloor(room)));
    }
  }

  /** Notes up to where the entries of a room have expired. @returns that place */
  #raiseFloor(room: string): Promise<number> {
    return this.#store.writing(async () => {
      const { value: record = NO_ROOM, check } = await this.#store.get<RoomRecord>(KEY.room(room));
      const now = this.#clock.now();
      let { floor } = record;
      for await (const entry of this.#rooms.entries(room, floor + 1, Math.min(record.head, floor + EXPIRE_STEP))) {
        if (isHeld(entry, record, this.#retention, now)) break;
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
    const kept: Kept[] = [];
    for await (const entry of this.#rooms.entries(room, 1, floor)) if (kept.push(entry) === EXPIRE_STEP) break;
    if (kept.length === 0) return false;
    const texts = kept.flatMap((entry) =>
      entry.action === "message_edited" ? [{ key: KEY.edited(room, entry.target), seq: entry.seq }] : []
    );
    const ids = kept.flatMap(({ action, user, id, seq, date }) =>
      id === undefined ? [] : [{ key: KEY.id(room, user, ACTIONS[action], id), seq, date }]
    );
    const operation = this.#store.kv.atomic();
    for (const { action, seq } of kept) {
      operation.delete(action === "receive_message" ? KEY.message(room, seq) : KEY.change(room, seq));
    }
    // The message of an expired edit has expired too: nobody edits it any more.
    for (const [at, { value }] of (await this.#store.load<Edited>(texts.map(({ key }) => key))).entries()) {
      if (value?.seq === texts[at].seq) operation.delete(texts[at].key);
    }
    // An id may have been used again since.
    for (const [at, { value, check }] of (await this.#store.load<Used>(ids.map(({ key }) => key))).entries()) {
      const { key, seq, date } = ids[at];
      if (value?.seq !== seq) continue;
      operation.check(check);
      const expireIn = date + IDEMPOTENCY_WINDOW - now;
      if (expireIn > 0) operation.set(key, value, { expireIn });
      else operation.delete(key);
    }
    return (await operation.commit()).ok;
  }
}
