import type { Fields } from "../../chat/entries/kind.ts";
import { type Position, RESUME_LIMIT } from "../../chat/protocol.ts";
import type { Rulebook } from "../../chat/rulebook.ts";
import { type CatchUp, type Command, type History, type HistoryQuery, PAGE_BYTES } from "../../chat/storage.ts";
import { catchUp, historyPage, type Reading, type StoredMessage } from "../shared/page.ts";
import { Batch, epochOf, isKept, type Kept, type KeptKey, type KvRoom, NO_ROOM, toRecord } from "./append.ts";
import { changeKeyOf, KEY, type KvStore } from "./store.ts";

/** Commands whose keys are read together. */
const COMMANDS_A_BATCH = 200;
/** Times that a page is read while others change what it shows. */
const PAGE_ATTEMPTS = 5;
/** Parts of messages that one commit removes: it may check 100 keys. */
const REMOVE_STEP = 100;

/** A row of a page, with the last entry that changed its document. */
type Row = StoredMessage & { changedBy: number | undefined };

/** The rooms' logs in Deno KV. */
export class KvRooms {
  readonly #store: KvStore;
  readonly rules: Rulebook;

  constructor(store: KvStore, rules: Rulebook) {
    this.#store = store;
    this.rules = rules;
  }

  /** Keeps commands for one room, in as many commits as they need, and yields what each has kept. */
  async *append(room: string, commands: readonly Command[]): AsyncGenerator<Batch> {
    for (let from = 0; from < commands.length;) {
      const some = commands.slice(from, from + COMMANDS_A_BATCH);
      const batch = await this.#store.writing(async () => {
        const batch = new Batch(room, this.rules, this.#store.clock.now());
        await batch.decide(some, this.#store);
        return await batch.commit(this.#store) ? batch : undefined;
      });
      yield batch;
      // What can't be removed now the next sweep finds.
      if (batch.hasErased) await this.#store.reading(() => this.erase(room)).catch(() => {/* it was said why */});
      from += batch.results.length;
    }
  }

  async history(room: string, { limit, before = Infinity, after }: HistoryQuery): Promise<History> {
    const isBackwards = after === undefined;
    const { position, rows, reading } = await this.#page(room, async (reading) => {
      const { floor, head } = reading.record;
      const [first, last] = [Math.max(after ?? 0, floor) + 1, Math.min(before - 1, head)];
      const messages = this.#list(KEY.message, room, first, last, { reverse: isBackwards });
      return (await gather(this.#held(messages, reading, isBackwards), limit + 1)).map(toRow);
    });
    return { ...position, ...historyPage(rows, { ...reading, limit, isBackwards }) };
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const { position, rows, reading } = await this.#page(room, async (reading) => {
      const entries = this.entries(room, Math.max(after, reading.record.floor) + 1, reading.record.head);
      return this.#joined(room, await gather(this.#held(entries, reading), RESUME_LIMIT + 1));
    });
    return { ...position, ...catchUp(rows, { ...reading, after }) };
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

  /** Removes the parts of a room's messages that were erased. What is left undone the next sweep finds. */
  async erase(room: string): Promise<void> {
    const { kv } = this.#store;
    for await (const { key, value: target, versionstamp } of kv.list<number>({ prefix: KEY.erasingIn(room) })) {
      const { value: message } = await this.#store.get<Kept>(KEY.message(room, target));
      // One that has expired since, or that an older version erased, keeps nothing.
      const isOver = (seq: number) => message?.erasedBy === undefined || !isKept(seq, message);
      const isDone = await this.removeParts({ prefix: KEY.parts(room, target) }, (key, value) => {
        return isOver(key.at(-2) === "entry" ? Number(key.at(-1)) : (value as KeptKey).seq);
      });
      // It may have been erased again meanwhile.
      if (isDone) await kv.atomic().check({ key, versionstamp }).delete(key).commit();
    }
  }

  /** Removes parts of messages. @returns whether nobody has written one of them meanwhile, which keeps it there */
  async removeParts(
    parts: Deno.KvListSelector,
    isOver: (key: Deno.KvKey, value: unknown) => boolean,
  ): Promise<boolean> {
    const over = (await Array.fromAsync(this.#store.kv.list(parts))).filter(({ key, value }) => isOver(key, value));
    let isDone = true;
    for (let from = 0; from < over.length; from += REMOVE_STEP) {
      const operation = this.#store.kv.atomic();
      for (const { key, versionstamp } of over.slice(from, from + REMOVE_STEP)) {
        operation.check({ key, versionstamp }).delete(key);
      }
      isDone = (await operation.commit()).ok && isDone;
    }
    return isDone;
  }

  /**
   * Reads the rows of a page as the room is at its head. Documents are read after the record, and may show by then what
   * an entry behind that head has changed: whoever is told of this entry later would apply it twice. So the page is
   * read again, a few times: where others change its messages faster than they can be read, a page is better than none.
   * @throws {ChatError} `unavailable`
   */
  async #page(
    room: string,
    read: (reading: Reading) => Promise<Row[]>,
  ): Promise<{ position: Position; rows: Row[]; reading: Reading }> {
    return await this.#store.reading(async () => {
      for (let attempt = 1;; attempt++) {
        const [{ record, epoch }] = await this.records([room]);
        const reading = { room, record: toRecord(record), rules: this.rules, now: this.#store.clock.now() };
        const rows = await read(reading);
        const isAhead = rows.some(({ changedBy = 0 }) => changedBy > record.head);
        if (!isAhead || attempt === PAGE_ATTEMPTS) return { position: { epoch, seq: record.head }, rows, reading };
      }
    });
  }

  /** Entries that are about messages, with what is erasable and, read after it, those messages' documents. */
  async #joined(room: string, kept: readonly Kept[]): Promise<Row[]> {
    const about = kept.map(({ entry }) => entry).filter(({ target }) => target !== undefined);
    const found = await this.#store.load<Fields>(about.map(({ target, seq }) => KEY.erasable(room, target!, seq)));
    const erasable = new Map(about.map(({ seq }, at) => [seq, found[at].value]));
    const targets = [...new Set(about.map(({ target }) => target!))];
    const loaded = await this.#store.load<Kept>(targets.map((target) => KEY.message(room, target)));
    const messages = new Map(targets.map((target, at) => [target, loaded[at].value]));
    return kept.map((row) => {
      const { seq, target } = row.entry;
      const message = target === undefined ? row : messages.get(target);
      const own = isKept(seq, message) ? erasable.get(seq) : undefined;
      const entry = own ? { ...row.entry, erasable: own } : row.entry;
      return { entry, document: message?.document, changedBy: message?.changedBy };
    });
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

function toRow({ entry, document, changedBy }: Kept): Row {
  return { entry, document, changedBy };
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
