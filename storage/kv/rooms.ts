import type { Fields } from "../../chat/entries/kind.ts";
import { type Position, RESUME_LIMIT } from "../../chat/protocol.ts";
import type { Rulebook } from "../../chat/rulebook.ts";
import type { CatchUp, Command, DocumentKey, History, HistoryQuery, KeysQuery } from "../../chat/storage.ts";
import { catchUp, historyPage, type Reading, type StoredMessage } from "../shared/page.ts";
import {
  Batch,
  documentKeys,
  epochOf,
  isKept,
  type Kept,
  type KeptKey,
  type KvRoom,
  NO_ROOM,
  toRecord,
} from "./append.ts";
import { gather, inOrder, inSteps } from "./row_streams.ts";
import { changeKeyOf, KEY, type KvStore } from "./store.ts";

/** Commands whose keys are read together, and after how many of their document keys no other is added. */
const COMMANDS_A_BATCH = 200;
const KEYS_A_BATCH = 300;
/** Times that a page is read while others change what it shows. */
const PAGE_ATTEMPTS = 5;
/** Answers that are read together, and entries for which what belongs to them is: each may have 100 KiB. */
const ANSWERS_A_STEP = 50;
const ENTRIES_A_STEP = 200;
/** Parts of messages that one commit removes: it may check 100 keys. */
const REMOVE_STEP = 100;

/** A row of a page, with the last entry that changed what the page shows of it. */
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
      const some = this.#readTogether(commands.slice(from, from + COMMANDS_A_BATCH));
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

  async history(room: string, { limit, before = Infinity, after, repliesTo }: HistoryQuery): Promise<History> {
    const isBackwards = after === undefined && repliesTo === undefined;
    const { position, rows, reading } = await this.#page(room, async (reading) => {
      const { floor, head } = reading.record;
      const [first, last] = [Math.max(after ?? 0, floor) + 1, Math.min(before - 1, head)];
      const messages = repliesTo === undefined
        ? this.#list(KEY.message, room, first, last, { reverse: isBackwards })
        : this.#answers(room, repliesTo, first, last, reading);
      return (await gather(this.#held(messages, reading, isBackwards), limit + 1)).map(toRow);
    });
    return { ...position, ...historyPage(rows, { ...reading, limit, isBackwards }) };
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const { position, rows, reading } = await this.#page(room, async (reading) => {
      const entries = this.entries(room, Math.max(after, reading.record.floor) + 1, reading.record.head);
      return await gather(this.#joined(room, this.#held(entries, reading)), RESUME_LIMIT + 1);
    });
    return { ...position, ...catchUp(rows, { ...reading, after }) };
  }

  /** The values of document keys, in the same order; undefined where there is none. @throws {ChatError} `unavailable` */
  async keys(room: string, wanted: readonly DocumentKey[]): Promise<unknown[]> {
    return await this.#store.reading(async () => {
      const [held, keys] = await Promise.all([
        this.#heldMessages(room, wanted.map(([seq]) => seq)),
        this.#store.load<KeptKey>(wanted.map(([seq, name]) => KEY.documentKey(room, seq, name))),
      ]);
      return wanted.map(([seq], at) => {
        const kept = keys[at].value;
        return kept && held.has(seq) && isKept(kept.seq, held.get(seq)) ? kept.value : undefined;
      });
    });
  }

  /** Document keys of a message with their values, in the order of UTF-8. @throws {ChatError} `unavailable` */
  async listKeys(room: string, query: KeysQuery): Promise<[name: string, value: unknown][]> {
    return await this.#store.reading(async () => {
      const message = (await this.#heldMessages(room, [query.seq])).get(query.seq);
      const listed: [string, unknown][] = [];
      if (!message) return listed;
      for await (const { name, kept } of documentKeys(this.#store, room, query)) {
        if (isKept(kept.seq, message)) listed.push([name, kept.value]);
        if (listed.length === query.limit) break;
      }
      return listed;
    });
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
        // What answers it is shown also when its own words are gone.
        if (key.at(-2) === "answer") return message === undefined;
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
  async *#joined(room: string, entries: AsyncIterable<Kept>): AsyncGenerator<Row> {
    for await (const kept of inSteps(entries, ENTRIES_A_STEP)) {
      const about = kept.map(({ entry }) => entry).filter(({ target }) => target !== undefined);
      const found = await this.#store.load<Fields>(about.map(({ target, seq }) => KEY.erasable(room, target!, seq)));
      const erasable = new Map(about.map(({ seq }, at) => [seq, found[at].value]));
      const targets = [...new Set(about.map(({ target }) => target!))];
      const loaded = await this.#store.load<Kept>(targets.map((target) => KEY.message(room, target)));
      const messages = new Map(targets.map((target, at) => [target, loaded[at].value]));
      for (const row of kept) {
        const { seq, target } = row.entry;
        const message = target === undefined ? row : messages.get(target);
        const own = isKept(seq, message) ? erasable.get(seq) : undefined;
        const entry = own ? { ...row.entry, erasable: own } : row.entry;
        yield { entry, document: message?.document, changedBy: message?.changedBy };
      }
    }
  }

  /** The first of the commands, as many as are read together. */
  #readTogether(commands: readonly Command[]): readonly Command[] {
    let keys = 0;
    const end = commands.findIndex((command) => (keys += this.rules.documentKeys(command).length) > KEYS_A_BATCH);
    return end < 0 ? commands : commands.slice(0, Math.max(1, end));
  }

  /** Those of the messages that the room still has. */
  async #heldMessages(room: string, seqs: readonly number[]): Promise<Map<number, Kept>> {
    const wanted = [...new Set(seqs)];
    const [[{ record }], found] = await Promise.all([
      this.records([room]),
      this.#store.load<Kept>(wanted.map((seq) => KEY.message(room, seq))),
    ]);
    const now = this.#store.clock.now();
    const held = found.flatMap(({ value }) =>
      value && this.rules.isHeld(value.entry, toRecord(record), now) ? [value] : []
    );
    return new Map(held.map((message) => [message.entry.seq, message]));
  }

  /** The messages between two places that answer this one, in order. Those of one that has expired are not told. */
  async *#answers(
    room: string,
    answered: number,
    first: number,
    last: number,
    { rules, record, now }: Reading,
  ): AsyncGenerator<Kept> {
    const { value: message } = await this.#store.get<Kept>(KEY.message(room, answered));
    if (first > last || !message || !rules.isHeld(message.entry, record, now)) return;
    const places = { start: KEY.answer(room, answered, first), end: KEY.answer(room, answered, last + 1) };
    for await (const some of inSteps(this.#store.kv.list(places), ANSWERS_A_STEP)) {
      const found = await this.#store.load<Kept>(some.map(({ key }) => KEY.message(room, Number(key.at(-1)))));
      // It may have been erased since the list was read.
      for (const { value } of found) if (value && value.erasedBy === undefined) yield value;
    }
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

function toRow({ entry, document, changedBy = 0, answers }: Kept): Row {
  return { entry, document, replies: answers?.count, changedBy: Math.max(changedBy, answers?.changedBy ?? 0) };
}
