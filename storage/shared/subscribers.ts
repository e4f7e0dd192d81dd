import type { LogNotification } from "../../chat/storage.ts";

type Listener = (news: LogNotification) => void;

interface Subscribed {
  listeners: Set<Listener>;
  /** The last place that they have been told of. */
  told: number;
  /** The head at the last look. */
  head: number;
}

/** Who follows which room on this isolate, and how far they have been told. */
export class Subscribers {
  readonly #rooms = new Map<string, Subscribed>();

  /** @param head what the room's log holds now: the follower reads that much by itself */
  subscribe(room: string, listener: Listener, head: () => number): () => void {
    let followed = this.#rooms.get(room);
    if (!followed) {
      const here = head();
      this.#rooms.set(room, followed = { listeners: new Set(), told: here, head: here });
    }
    const { listeners } = followed;
    listeners.add(listener);
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#rooms.get(room)?.listeners === listeners) this.#rooms.delete(room);
    };
  }

  get any(): boolean {
    return this.#rooms.size > 0;
  }

  rooms(): Iterable<string> {
    return this.#rooms.keys();
  }

  has(room: string): boolean {
    return this.#rooms.has(room);
  }

  tell(room: string, news: LogNotification): void {
    const followed = this.#rooms.get(room);
    if (!followed) return;
    for (const { seq } of news.entries) followed.told = Math.max(followed.told, seq);
    for (const listener of followed.listeners) listener(news);
  }

  /** Has every room's followers look into its log, as under another epoch they must. */
  tellAll(epoch: string): void {
    for (const room of this.#rooms.keys()) this.tell(room, { epoch, entries: [] });
  }

  /**
   * Has the followers of a room look into its log if they have not been told what it held at the last look already:
   * news take no such time to come.
   * @returns how many rooms that were
   */
  look(epoch: string, headOf: (room: string) => number): number {
    let missed = 0;
    for (const [room, followed] of this.#rooms) {
      const due = followed.head;
      followed.head = headOf(room);
      if (followed.told >= due) continue;
      missed++;
      followed.told = due;
      this.tell(room, { epoch, entries: [] });
    }
    return missed;
  }
}
