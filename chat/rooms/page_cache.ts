import type { Clock } from "../clock.ts";
import type { MessageLog } from "../storage.ts";
import { PAGE_SIZE, type Position, type RoomJoined } from "../protocol.ts";

/** How long the newest page is kept while nothing is said, milliseconds. */
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
      const missed = await this.#log.read(this.#room, request.since.seq);
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
  }

  async #readNewest(limit: number): Promise<Page> {
    return { ...await this.#log.history(this.#room, { limit }), recovered: false };
  }
}
