import type { DatabaseSync, StatementSync } from "node:sqlite";
import {
  type AppendResult,
  type CatchUp,
  type Command,
  type History,
  IDEMPOTENCY_WINDOW,
  type Retention,
} from "../../chat/storage.ts";
import { type Entry, type ReceiveMessage, RESUME_LIMIT } from "../../chat/protocol.ts";
import { fillPage } from "../shared/page.ts";

const DAY = 24 * 60 * 60 * 1000;
/** Rows that one step of expiring looks at: about a millisecond of writing. */
export const EXPIRE_STEP = 500;

const KIND = { send_message: 0, edit_message: 1, delete_message: 2 } as const;

interface RoomRow {
  room: number;
  head: number;
  date: number;
  floor: number;
  locked: number;
}

interface EntryRow {
  seq: number;
  kind: 0 | 1 | 2;
  user: string;
  name: string | null;
  text: string | null;
  date: number;
  id: string | null;
  target: number | null;
  edited: number | null;
}

const NO_ROOM: RoomRow = { room: 0, head: 0, date: 0, floor: 0, locked: 0 };
const ROOM_COLUMNS = "room, head, date, floor, locked";
const COLUMNS = "seq, kind, user, name, text, date, id, target, edited";
/** An edit shows the newest text of its message, which stands in the newest edit only. */
const NEWEST_EDIT = "SELECT max(seq) FROM entries WHERE room = ?1 AND target = ?2 AND kind = 1";
const SHOWN_COLUMNS = COLUMNS.replace(
  "text",
  `CASE WHEN text IS NULL AND kind = 1
    THEN (SELECT newest.text FROM entries AS newest
      WHERE newest.room = entries.room AND newest.target = entries.target AND newest.kind = 1
      ORDER BY newest.seq DESC LIMIT 1)
    ELSE text END AS text`,
);

/** The rooms' logs in a database file. Every function is one or more statements; the caller keeps the transaction. */
export class Entries {
  readonly #retention: Retention;
  readonly #epoch: StatementSync;
  readonly #setEpoch: StatementSync;
  readonly #room: StatementSync;
  readonly #addRoom: StatementSync;
  readonly #setHead: StatementSync;
  readonly #add: StatementSync;
  readonly #byId: StatementSync;
  readonly #bySeq: StatementSync;
  readonly #rewrite: StatementSync;
  readonly #emptyEdit: StatementSync;
  readonly #messagesUp: StatementSync;
  readonly #messagesDown: StatementSync;
  readonly #entriesUp: StatementSync;
  readonly #nextRoom: StatementSync;
  readonly #setFloor: StatementSync;
  readonly #forget: StatementSync;
  readonly #blank: StatementSync;

