/**
 * The rules of a room's log, once for every store: who may do what, what has expired, the answer to a repeated key, what
 * is erased, and how an entry is shown. A store writes what the rulebook decides, and knows no kind of entry. All
 * functions are pure and synchronous, so that a store may call them as often as it needs to.
 */
import { KINDS } from "./entries/kinds.ts";
import type { AnyKind, Change, CommandBase, Document, Fields, Kind, Refused, View } from "./entries/kind.ts";
import type { Entry } from "./protocol.ts";

const DAY = 24 * 60 * 60 * 1000;

/** How long an idempotency key is remembered at least, milliseconds; it is also remembered while its entry is held. */
export const IDEMPOTENCY_WINDOW = DAY;

/** What is kept of each room; 0 keeps everything. */
export interface Retention {
  /** How many messages. Entries that only change them are not counted. */
  messages: number;
  days: number;
}

/** An entry as a store keeps it. It never changes, but `erasable` is removed when the entry's message is erased. */
export interface StoredEntry {
  seq: number;
  /** Milliseconds since 1970; never less than that of the entry before. */
  date: number;
  /** How many messages the room has had, this entry included. It never goes down from one entry to the next. */
  ordinal: number;
  action: string;
  /** Empty where several people made it: see `Kind.merge`. */
  user: string;
  id?: string;
  target?: number;
  fixed?: Fields;
  erasable?: Fields;
}

/** By what it is known whether an entry has expired. */
type Rank = Pick<StoredEntry, "seq" | "date" | "ordinal">;

/** Where a room stands. A store keeps it apart from the entries, so that it stays when they expire. */
export interface RoomRecord {
  /** The `seq` and the date of the newest entry; 0 where there is none. */
  head: number;
  date: number;
  /** How many messages the room has had. */
  messages: number;
  /** Entries up to here have expired. */
  floor: number;
  locked: boolean;
}

/** The record of a room without entries. */
export const NEW_ROOM: Readonly<RoomRecord> = { head: 0, date: 0, messages: 0, floor: 0, locked: false };

/** Makes this entry the newest of the room. */
export function advance(record: RoomRecord, { seq, date, ordinal }: StoredEntry): void {
  Object.assign(record, { head: seq, date, messages: ordinal });
}

/** A room as a store knows it while it appends. It includes what the same call has appended and not written yet. */
export interface RoomView {
  record: RoomRecord;
  /** The first entry that had this command's idempotency key. */
  first(command: CommandBase): StoredEntry | undefined;
  at(seq: number): StoredEntry | undefined;
  document(seq: number): Document | undefined;
  /** The value of a document key of that message. */
  key(seq: number, name: string): unknown;
  /** All document keys of that message that begin so, in any order. */
  list(seq: number, prefix: string): Iterable<readonly [name: string, value: unknown]>;
}

/** What a store writes for one entry, all or nothing. */
export interface Write {
  entry: StoredEntry;
  /** The document that the entry begins, if it begins one. */
  begins?: Document | undefined;
  /** The `seq` of the message that the entry answers. It counts as an answer until it is erased or expires. */
  answers?: number | undefined;
  change?: DocumentChange | undefined;
  /** The `seq` of an older entry, from which the new one takes the idempotency key. */
  forgets?: number | undefined;
}

/** What an entry changes of the message that it is about. */
export interface DocumentChange {
  /** The message's. */
  seq: number;
  /** The message's new document; undefined: it keeps the one that it has. */
  document?: Document | undefined;
  /** The document is kept for as long as this entry, also when its message has expired. */
  keepsDocument: boolean;
  /** The message's document keys, and what is `erasable` of all entries about it, are removed. */
  isErased: boolean;
  /** The `seq` of the message of which this one, which is erased, is no answer any more. */
  answered?: number | undefined;
  /** New values of document keys, by the name under which stores keep them; null removes one. */
  keys: Readonly<Record<string, unknown>>;
}

/**
 * The answer to a command. `repeated`: the user had used that idempotency key for this kind before, and `entry` is the
 * first one, without its words if they have been deleted or have expired. `unchanged`: what it asks for is so already.
 * A refused command leaves its key unused. `refusals`: see `Change`.
 */
export type AppendResult =
  & ({ entry: Entry; repeated: boolean } | { unchanged: true; refused?: undefined; message?: undefined } | Refused)
  & { refusals?: Change["refusals"] };

/** What becomes of a command: the answer, and what to write if there is a new entry. */
export interface Decided {
  result: AppendResult;
  write?: Write;
}

/** The place of a new entry. No rule compares it, so a store may pass numbers that stand in for it: see `Kind.apply`. */
export type Place = Pick<StoredEntry, "seq" | "date">;

/** The kinds of entry that a log knows. */
export type Kinds = Iterable<AnyKind>;

export class Rulebook {
  readonly #byAsked = new Map<string, Kind>();
  readonly #byTold = new Map<string, Kind>();
  readonly #retention: Retention;

