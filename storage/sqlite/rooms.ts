import { NEW_ROOM, type RoomRecord } from "../../chat/rulebook.ts";
import type { Database } from "./database.ts";

export interface RoomRow extends Omit<RoomRecord, "locked"> {
  /** 0 for one that is not in the file. */
  room: number;
  name: string;
  locked: number;
  epoch: string;
  /** Messages up to here are not in the index of words yet. */
  unindexed: number;
}

const ROOM = `SELECT room, name, head, date, messages, floor, locked, unindexed,
    coalesce(epoch, (SELECT value FROM meta WHERE key = 'epoch')) AS epoch FROM rooms`;

/** Where the rooms' logs stand, in a database file. The caller opens the transaction. */
export class RoomTable {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  /** The epoch of rooms that have none of their own. */
  get epoch(): string {
    return (this.#database.sql("SELECT value FROM meta WHERE key = 'epoch'").get() as { value: string }).value;
  }

  /** Where a room's log stands; of a room that is not in the file, where it begins. */
  find(name: string): RoomRow {
    const row = this.#database.sql(`${ROOM} WHERE name = ?`).get(name) as RoomRow | undefined;
    return row ?? { ...NEW_ROOM, room: 0, name, locked: 0, epoch: this.epoch, unindexed: 0 };
  }

  /** @returns its number */
  add(name: string): number {
    const add = "INSERT INTO rooms (name, head, date, floor) VALUES (?, 0, 0, 0) RETURNING room";
    return (this.#database.sql(add).get(name) as { room: number }).room;
  }

  /** The first room behind this number, if there is one. */
  next(room: number): RoomRow | undefined {
    return this.#database.sql(`${ROOM} WHERE room > ? ORDER BY room LIMIT 1`).get(room) as RoomRow | undefined;
  }

  setHead(room: number, { head, date, messages }: RoomRecord): void {
    this.#database.sql("UPDATE rooms SET head = ?, date = ?, messages = ? WHERE room = ?")
      .run(head, date, messages, room);
  }

  setFloor(room: number, floor: number): void {
    this.#database.sql("UPDATE rooms SET floor = ? WHERE room = ?").run(floor, room);
  }

  /** @param room absent: of all rooms */
  renewEpoch(room?: string): void {
    if (room === undefined) {
      this.#database.sql("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'").run();
      this.#database.sql("UPDATE rooms SET epoch = NULL WHERE epoch IS NOT NULL").run();
    } else {
      this.#database.sql(`
        INSERT INTO rooms (name, head, date, floor, epoch) VALUES (?, 0, 0, 0, lower(hex(randomblob(16))))
        ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch`).run(room);
    }
  }
}

/** A room's row as the rulebook takes it. */
export function toRecord(row: RoomRow): RoomRecord {
  return { ...row, locked: row.locked === 1 };
}
