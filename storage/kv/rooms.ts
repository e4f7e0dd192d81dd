import type { Clock } from "../../chat/clock.ts";
import type { Document, Fields } from "../../chat/entries/kind.ts";
import { type Entry, RESUME_LIMIT } from "../../chat/protocol.ts";
import type { AppendResult, Rulebook } from "../../chat/rulebook.ts";
import { type CatchUp, type Command, type History, type HistoryQuery, PAGE_BYTES } from "../../chat/storage.ts";
import { catchUp, historyPage, type Reading, type StoredMessage } from "../shared/page.ts";
import type { RoomPosition } from "../shared/subscribers.ts";
import { Batch, epochOf, type Kept, type KvRoom, NO_ROOM, toRecord } from "./append.ts";
import { changeKeyOf, KEY, type KvStore } from "./store.ts";

/** Commands whose keys are read together. */
const COMMANDS_A_BATCH = 200;
/** Writes of one commit that remove what belongs to an erased message. */
const ERASE_STEP = 500;

/** What one commit kept: the new entries are to be told. */
export interface KeptBatch {
  results: AppendResult[];
  epoch: string;
  entries: Entry[];
}

/** The rooms' logs in Deno KV. */
export class KvRooms {
  readonly #store: KvStore;
  readonly #rules: Rulebook;
  readonly #clock: Clock;

