import type { Clock } from "../chat/clock.ts";
import type { Document } from "../chat/entries/kind.ts";
import type { Entry } from "../chat/protocol.ts";
import {
  advance,
  type AppendResult,
  IDEMPOTENCY_WINDOW,
  type Kinds,
  NEW_ROOM,
  type Retention,
  type RoomRecord,
  type RoomView,
  Rulebook,
  type StoredEntry,
  type Write,
} from "../chat/rulebook.ts";
import type {
  CatchUp,
  Command,
  DocumentKey,
  History,
  HistoryQuery,
  KeysQuery,
  LogNotification,
  SearchRequest,
  SearchResult,
  Storage,
} from "../chat/storage.ts";
import { MemoryModeration } from "./memory_moderation.ts";
import { MemoryNames } from "./memory_names.ts";
import { catchUp, historyPage, type Reading, type StoredMessage } from "./shared/page.ts";
import { Scanner } from "./shared/scan.ts";

interface Room {
  record: RoomRecord;
  /** The room's own; undefined: it has that of all rooms. */
  epoch?: string;
  /** Those that are held, without gaps: the first one's `seq` is head − length + 1. */
  entries: StoredEntry[];
  /** By message. */
  documents: Map<number, KeptDocument>;
  /** By message, the places of those that answer it. */
  answers: Map<number, Set<number>>;
  /** The first entry of each user + action + id. */
  first: Map<string, StoredEntry>;
  subscribers: Set<(notification: LogNotification) => void>;
}

interface KeptDocument {
  document: Document;
  /** The entry with which the document expires: the message's own, or a later one that shows its words. */
  shownBy: number;
  keys: Map<string, unknown>;
}

