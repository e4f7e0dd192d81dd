import type { Ban, ListedPosition, Moderation, RoomSettings } from "../../chat/storage.ts";
import { type KvRoom, NO_ROOM } from "./append.ts";
import type { KvRooms } from "./rooms.ts";
import { KEY, type KvStore } from "./store.ts";

/** What moderators have decided, in Deno KV. Settings stand in the room's own value, which every append checks. */
export class KvModeration implements Moderation {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;

  constructor(store: KvStore, rooms: KvRooms) {
    this.#store = store;
    this.#rooms = rooms;
  }

  settings(room: string): Promise<RoomSettings> {
    return this.#store.reading(async () => (await this.#rooms.records([room]))[0].record.settings);
  }

  async change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const changed = (record: KvRoom) => ({ ...record, settings: { ...record.settings, ...change } });
    return (await this.#rooms.change(room, changed)).settings;
  }

  listed(): Promise<ListedPosition[]> {
    return this.#store.reading(async () => {
      const rooms = await Array.fromAsync(
        this.#store.kv.list<string>({ prefix: KEY.listedRooms }),
        ({ value }) => value,
      );
      const records = await this.#store.load<KvRoom>(rooms.sort().map(KEY.room));
      return records.map(({ value = NO_ROOM }, at) => ({ room: rooms[at], seq: value.head, date: value.date }));
    });
  }

  async ban(ban: Ban): Promise<void> {
    const expireIn = Math.max(1, ban.until - this.#store.clock.now());
    await this.#store.writing(() => this.#store.kv.set(KEY.ban(ban.user), ban, { expireIn }));
  }

  unban(user: string): Promise<boolean> {
    return this.#store.writing(async () => {
      const { value, check } = await this.#store.get<Ban>(KEY.ban(user));
      if (value === undefined) return false;
      return (await this.#store.kv.atomic().check(check).delete(check.key).commit()).ok || undefined;
    });
  }

  bans(now: number): Promise<Ban[]> {
    return this.#store.reading(async () => {
      const bans = await Array.fromAsync(this.#store.kv.list<Ban>({ prefix: KEY.bans }), ({ value }) => value);
      return bans.filter(({ until }) => until > now).sort((one, other) => other.date - one.date);
    });
  }
}
