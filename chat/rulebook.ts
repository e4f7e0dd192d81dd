/**
 * The rules of what may be kept in a room's log, once for every store: who may do what, what is held and when it has
 * expired, what a repeated key is answered, what is erased, and how an entry is shown. A store keeps what it is told to and
 * knows no kind of entry. All of it is pure and synchronous, so that a store may ask as often as it needs to.
 */
import { KINDS } from "./entries/kinds.ts";
import type { AnyKind, CommandBase, Document, Fields, Kind, Refused } from "./entries/kind.ts";
import { type Entry, SENTENCES } from "./protocol.ts";

const DAY = 24 * 60 * 60 * 1000;

/** How long an idempotency key is remembered at least, milliseconds; longer when its entry is held longer. */
export const IDEMPOTENCY_WINDOW = DAY;

/** What is kept of each room; 0 keeps everything. */
export interface Retention {
  /** Messages; what only changes them is not counted. */
  messages: number;
  days: number;
}

/** An entry as a store keeps it. None of it ever changes, but `erasable` is removed when the entry's message is erased. */
export interface StoredEntry {
  seq: number;
  /** Milliseconds since 1970; never less than that of the entry before. */
  date: number;
  /** How many messages the room has had, up to this entry and with it. Like `seq` it never goes down. */
  ordinal: number;
  action: string;
  user: string;
  id?: string;
  target?: number;
  fixed?: Fields;
  erasable?: Fields;
}

/** What a store keeps of a room by itself, so that nothing lowers it. */
export interface RoomRecord {
  /** The `seq` and the date of the newest entry; 0 where there is none. */
  head: number;
  date: number;
  /** How many messages the room has had. */
  messages: number;
  /** Entries up to here have been let go of. */
  floor: number;
  locked: boolean;
}

/** A room in which nothing has been said. */
export const NEW_ROOM: Readonly<RoomRecord> = { head: 0, date: 0, messages: 0, floor: 0, locked: false };

/** Notes that this is the newest entry of the room. */
export function advance(record: RoomRecord, { seq, date, ordinal }: StoredEntry): void {
  record.head = seq;
  record.date = date;
  record.messages = ordinal;
}

/** What a store knows of a room while it appends: also what was appended a moment ago and is not written yet. */
export interface RoomView {
  record: RoomRecord;
  /** The first entry that had this command's idempotency key. */
  first(command: CommandBase): StoredEntry | undefined;
  at(seq: number): StoredEntry | undefined;
  document(seq: number): Document | undefined;
  /** What stands under a key of that message. */
  key(seq: number, name: string): unknown;
}

/** What is to be written, all at once. */
export interface Write {
  entry: StoredEntry;
  /** The document that the entry begins, if it begins one. */
  begins?: Document | undefined;
  change?: DocumentChange;
  /** The entry whose idempotency key this one takes over, since it need not be remembered any more. */
  forgets?: number | undefined;
}

/** What becomes of the message that an entry is about. */
export interface DocumentChange {
  seq: number;
  /** In place of the one that it had; undefined: it stays as it is. */
  document?: Document;
  /** The document is kept for as long as the entry that changes it. */
  keepsDocument: boolean;
  /** Its keys, and what is erasable of the entries about it, are removed. */
  isErased: boolean;
  /** Keys of the message that get another value, or none (null). */
  keys: Readonly<Record<string, unknown>>;
}

/**
 * The answer to a command. `repeated`: that key had been used for this kind of action, and `entry` is the first one's,
 * without its words if they have been deleted or have expired. Refused commands use up no key.
 */
export type AppendResult = { entry: Entry; repeated: boolean } | Refused;

/** What a refusal says that has no sentence of its own: those that the rules for all kinds give. */
export const REFUSALS: Readonly<Record<Refused["refused"], string>> = {
  locked: SENTENCES.locked,
  forbidden: SENTENCES.notAuthor,
  not_found: SENTENCES.gone,
  unavailable: "The store did not answer. Send it again, with the same id.",
};

