import type { ListedPosition, Storage } from "../storage.ts";
import type { Clock } from "../clock.ts";
import { DEFAULT_ROOM } from "../protocol.ts";

/** How long a list is kept, milliseconds: anyone may ask at any time, and the store searches all rooms for it. */
const LIST_MAX_AGE = 1_000;

/** A room as it looks from outside. */
export interface ListedRoom extends ListedPosition {
  /** How many different people are in it. */
  count: number;
}

/** The public rooms: the default one, and those that a moderator has listed. */
export class RoomDirectory {
  readonly #storage: Storage;
  readonly #clock: Clock;
  readonly #countsIn: (rooms: readonly string[]) => Promise<(room: string) => number>;
  #read: { rooms: Promise<ListedPosition[]>; at: number } | undefined;

  /** @param countsIn how many different people are in each of these rooms, wherever they are connected */
  constructor(
    storage: Storage,
    clock: Clock,
    countsIn: (rooms: readonly string[]) => Promise<(room: string) => number>,
  ) {
    this.#storage = storage;
    this.#clock = clock;
    this.#countsIn = countsIn;
  }

  /** Drops the list, which has changed. Other isolates notice when theirs is too old. */
  invalidate(): void {
    this.#read = undefined;
  }

  /** The default room, then the others by name. @throws {ChatError} `unavailable` */
  async rooms(): Promise<ListedRoom[]> {
    const now = this.#clock.monotonic();
    if (!this.#read || now - this.#read.at >= LIST_MAX_AGE) {
      this.#read = { rooms: this.#readRooms(), at: now };
      this.#read.rooms.catch(() => this.invalidate());
    }
    const rooms = await this.#read.rooms;
    const countIn = await this.#countsIn(rooms.map(({ room }) => room));
    return rooms.map(({ room, ...rest }) => ({ room, count: countIn(room), ...rest }));
  }

  async #readRooms(): Promise<ListedPosition[]> {
    const [listed, general] = await Promise.all([
      this.#storage.moderation.listed(),
      this.#storage.history(DEFAULT_ROOM, { limit: 1 }),
    ]);
    const others = listed.filter(({ room }) => room !== DEFAULT_ROOM);
    return [{ room: DEFAULT_ROOM, seq: general.seq, date: general.messages[0]?.date ?? 0 }, ...others];
  }
}
