import { NEW_ROOM, type RoomRecord } from "../chat/rulebook.ts";
import { type Ban, type ListedPosition, type Moderation, ROOM_SETTINGS, type RoomSettings } from "../chat/storage.ts";

/** What moderators have decided, in this process. */
export class MemoryModeration implements Moderation {
  readonly #recordOf: (room: string) => RoomRecord | undefined;
  readonly #settings = new Map<string, RoomSettings>();
  readonly #bans = new Map<string, Ban>();

  constructor(recordOf: (room: string) => RoomRecord | undefined) {
    this.#recordOf = recordOf;
  }

  isLocked(room: string): boolean {
    return this.#settings.get(room)?.locked ?? false;
  }

  settings(room: string): Promise<RoomSettings> {
    return Promise.resolve(this.#settings.get(room) ?? ROOM_SETTINGS);
  }

  change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const settings = { ...ROOM_SETTINGS, ...this.#settings.get(room), ...change };
    this.#settings.set(room, settings);
    return Promise.resolve(settings);
  }

  listed(): Promise<ListedPosition[]> {
    const listed = [...this.#settings].filter(([, { listed }]) => listed).map(([room]) => {
      const { head, date } = this.#recordOf(room) ?? NEW_ROOM;
      return { room, seq: head, date };
    });
    return Promise.resolve(listed.sort((one, other) => one.room < other.room ? -1 : 1));
  }

  ban(ban: Ban): Promise<void> {
    this.#bans.set(ban.user, ban);
    return Promise.resolve();
  }

  unban(user: string): Promise<boolean> {
    return Promise.resolve(this.#bans.delete(user));
  }

  bans(now: number): Promise<Ban[]> {
    for (const { user, until } of this.#bans.values()) if (until <= now) this.#bans.delete(user);
    return Promise.resolve([...this.#bans.values()].sort((one, other) => other.date - one.date));
  }
}
