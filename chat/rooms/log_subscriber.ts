import type { Clock } from "../clock.ts";
import type { Entry, Position } from "../protocol.ts";
import type { LogNotification, MessageLog } from "../storage.ts";

/** Wait before a gap in the log is read again after a failure of the store, milliseconds. */
const REREAD_DELAY = 1_000;

/** What a room does with what its log brings. */
interface LogSubscriberListener {
  /** A notification has come, in whatever order. */
  notified(notification: LogNotification): void;
  /** There may be something to `take`. */
  due(): void;
  /** Entries that `take` could not return, because they had been missed. */
  deliver(entries: Entry[]): void;
  /** The log does not continue what was delivered. There is no position now. */
  restart(): void;
}

/**
 * Subscribes to a room's log from a position on and brings its entries in order, without gaps or duplicates.
 * Notifications may get lost, doubled or out of order; gaps are filled from the log itself.
 */
export class LogSubscriber {
  readonly #room: string;
  readonly #log: MessageLog;
  readonly #clock: Clock;
  readonly #listener: LogSubscriberListener;
  readonly #unsubscribe: () => void;
  #position: Position | undefined;
  /** Entries that have come and were not taken yet, in any order. */
  #pending: Entry[] = [];
  /** Whether something may have been missed, so that the log has to be read. */
  #mayHaveMissed = false;
  #rereading = false;
  #cancelReread: (() => void) | undefined;
  #disposed = false;

  constructor(room: string, log: MessageLog, clock: Clock, listener: LogSubscriberListener) {
    this.#room = room;
    this.#log = log;
    this.#clock = clock;
    this.#listener = listener;
    this.#unsubscribe = log.subscribe(room, (notification) => this.#onNotification(notification));
  }

  /** The position of the last delivered entry; undefined before `begin`. */
  get position(): Position | undefined {
    return this.#position;
  }

  /** Delivers what follows this position from now on. */
  begin({ epoch, seq }: Position): void {
    this.#position = { epoch, seq };
    if (this.#pending.length > 0 || this.#mayHaveMissed) this.#listener.due();
  }

  /** Forgets the position; what comes from now on is kept for the next `begin`. */
  forget(): void {
    this.#position = undefined;
    this.#pending = [];
  }

  /** Takes the entries that follow the position. If there is a gap, the rest is read and delivered later. */
  take(): Entry[] {
    const entries: Entry[] = [];
    if (this.#position === undefined || this.#rereading) return entries;
    let hasGap = this.#mayHaveMissed;
    this.#mayHaveMissed = false;
    for (const entry of this.#pending.sort((one, other) => one.seq - other.seq)) {
      const next = this.#position.seq + 1;
      if (entry.seq > next) hasGap = true;
      else if (entry.seq === next) {
        this.#position.seq = next;
        entries.push(entry);
      }
    }
    this.#pending = [];
    if (hasGap) this.#reread();
    return entries;
  }

  /** Ends the subscription and stops all timers. */
  dispose(): void {
    this.#disposed = true;
    this.#cancelReread?.();
    this.#unsubscribe();
  }

  #onNotification(notification: LogNotification): void {
    this.#listener.notified(notification);
    if (this.#position && notification.epoch !== this.#position.epoch) return this.#restart();
    if (notification.entries.length === 0) this.#mayHaveMissed = true;
    for (const entry of notification.entries) this.#pending.push(entry);
    this.#listener.due();
  }

  #restart(): void {
    this.forget();
    this.#listener.restart();
  }

  async #reread(): Promise<void> {
    this.#rereading = true;
    const position = this.#position!;
    try {
      for (let complete = false; !complete;) {
        const missed = await this.#log.read(this.#room, position.seq);
        if (this.#position !== position) break;
        const { seq, epoch, entries } = missed;
        const expired = seq > position.seq && entries[0]?.seq !== position.seq + 1;
        if (epoch !== position.epoch || seq < position.seq || expired) {
          this.#restart();
          break;
        }
        position.seq += entries.length;
        this.#listener.deliver(entries);
        complete = missed.complete;
      }
      this.#rereading = false;
      this.#listener.due();
    } catch {
      if (this.#disposed) return;
      this.#cancelReread = this.#clock.after(REREAD_DELAY, () => {
        if (this.#position) this.#reread();
        else this.#rereading = false;
      });
    }
  }
}
