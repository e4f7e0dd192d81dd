import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Document, Fields } from "../../chat/entries/kind.ts";
import {
  advance,
  type AppendResult,
  IDEMPOTENCY_WINDOW,
  type RoomRecord,
  type RoomView,
  type Rulebook,
  type StoredEntry,
  type Write,
} from "../../chat/rulebook.ts";
import type { CatchUp, Command, History } from "../../chat/storage.ts";
import { type RoomRow, type RoomTable, toRecord } from "./rooms.ts";
import { catchUp, historyPage, type Reading, type StoredMessage } from "../shared/page.ts";
import { RESUME_LIMIT } from "../../chat/protocol.ts";

/** Rows that one step of expiring looks at: about a millisecond of writing. */
export const EXPIRE_STEP = 500;

interface EntryRow {
  seq: number;
  date: number;
  ordinal: number;
  action: string;
  user: string;
  id: string | null;
  target: number | null;
  fixed: string | null;
  erasable: string | null;
}

const COLUMNS = `entries.seq, entries.date, entries.ordinal, actions.name AS action, entries.user, entries.id,
  entries.target, entries.fixed, entries.erasable`;
const ACTIONS = "JOIN actions ON actions.action = entries.action";

/** The rooms' logs in a database file. Every function is one or more statements; the caller keeps the transaction. */
export class Entries {
  readonly #rules: Rulebook;
  readonly #rooms: RoomTable;
  /** Each action is written out once, and as a number in its entries. */
  readonly #actions: ReadonlyMap<string, number>;
  readonly #add: StatementSync;
  readonly #byKey: StatementSync;
  readonly #bySeq: StatementSync;
  readonly #document: StatementSync;
  readonly #setDocument: StatementSync;
  readonly #showUntil: StatementSync;
  readonly #key: StatementSync;
  readonly #dropId: StatementSync;
  readonly #setKey: StatementSync;
  readonly #dropKey: StatementSync;
  readonly #erase: StatementSync[];
  readonly #messagesUp: StatementSync;
  readonly #messagesDown: StatementSync;
  readonly #entriesUp: StatementSync;
  readonly #expired: StatementSync;
  readonly #blank: StatementSync[];
  readonly #forget: StatementSync;

