import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { Room } from "./room.ts";

/**
 * How often a room's settings are read again while somebody is in it, milliseconds: the event that says that they have
 * changed may get lost, and another process on the same file sends none.
 */
export const SETTINGS_INTERVAL = 30_000;
/** Milliseconds between two steps. Each reads its share of the rooms, so that no moment has them all to read. */
const STEP = 1_000;

/** Has all rooms that are held read their settings again, one room after the other. */
export class SettingsSweep {
  readonly #rooms: ReadonlyMap<string, Room>;
  readonly #clock: Clock;
  #roomsLeft: Iterator<Room>;
  /** Rooms that should have been read by now, times `SETTINGS_INTERVAL`. */
  #due = 0;
  #stop: (() => void) | undefined;
  #isOver = false;

  /** @param rooms those that are held, read as they come and go */
  constructor(rooms: ReadonlyMap<string, Room>, clock: Clock) {
    this.#rooms = rooms;
    this.#clock = clock;
    this.#roomsLeft = rooms.values();
  }

  /** Goes on for as long as there are rooms. */
  start(): void {
    if (!this.#isOver) this.#stop ??= interval(this.#clock, STEP, () => this.#step());
  }

  /** For good. */
  stop(): void {
    this.#isOver = true;
    this.#stop?.();
  }

  #step(): void {
    this.#due += this.#rooms.size * STEP;
    for (; this.#due >= SETTINGS_INTERVAL; this.#due -= SETTINGS_INTERVAL) this.#next()?.refreshSettings();
    if (this.#rooms.size > 0) return;
    this.#stop?.();
    this.#stop = undefined;
  }

  #next(): Room | undefined {
    const next = this.#roomsLeft.next();
    if (!next.done) return next.value;
    this.#roomsLeft = this.#rooms.values();
    return this.#roomsLeft.next().value;
  }
}
