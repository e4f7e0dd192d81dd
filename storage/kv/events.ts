import { Serializer } from "../../chat/async.ts";
import type { ClusterEvent } from "../../chat/storage.ts";
import { KEY, type KvStore } from "./store.ts";

/** Events are gathered so long and written together, milliseconds: a commit is expensive, and nobody waits for them. */
const GATHER = 50;
/** Bytes of JSON in one value, which may have 64 KiB: two events of the largest size do not fit. */
const VALUE_BYTES = 60 * 1024;
/** Events that may wait to be written; beyond that the oldest are lost, as events may be. */
const MOST_WAITING = 1_000;
/** How long an event can be read, milliseconds: whoever comes later finds out what matters without it. */
const EVENT_LIFE = 60_000;

interface EventsRecord {
  /** The isolate that wrote them. */
  from: string;
  /**
   * The events as a JSON array in UTF-8: as text, one foreign letter would double its size. Versions that run side by
   * side know the field by this name.
   */
  signals: Uint8Array;
}

/** Events in Deno KV: a numbered log, whose values expire by themselves. */
export class KvEvents {
  readonly #store: KvStore;
  readonly #own: string = crypto.randomUUID();
  #waiting: string[] = [];
  readonly #writes = new Serializer();
  #cancelGather: (() => void) | undefined;
  /** The number of the last value that was read. */
  #read: number;
  readonly #reads = new Serializer();
  listener: (event: ClusterEvent) => void = () => {};

  /** @param last the number of the last value when this isolate began */
  constructor(store: KvStore, last: number) {
    this.#store = store;
    this.#read = last;
  }

  publish(event: ClusterEvent): void {
    this.#waiting.push(JSON.stringify(event));
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#cancelGather ??= this.#store.clock.after(GATHER, () => this.#flush());
  }

  /** Reads the events up to this number. */
  hear(last: number): void {
    this.#reads.run("all", async () => {
      // A store that was emptied counts anew.
      if (last < this.#read) this.#read = 0;
      const unread = { start: KEY.event(this.#read + 1), end: KEY.event(last + 1) };
      for await (const { key, value: { from, signals } } of this.#store.kv.list<EventsRecord>(unread)) {
        this.#read = Number(key.at(-1));
        if (from === this.#own) continue;
        for (const event of JSON.parse(new TextDecoder().decode(signals))) this.listener(event);
      }
      this.#read = Math.max(this.#read, last);
    }).catch((error) => console.error("events could not be read:", error));
  }

  /**
   * Writes the events that wait, among them that this isolate leaves. Resolves when nothing is read or written any
   * more.
   */
  async close(): Promise<void> {
    await Promise.all([this.#reads.settled(), this.#flush()]);
  }

  async #flush(): Promise<void> {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    await this.#writes.run("all", async () => {
      while (this.#waiting.length > 0) await this.#write();
    }).catch(() => {/* it was said why; events may get lost */});
  }

  async #write(): Promise<void> {
    const encoder = new TextEncoder();
    let count = 0;
    for (let bytes = 2; count < this.#waiting.length; count++) {
      bytes += encoder.encode(this.#waiting[count]).length + 1;
      if (bytes > VALUE_BYTES && count > 0) break;
    }
    const some = this.#waiting.splice(0, count);
    const record: EventsRecord = { from: this.#own, signals: encoder.encode(`[${some.join()}]`) };
    await this.#store.writing(async () => {
      const { value = 0, check } = await this.#store.get<number>(KEY.events);
      const operation = this.#store.kv.atomic().check(check).set(KEY.events, value + 1);
      operation.set(KEY.event(value + 1), record, { expireIn: EVENT_LIFE });
      return (await operation.commit()).ok || undefined;
    });
  }
}