/** One place in a log that is to be given: `seq` and `date` are only written, never compared, so they may stand in for it. */
export type Place = Pick<StoredEntry, "seq" | "date">;

/** All kinds of entry that a log knows. */
export type Kinds = Iterable<AnyKind>;

export class Rulebook {
  readonly #byAsked = new Map<string, Kind>();
  readonly #byTold = new Map<string, Kind>();
  readonly #retention: Retention;

  /** @param kinds also those that a test has made up */
  constructor(retention: Retention, kinds: Kinds = Object.values(KINDS)) {
    this.#retention = retention;
    for (const kind of kinds as Iterable<Kind>) {
      if (kind.begin && (kind.who || kind.erasable)) {
        throw new Error(
          `${kind.tells}: a message is about no other, and its document has all that can be erased of it`,
        );
      }
      this.#byAsked.set(kind.asks, kind);
      this.#byTold.set(kind.tells, kind);
    }
  }

  /** The actions by which entries are told, of all kinds. */
  get actions(): readonly string[] {
    return [...this.#byTold.keys()];
  }

  /** Whether an entry is a message: one of a kind that is not known is none. */
  isMessage({ action }: StoredEntry): boolean {
    return this.#byTold.get(action)?.begin !== undefined;
  }

  /** Whether anything ever expires. */
  get expires(): boolean {
    return this.#retention.messages > 0 || this.#retention.days > 0;
  }

  /**
   * What becomes of a command.
   * @param now milliseconds since 1970
   * @param place where the entry would stand; absent: behind the room's head
   */
  append(command: CommandBase, room: RoomView, now: number, place?: Place): { result: AppendResult; write?: Write } {
    const found = command.id === undefined ? undefined : room.first(command);
    const first = this.remembered(found, room.record, now);
    if (first) return { result: { entry: this.repeated(command, first, room, now), repeated: true } };
    const kind = this.#kindAsked(command);
    const refused = this.#refusal(kind, command, room, now);
    if (refused) return { result: refused };
    const target = command.target;
    const document = target === undefined ? undefined : room.document(target);
    const decision = kind.decide(command, {
      target: document && { seq: target!, user: room.at(target!)!.user, document },
      key: (name) => target === undefined ? undefined : room.key(target, documentKey(kind, name)),
    });
    if ("refused" in decision) return { result: decision };
    const { fields } = decision;
    const keys = Object.entries(decision.keys ?? {}).map(([name, value]) => [documentKey(kind, name), value]);
    const { record } = room;
    const { seq, date } = place ?? { seq: record.head + 1, date: Math.max(record.date, now) };
    const begins = kind.begin?.(fields);
    const { user, id } = command;
    const entry: StoredEntry = {
      seq,
      date,
      ordinal: record.messages + (begins ? 1 : 0),
      action: kind.tells,
      user,
    };
    if (id !== undefined) entry.id = id;
    if (target !== undefined) entry.target = target;
    if (kind.fixed) entry.fixed = pick(fields, kind.fixed);
    if (kind.erasable) entry.erasable = pick(fields, kind.erasable);
    const told = toEntry(entry, command.room, fields);
    if (!document) return { result: { entry: told, repeated: false }, write: { entry, begins, forgets: found?.seq } };
    const change: DocumentChange = {
      seq: target!,
      keepsDocument: kind.showsWords ?? false,
      isErased: kind.erases ?? false,
      keys: Object.fromEntries(keys),
      ...(kind.apply && { document: kind.apply(document, told) }),
    };
    return { result: { entry: told, repeated: false }, write: { entry, change, forgets: found?.seq } };
  }

  /** The keys of its message that a command's rule looks at. */
  documentKeys(command: CommandBase): readonly string[] {
    const kind = this.#kindAsked(command);
    return kind.keys?.(command).map((name) => documentKey(kind, name)) ?? [];
  }

  /** The idempotency key of a command: its user, the action by which its entry is told, and its id. */
  idempotencyKey(command: CommandBase): string | undefined {
    const { user, id } = command;
    return id === undefined ? undefined : `${user} ${this.toldBy(command)} ${id}`;
  }

  /** The action by which this command's entry is told. */
  toldBy(command: CommandBase): string {
    return this.#kindAsked(command).tells;
  }

  /** The entry that had this key, unless that is remembered no longer. */
  remembered<First extends StoredEntry>(
    first: First | undefined,
    record: RoomRecord,
    now: number,
  ): First | undefined {
    return first && (this.isHeld(first, record, now) || first.date > now - IDEMPOTENCY_WINDOW) ? first : undefined;
  }

  /** What a repeated command is answered: the first one's entry, or what is left of it. */
  repeated(command: CommandBase, first: StoredEntry, room: Pick<RoomView, "record" | "document">, now: number): Entry {
    const isHeld = this.isHeld(first, room.record, now);
    if (!isHeld) return this.present({ ...first, erasable: undefined }, undefined, command.room);
    return this.present(first, room.document(first.target ?? first.seq), command.room);
  }

  /** Whether an entry may still be shown. */
  isHeld(
    { seq, date, ordinal }: Pick<StoredEntry, "seq" | "date" | "ordinal">,
    { messages, floor }: RoomRecord,
    now: number,
  ): boolean {
    return seq > floor && ordinal > this.ordinalFloor(messages) && date >= this.oldest(now);
  }

  /** Entries of this ordinal, or a lower one, are of too many messages ago. @param messages that the room has had */
  ordinalFloor(messages: number): number {
    return this.#retention.messages === 0 ? 0 : messages - this.#retention.messages;
  }

  /** Entries dated before this are too old. */
  oldest(now: number): number {
    return this.#retention.days === 0 ? 0 : now - this.#retention.days * DAY;
  }

  /**
   * An entry as it is told.
   * @param document its own, or that of the message that it is about; undefined where it is not held any more
   * @param isCatchUp the entries that follow are shown too
   */
  present(entry: StoredEntry, document: Document | undefined, room: string, isCatchUp = false): Entry {
    const kind = this.#byTold.get(entry.action);
    // Written by a newer version: it takes its place and changes nothing.
    if (!kind) return { action: "unknown_entry", room, seq: entry.seq, date: entry.date };
    const shown = document && isCatchUp && kind.inCatchUp ? kind.inCatchUp(document) : document;
    return toEntry(document?.deleted ? { ...entry, erasable: undefined } : entry, room, kind.present?.(shown));
  }

  #kindAsked({ action }: CommandBase): Kind {
    const kind = this.#byAsked.get(action);
    if (!kind) throw new Error(`no kind of entry is asked for by ${action}`);
    return kind;
  }

