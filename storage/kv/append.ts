import {
  type AppendResult,
  type Command,
  IDEMPOTENCY_WINDOW,
  type Retention,
  ROOM_SETTINGS,
  type RoomSettings,
} from "../../chat/storage.ts";
import type { Entry, MessageEdited, ReceiveMessage } from "../../chat/protocol.ts";
import { type Found, KEY, type KvStore } from "./store.ts";
import { tombstone } from "../shared/tombstone.ts";

const DAY = 24 * 60 * 60 * 1000;

/** One value for all that a commit to a room must agree with, so that it checks this one only. */
export interface RoomRecord {
  head: number;
  /** Of the newest entry. */
  date: number;
  /** Entries up to here have expired. */
  floor: number;
  settings: RoomSettings;
}

export const NO_ROOM: RoomRecord = { head: 0, date: 0, floor: 0, settings: ROOM_SETTINGS };

/** An entry as it is kept: an edit without its text. */
export type Kept = Exclude<Entry, MessageEdited> | Omit<MessageEdited, "text">;
/** The newest text of a message, and the edit that brought it. */
export interface Edited {
  text: string;
  seq: number;
}
/** What an id was used for. */
export interface Used {
  seq: number;
  date: number;
}

/** Whether an entry may still be shown. `now` is milliseconds since 1970. */
export function isHeld(
  { seq, date }: Used,
  { head, floor }: RoomRecord,
  { messages, days }: Retention,
  now: number,
): boolean {
  return seq > floor && (messages === 0 || seq > head - messages) && (days === 0 || date >= now - days * DAY);
}

/** An entry as it is told. */
export function toEntry(kept: Kept, edited: Edited | undefined): Entry {
  return kept.action === "message_edited" ? { ...kept, text: edited?.text ?? "" } : kept;
}

/** Some drafts for one room against what is kept there, and what is to be written so that they are kept too. */
export class Batch {
  readonly #room: string;
  readonly #retention: Retention;
  readonly #now: number;
  /** What was read or is to be written, by the key as JSON. */
  readonly #values = new Map<string, unknown>();
  readonly #writes = new Map<string, { key: Deno.KvKey; value: unknown }>();
  #record: RoomRecord = NO_ROOM;
  #check: Deno.AtomicCheck | undefined;
  epoch = "";
  /** The new entries, in order. */
  readonly entries: Entry[] = [];
  results: AppendResult[] = [];

  constructor(room: string, retention: Retention, now: number) {
    this.#room = room;
    this.#retention = retention;
    this.#now = now;
  }

  /** Reads what the drafts depend on, the room first: if it is still the same when they are written, so is all else. */
  async decide(commands: readonly Command[], store: KvStore): Promise<void> {
    const keys = commands.flatMap((command) => [
      ...command.id === undefined ? [] : [this.#id(command)],
      ...command.action === "send_message" ? [] : [KEY.message(this.#room, command.target)],
    ]);
    const [room, epoch, ...others] = await store.load([KEY.room(this.#room), KEY.epoch, ...keys]);
    this.#record = { ...room.value as RoomRecord | undefined ?? NO_ROOM };
    this.#check = room.check;
    this.epoch = epoch.value as string | undefined ?? await store.epoch();
    this.#remember(others);
    const repeated = await store.load<Kept>(commands.flatMap((command) => {
      const used = this.#used(command);
      return used ? [this.#place(command, used.seq)] : [];
    }));
    this.#remember(repeated);
    const edits = repeated.flatMap(({ value }) => value?.action === "message_edited" ? [value.target] : []);
    this.#remember(await store.load(edits.map((target) => KEY.edited(this.#room, target))));
    this.results = commands.map((command) => this.#keep(command));
  }

  /** @returns whether it is written: not if somebody else was faster */
  async commit(store: KvStore): Promise<boolean> {
    if (this.entries.length === 0) return true;
    const operation = store.kv.atomic().check(this.#check!).set(KEY.room(this.#room), this.#record);
    for (const { key, value } of this.#writes.values()) {
      if (value === undefined) operation.delete(key);
      else operation.set(key, value);
    }
    return (await operation.set(KEY.bell(bellOf(this.#room)), 0).commit()).ok;
  }

  #keep(command: Command): AppendResult {
    const used = this.#used(command);
    if (used) {
      const kept = this.#holds(used) ? this.#get<Kept>(this.#place(command, used.seq)) : undefined;
      const edited = kept?.action === "message_edited"
        ? this.#get<Edited>(KEY.edited(this.#room, kept.target))
        : undefined;
      return { entry: kept ? toEntry(kept, edited) : tombstone(command, used), repeated: true };
    }
    if (command.action === "send_message" && command.lookupOnly) return { refused: "not_found" };
    const kept = this.#entry(command);
    if ("refused" in kept) return kept;
    if (command.id !== undefined) {
      kept.id = command.id;
      this.#set(this.#id(command), { seq: kept.seq, date: kept.date });
    }
    this.#set(this.#place(command, kept.seq), kept);
    this.#record.head = kept.seq;
    this.#record.date = kept.date;
    const entry = command.action === "edit_message" ? { ...kept, text: command.text } as Entry : kept as Entry;
    this.entries.push(entry);
    return { entry, repeated: false };
  }

  #entry(command: Command): Kept | Extract<AppendResult, { refused: unknown }> {
    if (command.action !== "delete_message" && this.#record.settings.locked) return { refused: "locked" };
    const place = { room: this.#room, seq: this.#record.head + 1, user: command.user };
    const date = Math.max(this.#record.date, this.#now);
    if (command.action === "send_message") {
      return { action: "receive_message", ...place, from: command.from, text: command.text, date };
    }
    const at = KEY.message(this.#room, command.target);
    const target = this.#get<Kept>(at);
    if (target?.action !== "receive_message" || target.deleted || !this.#holds(target)) return { refused: "not_found" };
    const moderator = command.action === "delete_message" && command.moderator;
    if (target.user !== command.user && !moderator) return { refused: "forbidden" };
    if (command.action === "edit_message") {
      this.#set(at, { ...target, text: command.text, edited: date });
      this.#set(KEY.edited(this.#room, command.target), { text: command.text, seq: place.seq });
      return { action: "message_edited", ...place, target: command.target, date };
    }
    const { text: _, ...rest } = target;
    this.#set(at, { ...rest, deleted: true } satisfies ReceiveMessage);
    this.#set(KEY.edited(this.#room, command.target), undefined);
    return { action: "message_deleted", ...place, target: command.target, date };
  }

  #place({ action }: Command, seq: number): Deno.KvKey {
    return action === "send_message" ? KEY.message(this.#room, seq) : KEY.change(this.#room, seq);
  }

  #id(command: Command): Deno.KvKey {
    return KEY.id(this.#room, command.user, command.action, command.id!);
  }

  /** What this draft's id was used for, as long as that is remembered. */
  #used(command: Command): Used | undefined {
    const used = command.id === undefined ? undefined : this.#get<Used>(this.#id(command));
    return used && (this.#holds(used) || used.date > this.#now - IDEMPOTENCY_WINDOW) ? used : undefined;
  }

  #holds(used: Used): boolean {
    return isHeld(used, this.#record, this.#retention, this.#now);
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
  }
}

/** Keys that can be watched at once, but for one that is for signals. */
export const BELLS = 9;

/** Which bell is rung for this room. */
export function bellOf(room: string): number {
  let hash = 0;
  for (let at = 0; at < room.length; at++) hash = (hash * 31 + room.charCodeAt(at)) % 0x1_0000_0000;
  return hash % BELLS;
}
