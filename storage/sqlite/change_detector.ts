import type { Clock } from "../../chat/clock.ts";
import type { Subscribers } from "../shared/subscribers.ts";
import type { Database } from "./database.ts";
import { isBusy } from "./file.ts";
import type { RoomTable } from "./rooms.ts";

/**
 * Pause between two checks of the file, milliseconds. What others wrote without a notification is found by the second.
 */
export const CHECK_INTERVAL = 1_000;
/** After this many checks in a row that found something without a notification, notifications count as broken. */
const LATE_CHECKS_LIMIT = 3;

/**
 * Finds what others have written to the file without a notification that came: because it got lost, or because another
 * process wrote it, which notifies nobody. It checks only while somebody has subscribed to a room.
 */
export class ChangeDetector {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #table: RoomTable;
  readonly #subscribers: Subscribers;
  #seen: { version: number; changed: boolean };
  #lateChecks = 0;
  #cancel: (() => void) | undefined;
  /** How often a room's subscribers had to read its log, because a notification had not come. */
  missedNotifications = 0;

  constructor(database: Database, table: RoomTable, subscribers: Subscribers, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#table = table;
    this.#subscribers = subscribers;
    this.#seen = { version: this.#version(), changed: false };
  }

  /** Whether no notifications of other isolates come here, as far as can be seen. */
  get notificationsBroken(): boolean {
    return this.#lateChecks >= LATE_CHECKS_LIMIT;
  }

  start(): void {
    this.#cancel ??= this.#clock.after(CHECK_INTERVAL, () => {
      this.#cancel = undefined;
      try {
        this.#look();
      } catch (error) {
        if (!isBusy(error)) console.error("the database could not be looked at:", error);
      }
      if (this.#subscribers.any) this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  #look(): void {
    const version = this.#version();
    const changed = version !== this.#seen.version;
    // The notification of what was just written may be on its way: the next check tells.
    if (!changed && !this.#seen.changed) return;
    this.#seen = { version, changed };
    // In one transaction, which halves what it costs: 2 ms for a thousand rooms.
    const positions = this.#database.inOneState(() =>
      new Map(this.#subscribers.rooms().map((room) => [room, this.#table.find(room)]))
    );
    const missed = this.#subscribers.look(positions);
    this.missedNotifications += missed;
    this.#lateChecks = missed > 0 ? this.#lateChecks + 1 : 0;
  }

  /** Another number whenever another connection, in whatever process, has changed the file. */
  #version(): number {
    return (this.#database.sql("PRAGMA data_version").get() as { data_version: number }).data_version;
  }
}
