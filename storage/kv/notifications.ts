import { interval, Serializer } from "../../chat/async.ts";
import type { Position } from "../../chat/protocol.ts";
import type { LogNotification } from "../../chat/storage.ts";
import { type RoomPosition, Subscribers } from "../shared/subscribers.ts";
import type { KvRooms } from "./rooms.ts";
import { CHANGE_KEYS, changeKeyOf, KEY, type KvStore } from "./store.ts";

/**
 * How often the change keys are read, whether or not the watch has brought them, milliseconds: the safety net, slow
 * because every read has its price.
 */
export const POLL_INTERVAL = 10_000;
/** Wait before a watch that broke is begun again, milliseconds. */
const WATCH_PAUSE = 1_000;
/** After so many polls in a row that found what the watch should have brought long ago, it is broken. */
const LATE_POLLS_LIMIT = 3;

/** All that one watch may have: the change keys, and the number of the last events. */
const WATCHED = [...Array.from({ length: CHANGE_KEYS }, (_, changeKey) => KEY.roomsChanged(changeKey)), KEY.events];

/**
 * Tells subscribers what is new in their rooms. A change key says only that something was written in one of its rooms,
 * and the watch may bring one version for several. So it is found out which rooms have moved on, and those are read
 * from where their subscribers were told last.
 *
 * What this isolate keeps is told at once, also before what others kept before it: subscribers read such a gap by
 * themselves.
 */
export class KvNotifications {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;
  readonly #onEvents: (last: number) => void;
  readonly #subscribers = new Subscribers();
  /** Of each watched key the latest version that the watch brought, and that of the last poll. */
  readonly #versions = WATCHED.map(() => ({ watched: "", polled: "" }));
  /** Change keys whose rooms are to be looked at. */
  #due = new Set<number>();
  /** Positions are read one time after the other, so that none comes after a newer one. */
  readonly #looks = new Serializer();
  readonly #reads = new Serializer<string>();
  #watch: ReadableStreamDefaultReader<Deno.KvEntryMaybe<unknown>[]> | undefined;
  #watching: Promise<void>;
  #cancelWatch: (() => void) | undefined;
  readonly #stopPolling: () => void;
  #polling = Promise.resolve();
  #latePolls = 0;
  #closed = false;
  /** How many polls found a change that the watch should have brought, counted for each key. */
  missed = 0;

  /** @param onEvents called with the number of the last events, when there are new ones */
  constructor(store: KvStore, rooms: KvRooms, onEvents: (last: number) => void) {
    this.#store = store;
    this.#rooms = rooms;
    this.#onEvents = onEvents;
    this.#watching = this.#keepWatching();
    this.#stopPolling = interval(store.clock, POLL_INTERVAL, () => this.#polling = this.#poll());
  }

  /** Whether the watch does not bring what others write. */
  get notificationsBroken(): boolean {
    return this.#latePolls >= LATE_POLLS_LIMIT;
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    return this.#subscribers.subscribe(room, listener, () => undefined);
  }

  /** Tells what this isolate has kept. */
  tell(room: string, notification: LogNotification): void {
    this.#subscribers.tell(room, notification);
  }

  /** Notes where a page of a room ends, with which a subscriber may begin. @returns that page */
  seen<Page extends Position>(room: string, page: Page): Page {
    this.#subscribers.seen(room, { epoch: page.epoch, head: page.seq });
    return page;
  }

  /** Tells what is new in the rooms of these change keys. Resolves when it has been told. */
  async look(changeKeys: Iterable<number>): Promise<void> {
    for (const changeKey of changeKeys) this.#due.add(changeKey);
    try {
      await Promise.all(await this.#looks.run("all", () => this.#lookAtDue()));
    } catch (error) {
      console.error("changed rooms could not be read:", error);
    }
  }

  /** Resolves when nothing is read any more. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#stopPolling();
    this.#cancelWatch?.();
    await this.#watch?.cancel().catch(() => {/* it had ended by itself */});
    await Promise.all([this.#watching, this.#polling, this.#looks.settled(), this.#reads.settled()]);
  }

  /** Compares the rooms of the due change keys with what was told. @returns what is being read and told */
  async #lookAtDue(): Promise<Promise<void>[]> {
    const due = this.#due;
    this.#due = new Set();
    const rooms = this.#subscribers.rooms().filter((room) => due.has(changeKeyOf(room)));
    if (rooms.length === 0 || this.#closed) return [];
    try {
      const positions = (await this.#rooms.records(rooms)).map(({ record: { head }, epoch }) => ({ head, epoch }));
      return rooms.map((room, at) => this.#reads.run(room, () => this.#readOn(room, positions[at])));
    } catch (error) {
      // The next event or poll tries again.
      this.#due = this.#due.union(due);
      throw error;
    }
  }

  /** Tells a room's subscribers what they have not been told: its log stands at this position. */
  async #readOn(room: string, position: RoomPosition): Promise<void> {
    const told = this.#subscribers.told(room);
    if (!told || this.#closed) return;
    if (told.epoch === undefined) return this.#subscribers.seen(room, position);
    if (told.epoch !== position.epoch) return this.#subscribers.reread(room, position);
    if (told.head >= position.head) return;
    try {
      const { epoch, seq, entries, complete } = await this.#rooms.read(room, told.head);
      // Not what this isolate has told meanwhile. What others kept before that is a gap, which subscribers read.
      const untold = entries.filter(({ seq }) => seq > (this.#subscribers.told(room)?.head ?? 0));
      if (untold.length > 0) this.#subscribers.tell(room, { epoch, entries: untold });
      if (!complete) this.#subscribers.reread(room, { epoch, head: seq });
    } catch {
      // It was said why. Subscribers try by themselves until it works.
      this.#subscribers.reread(room, position);
    }
  }

  async #keepWatching(): Promise<void> {
    try {
      this.#watch = this.#store.kv.watch<unknown[]>(WATCHED).getReader();
      for (;;) {
        const { value, done } = await this.#watch.read();
        if (done) break;
        this.#take("watched", value);
      }
    } catch (error) {
      if (!this.#closed) console.error("the watch broke and is begun again:", error);
    }
    if (this.#closed) return;
    this.#cancelWatch = this.#store.clock.after(WATCH_PAUSE, () => this.#watching = this.#keepWatching());
  }

  async #poll(): Promise<void> {
    try {
      const found = await this.#store.load(WATCHED);
      const late = this.#versions.filter(({ watched, polled }) => watched < polled).length;
      this.#take("polled", found.map(({ value, check }) => ({ value, versionstamp: check.versionstamp })));
      this.missed += late;
      this.#latePolls = late > 0 ? this.#latePolls + 1 : 0;
      // Another watch may hear better.
      if (late > 0) await this.#watch?.cancel();
    } catch (error) {
      console.error("the change keys could not be read:", error);
    }
  }

  #take(by: "watched" | "polled", found: readonly { value: unknown; versionstamp: string | null }[]): void {
    const changed: number[] = [];
    for (const [at, { value, versionstamp }] of found.entries()) {
      const versions = this.#versions[at];
      const version = versionstamp ?? "";
      const isNew = version > versions.watched && version > versions.polled;
      versions[by] = version;
      if (isNew && at === CHANGE_KEYS) this.#onEvents(Number(value));
      else if (isNew) changed.push(at);
    }
    this.look(changed);
  }
}
