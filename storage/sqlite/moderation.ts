import {
  type Ban,
  type ListedPosition,
  type Moderation,
  ROOM_SETTINGS,
  type RoomSettings,
} from "../../chat/storage.ts";
import type { Database } from "./database.ts";

interface BanRow extends Omit<Ban, "address"> {
  address: string | null;
}

/** What moderators have decided, in a database file. */
export class ModerationTables implements Moderation {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  settings(room: string): Promise<RoomSettings> {
    return this.#database.read(() => this.#settings(room));
  }

  change(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    return this.#database.write(() => {
      const settings = { ...this.#settings(room), ...change };
      const { locked, listed, slow_seconds } = settings;
      this.#database.sql("INSERT OR IGNORE INTO rooms (name, head, date, floor) VALUES (?, 0, 0, 0)").run(room);
      this.#database.sql("UPDATE rooms SET locked = ?, listed = ?, slow_seconds = ? WHERE name = ?")
        .run(locked ? 1 : 0, listed ? 1 : 0, slow_seconds, room);
      return settings;
    });
  }

  listed(): Promise<ListedPosition[]> {
    const listed = "SELECT name AS room, head AS seq, date FROM rooms WHERE listed = 1 ORDER BY name";
    return this.#database.read(() =>
      this.#database.sql(listed).all().map((row) => ({ ...row as unknown as ListedPosition }))
    );
  }

  ban({ user, date, until, reason, address }: Ban): Promise<void> {
    return this.#database.write(() => {
      this.#database.sql("DELETE FROM bans WHERE until <= ?").run(date);
      this.#database.sql("INSERT OR REPLACE INTO bans (user, date, until, reason, address) VALUES (?, ?, ?, ?, ?)")
        .run(user, date, until, reason, address ?? null);
    });
  }

  unban(user: string): Promise<boolean> {
    return this.#database.write(() => this.#database.sql("DELETE FROM bans WHERE user = ?").run(user).changes > 0);
  }

  bans(now: number): Promise<Ban[]> {
    const bans = "SELECT * FROM bans WHERE until > ? ORDER BY date DESC";
    return this.#database.read(() =>
      (this.#database.sql(bans).all(now) as unknown as BanRow[]).map(({ address, user, date, until, reason }) => {
        const ban = { user, date, until, reason };
        return address === null ? ban : { ...ban, address };
      })
    );
  }

  #settings(room: string): RoomSettings {
    const row = this.#database.sql("SELECT locked, listed, slow_seconds FROM rooms WHERE name = ?").get(room) as
      | Record<keyof RoomSettings, number>
      | undefined;
    if (!row) return ROOM_SETTINGS;
    return { locked: row.locked === 1, listed: row.listed === 1, slow_seconds: row.slow_seconds };
  }
}
