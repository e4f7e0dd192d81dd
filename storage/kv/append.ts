import type { CommandBase, Document } from "../../chat/entries/kind.ts";
import type { Entry } from "../../chat/protocol.ts";
import {
  about,
  advance,
  answeredBy,
  type AppendResult,
  NEW_ROOM,
  type RoomRecord,
  type RoomView,
  type Rulebook,
  type StoredEntry,
  type Write,
} from "../../chat/rulebook.ts";
import { type Command, type KeysQuery, ROOM_SETTINGS, type RoomSettings } from "../../chat/storage.ts";
import { bytesOf, CommitValues } from "./commit_values.ts";
import { changeKeyOf, KEY, type KvStore } from "./store.ts";

/**
 * One value may have 64 KiB. The rest is for what is noted of a message beside its document. Text of the longest length
 * in emoji leaves little for reactions: whoever adds more to it is refused, and nobody else.
 */
const MESSAGE_BYTES = 64 * 1024 - 256;
const TOO_LARGE = "This message and what was added to it are too large to be kept together. Make it shorter.";
/** Document keys that one read brings at most where all of a message's are read. */
const KEYS_A_LIST = 500;

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
  /** How many messages answer it, and the last entry that changed that; absent: none ever has. */
  answers?: { count: number; changedBy: number };
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

/**
 * All document keys of a message that begin so, behind `after` if it is given, in order. Some may only wait for being
 * removed: see `isKept`. @param limit how many are probably needed
 */
