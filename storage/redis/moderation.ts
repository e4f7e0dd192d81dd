import type { Ban, ListedPosition, Moderation, RoomSettings } from "../../chat/storage.ts";
import { ALL, type RedisConnection } from "./connection.ts";
import type { RedisRooms } from "./rooms.ts";

/** What moderators have decided, in Redis. */
export class RedisModeration implements Moderation {
  readonly #connection: RedisConnection;
  readonly #rooms: RedisRooms;

  constructor(connection: RedisConnection, rooms: RedisRooms) {
    this.#connection = connection;
    this.#rooms = rooms;
  }

  settings(room: string): Promise<RoomSettings> {
    return this.#connection.call({ name: "settings", tags: [room], args: [] }, toSettings);
  }

  async change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    // Older servers see by the version that what they know of the room has changed.
    const args = [
      "version",
      crypto.randomUUID(),
      ...Object.entries(change).flatMap(([name, value]) => [name, String(Number(value))]),
    ];
    const list = (listed: boolean) =>
      this.#connection.call({ name: "list", tags: [ALL], args: [room, listed ? "1" : "0"] });
    // In this order a room that is listed is never left out, and one that is in the list by accident says so itself.
    if (change.listed === true) await list(true);
    const settings = await this.#connection.call({ name: "change", tags: [room], args }, toSettings);
    if (change.listed === false) await list(false);
    return settings;
  }

  async listed(): Promise<ListedPosition[]> {
    const names = await this.#connection.call<string[]>({ name: "listed", tags: [ALL], args: [] });
    const settings = await Promise.all(names.map((room) => this.settings(room)));
    const rooms = names.filter((_, at) => settings[at].listed).sort();
    const positions = await this.#rooms.positions(rooms);
    return rooms.map((room) => ({ room, seq: positions.get(room)!.head, date: positions.get(room)!.date }));
  }

  async ban(ban: Ban): Promise<void> {
    await this.#connection.call({ name: "ban", tags: [ALL], args: [ban.user, `${ban.until} ${JSON.stringify(ban)}`] });
  }

  unban(user: string): Promise<boolean> {
    return this.#connection.call({ name: "unban", tags: [ALL], args: [user] }, (removed: number) => removed > 0);
  }

  bans(now: number): Promise<Ban[]> {
    return this.#connection.call({ name: "bans", tags: [ALL], args: [String(now)] }, (bans: string[]) =>
      bans
        .map((ban): Ban => JSON.parse(ban))
        .sort((one, other) => other.date - one.date));
  }
}

function toSettings([locked, listed, slow]: [string, string, string]): RoomSettings {
  return { locked: locked === "1", listed: listed === "1", slow_seconds: Number(slow) };
}