  constructor(store: KvStore, rules: Rulebook, clock: Clock) {
    this.#store = store;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Keeps commands for one room, in as many commits as they need, and yields what each has kept. */
  async *append(room: string, commands: readonly Command[]): AsyncGenerator<KeptBatch> {
    for (let from = 0; from < commands.length;) {
      const some = commands.slice(from, from + COMMANDS_A_BATCH);
      const batch = await this.#store.writing(async () => {
        const batch = new Batch(room, this.#rules, this.#clock.now());
        await batch.decide(some, this.#store);
        return await batch.commit(this.#store) ? batch : undefined;
      });
      yield batch;
      // What can't be removed now the next sweep finds.
      if (batch.hasErased) await this.#store.reading(() => this.erase(room)).catch(() => {/* it was said why */});
      from += batch.results.length;
    }
  }

  async history(room: string, query: HistoryQuery): Promise<History> {
    const [{ record, epoch }] = await this.records([room]);
    const { after, before = Infinity, limit } = query;
    const isBackwards = after === undefined;
    const [first, last] = [Math.max(after ?? 0, record.floor) + 1, Math.min(before - 1, record.head)];
    const reading = this.#reading(room, record);
    const rows = await gather(
      this.#held(this.#list(KEY.message, room, first, last, { reverse: isBackwards }), reading, isBackwards),
      limit + 1,
    );
    return { epoch, seq: record.head, ...historyPage(rows.map(toStored), { ...reading, limit, isBackwards }) };
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const [{ record, epoch }] = await this.records([room]);
    const reading = this.#reading(room, record);
    const entries = this.entries(room, Math.max(after, record.floor) + 1, record.head);
    const kept = await gather(this.#held(entries, reading), RESUME_LIMIT + 1);
    return { epoch, seq: record.head, ...catchUp(await this.#joined(room, kept), { ...reading, after }) };
  }

  /** What is kept of rooms, and their epochs, in the same order. */
  async records(rooms: readonly string[]): Promise<{ record: KvRoom; epoch: string }[]> {
    const [{ value }, ...records] = await this.#store.load([KEY.epoch, ...rooms.map(KEY.room)]);
    const epoch = value as string | undefined ?? await this.#store.epoch();
    return records.map(({ value }) => {
      const record = value as KvRoom | undefined ?? NO_ROOM;
      return { record, epoch: epochOf(record, epoch) };
    });
  }

  /** Where the logs of these rooms stand, in the same order. */
  async positions(rooms: readonly string[]): Promise<RoomPosition[]> {
    return (await this.records(rooms)).map(({ record: { head }, epoch }) => ({ head, epoch }));
  }

  /** Changes what is given of a room's record. @returns the record as it is then */
  change(room: string, change: (record: KvRoom) => KvRoom): Promise<KvRoom> {
    return this.#store.writing(async () => {
      const { value = NO_ROOM, check } = await this.#store.get<KvRoom>(KEY.room(room));
      const changed = change(value);
      const operation = this.#store.kv.atomic().check(check).set(KEY.room(room), changed)
        .set(KEY.roomsChanged(changeKeyOf(room)), 0);
      if (changed.settings.listed) operation.set(KEY.listed(room), room);
      else operation.delete(KEY.listed(room));
      return (await operation.commit()).ok ? changed : undefined;
    });
  }

  /** All that is kept of a room between two places, in order. */
  entries(room: string, first: number, last: number): AsyncGenerator<Kept> {
    return inOrder(this.#list(KEY.message, room, first, last), this.#list(KEY.change, room, first, last));
  }

  /** Removes what belongs to messages of a room that were erased. What is left undone the next sweep finds. */
  async erase(room: string): Promise<void> {
    for await (const { key, value } of this.#store.kv.list<number>({ prefix: KEY.erasingIn(room) })) {
      await this.removeAll(KEY.parts(room, value));
      await this.#store.kv.delete(key);
    }
  }

  /** Removes all that stands below a key. */
  async removeAll(prefix: Deno.KvKey): Promise<void> {
    const parts = await Array.fromAsync(this.#store.kv.list({ prefix }), ({ key }) => key);
    for (let from = 0; from < parts.length; from += ERASE_STEP) {
      const operation = this.#store.kv.atomic();
      for (const key of parts.slice(from, from + ERASE_STEP)) operation.delete(key);
      await operation.commit();
    }
  }

  #reading(room: string, record: KvRoom): Reading {
    return { room, record: toRecord(record), rules: this.#rules, now: this.#clock.now() };
  }

  /** Entries that are about messages, with those messages' documents and what is erasable. */
  async #joined(room: string, kept: readonly Kept[]): Promise<StoredMessage[]> {
    const about = kept.map(({ entry }) => entry).filter(({ target }) => target !== undefined);
    const targets = [...new Set(about.map(({ target }) => target!))];
    const messages = await this.#store.load<Kept>(targets.map((target) => KEY.message(room, target)));
    const documents = new Map<number, Document | undefined>(
      targets.map((target, at) => [target, messages[at].value?.document]),
    );
    const found = await this.#store.load<Fields>(about.map(({ target, seq }) => KEY.erasable(room, target!, seq)));
    const erasable = new Map(about.map(({ seq }, at) => [seq, found[at].value]));
    return kept.map(({ entry, document }) => ({
      entry: erasable.get(entry.seq) ? { ...entry, erasable: erasable.get(entry.seq) } : entry,
      document: entry.target === undefined ? document : documents.get(entry.target),
    }));
  }

  /** Those of the rows that may be shown. */
  async *#held(
    rows: AsyncIterable<Kept>,
    { rules, record, now }: Reading,
    newestFirst = false,
  ): AsyncGenerator<Kept> {
    for await (const row of rows) {
      if (rules.isHeld(row.entry, record, now)) yield row;
      else if (newestFirst) return;
    }
  }

  async *#list(
    place: typeof KEY.message,
    room: string,
    first: number,
    last: number,
    options: { reverse?: boolean } = {},
  ): AsyncGenerator<Kept> {
    if (first > last) return;
    const places = { start: place(room, first), end: place(room, last + 1) };
    for await (const { value } of this.#store.kv.list<Kept>(places, options)) yield value;
  }
}

function toStored({ entry, document }: Kept): StoredMessage {
  return { entry, document };
}

async function* inOrder(messages: AsyncGenerator<Kept>, changes: AsyncGenerator<Kept>): AsyncGenerator<Kept> {
  let [message, change] = await Promise.all([messages.next(), changes.next()]);
  for (;;) {
    if (!message.done && (change.done || message.value.entry.seq < change.value.entry.seq)) {
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
    // JSON has at least as many bytes as letters. A row has more of it than what is shown, hence twice.
    length += JSON.stringify(row).length;
    if (gathered.length === limit || length > 2 * PAGE_BYTES) break;
  }
  return gathered;
}