  /** @param kinds tests pass kinds that they have made up */
  constructor(retention: Retention, kinds: Kinds = Object.values(KINDS)) {
    this.#retention = retention;
    for (const kind of kinds as Iterable<Kind>) {
      const { tells, begin, who, erases, erasable, merge } = kind;
      if (begin && who) throw new Error(`${tells}: a kind with begin is about no message, so it has no who.`);
      if (begin && erasable) throw new Error(`${tells}: a kind with begin keeps what is erasable in its document.`);
      if (erases && erasable) throw new Error(`${tells}: a kind that erases has nothing erasable.`);
      if (merge && !who) throw new Error(`${tells}: what merges is about the same message, so it has a who.`);
      this.#byAsked.set(kind.asks, kind);
      this.#byTold.set(tells, kind);
    }
  }

  /** The actions of entries, of all kinds. */
  get actions(): readonly string[] {
    return [...this.#byTold.keys()];
  }

  /** Whether an entry is a message. An entry of an unknown kind is not. */
  isMessage({ action }: StoredEntry): boolean {
    return this.#byTold.get(action)?.begin !== undefined;
  }

  /** Whether anything ever expires. */
  get expires(): boolean {
    return this.#retention.messages > 0 || this.#retention.days > 0;
  }

  /**
   * Decides on a command.
   * @param now milliseconds since 1970
   * @param place of the new entry; absent: after the room's head
   * @throws {Error} if no kind is asked for by this action
   */
  append(command: CommandBase, room: RoomView, now: number, place?: Place): Decided {
    const found = command.id === undefined ? undefined : room.first(command);
    const first = this.remembered(found, room.record, now);
    if (first) return { result: { entry: this.repeated(command, first, room, now), repeated: true } };
    const kind = this.#kindAsked(command);
    const target = about(command);
    const entry = target === undefined ? undefined : room.at(target);
    // Of an expired message there may be one, for what was said about it later.
    const document = entry && this.isHeld(entry, room.record, now) ? room.document(entry.seq) : undefined;
    const message = entry && document && !document.deleted ? { seq: entry.seq, user: entry.user, document } : undefined;
    const refused = refusal(kind, command, room.record, message);
    if (refused) return { result: refused };
    const keys = new Map(this.documentKeys(command).map((key) => [key, room.key(target!, key)]));
    const lists = message ? this.documentLists(command, message.document) : [];
    const view: View = {
      target: message,
      locked: room.record.locked,
      key: (name) => keys.get(documentKey(kind.tells, name)),
      *list(prefix) {
        const own = documentKey(kind.tells, "");
        if (!lists.includes(own + prefix)) return;
        for (const [name, value] of room.list(target!, own + prefix)) yield [name.slice(own.length), value];
      },
    };
    const { head, date, messages } = room.record;
    const next = { seq: head + 1, date: Math.max(date, now), ...place, ordinal: messages };
    try {
      const decided = decide(kind, command, view, next);
      if (decided.write?.change?.isErased) decided.write.change.answered = answeredBy(entry);
      if (decided.write && found) decided.write.forgets = found.seq;
      return decided;
    } catch (error) {
      // It is a mistake in the kind, since no store is asked any more. Others' commands are in the same batch.
      console.error(`${command.action} could not be decided:`, error);
      return { result: { refused: "forbidden", message: "The server made a mistake. Nothing was stored." } };
    }
  }

  /** The document keys that this command needs to see, by the name under which stores keep them. */
  documentKeys(command: CommandBase): readonly string[] {
    const kind = this.#kindAsked(command);
    return kind.keys?.(command).map((name) => documentKey(kind.tells, name)) ?? [];
  }

  /** The beginnings of document keys of which this command needs to see all. @param document of its message */
  documentLists(command: CommandBase, document: Document): readonly string[] {
    const kind = this.#kindAsked(command);
    return kind.lists?.(command, document).map((prefix) => documentKey(kind.tells, prefix)) ?? [];
  }

  /** The idempotency key of a command: its user, its entry's action and its id; undefined without an id. */
  idempotencyKey(command: CommandBase): string | undefined {
    const { user, id } = command;
    return id === undefined ? undefined : `${user} ${this.toldBy(command)} ${id}`;
  }

  /** The action of the entry that this command asks for. */
  toldBy(command: CommandBase): string {
    return this.#kindAsked(command).tells;
  }

  /** The first entry with an idempotency key; undefined if there is none, or if the key may be used again. */
  remembered(first: StoredEntry | undefined, record: RoomRecord, now: number): StoredEntry | undefined {
    return first && (this.isHeld(first, record, now) || first.date > now - IDEMPOTENCY_WINDOW) ? first : undefined;
  }

  /** The answer to a repeated command: the first entry with its key, or what is left of that. */
  repeated(command: CommandBase, first: StoredEntry, room: Pick<RoomView, "record" | "document">, now: number): Entry {
    if (!this.isHeld(first, room.record, now)) {
      return this.present({ ...first, erasable: undefined }, undefined, command.room);
    }
    return this.present(first, room.document(first.target ?? first.seq), command.room, { isCatchUp: true });
  }

  /** Whether the room still has this entry: it has not expired. */
  isHeld({ seq, date, ordinal }: Rank, { messages, floor }: RoomRecord, now: number): boolean {
    return seq > floor && ordinal > this.ordinalFloor(messages) && date >= this.oldest(now);
  }

  /** Entries up to this ordinal have expired; the first one is 0. @param messages how many the room has had */
  ordinalFloor(messages: number): number {
    return this.#retention.messages === 0 ? -1 : messages - this.#retention.messages;
  }

  /** Entries from before this date have expired. */
  oldest(now: number): number {
    return this.#retention.days === 0 ? 0 : now - this.#retention.days * DAY;
  }

  /**
   * An entry as users see it.
   * @param document its own, or that of the message that it is about; undefined: the room does not have that any more
   * @param how.isCatchUp the entries that follow it are shown too
   * @param how.replies how many answers it has
   */
  present(
    entry: StoredEntry,
    document: Document | undefined,
    room: string,
    { isCatchUp = false, replies = 0 }: { isCatchUp?: boolean; replies?: number } = {},
  ): Entry {
    const kind = this.#byTold.get(entry.action);
    // A newer version wrote it. Readers count its place, and change nothing.
    if (!kind) return { action: "unknown_entry", room, seq: entry.seq, date: entry.date };
    const shown = document && isCatchUp && kind.inCatchUp ? kind.inCatchUp(document) : document;
    const erasable = document?.deleted ? undefined : entry.erasable;
    const told = toEntry({ ...entry, erasable: erasable ?? kind.whenErased }, room, kind.present?.(shown));
    return replies > 0 ? { ...told, replies } as Entry : told;
  }

  #kindAsked({ action }: CommandBase): Kind {
    const kind = this.#byAsked.get(action);
    if (!kind) throw new Error(`no kind of entry is asked for by ${action}`);
    return kind;
  }
}

