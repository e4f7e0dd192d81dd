import type { LogNotification } from "../../chat/storage.ts";

type Listener = (notification: LogNotification) => void;

/** Where a room's log stands. */
export interface RoomPosition {
  epoch: string;
  head: number;
}

interface Subscribed {
  listeners: Set<Listener>;
  /** The epoch that they have been told of; undefined until that is known. */
  epoch: string | undefined;
  /** The last place in that epoch that they have been told of. */
  told: number;
  /** Whether they have been told anything; not if `told` is only where a page ended. */
  isTold: boolean;
  /** The head at the last look; undefined before the first one in that epoch. */
  head: number | undefined;
  /** The place from which on they should be told of every entry; undefined while they read the log by themselves. */
  last: number | undefined;
}

/** Who has subscribed to which room on this isolate, and how far they have been told. */
export class Subscribers {
  readonly #rooms = new Map<string, Subscribed>();

  /**
   * @param position where the room's log stands now, if that is known: the subscriber reads that much by itself
   * @returns ends the subscription; a second call does nothing
   */
  subscribe(room: string, listener: Listener, position: () => RoomPosition | undefined): () => void {
    let subscribed = this.#rooms.get(room);
    if (!subscribed) {
      const { epoch, head } = position() ?? {};
      this.#rooms.set(
        room,
        subscribed = { listeners: new Set(), epoch, told: head ?? 0, isTold: false, head, last: undefined },
      );
    }
    const { listeners } = subscribed;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#rooms.get(room)?.listeners === listeners) this.#rooms.delete(room);
    };
  }

  get any(): boolean {
    return this.#rooms.size > 0;
  }

  rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  tell(room: string, notification: LogNotification): void {
    const subscribed = this.#rooms.get(room);
    if (!subscribed) return;
    const { epoch, entries } = notification;
    // Another epoch may have less in it than they have been told of.
    if (epoch !== subscribed.epoch) Object.assign(subscribed, { epoch, told: 0, head: undefined });
    subscribed.isTold = true;
    for (const { seq } of entries) subscribed.told = Math.max(subscribed.told, seq);
    subscribed.last = entries.length > 0 ? subscribed.told : undefined;
    if (entries.length > 0) subscribed.head ??= subscribed.told;
    for (const listener of subscribed.listeners) listener(notification);
  }

  /** Whether entries lie between those that a room's subscribers have been told of and these, which are in order. */
  wouldMiss(room: string, { epoch, entries }: LogNotification): boolean {
    const { epoch: known, last } = this.#rooms.get(room) ?? {};
    const isNext = epoch === known && last !== undefined && entries.length > 0;
    return isNext && entries.at(-1)!.seq - last > entries.length;
  }

  /** The epoch and the last place that a room's subscribers have been told of; undefined where there are none. */
  told(room: string): { epoch: string | undefined; head: number } | undefined {
    const subscribed = this.#rooms.get(room);
    return subscribed && { epoch: subscribed.epoch, head: subscribed.told };
  }

  /**
   * Notes where a room's log stood when a page of it was read. Subscribers begin with a page that they have asked for
   * after subscribing, so they know the log up to there. Of two pages they may begin with the older one: if one ends
   * before the place up to which they count as told, they read the log.
   */
  seen(room: string, { epoch, head }: RoomPosition): void {
    const subscribed = this.#rooms.get(room);
    if (!subscribed || subscribed.isTold) return;
    if (subscribed.epoch === undefined) Object.assign(subscribed, { epoch, told: head });
    else if (subscribed.epoch !== epoch || head < subscribed.told) {
      this.tell(room, { epoch: subscribed.epoch, entries: [] });
    }
  }

  /** Makes the subscribers of a room read its log, which stands here now. */
  reread(room: string, { epoch, head }: RoomPosition): void {
    const subscribed = this.#rooms.get(room);
    if (!subscribed) return;
    if (epoch !== subscribed.epoch) Object.assign(subscribed, { epoch, told: head, head: undefined });
    subscribed.told = Math.max(subscribed.told, head);
    this.tell(room, { epoch, entries: [] });
  }

  /** Makes the subscribers of every room, or of one, read its log, because it has another epoch. */
  renewed(epochOf: (room: string) => string, room?: string): void {
    for (const each of room === undefined ? this.rooms() : [room]) {
      if (this.has(each)) this.tell(each, { epoch: epochOf(each), entries: [] });
    }
  }

  /** Makes all subscribers read the logs. */
  rereadAll(): void {
    for (const [room, { epoch = "" }] of this.#rooms) this.tell(room, { epoch, entries: [] });
  }

  /**
   * Makes the subscribers of a room read its log if its epoch is another one, or if they have not been told of what it
   * had at the last look: no notification takes that long.
   * @param missing is given each room that had something of which nobody had been told, before they read its log
   * @returns how many rooms that were
   */
  look(positions: ReadonlyMap<string, RoomPosition>, missing: (room: string) => void = () => {}): number {
    let missed = 0;
    for (const [room, { epoch, head }] of positions) {
      const subscribed = this.#rooms.get(room);
      if (!subscribed) continue;
      const isSame = subscribed.epoch === epoch;
      const due = subscribed.head;
      const isLate = due !== undefined && subscribed.told < due;
      if (isLate) {
        missed++;
        missing(room);
      }
      if (isLate || !isSame) {
        this.tell(room, { epoch, entries: [] });
        subscribed.last = head;
      }
      // They have read, or are going to read, what came before the first look.
      subscribed.told = Math.max(subscribed.told, isSame && due !== undefined ? due : head);
      subscribed.head = head;
    }
    return missed;
  }

  /**
   * Makes the subscribers of rooms read the log if they have not been told of what it had at the last look, which must
   * be longer ago than a notification takes. The parameter and what is returned are those of `look`.
   */
  lookBack(missing: (room: string) => void): number {
    let missed = 0;
    for (const [room, { epoch, told, head = 0 }] of this.#rooms) {
      if (epoch === undefined || told >= head) continue;
      missed++;
      missing(room);
      this.reread(room, { epoch, head });
    }
    return missed;
  }
}
