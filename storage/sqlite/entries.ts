import type { StatementSync } from "node:sqlite";
import type { Document } from "../../chat/entries/kind.ts";
import { type Entry, RESUME_LIMIT } from "../../chat/protocol.ts";
import {
  advance,
  type AppendResult,
  IDEMPOTENCY_WINDOW,
  type RoomRecord,
  type RoomView,
  type Rulebook,
  type Write,
} from "../../chat/rulebook.ts";
import type {
  CatchUp,
  Command,
  DocumentKey,
  History,
  HistoryQuery,
  KeysQuery,
  LogNotification,
} from "../../chat/storage.ts";
import { catchUp, historyPage, type Reading } from "../shared/page.ts";
import type { Database } from "./database.ts";
import { ACTIONS, COLUMNS, type EntryRow, json, MESSAGE, parse, stored, toStored } from "./entry_rows.ts";
import { type RoomRow, type RoomTable, toRecord } from "./rooms.ts";
import type { WordIndex } from "./search/word_index.ts";

/** Rows that one step of expiring looks at: about two milliseconds of writing. */
export const EXPIRE_STEP = 100;

interface Appended {
  results: AppendResult[];
  /** What subscribers are to be told, by room. */
  notifications: Map<string, LogNotification>;
  /** Whether a message was changed, so that its old words stand in the write-ahead log. */
  overwrites: boolean;
  /** Whether words of messages are to be removed from the index. */
  removesWords: boolean;
}

const HELD = "entries.room = ? AND entries.seq > ? AND entries.seq < ? AND entries.date >= ? AND entries.ordinal > ?";
// However many changes there are between two messages, a page of history reads messages only.
const MESSAGES = `SELECT ${MESSAGE} FROM entries INDEXED BY messages ${ACTIONS}
  WHERE ${HELD} AND shown_by IS NOT NULL ORDER BY seq`;

const EXPIRING = `WHERE room = ?1 AND document IS NOT NULL AND shown_by <= ?3
  AND seq IN (SELECT coalesce(target, seq) FROM entries WHERE room = ?1 AND seq > ?2 AND seq <= ?3)`;