export async function* documentKeys(
  { kv }: KvStore,
  room: string,
  { seq, prefix, after, limit = KEYS_A_LIST }: Partial<KeysQuery> & Pick<KeysQuery, "seq" | "prefix">,
): AsyncGenerator<{ key: Deno.KvKey; name: string; kept: KeptKey }> {
  const from = { prefix: KEY.documentKeys(room, seq), start: KEY.documentKey(room, seq, after ?? prefix) };
  // One more for the key that `after` names.
  const batchSize = Math.min(limit + 1, KEYS_A_LIST);
  for await (const { key, value: kept } of kv.list<KeptKey>(from, { batchSize })) {
    const name = String(key.at(-1));
    if (!name.startsWith(prefix)) return;
    if (name !== after) yield { key, name, kept };
  }
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
  readonly #values = new CommitValues();
  /** The beginnings of document keys of which all have been read. */
  readonly #lists = new Set<string>();
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
    const messages = [...new Set(commands.flatMap((command: CommandBase) => about(command) ?? []))];
    const keys = commands.flatMap((command: CommandBase) => [
      ...command.id === undefined ? [] : [this.#id(command)],
      ...this.#rules.documentKeys(command).map((name) => this.#key(about(command)!, name)),
    ]);
    const [room, epoch, ...found] = await store.load([
      KEY.room(this.#room),
      KEY.epoch,
      ...messages.map((seq) => KEY.message(this.#room, seq)),
      ...keys,
    ]);
    this.#kept = room.value as KvRoom | undefined ?? NO_ROOM;
    this.#record = toRecord(this.#kept);
    this.#check = room.check;
    this.epoch = epochOf(this.#kept, epoch.value as string | undefined ?? await store.epoch());
    this.#values.rememberAll(found);
    const repeated = commands.flatMap((command) => this.#first(command) ?? []);
    const documents = repeated.map(({ seq, target = seq }) => KEY.message(this.#room, target));
    const erasable = repeated.flatMap(({ seq, target }) =>
      target === undefined ? [] : [KEY.erasable(this.#room, target, seq)]
    );
    // Whoever erases an answer changes also what it answers.
    const answered = new Set(commands.flatMap(({ target }: CommandBase) => this.#answeredBy(target) ?? []));
    const others = [...answered].map((seq) => KEY.message(this.#room, seq)).filter((key) => !this.#values.has(key));
    this.#values.rememberAll(await store.load([...documents, ...erasable, ...others]));
    const view = this.#view();
    for (const command of commands) {
      if (this.#values.isFull) return;
      await this.#loadLists(command, store);
      const { result, write } = this.#rules.append(command, view, this.#now);
      if (write && "entry" in result) {
        if (this.#isTooLarge(write)) {
          this.results.push({ refused: "forbidden", message: TOO_LARGE });
          continue;
        }
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
    this.#values.writeTo(operation);
    return (await operation.set(KEY.roomsChanged(changeKeyOf(this.#room)), 0).commit()).ok;
  }

  #view(): RoomView {
    return {
      record: this.#record,
      first: (command) => this.#first(command),
      at: (seq) => this.#values.get<Kept>(KEY.message(this.#room, seq))?.entry,
      document: (seq) => this.#values.get<Kept>(KEY.message(this.#room, seq))?.document,
      key: (seq, name) => {
        const kept = this.#values.get<KeptKey>(this.#key(seq, name));
        return kept && isKept(kept.seq, this.#values.get(KEY.message(this.#room, seq))) ? kept.value : undefined;
      },
      list: (seq, prefix) => this.#list(seq, prefix),
    };
  }

  /** All document keys of a message that begin so, once they have been read. */
  *#list(seq: number, prefix: string): Generator<[name: string, value: unknown]> {
    const message = this.#values.get<Kept>(KEY.message(this.#room, seq));
    for (const [key, kept] of this.#values.list<KeptKey>(this.#key(seq, prefix))) {
      if (isKept(kept.seq, message)) yield [String(key.at(-1)), kept.value];
    }
  }

  /**
   * Reads the lists that a command needs to see. Which they are depends on the document as the commands before it have
   * left it.
   */
  async #loadLists(command: CommandBase, store: KvStore): Promise<void> {
    const seq = about(command);
    const document = seq === undefined ? undefined : this.#values.get<Kept>(KEY.message(this.#room, seq))?.document;
    if (!document) return;
    for (const prefix of this.#rules.documentLists(command, document)) {
      const list = `${seq} ${prefix}`;
      if (this.#lists.has(list)) continue;
      this.#lists.add(list);
      for await (const { key, kept } of documentKeys(store, this.#room, { seq: seq!, prefix })) {
        // What is to be written is newer.
        if (!this.#values.has(key)) this.#values.remember(key, kept);
      }
    }
  }

  /** Whether a message would not fit into one value any more. */
  #isTooLarge({ change }: Write): boolean {
    if (!change?.document) return false;
    const message = this.#values.get<Kept>(KEY.message(this.#room, change.seq))!;
    return bytesOf({ ...message, document: change.document }) > MESSAGE_BYTES;
  }

  #write(command: CommandBase, { entry: { erasable, ...entry }, begins, answers, change }: Write): void {
    const { seq, target } = entry;
    const kept: Kept = begins ? { entry, document: begins, shownBy: seq } : { entry };
    this.#values.set(begins ? KEY.message(this.#room, seq) : KEY.change(this.#room, seq), kept);
    if (erasable && !change?.isErased) this.#values.set(KEY.erasable(this.#room, target!, seq), erasable);
    if (command.id !== undefined) this.#values.set(this.#id(command), entry);
    advance(this.#record, entry);
    if (answers !== undefined) this.#countAnswer(answers, seq, seq);
    if (!change) return;
    const at = KEY.message(this.#room, change.seq);
    const message = { ...this.#values.get<Kept>(at)! };
    // What is erased again is no answer already.
    if (change.answered !== undefined && message.erasedBy === undefined) {
      this.#countAnswer(change.answered, change.seq, seq, { isErased: true });
    }
    if (change.document) Object.assign(message, { document: change.document, changedBy: seq });
    if (change.keepsDocument) message.shownBy = seq;
    if (change.isErased) {
      message.erasedBy = seq;
      // Its parts may be more than one commit can remove.
      this.#values.set(KEY.erasing(this.#room, change.seq), change.seq);
    }
    this.#values.set(at, message);
    for (const [name, value] of Object.entries(change.keys)) {
      this.#values.set(this.#key(change.seq, name), value === null ? undefined : { seq, value } satisfies KeptKey);
    }
  }

  /** Notes that a message is answered by another one, or is no longer. @param changedBy the entry that makes it so */
  #countAnswer(seq: number, answer: number, changedBy: number, { isErased = false } = {}): void {
    const at = KEY.message(this.#room, seq);
    const message = this.#values.get<Kept>(at);
    // The sweep may have removed it since it was read, and nobody is shown it.
    if (!message || seq <= this.#record.floor) return;
    const count = Math.max(0, (message.answers?.count ?? 0) + (isErased ? -1 : 1));
    this.#values.set(at, { ...message, answers: { count, changedBy } } satisfies Kept);
    this.#values.set(KEY.answer(this.#room, seq, answer), isErased ? undefined : 0);
  }

  /** The message that this one answers. */
  #answeredBy(seq: number | undefined): number | undefined {
    if (seq === undefined) return undefined;
    return answeredBy(this.#values.get<Kept>(KEY.message(this.#room, seq))?.entry);
  }

  /** The first entry that had this command's key, with what is still there of it. */
  #first(command: CommandBase): StoredEntry | undefined {
    const first = command.id === undefined ? undefined : this.#values.get<StoredEntry>(this.#id(command));
    if (first?.target === undefined) return first;
    const erasable = this.#values.get<StoredEntry["erasable"]>(KEY.erasable(this.#room, first.target, first.seq));
    const message = this.#values.get<Kept>(KEY.message(this.#room, first.target));
    return erasable && isKept(first.seq, message) ? { ...first, erasable } : first;
  }

  #id(command: CommandBase): Deno.KvKey {
    return KEY.id(this.#room, command.user, this.#rules.toldBy(command), command.id!);
  }

  #key(seq: number, name: string): Deno.KvKey {
    return KEY.documentKey(this.#room, seq, name);
  }
}
