import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import {
  advance,
  type AppendResult,
  NEW_ROOM,
  type RoomRecord,
  type RoomView,
  type Rulebook,
  type StoredEntry,
  type Write,
} from "../../chat/rulebook.ts";
import { type Command, ROOM_SETTINGS, type RoomSettings } from "../../chat/storage.ts";
import { changeKeyOf, type Found, KEY, type KvStore } from "./store.ts";

/**
 * One commit may have 819,200 bytes and 1,000 writes. One more command adds at most a message of 64 KiB twice, and some
 * ten writes. Most scripts take two bytes a letter; `KEY_BYTES` is for the longest key.
 */
const COMMIT_BYTES = 600 * 1024;
const COMMIT_WRITES = 900;
const KEY_BYTES = 400;

/** One value for all that a commit to a room must agree with, so that it checks this one only. */
export interface KvRoom extends Omit<RoomRecord, "locked"> {
  settings: RoomSettings;
  /** Of this room alone, as long as that of all is the one under which it began. */
  epoch?: { own: string; of: string };
}

export const NO_ROOM: KvRoom = { ...NEW_ROOM, settings: ROOM_SETTINGS };

/** An entry as it is kept, without what is erasable of it, and with its document if it is a message. */
export interface Kept {
  entry: StoredEntry;
  document?: Document;
  /** The last entry that shows the document, which goes with it. */
  shownBy?: number;
  /** The last entry that changed the document; absent where none has, or an older version wrote it. */
  changedBy?: number;
  /**
   * The last entry that erased the message: what entries before it wrote into its parts is gone, and is being removed.
   */
  erasedBy?: number;
}

/** What stands under a document key, and the entry that wrote it. */
export interface KeptKey {
  seq: number;
  value: unknown;
}

/** Whether a part of a message that this entry wrote is still there, or only waits for being removed. */
export function isKept(seq: number, message: Kept | undefined): boolean {
  return seq >= (message?.erasedBy ?? 0);
}

/** The epoch of a room. @param all that of rooms which have none of their own */
export function epochOf({ epoch }: KvRoom, all: string): string {
  return epoch?.of === all ? epoch.own : all;
}

/** What the rules look at. */
export function toRecord({ settings, ...record }: KvRoom): RoomRecord {
  return { ...record, locked: settings.locked };
}

/** One commit to a room: as many of the commands for it as fit, and what is written for them. */
export class Batch {
  readonly #room: string;
  readonly #rules: Rulebook;
  readonly #now: number;
  /** What was read or is to be written, by the key as JSON. */
  readonly #values = new Map<string, unknown>();
  readonly #writes = new Map<string, { key: Deno.KvKey; value: unknown }>();
  /** The room as it was read, and its record after the commands that were decided. */
  #kept: KvRoom = NO_ROOM;
  #record: RoomRecord = toRecord(NO_ROOM);
  #check: Deno.AtomicCheck | undefined;
  /** The room's epoch, once it has been read. */
  epoch = "";
  /** The new entries, in order. */
  readonly entries: Entry[] = [];
  /** The answers to the first commands; the others are for another commit. */
  readonly results: AppendResult[] = [];
  /** Whether there are parts of messages to remove. */
  hasErased = false;
  #bytes = 0;

  constructor(room: string, rules: Rulebook, now: number) {
    this.#room = room;
    this.#rules = rules;
    this.#now = now;
  }