  constructor(file: DatabaseSync, rooms: RoomTable, rules: Rulebook) {
    this.#rules = rules;
    this.#rooms = rooms;
    const actions = file.prepare("SELECT name, action FROM actions").all() as unknown as {
      name: string;
      action: number;
    }[];
    this.#actions = new Map(actions.map(({ name, action }) => [name, action]));
    this.#add = file.prepare(`
      INSERT INTO entries (room, seq, date, ordinal, action, user, id, target, fixed, erasable, document, shown_by)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
    this.#byKey = file.prepare(`
      SELECT ${COLUMNS} FROM entries ${ACTIONS}
      WHERE room = ? AND user = ? AND entries.action = (SELECT action FROM actions WHERE name = ?) AND id = ?`);
    this.#bySeq = file.prepare(`SELECT ${COLUMNS} FROM entries ${ACTIONS} WHERE room = ? AND seq = ?`);
    this.#document = file.prepare("SELECT document FROM entries WHERE room = ? AND seq = ?");
    this.#setDocument = file.prepare("UPDATE entries SET document = ? WHERE room = ? AND seq = ?");
    this.#showUntil = file.prepare("UPDATE entries SET shown_by = ? WHERE room = ? AND seq = ?");
    this.#dropId = file.prepare("UPDATE entries SET id = NULL WHERE room = ? AND seq = ?");
    this.#key = file.prepare("SELECT value FROM document_keys WHERE room = ? AND seq = ? AND name = ?");
    this.#setKey = file.prepare("INSERT OR REPLACE INTO document_keys (room, seq, name, value) VALUES (?, ?, ?, ?)");
    this.#dropKey = file.prepare("DELETE FROM document_keys WHERE room = ? AND seq = ? AND name = ?");
    this.#erase = [
      file.prepare("DELETE FROM document_keys WHERE room = ? AND seq = ?"),
      file.prepare(
        "UPDATE entries SET erasable = NULL WHERE room = ? AND target = ? AND erasable IS NOT NULL",
      ),
    ];
    const bounds = "entries.room = ? AND entries.seq > ? AND entries.seq < ? AND entries.date >= ?";
    // However many changes there are between two messages, a page of history reads messages only.
    const messages = `SELECT ${COLUMNS}, document FROM entries INDEXED BY messages ${ACTIONS}
      WHERE ${bounds} AND ordinal > ? AND shown_by IS NOT NULL`;
    this.#messagesUp = file.prepare(`${messages} ORDER BY seq LIMIT ?`);
    this.#messagesDown = file.prepare(`${messages} ORDER BY seq DESC LIMIT ?`);
    this.#entriesUp = file.prepare(`
      SELECT ${COLUMNS}, message.document FROM entries ${ACTIONS}
      LEFT JOIN entries AS message
        ON message.room = entries.room AND message.seq = coalesce(entries.target, entries.seq)
      WHERE ${bounds} AND entries.ordinal > ? ORDER BY entries.seq LIMIT ?`);
    this.#expired = file.prepare(
      "SELECT seq, date, ordinal FROM entries WHERE room = ? AND seq > ? ORDER BY seq LIMIT ?",
    );
    const expiring = "room = ?1 AND seq > ?2 AND seq <= ?3";
    this.#blank = [
      // A document goes with the last entry that shows it, which may be one that is about it.
      file.prepare(`
        UPDATE entries SET document = NULL WHERE room = ?1 AND document IS NOT NULL AND shown_by <= ?3 AND seq IN
          (SELECT coalesce(target, seq) FROM entries WHERE ${expiring})`),
      file.prepare(`UPDATE entries SET erasable = NULL WHERE ${expiring} AND erasable IS NOT NULL`),
      file.prepare(`DELETE FROM document_keys WHERE ${expiring}`),
    ];
    // Dates never go down, so only the first rows need to be looked at.
    this.#forget = file.prepare(`
      DELETE FROM entries WHERE room = ?1 AND seq IN (
        SELECT seq FROM (
          SELECT seq, date, id, document FROM entries WHERE room = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3
        ) WHERE document IS NULL AND (id IS NULL OR date <= ?4)
      )`);
  }

  /** Keeps commands in order. `now` is milliseconds since 1970. */
  append(commands: readonly Command[], now: number): { results: AppendResult[]; epochs: Map<string, string> } {
    const rooms = new Map<string, { row: RoomRow; view: RoomView }>();
    const results = commands.map((command) => {
      let room = rooms.get(command.room);
      if (!room) {
        const row = { ...this.#rooms.find(command.room) };
        rooms.set(command.room, room = { row, view: this.#view(row) });
      }
      const { result, write } = this.#rules.append(command, room.view, now);
      if (write) this.#write(room.row, room.view.record, write);
      return result;
    });
    for (const { row: { room }, view: { record } } of rooms.values()) if (room > 0) this.#rooms.setHead(room, record);
    return { results, epochs: new Map(rooms.values().map(({ row: { name, epoch } }) => [name, epoch])) };
  }

  history(name: string, query: { limit: number; before?: number; after?: number }, now: number): History {
    const room = this.#rooms.find(name);
    const { after, before = Number.MAX_SAFE_INTEGER, limit } = query;
    const isBackwards = after === undefined;
    const statement = isBackwards ? this.#messagesDown : this.#messagesUp;
    const from = Math.max(after ?? 0, room.floor);
    const rows = statement.iterate(
      room.room,
      from,
      before,
      this.#rules.oldest(now),
      this.#rules.ordinalFloor(room.messages),
      limit + 1,
    );
    const page = historyPage(stored(rows), { ...this.#reading(room, now), limit, isBackwards });
    return { epoch: room.epoch, seq: room.head, ...page };
  }

  read(name: string, after: number, now: number): CatchUp {
    const room = this.#rooms.find(name);
    const floor = this.#rules.ordinalFloor(room.messages);
    const from = Math.max(after, room.floor);
    const rows = this.#entriesUp.iterate(
      room.room,
      from,
      room.head + 1,
      this.#rules.oldest(now),
      floor,
      RESUME_LIMIT + 1,
    );
    return { epoch: room.epoch, seq: room.head, ...catchUp(stored(rows), { ...this.#reading(room, now), after }) };
  }

  /**
   * One step of removing expired entries, in the first room after `after`.
   * @returns after which room to go on, or undefined when every room has been seen
   */
  expire(after: number, now: number): { next: number; changed: boolean } | undefined {
    const room = this.#rooms.next(after);
    if (!room || !this.#rules.expires) return undefined;
    let floor = room.floor;
    for (const row of this.#expired.iterate(room.room, floor, EXPIRE_STEP)) {
      const entry = row as unknown as EntryRow;
      if (this.#rules.isHeld(entry as never, toRecord(room), now)) break;
      floor = entry.seq;
    }
    if (floor > room.floor) {
      for (const statement of this.#blank) statement.run(room.room, room.floor, floor);
      this.#rooms.setFloor(room.room, floor);
    }
    const forgotten = Number(this.#forget.run(room.room, floor, EXPIRE_STEP, now - IDEMPOTENCY_WINDOW).changes);
    const more = floor - room.floor === EXPIRE_STEP || forgotten === EXPIRE_STEP;
    return { next: more ? after : room.room, changed: floor > room.floor || forgotten > 0 };
  }

  #view(row: RoomRow): RoomView {
    return {
      record: toRecord(row),
      first: (command) => {
        const found = this.#byKey.get(row.room, command.user, this.#rules.toldBy(command), command.id!);
        return found && toStored(found as unknown as EntryRow);
      },
      at: (seq) => {
        const found = this.#bySeq.get(row.room, seq);
        return found && toStored(found as unknown as EntryRow);
      },
      document: (seq) =>
        parse((this.#document.get(row.room, seq) as { document: string | null } | undefined)?.document),
      key: (seq, name) => parse((this.#key.get(row.room, seq, name) as { value: string } | undefined)?.value),
    };
  }

  #write(room: RoomRow, record: RoomRecord, { entry, begins, change, forgets }: Write): void {
    // A room begins with the first thing that is kept in it.
    if (room.room === 0) room.room = this.#rooms.add(room.name);
    const { seq, date, ordinal, action, user, id, target, fixed, erasable } = entry;
    if (forgets !== undefined) this.#dropId.run(room.room, forgets);
    this.#add.run(
      room.room,
      seq,
      date,
      ordinal,
      this.#actions.get(action)!,
      user,
      id ?? null,
      target ?? null,
      json(fixed),
      json(erasable),
      json(begins),
      begins ? seq : null,
    );
    advance(record, entry);
    if (!change) return;
    if (change.document) this.#setDocument.run(json(change.document), room.room, change.seq);
    if (change.isShown) this.#showUntil.run(seq, room.room, change.seq);
    if (change.isErased) { for (const statement of this.#erase) statement.run(room.room, change.seq); }
    for (const [name, value] of Object.entries(change.keys)) {
      if (value === null) this.#dropKey.run(room.room, change.seq, name);
      else this.#setKey.run(room.room, change.seq, name, json(value)!);
    }
  }

  #reading(room: RoomRow, now: number): Reading {
    return { room: room.name, record: toRecord(room), rules: this.#rules, now };
  }
}

function* stored(rows: Iterable<unknown>): Generator<StoredMessage> {
  for (const row of rows) {
    yield {
      entry: toStored(row as EntryRow),
      document: parse<Document>((row as { document: string | null }).document),
    };
  }
}

function toStored({ seq, date, ordinal, action, user, id, target, fixed, erasable }: EntryRow): StoredEntry {
  const entry: StoredEntry = { seq, date, ordinal, action, user };
  if (id !== null) entry.id = id;
  if (target !== null) entry.target = target;
  if (fixed !== null) entry.fixed = parse<Fields>(fixed);
  if (erasable !== null) entry.erasable = parse<Fields>(erasable);
  return entry;
}

function json(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function parse<Value>(text: string | null | undefined): Value | undefined {
  return text === null || text === undefined ? undefined : JSON.parse(text);
}