  #refusal(kind: Kind, command: CommandBase, room: RoomView, now: number): Refused | undefined {
    if (command.lookupOnly) return { refused: "not_found" };
    if (room.record.locked && !kind.whileLocked) return { refused: "locked" };
    if (kind.who === undefined) return undefined;
    const target = room.at(command.target!);
    const document = target && this.isHeld(target, room.record, now) ? room.document(target.seq) : undefined;
    if (!document || document.deleted) return { refused: "not_found" };
    const mayDo = kind.who === "anyone" || target!.user === command.user ||
      (kind.byModerator && command.moderator);
    return mayDo ? undefined : { refused: "forbidden" };
  }
}

/** A key as stores know it: no kind comes across those of another. */
function documentKey({ tells }: AnyKind, name: string): string {
  return `${tells}:${name}`;
}

function toEntry(entry: StoredEntry, room: string, fields?: Fields): Entry {
  const { action, seq, user, date, id, target, fixed, erasable } = entry;
  const told: Fields = { action, room, seq };
  if (target !== undefined) told.target = target;
  told.user = user;
  Object.assign(told, fixed, erasable, fields);
  told.date = date;
  if (id !== undefined) told.id = id;
  return told as unknown as Entry;
}

function pick(fields: Fields, names: readonly string[]): Fields {
  const picked: Fields = {};
  for (const name of names) picked[name] = fields[name];
  return picked;
}
