import type { Clock } from "../../chat/clock.ts";
import {
  type AppendResult,
  type CatchUp,
  type Command,
  type History,
  PAGE_BYTES,
  type Retention,
  type RoomSettings,
} from "../../chat/storage.ts";
import { type Entry, type ReceiveMessage, RESUME_LIMIT } from "../../chat/protocol.ts";
import { Batch, type Edited, isHeld, type Kept, NO_ROOM, type RoomRecord, toEntry } from "./append.ts";
import { KEY, type KvStore } from "./store.ts";
import { fillPage } from "../shared/page.ts";

/**
 * One commit may have 819,200 bytes and 1,000 writes. A batch ends at this many bytes, and each draft is taken for its
 * text, which an edit writes twice and most scripts in two bytes a letter, and `DRAFT_BYTES` for keys and all else.
 */
const BATCH_BYTES = 500 * 1024;
const DRAFT_BYTES = 2_500;
/** What one commit kept: the new entries are to be told. */
export interface KeptBatch {
  results: AppendResult[];
  epoch: string;
  entries: Entry[];
}

/** The rooms' logs in Deno KV. */
export class KvRooms {
  readonly #store: KvStore;
  readonly #retention: Retention;
  readonly #clock: Clock;

  constructor(store: KvStore, retention: Retention, clock: Clock) {
    this.#store = store;
    this.#retention = retention;
    this.#clock = clock;
  }

