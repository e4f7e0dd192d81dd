import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import type { LogNotification } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";
import type { KvRooms } from "./rooms.ts";
import { CHANGE_KEYS, changeKeyOf, KEY, type KvStore } from "./store.ts";

/**
 * How often the bells are looked at, whether or not the watch has brought them, milliseconds: the safety net, slow
 * because every read has its price.
 */
export const POLL_INTERVAL = 10_000;
/** Wait before a watch that broke is begun again, milliseconds. */
const WATCH_PAUSE = 1_000;
/** After so many polls in a row that found what the watch should have brought long ago, it is broken. */
const LATE_POLLS_LIMIT = 3;

/** All that one watch may have: the bells, and the number of the last events. */
const WATCHED = [...Array.from({ length: CHANGE_KEYS }, (_, bell) => KEY.roomsChanged(bell)), KEY.events];

interface Subscribed {
  listeners: Set<(notification: LogNotification) => void>;
  /** The last place that they have been told of; undefined while it is not known what they know. */
  told: number | undefined;
  /** Of the log of which they have been told. */
  epoch: string;
  /** What is being read and told, one thing after the other. */
  work: Promise<void>;
}

/**
 * Tells what is new in the rooms that somebody follows here. A bell says only that something has been written in one of
 * its rooms, and of several rings only the last may be heard: the rooms are read from where they are.
 */
export class KvNotifications {
  readonly #store: KvStore;
  readonly #rooms: KvRooms;
  readonly #clock: Clock;
  readonly #onEvents: (last: number) => void;
  readonly #subscribed = new Map<string, Subscribed>();
  /** By bell: the version that has been answered, the one that the watch brought, and the one at the last poll. */
  readonly #answered: string[] = WATCHED.map(() => "");
  readonly #watched: string[] = WATCHED.map(() => "");
  readonly #polled: string[] = WATCHED.map(() => "");
  #answering = Promise.resolve();
  #watch: ReadableStreamDefaultReader<unknown> | undefined;
  #watching: Promise<void>;
  #cancelPause: (() => void) | undefined;
  readonly #stopPolling: () => void;
  #polling = Promise.resolve();
  #latePolls = 0;
  #closed = false;
  missed = 0;

  constructor(
    store: KvStore,
    rooms: KvRooms,
    options: { clock: Clock; onEvents: (last: number) => void },
  ) {
    this.#store = store;
    this.#rooms = rooms;
    this.#clock = options.clock;
    this.#onEvents = options.onEvents;
    this.#watching = this.#keepWatching();
    this.#stopPolling = interval(options.clock, POLL_INTERVAL, () => this.#polling = this.#poll());
  }

