import type { Clock } from "../../chat/clock.ts";

/** Has Redis begin or stop to send what is published, each before it does what it is asked for afterwards. */
export interface ChannelLink {
  /** Resolves when Redis has answered, whatever it was. */
  subscribe(channels: string[]): Promise<unknown>;
  unsubscribe(channels: string[]): void;
}

/**
 * The channels of rooms: a connection is subscribed to those of the rooms that somebody here has subscribed to. Changes
 * of one turn are sent together, at its end, or before anything else is asked of Redis (`flush`). So what is asked
 * later is done when the subscription is active.
 */
export class RoomChannels {
  readonly #prefix: string;
  readonly #clock: Clock;
  readonly #isWanted: (room: string) => boolean;
  #link: ChannelLink | undefined;
  /** Rooms to whose channels the connection is subscribed, as far as this process knows. */
  readonly #subscribed = new Set<string>();
  /**
   * Those of them for which Redis has not answered yet. They are not ended before it has: the client would take what is
   * begun again meanwhile for begun already, and end it with the first answer.
   */
  readonly #unanswered = new Set<string>();
  /** Rooms for which that may have to change. */
  readonly #due = new Set<string>();
  /** Rooms whose channel did not bring what was published. */
  readonly #silent = new Set<string>();
  #willFlush = false;

  /** @param isWanted whether anybody here has subscribed to a room now */
  constructor(prefix: string, clock: Clock, isWanted: (room: string) => boolean) {
    this.#prefix = prefix;
    this.#clock = clock;
    this.#isWanted = isWanted;
  }

  /** The channel of a room. It has the room as hash tag, as its keys have: they live on one node. */
  of(room: string): string {
    return `${this.#prefix}:{${room}}:news`;
  }

  /** Somebody has subscribed to a room, or has ended that. */
  changed(room: string): void {
    this.#due.add(room);
    if (this.#willFlush) return;
    this.#willFlush = true;
    this.#clock.soon(() => this.flush());
  }

  /** Subscribes to the channel of a room again, because it did not bring what was published. */
  heal(room: string): void {
    this.#silent.add(room);
    this.changed(room);
  }

  /** Sends what has changed. Whatever is asked of Redis has to be sent after that. */
  flush(): void {
    this.#willFlush = false;
    if (this.#due.size === 0) return;
    const [begun, ended]: string[][] = [[], []];
    for (const room of this.#due) {
      const isWanted = this.#isWanted(room);
      if (this.#subscribed.has(room) && (!isWanted || this.#silent.has(room))) {
        if (this.#unanswered.has(room)) continue;
        this.#subscribed.delete(room);
        ended.push(this.of(room));
      }
      if (isWanted && !this.#subscribed.has(room)) begun.push(room);
      this.#due.delete(room);
      this.#silent.delete(room);
    }
    if (ended.length > 0) this.#link?.unsubscribe(ended);
    if (begun.length > 0) this.#begin(begun);
  }

  /** The connection is lost. */
  detach(): void {
    this.#link = undefined;
  }

  /** There is a new connection, which is subscribed to nothing. @param rooms those that are wanted */
  attach(link: ChannelLink, rooms: readonly string[]): void {
    this.#link = link;
    this.#subscribed.clear();
    this.#unanswered.clear();
    for (const room of rooms) this.#due.add(room);
    this.flush();
  }

  #begin(rooms: string[]): void {
    const link = this.#link;
    for (const room of rooms) {
      this.#subscribed.add(room);
      this.#unanswered.add(room);
    }
    link?.subscribe(rooms.map((room) => this.of(room))).then(() => {
      if (this.#link !== link) return;
      for (const room of rooms) this.#unanswered.delete(room);
      this.flush();
    });
  }
}
