import { type HistoryPage, PAGE_SIZE, PAGE_SIZE_LIMIT } from "../chat/protocol.ts";
import { type ClientState, roomOf } from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import { RETRY_DELAY } from "./outbox.ts";
import {
  historyEnd,
  historyStart,
  isLoading,
  merged,
  newerLoaded,
  olderLoaded,
  pageFailed,
  pageRequested,
  pagesStopped,
  placeLoaded,
  readBegun,
  readEnded,
  refreshed,
  threadLoaded,
} from "./room/room_log.ts";
import { withQuoted, withThread } from "./room/answers.ts";
import { heldMessage, type RoomState, type Thread } from "./room/room_state.ts";

/** Times that a page is requested when it is older than what the connection has brought. */
const ATTEMPTS = 3;
/** Messages of a page that come after a place, so that it is read in its middle. */
const AFTER_PLACE = PAGE_SIZE / 2;

/** Answered messages that are asked for at once. */
const QUOTES_AT_ONCE = 3;
/** Answered messages that wait to be asked for, at most. The reader has long gone past the first of more. */
const QUOTES_WAITING = 60;

/** The newest messages before a `seq`, or the oldest after one; with `repliesTo` only those that answer that message. */
export type PageQuery = ({ before: number } | { after: number; repliesTo?: number }) & { limit: number };

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
  /** The last request for a page around a place. */
  #place: symbol | undefined;
  /** Answered messages that wait to be asked for, and how many are on their way. */
  #quotes: { readonly room: string; readonly seq: number }[] = [];
  readonly #quoting = new Set<string>();

  constructor(options: HistoryLoaderOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** Loads the page before the oldest message of the room that is read, unless one is loading. */
  async older(limit: number): Promise<void> {
    const { room } = this.#options.state();
    if (!room.more || !room.position || isLoading(room)) return;
    this.#options.changed(pageRequested(room, "older"));
    await this.#load(room.name, { before: historyEnd(room), limit }, olderLoaded, "older");
  }

  /** Loads the page after the last message of a reader who is among older ones, unless one is loading. */
  async newer(): Promise<void> {
    const { room } = this.#options.state();
    if (!room.newest || isLoading(room)) return;
    this.#options.changed(pageRequested(room, "newer"));
    await this.#load(room.name, { after: historyStart(room), limit: PAGE_SIZE }, newerLoaded, "newer");
  }

  /**
   * Brings in the messages around a place in the room that is read.
   * @returns whether some are there; false also if the reader has meanwhile gone to another room
   */
  async around(seq: number): Promise<boolean> {
    const { room } = this.#options.state();
    if (!room.position) return false;
    this.#options.changed(pageRequested(room, "older", { newer: "idle" }));
    const loaded = this.#load(room.name, { before: seq + AFTER_PLACE, limit: PAGE_SIZE }, placeLoaded, "older");
    this.#place = this.#requests.get(room.name);
    return await loaded;
  }

  /** The reader does not go to the place any more that is loading. */
  stay(): void {
    const { room } = this.#options.state();
    if (this.#place === undefined || this.#requests.get(room.name) !== this.#place) return;
    this.#requests.delete(room.name);
    if (isLoading(room)) this.#options.changed(pagesStopped(room));
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

  /** Reads the messages around a room's reader again, in whose absence they may have been changed. */
  async refresh(name: string): Promise<void> {
    this.#timers.cancel(name);
    const messages = roomOf(this.#options.state(), name)?.messages ?? [];
    const last = messages.at(-1)?.seq ?? 0;
    let after = (messages[0]?.seq ?? 1) - 1;
    while (after < last) {
      let next = last;
      const how = await this.#read(name, { after, limit: PAGE_SIZE_LIMIT }, (room, page) => {
        if (!page) return room;
        next = page.more ? page.messages.at(-1)?.seq ?? last : last;
        return refreshed(room, page, this.#me());
      });
      if (how === "failed") this.#timers.set(name, RETRY_DELAY, () => this.refresh(name));
      if (how !== "read") return;
      after = next;
    }
  }

  /** Loads a message that others answer, unless it is known: each once, and a few at a time. */
  quote(name: string, seq: number): void {
    const room = roomOf(this.#options.state(), name);
    const isAsked = this.#quoting.has(`${name} ${seq}`) ||
      this.#quotes.some((other) => other.room === name && other.seq === seq);
    if (!room?.position || isAsked || heldMessage(room, seq) !== undefined) return;
    this.#quotes = [...this.#quotes, { room: name, seq }].slice(-QUOTES_WAITING);
    this.#nextQuotes();
  }

  #nextQuotes(): void {
    while (this.#quoting.size < QUOTES_AT_ONCE) {
      const next = this.#quotes.pop(); // what was asked for last is what the reader sees
      if (!next) return;
      const key = `${next.room} ${next.seq}`;
      this.#quoting.add(key);
      this.#quote(next.room, next.seq).then((isDone) => {
        const rest = () => {
          this.#quoting.delete(key);
          this.#nextQuotes();
        };
        // Whoever still looks at it asks again.
        if (isDone) rest();
        else this.#timers.set(key, RETRY_DELAY, rest);
      });
    }
  }

  /** A page says how new it is, which the message alone does not. @returns whether it came */
  async #quote(name: string, seq: number): Promise<boolean> {
    const how = await this.#read(name, { before: seq + 1, limit: 1 }, (room, page) => {
      if (!page) return room;
      const { room: next, messages } = merged(room, page, this.#me());
      const message = messages.at(-1);
      return withQuoted(next, seq, message?.seq === seq ? message : null);
    });
    return how === "read";
  }

  /** Loads the answers to a message, from the first one on, or the next page of them. */
  async answers(name: string, parent: number): Promise<void> {
    const { state, changed } = this.#options;
    const before = roomOf(state(), name);
    const thread: Thread = before?.threads.get(parent) ?? { messages: [], more: true, request: "idle" };
    if (!before?.position || !thread.more || thread.request === "loading") return;
    changed(withThread(before, parent, { ...thread, request: "loading" }));
    const after = thread.messages.at(-1)?.seq ?? parent;
    await this.#read(name, { repliesTo: parent, after, limit: PAGE_SIZE }, (room, page) => {
      const shown = room.threads.get(parent);
      if (!shown) return room;
      return page
        ? threadLoaded(room, parent, page, this.#me())
        : withThread(room, parent, { ...shown, request: "failed" });
    });
  }

  /** Nobody looks at the answers to a message any more. */
  forgetAnswers(name: string, parent: number): void {
    const room = roomOf(this.#options.state(), name);
    if (room?.threads.has(parent)) this.#options.changed(withThread(room, parent, null));
  }

  /** The room was left. */
  forget(name: string): void {
    this.#timers.cancel(name);
    this.#quotes = this.#quotes.filter(({ room }) => room !== name);
  }

  /**
   * Reads a page for something else than the stretches of messages.
   * @param take returns the room with the page, or without it where none came
   * @returns "late": a join that could not resume has made useless what was asked for before it
   */
  async #read(
    name: string,
    query: PageQuery,
    take: (room: RoomState, page: HistoryPage | null) => RoomState,
  ): Promise<"read" | "failed" | "late"> {
    const { state, changed } = this.#options;
    const before = roomOf(state(), name);
    if (!before) return "late";
    const own = Symbol();
    changed(readBegun(before, own));
    const page = await this.#fetch(name, query);
    const room = roomOf(state(), name);
    if (!room?.reads.has(own)) return "late";
    const isGood = page !== null && page.epoch === room.position?.epoch;
    changed(readEnded(take(room, isGood ? page : null), own));
    return isGood ? "read" : page ? "late" : "failed";
  }

  /** @returns whether the page is there now */
  async #load(
    name: string,
    query: PageQuery,
    loaded: (room: RoomState, page: HistoryPage, me?: string) => RoomState,
    request: "older" | "newer",
  ): Promise<boolean> {
    const { state, changed } = this.#options;
    const own = Symbol();
    this.#requests.set(name, own);
    const page = await this.#fetch(name, query);
    const room = roomOf(state(), name);
    // Meanwhile the room may have been left, a join may have replaced the messages, or another page been requested.
    if (room?.[request] !== "loading" || this.#requests.get(name) !== own) return false;
    const isGood = page !== null && page.epoch === room.position?.epoch;
    changed(isGood ? loaded(room, page, this.#me()) : pageFailed(room, request));
    return isGood;
  }

  /** A page that goes together with what the connection brings; null if there is none now. */
  async #fetch(name: string, query: PageQuery): Promise<HistoryPage | null> {
    const { fetchHistory, state } = this.#options;
    const before = roomOf(state(), name)?.position;
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const page = await fetchHistory(name, query).catch(() => null);
      // Another server may be a moment behind the one to which we are connected. What it lacks nobody tells again.
      if (!page || page.epoch !== before?.epoch || page.seq >= before.seq) return page;
    }
    return null;
  }

  #me(): string | undefined {
    return this.#options.state().me?.user;
  }
}
