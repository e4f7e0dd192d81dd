import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type Ban, ROOM_SETTINGS, type RoomSettings } from "../../chat/storage.ts";

interface BanRow extends Omit<Ban, "address"> {
  address: string | null;
}

/** What moderators have decided, in a database file. The caller keeps the transaction. */
export class ModerationTables {
  readonly #settings: StatementSync;
  readonly #addRoom: StatementSync;
  readonly #change: StatementSync;
  readonly #listed: StatementSync;
  readonly #ban: StatementSync;
  readonly #unban: StatementSync;
  readonly #bans: StatementSync;
  readonly #forget: StatementSync;

  constructor(file: DatabaseSync) {
    this.#settings = file.prepare("SELECT locked, listed, slow_seconds FROM rooms WHERE name = ?");
    this.#addRoom = file.prepare("INSERT OR IGNORE INTO rooms (name, head, date, floor) VALUES (?, 0, 0, 0)");
    this.#change = file.prepare("UPDATE rooms SET locked = ?, listed = ?, slow_seconds = ? WHERE name = ?");
    this.#listed = file.prepare("SELECT name AS room, head AS seq, date FROM rooms WHERE listed = 1 ORDER BY name");
    this.#ban = file.prepare(
      "INSERT OR REPLACE INTO bans (user, date, until, reason, address) VALUES (?, ?, ?, ?, ?)",
    );
    this.#unban = file.prepare("DELETE FROM bans WHERE user = ?");
    this.#bans = file.prepare("SELECT * FROM bans WHERE until > ? ORDER BY date DESC");
    this.#forget = file.prepare("DELETE FROM bans WHERE until <= ?");
  }

  settings(room: string): RoomSettings {
    const row = this.#settings.get(room) as Record<keyof RoomSettings, number> | undefined;
    if (!row) return ROOM_SETTINGS;
    return { locked: row.locked === 1, listed: row.listed === 1, slow_seconds: row.slow_seconds };
  }

  change(room: string, change: Partial<RoomSettings>): RoomSettings {
    const settings = { ...this.settings(room), ...change };
    this.#addRoom.run(room);
    this.#change.run(settings.locked ? 1 : 0, settings.listed ? 1 : 0, settings.slow_seconds, room);
    return settings;
  }

  listed(): { room: string; seq: number; date: number }[] {
    return this.#listed.all().map((row) => ({ ...row as unknown as { room: string; seq: number; date: number } }));
  }

  ban({ user, date, until, reason, address }: Ban): void {
    this.#forget.run(date);
    this.#ban.run(user, date, until, reason, address ?? null);
  }

  unban(user: string): boolean {
    return this.#unban.run(user).changes > 0;
  }

  bans(now: number): Ban[] {
    return (this.#bans.all(now) as unknown as BanRow[]).map(({ address, user, date, until, reason }) => {
      const ban = { user, date, until, reason };
      return address === null ? ban : { ...ban, address };
    });
  }
}
