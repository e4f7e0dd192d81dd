import { type HistoryPage, PAGE_SIZE, PAGE_SIZE_LIMIT } from "../chat/protocol.ts";
import { type ClientState, roomOf } from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import { RETRY_DELAY } from "./outbox.ts";
import {
  historyEnd,
  historyStart,
  isLoading,
  newerLoaded,
  olderLoaded,
  placeLoaded,
  refreshed,
} from "./room/room_log.ts";
import type { RoomState } from "./room/room_state.ts";

/** Messages of a page that come after a place, so that it is read in its middle. */
const AFTER_PLACE = PAGE_SIZE / 2;

/** The newest messages before a `seq`, or the oldest after one. */
export type PageQuery = ({ before: number } | { after: number }) & { limit: number };

export interface HistoryLoaderOptions {
  /** Rejects when the page can't be loaded now. */
  fetchHistory(room: string, query: PageQuery): Promise<HistoryPage>;
  clock: Clock;
  state: () => ClientState;
  /** Takes another state of one of the rooms. */
  changed: (room: RoomState) => void;
}

/** Loads the pages of history that come neither with a join nor live. */
export class HistoryLoader {
  readonly #options: HistoryLoaderOptions;
  readonly #timers: Timers<string>;
  /** The last request for a page of each room. What an earlier one still brings is ignored. */
  readonly #requests = new Map<string, symbol>();

  constructor(options: HistoryLoaderOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** Loads the page before the oldest message of the room that is read, unless one is loading. */
  async older(limit: number): Promise<void> {
    const { room } = this.#options.state();
    if (!room.more || !room.position || isLoading(room)) return;
    this.#options.changed({ ...room, older: "loading", pending: [] });
    await this.#load(room.name, { before: historyEnd(room), limit }, olderLoaded, "older");
  }

  /** Loads the page after the last message of a reader who is among older ones, unless one is loading. */
  async newer(): Promise<void> {
    const { room } = this.#options.state();
    if (!room.newest || isLoading(room)) return;
    this.#options.changed({ ...room, newer: "loading", pending: [] });
    await this.#load(room.name, { after: historyStart(room), limit: PAGE_SIZE }, newerLoaded, "newer");
  }

  /**
   * Brings in the messages around a place in the room that is read.
   * @returns whether some are there; false also if the reader has meanwhile gone to another room
   */
  async around(seq: number): Promise<boolean> {
    const { room } = this.#options.state();
    if (!room.position) return false;
    this.#options.changed({ ...room, older: "loading", newer: "idle", pending: [] });
    return await this.#load(room.name, { before: seq + AFTER_PLACE, limit: PAGE_SIZE }, placeLoaded, "older");
  }

  /**
   * The first message of a time or later in the room that is read. Rejects when messages can't be loaded now.
   * @param date milliseconds since 1970
   * @returns its `seq`; null if there is none
   */
  async findByDate(date: number): Promise<number | null> {
    const { name, position } = this.#options.state().room;
    const { findByDate } = await import("./room/date_search.ts");
    const fetchAfter = (after: number) => this.#options.fetchHistory(name, { after, limit: 1 });
    return await findByDate(async (after) => (await fetchAfter(after)).messages[0], position?.seq ?? 0, date);
  }

  /** Reads the messages around a room's reader again, in whose absence they may have been edited or deleted. */
  async refresh(name: string): Promise<void> {
    const { fetchHistory, state, changed } = this.#options;
    this.#timers.cancel(name);
    const messages = roomOf(state(), name)?.messages ?? [];
    const last = messages.at(-1)?.seq ?? 0;
    let after = (messages[0]?.seq ?? 1) - 1;
    while (after < last) {
      const page = await fetchHistory(name, { after, limit: PAGE_SIZE_LIMIT }).catch(() => null);
      const room = roomOf(state(), name);
      if (!room) return;
      if (!page) return this.#timers.set(name, RETRY_DELAY, () => this.refresh(name));
      if (page.epoch !== room.position?.epoch) return;
      changed(refreshed(room, page));
      after = page.more ? page.messages.at(-1)?.seq ?? last : last;
    }
  }

  /** The room was left. */
  forget(name: string): void {
    this.#timers.cancel(name);
  }

  /** @returns whether the page is there now */
  async #load(
    name: string,
    query: PageQuery,
    loaded: (room: RoomState, page: HistoryPage) => RoomState,
    request: "older" | "newer",
  ): Promise<boolean> {
    const { fetchHistory, state, changed } = this.#options;
    const own = Symbol();
    this.#requests.set(name, own);
    const page = await fetchHistory(name, query).catch(() => null);
    const room = roomOf(state(), name);
    // Meanwhile the room may have been left, a join may have replaced the messages, or another page been requested.
    if (room?.[request] !== "loading" || this.#requests.get(name) !== own) return false;
    const isGood = page !== null && page.epoch === room.position?.epoch;
    changed(isGood ? loaded(room, page) : { ...room, [request]: "failed", pending: [] });
    return isGood;
  }
}