const SQL = {
  add: `INSERT INTO entries (room, seq, date, ordinal, action, user, id, target, fixed, erasable, document, shown_by,
      answers)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  byKey: `SELECT ${COLUMNS} FROM entries ${ACTIONS}
    WHERE room = ? AND user = ? AND entries.action = (SELECT action FROM actions WHERE name = ?) AND id = ?`,
  list: "SELECT name, value FROM document_keys WHERE room = ? AND seq = ? AND name >= ? AND name > ? ORDER BY name",
  bySeq: `SELECT ${COLUMNS} FROM entries ${ACTIONS} WHERE room = ? AND seq = ?`,
  dropId: "UPDATE entries SET id = NULL WHERE room = ? AND seq = ?",
  document: "SELECT user, document FROM entries WHERE room = ? AND seq = ?",
  setDocument: "UPDATE entries SET document = ? WHERE room = ? AND seq = ?",
  showUntil: "UPDATE entries SET shown_by = ? WHERE room = ? AND seq = ?",
  key: "SELECT value FROM document_keys WHERE room = ? AND seq = ? AND name = ?",
  setKey: "INSERT OR REPLACE INTO document_keys (room, seq, name, value) VALUES (?, ?, ?, ?)",
  dropKey: "DELETE FROM document_keys WHERE room = ? AND seq = ? AND name = ?",
  eraseKeys: "DELETE FROM document_keys WHERE room = ? AND seq = ?",
  eraseErasable: "UPDATE entries SET erasable = NULL WHERE room = ? AND target = ? AND erasable IS NOT NULL",
  messagesUp: `${MESSAGES} LIMIT ?`,
  messagesDown: `${MESSAGES} DESC LIMIT ?`,
  answers: `SELECT ${MESSAGE} FROM entries INDEXED BY answers ${ACTIONS}
    WHERE entries.answers = ? AND ${HELD} ORDER BY seq LIMIT ?`,
  dropAnswer: "UPDATE entries SET answers = NULL WHERE room = ? AND seq = ?",
  entriesUp: `SELECT ${COLUMNS}, message.document FROM entries ${ACTIONS}
    LEFT JOIN entries AS message ON message.room = entries.room AND message.seq = coalesce(entries.target, entries.seq)
    WHERE ${HELD} ORDER BY entries.seq LIMIT ?`,
  oldest: "SELECT seq, date, ordinal FROM entries WHERE room = ? AND seq > ? ORDER BY seq LIMIT ?",
  // A document goes with the last entry that shows it, which may be one that is about it.
  expireDocuments: `UPDATE entries SET document = NULL ${EXPIRING}`,
  expiringDocuments: `SELECT seq, user, document FROM entries ${EXPIRING}`,
  expireErasable: "UPDATE entries SET erasable = NULL WHERE room = ? AND seq > ? AND seq <= ? AND erasable IS NOT NULL",
  expireKeys: "DELETE FROM document_keys WHERE room = ? AND seq > ? AND seq <= ?",
  // Dates never go down, so only the first rows need to be looked at.
  forget: `DELETE FROM entries WHERE room = ?1 AND seq IN (
      SELECT seq FROM (
        SELECT seq, date, id, document FROM entries WHERE room = ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3
      ) WHERE document IS NULL AND (id IS NULL OR date <= ?4)
    )`,
};

/** The rooms' logs in a database file. The caller opens the transaction. */
export class Entries {
  readonly #database: Database;
  readonly #rooms: RoomTable;
  readonly #rules: Rulebook;
  readonly #words: WordIndex;
  /** The number that stands for each action in its entries. */
  readonly #actions: ReadonlyMap<string, number>;

  constructor(database: Database, rooms: RoomTable, words: WordIndex, rules: Rulebook) {
    this.#database = database;
    this.#words = words;
    this.#rooms = rooms;
    this.#rules = rules;
    const actions = database.sql("SELECT name, action FROM actions").all();
    this.#actions = new Map(actions.map(({ name, action }) => [String(name), Number(action)]));
  }

  /** Appends commands in order. @param now milliseconds since 1970 */
  append(commands: readonly Command[], now: number): Appended {
    const rooms = new Map<string, { row: RoomRow; view: RoomView; entries: Entry[] }>();
    let overwrites = false;
    this.#words.begin();
    const results = commands.map((command) => {
      let room = rooms.get(command.room);
      if (!room) {
        const row = { ...this.#rooms.find(command.room) };
        rooms.set(command.room, room = { row, view: this.#view(row), entries: [] });
      }
      const { result, write } = this.#rules.append(command, room.view, now);
      if (write && "entry" in result) {
        this.#write(room.row, room.view.record, write);
        room.entries.push(result.entry);
        overwrites ||= write.change !== undefined;
      }
      return result;
    });
    const notifications = new Map<string, LogNotification>();
    for (const { row, view, entries } of rooms.values()) {
      if (entries.length === 0) continue;
      this.#rooms.setHead(row.room, view.record);
      notifications.set(row.name, { epoch: row.epoch, entries });
    }
    return { results, notifications, overwrites, removesWords: this.#words.write() };
  }

  history(name: string, query: HistoryQuery, now: number): History {
    const room = this.#rooms.find(name);
    const { after = 0, before = Number.MAX_SAFE_INTEGER, repliesTo, limit } = query;
    const isBackwards = query.after === undefined && repliesTo === undefined;
    const held = this.#held(room, after, before, now);
    const reading = this.#reading(room, now);
    const rows = repliesTo === undefined
      ? this.#sql(isBackwards ? "messagesDown" : "messagesUp").iterate(...held, limit + 1)
      : this.#answers(room, repliesTo, held, limit + 1, reading);
    const page = historyPage(stored(rows), { ...reading, limit, isBackwards });
    return { epoch: room.epoch, seq: room.head, ...page };
  }

  read(name: string, after: number, now: number): CatchUp {
    const room = this.#rooms.find(name);
    const rows = this.#sql("entriesUp").iterate(...this.#held(room, after, room.head + 1, now), RESUME_LIMIT + 1);
    return { epoch: room.epoch, seq: room.head, ...catchUp(stored(rows), { ...this.#reading(room, now), after }) };
  }

  keys(name: string, wanted: readonly DocumentKey[]): unknown[] {
    const { room } = this.#rooms.find(name);
    return wanted.map(([seq, key]) => this.#key(room, seq, key));
  }

  listKeys(name: string, { seq, prefix, after = "", limit }: KeysQuery): [name: string, value: unknown][] {
    const { room } = this.#rooms.find(name);
    return [...this.#list(room, seq, prefix, after).take(limit)];
  }

  /**
   * One step of removing expired entries, in the first room after `after`.
   * @returns after which room to go on, or undefined when every room has been seen
   */
  expire(after: number, now: number): { next: number; changed: boolean; removesWords: boolean } | undefined {
    const room = this.#rooms.next(after);
    if (!room || !this.#rules.expires) return undefined;
    let floor = room.floor;
    for (const row of this.#sql("oldest").iterate(room.room, floor, EXPIRE_STEP)) {
      const entry = row as unknown as EntryRow;
      if (this.#rules.isHeld(entry, toRecord(room), now)) break;
      floor = entry.seq;
    }
    this.#words.begin();
    if (floor > room.floor) {
      for (const row of this.#sql("expiringDocuments").all(room.room, room.floor, floor)) {
        const { seq, user, document } = row as { seq: number; user: string; document: string };
        this.#words.changed(room, { seq, user, before: parse<Document>(document), after: undefined });
      }
      for (const expire of ["expireDocuments", "expireErasable", "expireKeys"] as const) {
        this.#sql(expire).run(room.room, room.floor, floor);
      }
      this.#rooms.setFloor(room.room, floor);
    }
    const forgotten = Number(this.#sql("forget").run(room.room, floor, EXPIRE_STEP, now - IDEMPOTENCY_WINDOW).changes);
    const more = floor - room.floor === EXPIRE_STEP || forgotten > 0;
    const changed = floor > room.floor || forgotten > 0;
    return { next: more ? after : room.room, changed, removesWords: this.#words.write() };
  }

  #view(row: RoomRow): RoomView {
    return {
      record: toRecord(row),
      first: (command) =>
        toStored(this.#sql("byKey").get(row.room, command.user, this.#rules.toldBy(command), command.id!)),
      at: (seq) => toStored(this.#sql("bySeq").get(row.room, seq)),
      document: (seq) =>
        parse((this.#sql("document").get(row.room, seq) as { document: string | null } | undefined)?.document),
      key: (seq, name) => this.#key(row.room, seq, name),
      list: (seq, prefix) => this.#list(row.room, seq, prefix),
    };
  }

  #key(room: number, seq: number, name: string): unknown {
    return parse((this.#sql("key").get(room, seq, name) as { value: string } | undefined)?.value);
  }

  *#list(room: number, seq: number, prefix: string, after = ""): Generator<[name: string, value: unknown]> {
    for (const row of this.#sql("list").iterate(room, seq, prefix, after)) {
      const { name, value } = row as { name: string; value: string };
      if (!name.startsWith(prefix)) return;
      yield [name, parse(value)];
    }
  }

  #write(room: RoomRow, record: RoomRecord, { entry, begins, answers, change, forgets }: Write): void {
    // A room gets its row with its first entry.
    if (room.room === 0) room.room = this.#rooms.add(room.name);
    const { seq, date, ordinal, action, user, id, target, fixed, erasable } = entry;
    if (forgets !== undefined) this.#sql("dropId").run(room.room, forgets);
    this.#sql("add").run(
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
      answers ?? null,
    );
    advance(record, entry);
    if (begins) this.#words.changed(room, { seq, user, before: undefined, after: begins });
    if (!change) return;
    if (change.document) this.#changeDocument(room, change.seq, change.document);
    if (change.keepsDocument) this.#sql("showUntil").run(seq, room.room, change.seq);
    if (change.answered !== undefined) this.#sql("dropAnswer").run(room.room, change.seq);
    if (change.isErased) {
      this.#sql("eraseKeys").run(room.room, change.seq);
      this.#sql("eraseErasable").run(room.room, change.seq);
    }
    for (const [name, value] of Object.entries(change.keys)) {
      if (value === null) this.#sql("dropKey").run(room.room, change.seq, name);
      else this.#sql("setKey").run(room.room, change.seq, name, json(value)!);
    }
  }

  #changeDocument(room: RoomRow, seq: number, document: Document): void {
    const row = this.#sql("document").get(room.room, seq) as { user: string; document: string };
    this.#words.changed(room, { seq, user: row.user, before: parse<Document>(row.document), after: document });
    this.#sql("setDocument").run(json(document), room.room, seq);
  }

  #sql(name: keyof typeof SQL): StatementSync {
    return this.#database.sql(SQL[name]);
  }

  /** The messages that answer this one. Those of one that has expired are not told. */
  #answers(
    { room }: RoomRow,
    answered: number,
    held: readonly number[],
    limit: number,
    { rules, record, now }: Reading,
  ): Iterable<unknown> {
    const message = toStored(this.#sql("bySeq").get(room, answered));
    return message && rules.isHeld(message, record, now) ? this.#sql("answers").iterate(answered, ...held, limit) : [];
  }

  /** What `HELD` asks for. */
  #held({ room, floor, messages }: RoomRow, after: number, before: number, now: number): number[] {
    return [room, Math.max(after, floor), before, this.#rules.oldest(now), this.#rules.ordinalFloor(messages)];
  }

  #reading(room: RoomRow, now: number): Reading {
    return { room: room.name, record: toRecord(room), rules: this.#rules, now };
  }
}
