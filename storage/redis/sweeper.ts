import type { Clock } from "../../chat/clock.ts";
import { IDEMPOTENCY_WINDOW, type Rulebook } from "../../chat/rulebook.ts";
import type { RecordReply } from "./codec.ts";
import { ALL, type RedisConnection } from "./connection.ts";
import type { RedisNotifications } from "./notifications.ts";

/** How often expired entries are removed, milliseconds. They are hidden at once. */
export const SWEEP_INTERVAL = 60_000;
/** Entries removed in one call: some milliseconds of Redis, in which nobody else is answered. */
const SWEEP_STEP = 500;
/** How many rooms are remembered as listed. Beyond that all are forgotten, and listed once more. */
const LISTED_LIMIT = 10_000;

/** Removes expired entries of the rooms in a list that all processes share. */
export class Sweeper {
  readonly #connection: RedisConnection;
  readonly #notifications: RedisNotifications;
  readonly #rules: Rulebook;
  readonly #clock: Clock;
  /** Rooms that this process has put into the list, and the epoch then: a store that was emptied has another one. */
  #listed = { epoch: "", rooms: new Set<string>() };

  constructor(connection: RedisConnection, notifications: RedisNotifications, rules: Rulebook, clock: Clock) {
    this.#connection = connection;
    this.#notifications = notifications;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** Puts these rooms into the list. @throws {ChatError} `unavailable` */
  async list(rooms: readonly string[]): Promise<void> {
    const { epoch } = this.#notifications;
    if (this.#listed.epoch !== epoch) this.#listed = { epoch, rooms: new Set() };
    const listed = this.#listed.rooms;
    const missing = rooms.filter((room) => !listed.has(room));
    if (missing.length === 0) return;
    await this.#connection.call("add_rooms", ALL, missing);
    if (listed.size >= LISTED_LIMIT) listed.clear();
    for (const room of missing) listed.add(room);
  }

  /** Sweeps all rooms in the list, if no other process has just begun to. @throws {ChatError} `unavailable` */
  async sweep(): Promise<void> {
    const rooms = await this.#connection.call<string[] | null>("rooms_to_sweep", ALL, [SWEEP_INTERVAL / 2]);
    for (const room of rooms ?? []) await this.#sweepRoom(room);
  }

  async #sweepRoom(room: string): Promise<void> {
    const now = this.#clock.now();
    const [[, , messages]] = await this.#connection.call<RecordReply[]>("records", room, [this.#notifications.epoch]);
    const expired = [this.#rules.ordinalFloor(messages), this.#rules.oldest(now)];
    const args = [SWEEP_STEP, ...expired, now, IDEMPOTENCY_WINDOW];
    while (await this.#connection.call("drop", room, args) === SWEEP_STEP);
  }
}
