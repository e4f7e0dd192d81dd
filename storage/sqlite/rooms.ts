import type { DatabaseSync, StatementSync } from "node:sqlite";
import { NEW_ROOM, type RoomRecord } from "../../chat/rulebook.ts";
import type { RoomPosition } from "../shared/subscribers.ts";

export interface RoomRow extends Omit<RoomRecord, "locked"> {
  /** 0 for one that is not in the file. */
  room: number;
  name: string;
  locked: number;
  epoch: string;
}

const ROOM = `SELECT room, name, head, date, messages, floor, locked,
    coalesce(epoch, (SELECT value FROM meta WHERE key = 'epoch')) AS epoch FROM rooms`;

/** Where the rooms' logs stand, in a database file. The caller keeps the transaction. */
export class RoomTable {
  readonly #epoch: StatementSync;
  readonly #find: StatementSync;
  readonly #add: StatementSync;
  readonly #next: StatementSync;
  readonly #setHead: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #renewAll: StatementSync[];
  readonly #renewOne: StatementSync;

  constructor(file: DatabaseSync) {
    this.#epoch = file.prepare("SELECT value FROM meta WHERE key = 'epoch'");
    this.#find = file.prepare(`${ROOM} WHERE name = ?`);
    this.#add = file.prepare("INSERT INTO rooms (name, head, date, floor) VALUES (?, 0, 0, 0) RETURNING room");
    this.#next = file.prepare(`${ROOM} WHERE room > ? ORDER BY room LIMIT 1`);
    this.#setHead = file.prepare("UPDATE rooms SET head = ?, date = ?, messages = ? WHERE room = ?");
    this.#setFloor = file.prepare("UPDATE rooms SET floor = ? WHERE room = ?");
    this.#renewAll = [
      file.prepare("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'"),
      file.prepare("UPDATE rooms SET epoch = NULL WHERE epoch IS NOT NULL"),
    ];
    this.#renewOne = file.prepare(`
      INSERT INTO rooms (name, head, date, floor, epoch) VALUES (?, 0, 0, 0, lower(hex(randomblob(16))))
      ON CONFLICT (name) DO UPDATE SET epoch = excluded.epoch`);
  }

  /** The epoch of rooms that have none of their own. */
  get epoch(): string {
    return (this.#epoch.get() as { value: string }).value;
  }

  /** Where a room's log stands. */
  position(name: string): RoomPosition {
    return this.find(name);
  }

  find(name: string): RoomRow {
    return this.#find.get(name) as RoomRow | undefined ?? { ...NEW_ROOM, room: 0, name, locked: 0, epoch: this.epoch };
  }

  /** @returns its number */
  add(name: string): number {
    return (this.#add.get(name) as { room: number }).room;
  }

  /** The first room behind this number, if there is one. */
  next(room: number): RoomRow | undefined {
    return this.#next.get(room) as RoomRow | undefined;
  }

  setHead(room: number, { head, date, messages }: RoomRecord): void {
    this.#setHead.run(head, date, messages, room);
  }

  setFloor(room: number, floor: number): void {
    this.#setFloor.run(floor, room);
  }

  /** @param room absent: of all rooms */
  renewEpoch(room?: string): void {
    if (room === undefined) { for (const statement of this.#renewAll) statement.run(); }
    else this.#renewOne.run(room);
  }
}

/** What the rules look at. */
export function toRecord(row: RoomRow): RoomRecord {
  return { ...row, locked: row.locked === 1 };
}