  /** Whether the watch does not bring what others write. */
  get notificationsBroken(): boolean {
    return this.#latePolls >= LATE_POLLS_LIMIT;
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    let subscribed = this.#subscribed.get(room);
    if (!subscribed) {
      subscribed = { listeners: new Set(), told: undefined, epoch: "", work: Promise.resolve() };
      this.#subscribed.set(room, subscribed);
      this.#enqueue(subscribed, async (subscribed) => {
        const [{ epoch, head }] = await this.#rooms.positions([room]);
        Object.assign(subscribed, { epoch, told: head });
      });
    }
    const { listeners } = subscribed;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#subscribed.get(room)?.listeners === listeners) this.#subscribed.delete(room);
    };
  }

  /** Resolves when it is known from where on the followers of a room must be told: what is read after that holds the rest. */
  async ready(room: string): Promise<void> {
    const subscribed = this.#subscribed.get(room);
    if (subscribed?.told === undefined) await subscribed?.work;
  }

  /** The same for all rooms. */
  async allReady(): Promise<void> {
    await Promise.all(this.#subscribed.keys().map((room) => this.ready(room)));
  }

  /** Tells what this isolate has kept, and before it what others have kept. */
  async kept(room: string, epoch: string, entries: readonly Entry[]): Promise<void> {
    const subscribed = this.#subscribed.get(room);
    if (!subscribed || entries.length === 0) return;
    await this.#enqueue(subscribed, (subscribed) => {
      if (subscribed.told !== undefined && entries[0].seq !== subscribed.told + 1) {
        return this.#readOn(room, subscribed);
      }
      this.#tell(subscribed, { epoch, entries });
    });
  }

  /** A room, or every one, has another epoch. */
  async renewed(room?: string): Promise<void> {
    await this.#compare([...this.#subscribed.keys()].filter((each) => (room ?? each) === each));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopPolling();
    this.#cancelPause?.();
    await this.#watch?.cancel().catch(() => {/* it had ended by itself */});
    await Promise.all([this.#watching, this.#polling, this.#answering]);
    await Promise.all([...this.#subscribed.values()].map(({ work }) => work));
  }

  #tell(subscribed: Subscribed, notification: LogNotification): void {
    const last = notification.entries.at(-1);
    subscribed.epoch = notification.epoch;
    if (last) subscribed.told = Math.max(subscribed.told ?? 0, last.seq);
    for (const listener of subscribed.listeners) listener(notification);
  }

  /** Never rejects: what could not be read is read with the next ring, or by the follower. */
  #enqueue(subscribed: Subscribed, work: (subscribed: Subscribed) => void | Promise<void>): Promise<void> {
    subscribed.work = subscribed.work.then(() => this.#closed ? undefined : work(subscribed)).catch((error) => {
      console.error("a room could not be read on:", error);
      this.#tell(subscribed, { epoch: subscribed.epoch, entries: [] });
    });
    return subscribed.work;
  }

  /** Reads a room from where its followers are. */
  async #readOn(room: string, subscribed: Subscribed): Promise<void> {
    for (;;) {
      const { epoch, entries, seq, complete } = await this.#store.reading(() =>
        this.#rooms.read(room, subscribed.told ?? 0)
      );
      const goesOn = subscribed.told !== undefined && (entries[0]?.seq ?? seq + 1) === subscribed.told + 1;
      if (!goesOn) {
        // They must see for themselves what has become of the room.
        subscribed.told = seq;
        return this.#tell(subscribed, { epoch, entries: [] });
      }
      if (entries.length > 0) this.#tell(subscribed, { epoch, entries });
      if (complete || entries.length === 0) return;
    }
  }

  #ring(bell: number, version: string, value: unknown): void {
    if (version <= this.#answered[bell]) return;
    this.#answered[bell] = version;
    if (bell === CHANGE_KEYS) return this.#onEvents(Number(value));
    this.#answering = this.#answering.then(() => this.#answer(bell))
      .catch((error) => {
        // The next poll finds it unanswered.
        if (this.#answered[bell] === version) this.#answered[bell] = "";
        console.error("changed rooms could not be read:", error);
      });
  }

  async #answer(bell: number): Promise<void> {
    if (this.#closed) return;
    await this.#compare([...this.#subscribed.keys()].filter((room) => changeKeyOf(room) === bell));
  }

  /** Reads rooms on whose log has gone on, and has those looked into that have begun another life. */
  async #compare(rooms: readonly string[]): Promise<void> {
    if (rooms.length === 0) return;
    for (const [at, { epoch, head }] of (await this.#rooms.positions(rooms)).entries()) {
      const room = rooms[at];
      const subscribed = this.#subscribed.get(room);
      if (!subscribed) continue;
      this.#enqueue(subscribed, (subscribed) => {
        if (subscribed.epoch !== epoch) return this.#tell(subscribed, { epoch, entries: [] });
        if (subscribed.told !== head) return this.#readOn(room, subscribed);
      });
    }
  }

  async #keepWatching(): Promise<void> {
    while (!this.#closed) {
      try {
        const watch = this.#store.kv.watch<unknown[]>(WATCHED).getReader();
        this.#watch = watch;
        for (;;) {
          const { value: bells, done } = await watch.read();
          if (done) break;
          for (const [bell, { versionstamp, value }] of bells.entries()) {
            this.#watched[bell] = versionstamp ?? "";
            this.#ring(bell, this.#watched[bell], value);
          }
        }
      } catch (error) {
        if (!this.#closed) console.error("the watch broke and is begun again:", error);
      }
      if (this.#closed) return;
      await new Promise<void>((resolve) => {
        const cancel = this.#clock.after(WATCH_PAUSE, resolve);
        this.#cancelPause = () => {
          cancel();
          resolve();
        };
      });
    }
  }

  async #poll(): Promise<void> {
    try {
      await this.#compareBells();
    } catch (error) {
      console.error("the rooms could not be looked at:", error);
    }
  }

  async #compareBells(): Promise<void> {
    const bells = await this.#store.load(WATCHED);
    let late = 0;
    for (const [bell, { value, check: { versionstamp } }] of bells.entries()) {
      if (this.#watched[bell] < this.#polled[bell]) late++;
      this.#polled[bell] = versionstamp ?? "";
      this.#ring(bell, this.#polled[bell], value);
    }
    this.missed += late;
    this.#latePolls = late > 0 ? this.#latePolls + 1 : 0;
    // Another watch may hear better.
    if (late > 0) await this.#watch?.cancel();
  }
}
