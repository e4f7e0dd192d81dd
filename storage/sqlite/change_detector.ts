import type { Clock } from "../../chat/clock.ts";
import type { Subscribers } from "../shared/subscribers.ts";
import type { Database } from "./database.ts";
import { isBusy } from "./file.ts";
import type { RoomTable } from "./rooms.ts";

/** How often the file is looked at for what others wrote, milliseconds. What nobody told is found by the second look. */
export const CHECK_INTERVAL = 1_000;
/** After so many checks in a row that found what no notification had told, notifications are broken. */
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
  /** How often a room's followers had to be told to look into the log. */
  missedNotifications = 0;

  constructor(database: Database, table: RoomTable, subscribers: Subscribers, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#table = table;
    this.#subscribers = subscribers;
    this.#seen = { version: this.#version(), changed: false };
  }

  /** Whether notifications of others do not come here at all. */
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
      new Map(this.#subscribers.rooms().map((room) => [room, this.#table.position(room)]))
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