  constructor(file: DatabaseSync, retention: Retention) {
    this.#retention = retention;
    const bounds = "room = ? AND seq > ? AND seq < ? AND date >= ?";
    // However many edits there are between two messages, a page of history reads messages only.
    const messages = `SELECT ${COLUMNS} FROM entries INDEXED BY messages WHERE ${bounds} AND kind = 0`;
    this.#epoch = file.prepare("SELECT value FROM meta WHERE key = 'epoch'");
    this.#setEpoch = file.prepare("UPDATE meta SET value = lower(hex(randomblob(16))) WHERE key = 'epoch'");
    this.#room = file.prepare(`SELECT ${ROOM_COLUMNS} FROM rooms WHERE name = ?`);
    this.#addRoom = file.prepare(
      `INSERT INTO rooms (name, head, date, floor) VALUES (?, 0, 0, 0) RETURNING ${ROOM_COLUMNS}`,
    );
    this.#setHead = file.prepare("UPDATE rooms SET head = ?, date = ? WHERE room = ?");
    this.#add = file.prepare(`INSERT INTO entries (room, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#byId = file.prepare(
      `SELECT ${SHOWN_COLUMNS} FROM entries WHERE room = ? AND user = ? AND kind = ? AND id = ?`,
    );
    this.#bySeq = file.prepare(`SELECT ${COLUMNS} FROM entries WHERE room = ? AND seq = ?`);
    this.#rewrite = file.prepare("UPDATE entries SET text = ?, edited = ? WHERE room = ? AND seq = ?");
    this.#emptyEdit = file.prepare(`UPDATE entries SET text = NULL WHERE room = ?1 AND seq = (${NEWEST_EDIT})`);
    this.#messagesUp = file.prepare(`${messages} ORDER BY seq LIMIT ?`);
    this.#messagesDown = file.prepare(`${messages} ORDER BY seq DESC LIMIT ?`);
    this.#entriesUp = file.prepare(`SELECT ${SHOWN_COLUMNS} FROM entries WHERE ${bounds} ORDER BY seq LIMIT ?`);
    this.#nextRoom = file.prepare(`SELECT ${ROOM_COLUMNS} FROM rooms WHERE room > ? ORDER BY room LIMIT 1`);
    this.#setFloor = file.prepare("UPDATE rooms SET floor = ? WHERE room = ?");
    this.#blank = file.prepare("UPDATE entries SET text = NULL WHERE room = ? AND seq > ? AND seq <= ?");
    // Dates never go down, so only the first rows need to be looked at.
    this.#forget = file.prepare(`
      DELETE FROM entries WHERE room = ? AND seq IN (
        SELECT seq FROM (SELECT seq, date, id FROM entries WHERE room = ? AND seq <= ? ORDER BY seq LIMIT ?)
        WHERE id IS NULL OR date <= ?
      )`);
  }

  get epoch(): string {
    return (this.#epoch.get() as { value: string }).value;
  }

  renewEpoch(): string {
    this.#setEpoch.run();
    return this.epoch;
  }

  head(room: string): number {
    return this.#find(room).head;
  }

  /** Keeps drafts in order. `now` is milliseconds since 1970. */
  keep(commands: readonly Command[], now: number): AppendResult[] {
    const rooms = new Map<string, RoomRow>();
    const results = commands.map((command) => {
      let room = rooms.get(command.room);
      if (!room) {
        room = { ...this.#find(command.room) };
        rooms.set(command.room, room);
      }
      return this.#keepOne(room, command, now);
    });
    for (const { room, head, date } of rooms.values()) if (room > 0) this.#setHead.run(head, date, room);
    return results;
  }

  history(name: string, query: { limit: number; before?: number; after?: number }, now: number): History {
    const room = this.#find(name);
    const { after, before = Number.MAX_SAFE_INTEGER, limit } = query;
    const statement = after === undefined ? this.#messagesDown : this.#messagesUp;
    const rows = statement.iterate(
      room.room,
      Math.max(after ?? 0, this.#floor(room)),
      before,
      this.#oldest(now),
      limit + 1,
    );
    const { page, more } = fillPage(entries(rows, name), limit);
    if (after === undefined) page.reverse();
    return { epoch: this.epoch, seq: room.head, messages: page as ReceiveMessage[], more };
  }

  read(name: string, after: number, now: number): CatchUp {
    const room = this.#find(name);
    const from = Math.max(after, this.#floor(room));
    const rows = this.#entriesUp.iterate(room.room, from, Number.MAX_SAFE_INTEGER, this.#oldest(now), RESUME_LIMIT + 1);
    const { page } = fillPage(entries(rows, name), RESUME_LIMIT);
    return { epoch: this.epoch, seq: room.head, entries: page, complete: page.length === room.head - after };
  }

  /**
   * One step of letting go of what has expired, in the first room after `room`.
   * @returns after which room to go on, or undefined when every room has been seen
   */
  expire(after: number, now: number): { next: number; changed: boolean } | undefined {
    const room = this.#nextRoom.get(after) as RoomRow | undefined;
    if (!room || (this.#retention.messages === 0 && this.#retention.days === 0)) return undefined;
    let floor = room.floor;
    const rows = this.#entriesUp.iterate(room.room, floor, Number.MAX_SAFE_INTEGER, 0, EXPIRE_STEP);
    for (const { seq, date } of rows as Iterable<unknown> as Iterable<EntryRow>) {
      if (seq > this.#floor(room) && date >= this.#oldest(now)) break;
      floor = seq;
    }
    if (floor > room.floor) {
      this.#blank.run(room.room, room.floor, floor);
      this.#setFloor.run(floor, room.room);
    }
    const forgotten = Number(
      this.#forget.run(room.room, room.room, floor, EXPIRE_STEP, now - IDEMPOTENCY_WINDOW).changes,
    );
    const more = floor - room.floor === EXPIRE_STEP || forgotten === EXPIRE_STEP;
    return { next: more ? after : room.room, changed: floor > room.floor || forgotten > 0 };
  }

  #keepOne(room: RoomRow, command: Command, now: number): AppendResult {
    const kind = KIND[command.action];
    if (command.id !== undefined) {
      const first = this.#byId.get(room.room, command.user, kind, command.id) as EntryRow | undefined;
      if (first) {
        const text = this.#holds(room, first, now) ? first.text : null;
        return { entry: toEntry({ ...first, text }, command.room), repeated: true };
      }
    }
    if (command.action === "send_message" && command.lookupOnly) return { refused: "not_found" };
    if (room.locked === 1 && command.action !== "delete_message") return { refused: "locked" };
    const date = Math.max(room.date, now);
    const row: EntryRow = {
      seq: room.head + 1,
      kind,
      user: command.user,
      name: command.action === "send_message" ? command.from : null,
      text: command.action === "delete_message" ? null : command.text,
      date,
      id: command.id ?? null,
      target: command.action === "send_message" ? null : command.target,
      edited: null,
    };
    if (command.action !== "send_message") {
      const target = this.#bySeq.get(room.room, command.target) as EntryRow | undefined;
      if (!target || !this.#holds(room, target, now)) return { refused: "not_found" };
      if (target.kind !== KIND.send_message || target.text === null) return { refused: "not_found" };
      const moderator = command.action === "delete_message" && command.moderator;
      if (target.user !== command.user && !moderator) return { refused: "forbidden" };
      this.#rewrite.run(row.text, row.text === null ? target.edited : date, room.room, target.seq);
      this.#emptyEdit.run(room.room, target.seq);
    }
    // A room begins with the first thing that is kept in it.
    if (room.room === 0) room.room = (this.#addRoom.get(command.room) as unknown as RoomRow).room;
    this.#add.run(room.room, row.seq, row.kind, row.user, row.name, row.text, row.date, row.id, row.target, row.edited);
    room.head = row.seq;
    room.date = date;
    return { entry: toEntry(row, command.room), repeated: false };
  }

  #find(name: string): RoomRow {
    return this.#room.get(name) as RoomRow | undefined ?? NO_ROOM;
  }

  /** Whether an entry may still be shown. */
  #holds(room: RoomRow, { seq, date }: EntryRow, now: number): boolean {
    return seq > this.#floor(room) && date >= this.#oldest(now);
  }

  /** Entries up to here are too many. */
  #floor(room: RoomRow): number {
    return Math.max(room.floor, this.#retention.messages === 0 ? 0 : room.head - this.#retention.messages);
  }

  /** Entries dated before this are too old. */
  #oldest(now: number): number {
    return this.#retention.days === 0 ? 0 : now - this.#retention.days * DAY;
  }
}

function* entries(rows: Iterable<unknown>, room: string): Generator<Entry> {
  for (const row of rows) yield toEntry(row as EntryRow, room);
}

function toEntry(row: EntryRow, room: string): Entry {
  const { seq, user, date } = row;
  const target = row.target!;
  let entry: Entry;
  if (row.kind === KIND.send_message) {
    entry = { action: "receive_message", room, seq, user, from: row.name ?? "", date };
    if (row.text === null) entry.deleted = true;
    else entry.text = row.text;
    if (row.edited !== null) entry.edited = row.edited;
  } else if (row.kind === KIND.edit_message) {
    entry = { action: "message_edited", room, seq, target, user, text: row.text ?? "", date };
  } else {
    entry = { action: "message_deleted", room, seq, target, user, date };
  }
  if (row.id !== null) entry.id = row.id;
  return entry;
}
