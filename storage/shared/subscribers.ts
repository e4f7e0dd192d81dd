import type { LogNotification } from "../../chat/storage.ts";

type Listener = (notification: LogNotification) => void;

/** Where a room's log stands. */
export interface RoomPosition {
  epoch: string;
  head: number;
}

interface Subscribed {
  listeners: Set<Listener>;
  /** The epoch and the last place that they have been told of; undefined while nobody knows where they begin. */
  epoch: string | undefined;
  told: number;
  /** Whether they have been told anything; not if `told` is only where a page ended. */
  isTold: boolean;
  /** The head at the last look. */
  head: number;
}

/** Who has subscribed to which room on this isolate, and how far they have been told. */
export class Subscribers {
  readonly #rooms = new Map<string, Subscribed>();

  /** @param position where the room's log stands now, if that is known: the subscriber reads that much by itself */
  subscribe(room: string, listener: Listener, position: () => RoomPosition | undefined): () => void {
    let subscribed = this.#rooms.get(room);
    if (!subscribed) {
      const { epoch, head = 0 } = position() ?? {};
      this.#rooms.set(room, subscribed = { listeners: new Set(), epoch, told: head, isTold: false, head });
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
    // Another epoch counts its entries anew.
    if (notification.entries.length > 0 && notification.epoch !== subscribed.epoch) {
      subscribed.told = subscribed.head = 0;
    }
    subscribed.epoch = notification.epoch;
    subscribed.isTold = true;
    for (const { seq } of notification.entries) subscribed.told = Math.max(subscribed.told, seq);
    for (const listener of subscribed.listeners) listener(notification);
  }

  /**
   * Up to where the subscribers of a room know its log; no epoch: nobody knows. Undefined where there are no
   * subscribers.
   */
  told(room: string): { epoch: string | undefined; head: number } | undefined {
    const subscribed = this.#rooms.get(room);
    return subscribed && { epoch: subscribed.epoch, head: subscribed.told };
  }

  /**
   * Notes where a room's log stood when it was read: subscribers know it up to there, since they begin with a page that
   * they have asked for after subscribing. Of two pages they may begin with the older one, which is why they look into
   * the log if one ends before what they are taken to know and were never told.
   */
  seen(room: string, { epoch, head }: RoomPosition): void {
    const subscribed = this.#rooms.get(room);
    if (!subscribed || subscribed.isTold) return;
    if (subscribed.epoch === undefined) Object.assign(subscribed, { epoch, told: head });
    else if (subscribed.epoch !== epoch || head < subscribed.told) {
      this.tell(room, { epoch: subscribed.epoch, entries: [] });
    }
  }

  /** Has the subscribers of a room look into its log, which stands here now. */
  reread(room: string, { epoch, head }: RoomPosition): void {
    const subscribed = this.#rooms.get(room);
    if (!subscribed) return;
    subscribed.told = epoch === subscribed.epoch ? Math.max(subscribed.told, head) : head;
    this.tell(room, { epoch, entries: [] });
  }

  /** Has the subscribers of every room, or of one, look into its log, as under another epoch they must. */
  renewed(epochOf: (room: string) => string, room?: string): void {
    for (const each of room === undefined ? this.rooms() : [room]) {
      if (this.has(each)) this.tell(each, { epoch: epochOf(each), entries: [] });
    }
  }

  /** Has all subscribers look into the logs. */
  rereadAll(): void {
    for (const [room, { epoch = "" }] of this.#rooms) this.tell(room, { epoch, entries: [] });
  }

  /**
   * Has the subscribers of a room look into its log if its epoch is another one, or if they have not been told what it
   * held at the last look already: notifications take no such time to come.
   * @returns how many rooms had something that nobody had told
   */
  look(positions: ReadonlyMap<string, RoomPosition>): number {
    let missed = 0;
    for (const [room, { epoch, head }] of positions) {
      const subscribed = this.#rooms.get(room);
      if (!subscribed) continue;
      const due = subscribed.head;
      subscribed.head = head;
      const isLate = subscribed.told < due;
      if (isLate) missed++;
      // What came before the first look is for them to look for.
      subscribed.told = Math.max(subscribed.told, subscribed.epoch === undefined ? head : due);
      if (isLate || subscribed.epoch !== epoch) this.tell(room, { epoch, entries: [] });
    }
    return missed;
  }
}
