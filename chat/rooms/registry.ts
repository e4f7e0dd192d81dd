import { interval } from "../async.ts";
import { ChatError } from "../errors.ts";
import type { RateLimiter } from "../limits/rate_limiter.ts";
import type { AddressUsage } from "../limits/usage.ts";
import type { RoomSettings } from "../storage.ts";
import { Room, type RoomDeps } from "./room.ts";

/** Seconds after which a room may be tried again that there was no place for. */
const CROWDED_RETRY = 60;

/**
 * How often a room's settings are read again while somebody is in it, milliseconds: the event that says that they have
 * changed may get lost, and another process on the same file sends none.
 */
export const SETTINGS_INTERVAL = 30_000;
/** Milliseconds between two steps. Each reads its share of the rooms, so that no moment has them all to read. */
const SWEEP_STEP = 1_000;

/** What the rooms need of what is around them. */
export interface RegistryDeps extends Omit<RoomDeps, "forget"> {
  rateLimiter: RateLimiter;
}

/** The rooms that this isolate holds: those that somebody is in, on the way into, or expected back in. */
export class RoomRegistry {
  readonly #deps: RegistryDeps;
  readonly #rooms = new Map<string, Room>();
  readonly #stopSweeping: () => void;
  /** The rest of the rooms of which the settings are being read again. */
  #unread: Iterator<Room> = this.#rooms.values();
  /** Rooms that should have been read by now, times `SETTINGS_INTERVAL`. */
  #due = 0;

  constructor(deps: RegistryDeps) {
    this.#deps = deps;
    this.#stopSweeping = interval(deps.clock, SWEEP_STEP, () => this.#sweepSettings());
  }

  /** How many rooms are held. */
  get count(): number {
    return this.#rooms.size;
  }

  [Symbol.iterator](): Iterator<Room> {
    return this.#rooms.values();
  }

  /** The room of this (normalised) name, if it is held. */
  find(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /**
   * The room of this (normalised) name, held from now on for as long as somebody is in it or on the way.
   * @param opener the address from which it is opened if it is not held yet
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
        if (opener) opener.rooms--;
      },
    });
    this.#rooms.set(name, room);
    if (opener) opener.rooms++;
    return room;
  }

  /** What moderators have set for a room, also for one that is not held. @throws {ChatError} `unavailable` */
  async settingsOf(name: string): Promise<RoomSettings> {
    return await (this.#rooms.get(name)?.readSettings() ?? this.#deps.storage.moderation.settings(name));
  }

  /** Stops all that would still happen by itself. */
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