/** Stores everything in the memory of this process, for tests and trials: after a restart there is nothing. */
export class MemoryStorage implements Storage {
  readonly #clock: Clock;
  readonly #rules: Rulebook;
  readonly #secret: string;
  readonly #scanner: Scanner;
  #epoch = crypto.randomUUID();
  readonly #rooms = new Map<string, Room>();
  readonly names = new MemoryNames();
  readonly moderation = new MemoryModeration((room) => this.#rooms.get(room)?.record);

  constructor(options: { clock: Clock; secret: string; retention: Retention; kinds?: Kinds }) {
    this.#clock = options.clock;
    this.#secret = options.secret;
    this.#scanner = new Scanner((room, query) => this.history(room, query), options.clock);
    this.#rules = new Rulebook(options.retention, options.kinds);
  }

  append(commands: readonly Command[]): Promise<AppendResult[]> {
    const open = new Map<string, { room: Room; view: RoomView; told: Entry[] }>();
    const now = this.#clock.now();
    const results = commands.map((command) => {
      let opened = open.get(command.room);
      if (!opened) {
        const room = this.#rooms.get(command.room) ?? newRoom();
        open.set(command.room, opened = { room, view: this.#view(room, command.room), told: [] });
      }
      const { room, view, told } = opened;
      const { result, write } = this.#rules.append(command, view, now);
      if (write && "entry" in result) {
        keep(room, this.#rules.idempotencyKey(command), write);
        told.push(result.entry);
      }
      return result;
    });
    for (const [name, { room, told }] of open) {
      if (told.length === 0) continue;
      this.#rooms.set(name, room);
      this.#expire(room);
      this.#notify(room, told);
    }
    return Promise.resolve(results);
  }

  history(name: string, query: HistoryQuery): Promise<History> {
    const room = this.#find(name);
    const { after = 0, before = Infinity, repliesTo } = query;
    const isBackwards = query.after === undefined && repliesTo === undefined;
    const all = repliesTo === undefined
      ? room.entries
      : [...room.answers.get(repliesTo) ?? []].flatMap((seq) => at(room, seq) ?? []);
    const entries = all.filter(({ seq }) => seq > after && seq < before);
    if (isBackwards) entries.reverse();
    return Promise.resolve({
      epoch: this.#epochOf(room),
      seq: room.record.head,
      ...historyPage(messages(room, entries), {
        ...this.#reading(name, room),
        limit: query.limit,
        isBackwards,
      }),
    });
  }

  keys(name: string, wanted: readonly DocumentKey[]): Promise<unknown[]> {
    const { documents } = this.#find(name);
    return Promise.resolve(wanted.map(([seq, key]) => documents.get(seq)?.keys.get(key)));
  }

  listKeys(name: string, { seq, prefix, after = "", limit }: KeysQuery): Promise<[string, unknown][]> {
    const keys = [...this.#find(name).documents.get(seq)?.keys ?? []];
    const found = keys.filter(([key]) => key.startsWith(prefix) && key > after);
    return Promise.resolve(found.sort(([one], [other]) => one < other ? -1 : 1).slice(0, limit));
  }

  search(room: string, request: SearchRequest): Promise<SearchResult> {
    return this.#scanner.search(room, request);
  }

  read(name: string, after: number): Promise<CatchUp> {
    const room = this.#find(name);
    const rows = room.entries.values()
      .drop(Math.max(0, after + 1 - firstSeq(room)))
      .map((entry) => ({ entry, document: room.documents.get(entry.target ?? entry.seq)?.document }));
    return Promise.resolve({
      epoch: this.#epochOf(room),
      seq: room.record.head,
      ...catchUp(rows, { ...this.#reading(name, room), after }),
    });
  }

  subscribe(name: string, listener: (notification: LogNotification) => void): () => void {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#rooms.set(name, room);
    room.subscribers.add(listener);
    return () => {
      if (!room.subscribers.delete(listener)) return;
      // A room without entries is forgotten: anyone can name any number of them.
      const isUnused = room.subscribers.size === 0 && room.record.head === 0 && room.epoch === undefined;
      if (isUnused) this.#rooms.delete(name);
    };
  }

  renewEpoch(name?: string): Promise<void> {
    const epoch = crypto.randomUUID();
    if (name === undefined) this.#epoch = epoch;
    const renewed = name === undefined ? this.#rooms.values() : [this.#rooms.get(name) ?? newRoom()];
    for (const room of renewed) {
      room.epoch = name === undefined ? undefined : epoch;
      if (name !== undefined) this.#rooms.set(name, room);
      this.#notify(room, []);
    }
    return Promise.resolve();
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  readonly missedNotifications = 0;

  /** There is no other isolate to tell: nobody else sees this memory. */
  publish(): void {}
  onEvent(): void {}

  check(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #find(name: string): Room {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#expire(room);
    return room;
  }

  #reading(name: string, { record }: Room): Reading {
    return { room: name, record, rules: this.#rules, now: this.#clock.now() };
  }

  #epochOf(room: Room): string {
    return room.epoch ?? this.#epoch;
  }

  #notify(room: Room, entries: Entry[]): void {
    for (const subscriber of room.subscribers) subscriber({ epoch: this.#epochOf(room), entries });
  }

  #view(room: Room, name: string): RoomView {
    room.record.locked = this.moderation.isLocked(name);
    return {
      record: room.record,
      first: (command) => room.first.get(this.#rules.idempotencyKey(command)!),
      at: (seq) => at(room, seq),
      document: (seq) => room.documents.get(seq)?.document,
      key: (seq, key) => room.documents.get(seq)?.keys.get(key),
      list: (seq, prefix) => room.documents.get(seq)?.keys.entries().filter(([key]) => key.startsWith(prefix)) ?? [],
    };
  }

  #expire(room: Room): void {
    const now = this.#clock.now();
    let drop = 0;
    while (drop < room.entries.length && !this.#rules.isHeld(room.entries[drop], room.record, now)) drop++;
    if (drop === 0) return;
    for (const entry of room.entries.splice(0, drop)) {
      const message = entry.target ?? entry.seq;
      const kept = room.documents.get(message);
      if (kept && kept.shownBy <= entry.seq) room.documents.delete(message);
      room.answers.delete(entry.seq);
    }
    // The oldest come first, so those that are to be forgotten do too.
    for (const [key, { seq, date }] of room.first) {
      if (seq >= firstSeq(room) || date > now - IDEMPOTENCY_WINDOW) break;
      room.first.delete(key);
    }
  }
}

function newRoom(): Room {
  return {
    record: { ...NEW_ROOM },
    entries: [],
    documents: new Map(),
    answers: new Map(),
    first: new Map(),
    subscribers: new Set(),
  };
}

function firstSeq(room: Room): number {
  return room.record.head - room.entries.length + 1;
}

function at(room: Room, seq: number): StoredEntry | undefined {
  return room.entries[seq - firstSeq(room)];
}

function* messages(room: Room, entries: Iterable<StoredEntry>): Generator<StoredMessage> {
  for (const entry of entries) {
    const document = room.documents.get(entry.seq)?.document;
    if (document) yield { entry, document, replies: room.answers.get(entry.seq)?.size ?? 0 };
  }
}

function keep(room: Room, key: string | undefined, { entry, begins, answers, change }: Write): void {
  room.entries.push(entry);
  advance(room.record, entry);
  if (key !== undefined) {
    // A key that is only set again would keep its old place, and the oldest entry has to come first.
    room.first.delete(key);
    room.first.set(key, entry);
  }
  if (begins) room.documents.set(entry.seq, { document: begins, shownBy: entry.seq, keys: new Map() });
  if (answers !== undefined) {
    const others = room.answers.get(answers) ?? new Set();
    room.answers.set(answers, others.add(entry.seq));
  }
  if (!change) return;
  if (change.answered !== undefined) room.answers.get(change.answered)?.delete(change.seq);
  const kept = room.documents.get(change.seq)!;
  if (change.document) kept.document = change.document;
  if (change.keepsDocument) kept.shownBy = entry.seq;
  if (change.isErased) {
    kept.keys.clear();
    for (const other of room.entries) if (other.target === change.seq) delete other.erasable;
  }
  for (const [name, value] of Object.entries(change.keys)) {
    if (value === null) kept.keys.delete(name);
    else kept.keys.set(name, value);
  }
}
