import { interval } from "../async.ts";
import { ChatError } from "../errors.ts";
import type { RateLimiter } from "../limits/rate_limiter.ts";
import type { AddressUsage } from "../limits/usage.ts";
import type { RoomSettings } from "../storage.ts";
import { Room, type RoomDeps } from "./room.ts";

/** Seconds after which a room that there was no place for may be tried again. */
const CROWDED_RETRY = 60;

/**
 * How often the settings of a room in memory are read again, milliseconds: the event that they have changed may get
 * lost, and another process on the same file sends none.
 */
export const SETTINGS_INTERVAL = 30_000;
/** Milliseconds between two steps, each of which reads its share of the rooms, so that not all are read at once. */
const SWEEP_STEP = 1_000;

/** What the registry and its rooms work on. */
interface RegistryDeps extends Omit<RoomDeps, "forget"> {
  rateLimiter: RateLimiter;
}

/** The rooms in the memory of this isolate: those that somebody is in, joining, or expected back in. */
export class RoomRegistry {
  readonly #deps: RegistryDeps;
  readonly #rooms = new Map<string, Room>();
  readonly #stopSweeping: () => void;
  /** The rooms whose settings this round of the sweep has not read yet. */
  #unread: Iterator<Room> = this.#rooms.values();
  /** How many rooms the sweep is behind, times `SETTINGS_INTERVAL`. */
  #due = 0;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#stopSweeping = interval(deps.clock, SWEEP_STEP, () => this.#sweepSettings());
  }

  /** How many rooms are in memory. */
  get count(): number {
    return this.#rooms.size;
  }

  [Symbol.iterator](): Iterator<Room> {
    return this.#rooms.values();
  }

  /** The room of this (normalised) name, if it is in memory. */
  find(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /**
   * The room of this (normalised) name, in memory from now on while somebody is in it or joining.
   * @param opener the address that opens it if it is not in memory yet
   * @throws {ChatError} `too_many_rooms`
   */
  open(name: string, opener?: AddressUsage): Room {
    const held = this.#rooms.get(name);
    if (held) return held;
    if (!this.#deps.rateLimiter.hasPlaceForRoom(this.#rooms.size, opener)) {
      throw new ChatError(
        "too_many_rooms",
        "Nothing more can be opened here for now. Come back later.",
        CROWDED_RETRY,
      );
    }
    const room = new Room(name, {
      ...this.#deps,
      forget: () => {
        this.#rooms.delete(name);
        this.#deps.presence.closed(name);
        if (opener) opener.rooms--;
      },
    });
    this.#rooms.set(name, room);
    this.#deps.presence.opened(name, room.members);
    if (opener) opener.rooms++;
    return room;
  }

  /** What moderators have set for a room, also if it is not in memory. @throws {ChatError} `unavailable` */
  async settingsOf(name: string): Promise<RoomSettings> {
    return await (this.#rooms.get(name)?.readSettings() ?? this.#deps.storage.moderation.settings(name));
  }

  /** Stops all timers, and ends all subscriptions of rooms. */
  dispose(): void {
    for (const room of this.#rooms.values()) room.dispose();
    this.#stopSweeping();
  }

  #sweepSettings(): void {
    this.#due += this.#rooms.size * SWEEP_STEP;
    for (; this.#due >= SETTINGS_INTERVAL; this.#due -= SETTINGS_INTERVAL) this.#nextUnread()?.refreshSettings();
  }

  #nextUnread(): Room | undefined {
    const next = this.#unread.next();
    if (!next.done) return next.value;
    this.#unread = this.#rooms.values();
    return this.#unread.next().value;
  }
}