  /**
   * Decides as many of the commands as fit into one commit. It reads what they depend on, the room first: if that is
   * the same when they are written, so is all else.
   */
  async decide(commands: readonly Command[], store: KvStore): Promise<void> {
    const targets = [...new Set(commands.flatMap(({ target }: CommandBase) => target ?? []))];
    const keys = commands.flatMap((command: CommandBase) => [
      ...command.id === undefined ? [] : [this.#id(command)],
      ...this.#rules.documentKeys(command).map((name) => this.#key(command.target!, name)),
    ]);
    const [room, epoch, ...others] = await store.load([
      KEY.room(this.#room),
      KEY.epoch,
      ...targets.map((target) => KEY.message(this.#room, target)),
      ...keys,
    ]);
    this.#kept = room.value as KvRoom | undefined ?? NO_ROOM;
    this.#record = toRecord(this.#kept);
    this.#check = room.check;
    this.epoch = epochOf(this.#kept, epoch.value as string | undefined ?? await store.epoch());
    this.#remember(others);
    const repeated = commands.flatMap((command) => this.#first(command) ?? []);
    const documents = repeated.map(({ seq, target = seq }) => KEY.message(this.#room, target));
    const erasable = repeated.flatMap(({ seq, target }) =>
      target === undefined ? [] : [KEY.erasable(this.#room, target, seq)]
    );
    this.#remember(await store.load([...documents, ...erasable]));
    for (const command of commands) {
      if (this.#bytes > COMMIT_BYTES || this.#writes.size > COMMIT_WRITES) return;
      const { result, write } = this.#rules.append(command, this.#view(), this.#now);
      if (write && "entry" in result) {
        this.#write(command, write);
        this.entries.push(result.entry);
        this.hasErased ||= write.change?.isErased ?? false;
      }
      this.results.push(result);
    }
  }

  /** @returns whether it is written: not if somebody else was faster */
  async commit(store: KvStore): Promise<boolean> {
    if (this.entries.length === 0) return true;
    const { head, date, messages } = this.#record;
    const operation = store.kv.atomic().check(this.#check!);
    operation.set(KEY.room(this.#room), { ...this.#kept, head, date, messages });
    for (const { key, value } of this.#writes.values()) {
      if (value === undefined) operation.delete(key);
      else operation.set(key, value);
    }
    return (await operation.set(KEY.roomsChanged(changeKeyOf(this.#room)), 0).commit()).ok;
  }

  #view(): RoomView {
    return {
      record: this.#record,
      first: (command) => this.#first(command),
      at: (seq) => this.#get<Kept>(KEY.message(this.#room, seq))?.entry,
      document: (seq) => this.#get<Kept>(KEY.message(this.#room, seq))?.document,
      key: (seq, name) => {
        const kept = this.#get<KeptKey>(this.#key(seq, name));
        return kept && isKept(kept.seq, this.#get(KEY.message(this.#room, seq))) ? kept.value : undefined;
      },
      list: () => [],
    };
  }

  #write(command: CommandBase, { entry: { erasable, ...entry }, begins, change }: Write): void {
    const { seq, target } = entry;
    const kept: Kept = begins ? { entry, document: begins, shownBy: seq } : { entry };
    this.#set(begins ? KEY.message(this.#room, seq) : KEY.change(this.#room, seq), kept);
    if (erasable && !change?.isErased) this.#set(KEY.erasable(this.#room, target!, seq), erasable);
    if (command.id !== undefined) this.#set(this.#id(command), entry);
    advance(this.#record, entry);
    if (!change) return;
    const at = KEY.message(this.#room, change.seq);
    const message = { ...this.#get<Kept>(at)! };
    if (change.document) Object.assign(message, { document: change.document, changedBy: seq });
    if (change.keepsDocument) message.shownBy = seq;
    if (change.isErased) {
      message.erasedBy = seq;
      // Its parts may be more than one commit can remove.
      this.#set(KEY.erasing(this.#room, change.seq), change.seq);
    }
    this.#set(at, message);
    for (const [name, value] of Object.entries(change.keys)) {
      this.#set(this.#key(change.seq, name), value === null ? undefined : { seq, value } satisfies KeptKey);
    }
  }

  /** The first entry that had this command's key, with what is still there of it. */
  #first(command: CommandBase): StoredEntry | undefined {
    const first = command.id === undefined ? undefined : this.#get<StoredEntry>(this.#id(command));
    if (first?.target === undefined) return first;
    const erasable = this.#get<StoredEntry["erasable"]>(KEY.erasable(this.#room, first.target, first.seq));
    const message = this.#get<Kept>(KEY.message(this.#room, first.target));
    return erasable && isKept(first.seq, message) ? { ...first, erasable } : first;
  }

  #id(command: CommandBase): Deno.KvKey {
    return KEY.id(this.#room, command.user, this.#rules.toldBy(command), command.id!);
  }

  #key(seq: number, name: string): Deno.KvKey {
    return KEY.documentKey(this.#room, seq, name);
  }

  #remember(found: Found<unknown>[]): void {
    for (const { value, check } of found) this.#values.set(JSON.stringify(check.key), value);
  }

  #get<Value>(key: Deno.KvKey): Value | undefined {
    return this.#values.get(JSON.stringify(key)) as Value | undefined;
  }

  #set(key: Deno.KvKey, value: unknown): void {
    this.#values.set(JSON.stringify(key), value);
    this.#writes.set(JSON.stringify(key), { key, value });
    this.#bytes += KEY_BYTES + 2 * (JSON.stringify(value)?.length ?? 0);
  }
}
