import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../chat/clock.ts";
import type { RoomPosition, Subscribers } from "../shared/subscribers.ts";
import type { Entries } from "./entries.ts";
import { isBusy } from "./file.ts";

/** How often the file is looked at for what others wrote, milliseconds. What nobody told is found by the second look. */
export const CHECK_INTERVAL = 1_000;
/** Having to find out by looking so many times in a row is deafness; news that get lost now and then are not. */
const DEAF_LOOKS = 3;

/**
 * Notices what others have written to the file and have not told: because news got lost, or because it is another process,
 * which tells nobody. It looks only while somebody follows a room.
 */
export class ChangeDetector {
  readonly #file: DatabaseSync;
  readonly #clock: Clock;
  readonly #entries: Entries;
  readonly #subscribers: Subscribers;
  readonly #dataVersion: StatementSync;
  #seen: { version: number; changed: boolean };
  #looksInVain = 0;
  #cancel: (() => void) | undefined;
  /** How often a room's followers had to be told to look into the log. */
  missedNotifications = 0;

  constructor(file: DatabaseSync, entries: Entries, subscribers: Subscribers, clock: Clock) {
    this.#file = file;
    this.#clock = clock;
    this.#entries = entries;
    this.#subscribers = subscribers;
    this.#dataVersion = file.prepare("PRAGMA data_version");
    this.#seen = { version: this.#version(), changed: false };
  }

  /** Whether news of others do not come here at all. */
  get notificationsBroken(): boolean {
    return this.#looksInVain >= DEAF_LOOKS;
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
    // The news of what was written just before a look may be on their way: that is judged at the next one.
    if (!changed && !this.#seen.changed) return;
    this.#seen = { version, changed };
    const missed = this.#subscribers.look(this.#positions());
    this.missedNotifications += missed;
    this.#looksInVain = missed > 0 ? this.#looksInVain + 1 : 0;
  }

  /** In one transaction, which halves what it costs: 2 ms for a thousand rooms. */
  #positions(): Map<string, RoomPosition> {
    this.#file.exec("BEGIN");
    try {
      return new Map(this.#subscribers.rooms().map((room) => [room, this.#entries.position(room)]));
    } finally {
      this.#file.exec("COMMIT");
    }
  }

  /** Another number whenever another connection, in whatever process, has changed the file. */
  #version(): number {
    return (this.#dataVersion.get() as { data_version: number }).data_version;
  }
}
