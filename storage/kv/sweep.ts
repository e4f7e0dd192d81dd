import { interval } from "../../chat/async.ts";
import { IDEMPOTENCY_WINDOW, type StoredEntry } from "../../chat/rulebook.ts";
import { type Kept, type KvRoom, NO_ROOM, toRecord } from "./append.ts";
import type { KvRooms } from "./rooms.ts";
import { KEY, type KvStore } from "./store.ts";

/** How often expired entries are removed, milliseconds. They are hidden at once. */
const SWEEP_INTERVAL = 10 * 60_000;
/** Entries that one commit notes as expired, or removes: it may check 100 ids. */
const STEP = 90;

/** Removes expired entries from Deno KV, and what is left of erased messages. */
export class KvSweep {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;
  readonly #stop: () => void;
  #sweeping: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(store: KvStore, rooms: KvRooms) {
    this.#store = store;
    this.#rooms = rooms;
    this.#stop = interval(store.clock, SWEEP_INTERVAL, () => this.#sweeping = this.#sweep());
  }

  /** In all rooms, until it is closed. */
  async run(): Promise<void> {
    for await (const { key } of this.#store.kv.list({ prefix: KEY.rooms })) {
      const room = String(key.at(-1));
      if (this.#closed) return;
      await this.#rooms.erase(room);
      if (this.#rooms.rules.expires) await this.#expire(room);
    }
  }

  /** Resolves when nothing is removed any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stop();
    await this.#sweeping;
  }

  async #sweep(): Promise<void> {
    try {
      if (await this.#isOurTurn()) await this.run();
    } catch (error) {
      console.error("expired entries could not be removed:", error);
    }
  }

  /** One isolate's sweep is enough; whoever comes first does it. */
  async #isOurTurn(): Promise<boolean> {
    const now = this.#store.clock.now();
    const { value = 0, check } = await this.#store.get<number>(KEY.swept);
    if (Math.abs(now - value) < SWEEP_INTERVAL / 2) return false;
    return (await this.#store.kv.atomic().check(check).set(KEY.swept, now).commit()).ok;
  }

  /** First all floors, so that it is known which messages no later entry shows any more. */
  async #expire(room: string): Promise<void> {
    let raised;
    do raised = await this.#raiseFloor(room); while (raised.by === STEP && !this.#closed);
    for (let from = 1; from <= raised.floor && !this.#closed;) from = await this.#remove(room, from, raised.floor);
  }

  /** Notes up to where the entries of a room have expired. @returns that place, and how many more have */
  #raiseFloor(room: string): Promise<{ floor: number; by: number }> {
    return this.#store.writing(async () => {
      const { value: record = NO_ROOM, check } = await this.#store.get<KvRoom>(KEY.room(room));
      const now = this.#store.clock.now();
      let { floor } = record;
      for await (const { entry } of this.#rooms.entries(room, floor + 1, Math.min(record.head, floor + STEP))) {
        if (this.#rooms.rules.isHeld(entry, toRecord(record), now)) break;
        floor = entry.seq;
      }
      const by = floor - record.floor;
      if (by === 0) return { floor, by };
      const operation = this.#store.kv.atomic().check(check).set(KEY.room(room), { ...record, floor });
      return (await operation.commit()).ok ? { floor, by } : undefined;
    });
  }

  /**
   * Removes some of the entries up to the floor. Their ids stay for as long as they are to be remembered.
   * @returns where to go on; behind the floor if somebody has used an id meanwhile: the next sweep comes back
   */
  async #remove(room: string, from: number, floor: number): Promise<number> {
    const expired: Kept[] = [];
    for await (const kept of this.#rooms.entries(room, from, floor)) {
      // A message whose words a later entry shows waits for that.
      if ((kept.shownBy ?? 0) <= floor) expired.push(kept);
      if (expired.length === STEP) break;
    }
    await this.#removeParts(room, expired.filter(({ shownBy }) => shownBy !== undefined).map(({ entry }) => entry.seq));
    const operation = this.#store.kv.atomic();
    for (const { entry: { seq, target }, shownBy } of expired) {
      operation.delete(shownBy === undefined ? KEY.change(room, seq) : KEY.message(room, seq));
      if (target !== undefined) operation.delete(KEY.erasable(room, target, seq));
    }
    const withId = expired.map(({ entry }) => entry).filter(({ id }) => id !== undefined);
    const ids = withId.map(({ user, action, id }) => KEY.id(room, user, action, id!));
    // An id may have been used again since.
    for (const [at, { value, check }] of (await this.#store.load<StoredEntry>(ids)).entries()) {
      const { seq, date } = withId[at];
      if (value?.seq !== seq) continue;
      operation.check(check);
      const expireIn = date + IDEMPOTENCY_WINDOW - this.#store.clock.now();
      if (expireIn > 0) operation.set(ids[at], value, { expireIn });
      else operation.delete(ids[at]);
    }
    const isDone = expired.length === 0 || (await operation.commit()).ok;
    return isDone && expired.length === STEP ? expired.at(-1)!.entry.seq + 1 : floor + 1;
  }

  /** Removes the document keys of messages, and what answers them: one list finds them all. */
  async #removeParts(room: string, messages: number[]): Promise<void> {
    if (messages.length === 0) return;
    const parts = { start: KEY.parts(room, messages[0]), end: KEY.parts(room, messages.at(-1)! + 1) };
    await this.#rooms.removeParts(parts, (key) => key.at(-2) !== "entry" && messages.includes(Number(key.at(-3))));
  }
}