  /** Keeps drafts for one room, in as many commits as they need, and yields what each has kept. */
  async *keep(room: string, commands: readonly Command[]): AsyncGenerator<KeptBatch> {
    for (let from = 0; from < commands.length;) {
      const some = commands.slice(from, from + draftsInBatch(commands, from));
      yield await this.#store.writing(async () => {
        const batch = new Batch(room, this.#retention, this.#clock.now());
        await batch.decide(some, this.#store);
        return await batch.commit(this.#store) ? batch : undefined;
      });
      from += some.length;
    }
  }

  async history(room: string, query: { limit: number; before?: number; after?: number }): Promise<History> {
    const { record, epoch } = await this.record(room);
    const { after, before = Infinity, limit } = query;
    const backwards = after === undefined;
    const { first, last } = this.#bounds(record, (after ?? 0) + 1, before - 1);
    const messages = this.#list<ReceiveMessage>(KEY.message, room, first, last, { reverse: backwards });
    const { page, more } = fillPage(await gather(this.#held(messages, record, backwards), limit + 1), limit);
    if (backwards) page.reverse();
    return { epoch, seq: record.head, messages: page, more };
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const { record, epoch } = await this.record(room);
    const { first, last } = this.#bounds(record, after + 1, Infinity);
    const kept = await gather(this.#held(this.entries(room, first, last), record), RESUME_LIMIT + 1);
    const targets = [...new Set(kept.flatMap((one) => one.action === "message_edited" ? [one.target] : []))];
    const edited = await this.#store.load<Edited>(targets.map((target) => KEY.edited(room, target)));
    const texts = new Map(targets.map((target, at) => [target, edited[at].value]));
    const { page } = fillPage(
      kept.map((one) => toEntry(one, "target" in one ? texts.get(one.target) : undefined)),
      RESUME_LIMIT,
    );
    return { epoch, seq: record.head, entries: page, complete: page.length === record.head - after };
  }

  async record(room: string): Promise<{ record: RoomRecord; epoch: string }> {
    const [record, epoch] = await this.#store.load([KEY.room(room), KEY.epoch]);
    return {
      record: record.value as RoomRecord | undefined ?? NO_ROOM,
      epoch: epoch.value as string | undefined ?? await this.#store.epoch(),
    };
  }

  async heads(rooms: readonly string[]): Promise<{ epoch: string; heads: number[] }> {
    const [epoch, ...records] = await this.#store.load([KEY.epoch, ...rooms.map(KEY.room)]);
    return {
      epoch: epoch.value as string | undefined ?? await this.#store.epoch(),
      heads: records.map(({ value }) => (value as RoomRecord | undefined ?? NO_ROOM).head),
    };
  }

  changeSettings(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    return this.#store.writing(async () => {
      const { value = NO_ROOM, check } = await this.#store.get<RoomRecord>(KEY.room(room));
      const settings = { ...value.settings, ...change };
      const operation = this.#store.kv.atomic().check(check).set(KEY.room(room), { ...value, settings });
      if (settings.listed) operation.set(KEY.listed(room), room);
      else operation.delete(KEY.listed(room));
      return (await operation.commit()).ok ? settings : undefined;
    });
  }

  async listed(): Promise<{ room: string; seq: number; date: number }[]> {
    const rooms = (await Array.fromAsync(this.#store.kv.list<string>({ prefix: KEY.listedRooms })))
      .map(({ value }) => value).sort();
    const records = await this.#store.load<RoomRecord>(rooms.map(KEY.room));
    return records.map(({ value = NO_ROOM }, at) => ({ room: rooms[at], seq: value.head, date: value.date }));
  }

  /** Within these places entries may be shown. What comes after the record was read is not among them. */
  #bounds(record: RoomRecord, from: number, to: number): { first: number; last: number } {
    const { messages } = this.#retention;
    const kept = messages === 0 ? 1 : record.head - messages + 1;
    return { first: Math.max(from, record.floor + 1, kept), last: Math.min(to, record.head) };
  }

  /** Those of the rows that may be shown. */
  async *#held<Row extends Kept>(
    rows: AsyncIterable<Row>,
    record: RoomRecord,
    newestFirst = false,
  ): AsyncGenerator<Row> {
    const now = this.#clock.now();
    for await (const row of rows) {
      if (isHeld(row, record, this.#retention, now)) yield row;
      else if (newestFirst) return;
    }
  }

  /** All that is kept of a room between two places, in order. */
  entries(room: string, first: number, last: number): AsyncGenerator<Kept> {
    return inOrder(this.#list(KEY.message, room, first, last), this.#list(KEY.change, room, first, last));
  }

  async *#list<Row extends Kept>(
    place: typeof KEY.message,
    room: string,
    first: number,
    last: number,
    options: { reverse?: boolean } = {},
  ): AsyncGenerator<Row> {
    if (first > last) return;
    const places = { start: place(room, first), end: place(room, last + 1) };
    for await (const { value } of this.#store.kv.list<Row>(places, options)) yield value;
  }
}

function draftsInBatch(commands: readonly Command[], from: number): number {
  let bytes = 0;
  for (let at = from; at < commands.length; at++) {
    const command = commands[at];
    const text = "text" in command ? command.text.length * 2 : 0;
    bytes += DRAFT_BYTES + (command.action === "edit_message" ? 2 * text : text);
    if (bytes > BATCH_BYTES && at > from) return at - from;
  }
  return commands.length - from;
}

async function* inOrder(messages: AsyncGenerator<Kept>, changes: AsyncGenerator<Kept>): AsyncGenerator<Kept> {
  let [message, change] = await Promise.all([messages.next(), changes.next()]);
  for (;;) {
    if (!message.done && (change.done || message.value.seq < change.value.seq)) {
      yield message.value;
      message = await messages.next();
    } else if (!change.done) {
      yield change.value;
      change = await changes.next();
    } else return;
  }
}

/** As many rows as a page can need. */
async function gather<Row>(rows: AsyncIterable<Row>, limit: number): Promise<Row[]> {
  const gathered: Row[] = [];
  let length = 0;
  for await (const row of rows) {
    gathered.push(row);
    // JSON has at least as many bytes as letters.
    length += JSON.stringify(row).length;
    if (gathered.length === limit || length > PAGE_BYTES) break;
  }
  return gathered;
}
