import type { Ban, ListedPosition, Moderation, RoomSettings } from "../../chat/storage.ts";
import type { RecordReply } from "./codec.ts";
import { ALL, type RedisConnection } from "./connection.ts";
import type { RedisNotifications } from "./notifications.ts";

/** What moderators have decided, in Redis. */
export class RedisModeration implements Moderation {
  readonly #connection: RedisConnection;
  readonly #notifications: RedisNotifications;

  constructor(connection: RedisConnection, notifications: RedisNotifications) {
    this.#connection = connection;
    this.#notifications = notifications;
  }

  settings(room: string): Promise<RoomSettings> {
    return this.#connection.call("settings", room, [], toSettings);
  }

  async change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    // Older servers see by the version that what they know of the room has changed.
    const args = [
      "version",
      crypto.randomUUID(),
      ...Object.entries(change).flatMap(([name, value]) => [name, Number(value)]),
    ];
    // In this order a room that is listed is never left out, and one that is in the list by accident says so itself.
    if (change.listed === true) await this.#connection.call("list", ALL, [room, 1]);
    const settings = await this.#connection.call("change", room, args, toSettings);
    if (change.listed === false) await this.#connection.call("list", ALL, [room, 0]);
    return settings;
  }

  async listed(): Promise<ListedPosition[]> {
    const names = await this.#connection.call<string[]>("listed", ALL);
    const settings = await Promise.all(names.map((room) => this.settings(room)));
    const rooms = names.filter((_, at) => settings[at].listed).sort();
    if (rooms.length === 0) return [];
    const records = await this.#connection.call<RecordReply[]>("records", rooms, [this.#notifications.epoch]);
    return records.map(([seq, date], at) => ({ room: rooms[at], seq, date }));
  }

  async ban(ban: Ban): Promise<void> {
    await this.#connection.call("ban", ALL, [ban.user, `${ban.until} ${JSON.stringify(ban)}`]);
  }

  unban(user: string): Promise<boolean> {
    return this.#connection.call("unban", ALL, [user], (removed: number) => removed > 0);
  }

  async bans(now: number): Promise<Ban[]> {
    const bans = await this.#connection.call<string[]>("bans", ALL, [now]);
    return bans.map((ban): Ban => JSON.parse(ban)).sort((one, other) => other.date - one.date);
  }
}

function toSettings([locked, listed, slow]: [string, string, string]): RoomSettings {
  return { locked: locked === "1", listed: listed === "1", slow_seconds: Number(slow) };
}
