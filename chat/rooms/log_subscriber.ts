import type { Clock } from "../clock.ts";
import type { LogNotification, MessageLog } from "../storage.ts";
import type { Entry, Position } from "../protocol.ts";

/** Wait before a hole in the log is read again after the store failed, milliseconds. */
const REREAD_DELAY = 1_000;

/** What a room does with what its log brings. */
export interface LogSubscriberListener {
  /** Something has come, in whatever order. */
  heard(news: LogNotification): void;
  /** There may be something to `take`. */
  due(): void;
  /** What `take` would have brought, had it not been missed. */
  passOn(entries: Entry[]): void;
  /** What was passed on does not lead up to what the log holds now. There is no position any more. */
  restart(): void;
}

/**
 * Follows a room's log from a position on and brings its entries in order, without hole or double. What is told beside the
 * log may get lost, doubled or out of order; holes are filled from the log itself, which is the truth.
 */
export class LogSubscriber {
  readonly #room: string;
  readonly #log: MessageLog;
  readonly #clock: Clock;
  readonly #listener: LogSubscriberListener;
  readonly #unfollow: () => void;
  #position: Position | undefined;
  #news: Entry[] = [];
  /** Whether something that was told may have been missed, so that the log has to be read. */
  #suspicious = false;
  #rereading = false;
  #cancelReread: (() => void) | undefined;
  #disposed = false;

  constructor(room: string, log: MessageLog, clock: Clock, listener: LogSubscriberListener) {
    this.#room = room;
    this.#log = log;
    this.#clock = clock;
    this.#listener = listener;
    this.#unfollow = log.subscribe(room, (news) => this.#hear(news));
  }

  /** Where the last entry stands that was passed on; undefined until somebody has said where to begin. */
  get position(): Position | undefined {
    return this.#position;
  }

  begin({ epoch, seq }: Position): void {
    this.#position = { epoch, seq };
    if (this.#news.length > 0 || this.#suspicious) this.#listener.due();
  }

  /** Forgets the position; what comes from now on is kept for the next one. */
  forget(): void {
    this.#position = undefined;
    this.#news = [];
  }

  /** The entries that follow, and moves behind them. If there is a hole, the rest is read and passed on later. */
  take(): Entry[] {
    const entries: Entry[] = [];
    if (this.#position === undefined || this.#rereading) return entries;
    let hole = this.#suspicious;
    this.#suspicious = false;
    for (const entry of this.#news.sort((one, other) => one.seq - other.seq)) {
      const next = this.#position.seq + 1;
      if (entry.seq > next) hole = true;
      else if (entry.seq === next) {
        this.#position.seq = next;
        entries.push(entry);
      }
    }
    this.#news = [];
    if (hole) this.#reread();
    return entries;
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    this.#disposed = true;
    this.#cancelReread?.();
    this.#unfollow();
  }

  #hear(news: LogNotification): void {
    this.#listener.heard(news);
    if (this.#position && news.epoch !== this.#position.epoch) return this.#restart();
    if (news.entries.length === 0) this.#suspicious = true;
    for (const entry of news.entries) this.#news.push(entry);
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
        this.#listener.passOn(entries);
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