/** The message that a command depends on: the one that it is about, or that it answers. */
export function about({ target, reply_to }: CommandBase): number | undefined {
  return target ?? reply_to;
}

/** The `seq` of the message that this one answers, if it answers one. */
export function answeredBy(message: StoredEntry | undefined): number | undefined {
  return message?.fixed?.reply_to as number | undefined;
}

/**
 * The name under which stores keep a document key. Kinds don't share names.
 * @param tells the action of the kind's entries
 */
export function documentKey(tells: string, name: string): string {
  return `${tells}:${name}`;
}

/**
 * Why a command is refused, whatever its kind decides.
 * @param message that it depends on, as `View.target` has it
 */
function refusal(
  kind: Kind,
  command: CommandBase,
  { locked }: RoomRecord,
  message: View["target"],
): Refused | undefined {
  if (command.lookupOnly) return { refused: "not_found" };
  if (locked && !kind.whileLocked) return { refused: "locked" };
  if (about(command) === undefined) return undefined;
  if (!message) return { refused: "not_found" };
  if (kind.who !== "author" || message.user === command.user) return undefined;
  return kind.byModerator && command.moderator ? undefined : { refused: "forbidden" };
}

/**
 * What a kind makes of a command that nothing else refuses.
 * @param next the new entry's place, if it begins no message
 */
function decide(kind: Kind, command: CommandBase, view: View, next: Rank): Decided {
  const decision = kind.decide(command, view);
  if ("refused" in decision) return { result: decision };
  const { fields, keys = {} } = decision;
  const refusals = decision.refusals && { refusals: decision.refusals };
  if (!fields) return { result: { unchanged: true, ...refusals } };
  const { user, id, target, reply_to } = command;
  const begins = kind.begin?.(fields);
  const entry: StoredEntry = { ...next, action: kind.tells, user: kind.merge ? "" : user };
  if (begins) entry.ordinal++;
  if (id !== undefined) entry.id = id;
  if (target !== undefined) entry.target = target;
  if (kind.fixed) entry.fixed = pick(fields, kind.fixed);
  if (kind.erasable) entry.erasable = pick(fields, kind.erasable);
  const told = toEntry(entry, command.room, fields);
  const change: DocumentChange | undefined = target === undefined ? undefined : {
    seq: target,
    document: decision.document ?? kind.apply?.(view.target!.document, told),
    keepsDocument: kind.showsWords ?? false,
    isErased: kind.erases ?? false,
    keys: Object.fromEntries(Object.entries(keys).map(([name, value]) => [documentKey(kind.tells, name), value])),
  };
  return { result: { entry: told, repeated: false, ...refusals }, write: { entry, begins, answers: reply_to, change } };
}

function toEntry(entry: StoredEntry, room: string, fields?: Fields): Entry {
  const { action, seq, user, date, id, target, fixed, erasable } = entry;
  const told: Fields = { action, room, seq };
  if (target !== undefined) told.target = target;
  if (user !== "") told.user = user;
  Object.assign(told, fixed, erasable, fields);
  told.date = date;
  if (id !== undefined) told.id = id;
  return told as unknown as Entry;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(names.filter((name) => fields[name] !== undefined).map((name) => [name, fields[name]]));
}
