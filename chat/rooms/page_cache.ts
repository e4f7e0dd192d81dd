import type { Clock } from "../clock.ts";
import type { CatchUp, MessageLog } from "../storage.ts";
import { PAGE_SIZE, type Position, type RoomJoined } from "../protocol.ts";

/** How long a page is used again while nothing is said, milliseconds. */
const PAGE_MAX_AGE = 1_000;

/** What a join reads: a page, or what was missed. */
export type Page = Position & Pick<RoomJoined, "recovered" | "messages" | "more">;

/** Reads what those who join a room get. The newest page is read once for all who join at the same time. */
export class PageCache {
  readonly #room: string;
  readonly #log: MessageLog;
  readonly #clock: Clock;
  /** The newest page of the usual size, for as long as it is the newest. */
  #newest: { page: Promise<Page>; read: number } | undefined;
  /** What those had missed who resumed since something was last said, by the place that they knew. */
  readonly #missed = new Map<number, Promise<CatchUp>>();
  #cancelForgetting: (() => void) | undefined;

  constructor(room: string, log: MessageLog, clock: Clock) {
    this.#room = room;
    this.#log = log;
    this.#clock = clock;
  }

  /**
   * What came after `since` if the log still has all of it, else the newest page.
   * @throws {ChatError} `unavailable`
   */
  async read(request: { since?: Position; limit?: number }): Promise<Page> {
    if (request.since) {
      const missed = await this.#missedSince(request.since.seq);
      if (missed.complete && missed.epoch === request.since.epoch) {
        return { ...missed, recovered: true, messages: missed.entries, more: request.since.seq > 0 };
      }
    }
    const { limit = PAGE_SIZE } = request;
    if (limit !== PAGE_SIZE) return this.#readNewest(limit);
    if (!this.#newest || this.#clock.monotonic() - this.#newest.read >= PAGE_MAX_AGE) {
      this.#newest = { page: this.#readNewest(limit), read: this.#clock.monotonic() };
      this.#newest.page.catch(() => this.invalidate());
    }
    return this.#newest.page;
  }

  /** Drops the kept page, which is no longer the newest. */
  invalidate(): void {
    this.#newest = undefined;
    if (this.#missed.size > 0) this.#forgetMissed();
  }

  /** Stops its timer. */
  dispose(): void {
    this.#forgetMissed();
  }

  #forgetMissed(): void {
    this.#missed.clear();
    this.#cancelForgetting?.();
    this.#cancelForgetting = undefined;
  }

  /** After a restart hundreds know the same place: what they have missed is read once. */
  #missedSince(seq: number): Promise<CatchUp> {
    let missed = this.#missed.get(seq);
    if (missed) return missed;
    this.#missed.set(seq, missed = this.#log.read(this.#room, seq));
    missed.catch(() => this.#missed.delete(seq));
    this.#cancelForgetting ??= this.#clock.after(PAGE_MAX_AGE, () => this.#forgetMissed());
    return missed;
  }

  async #readNewest(limit: number): Promise<Page> {
    return { ...await this.#log.history(this.#room, { limit }), recovered: false };
  }
}
