import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import { RESUME_LIMIT } from "../../chat/protocol.ts";
import { type AppendResult, IDEMPOTENCY_WINDOW, type Kinds, type Retention, Rulebook } from "../../chat/rulebook.ts";
import {
  type CatchUp,
  type ClusterEvent,
  type Command,
  type DocumentKey,
  type History,
  type HistoryQuery,
  type KeysQuery,
  type LogNotification,
  PAGE_BYTES,
  roomOf,
  type SearchRequest,
  type SearchResult,
  type Storage,
} from "../../chat/storage.ts";
import { catchUp, historyPage, type StoredMessage } from "../shared/page.ts";
import { Scanner } from "../shared/scan.ts";
import { RoomAppend, type RoomReply } from "./append.ts";
import { type RecordReply, type Row, toDocumentKey, toRecord, toStored } from "./codec.ts";
import { ALL, RedisConnection, type RedisPlace } from "./connection.ts";
import { RedisModeration } from "./moderation.ts";
import { RedisNames } from "./names.ts";
import { RedisNotifications } from "./notifications.ts";
import { SWEEP_INTERVAL, Sweeper } from "./sweeper.ts";

/** Pause between two pulses, milliseconds. Each process publishes them, and receives its own too. */
export const PULSE_INTERVAL = 1_000;
/** Pulses between two looks at where the rooms' logs stand. The pulse after a look finds what no notification told. */
const PULSES_A_LOOK = 2;
/** Times that a page of several calls is begun before it is answered as it is, though somebody has written in between. */
const PAGE_ATTEMPTS = 5;
/** Calls, beside one for each command, after which commands are refused that other servers have overtaken each time. */
const MOST_TRIES = 100;

/**
 * Keeps everything in Redis (7 or newer) or Valkey, for several machines. After a crash of Redis there is what Redis'
 * `appendfsync` promises. If that may be less than before, another epoch begins.
 */
export class RedisStorage implements Storage {
  readonly names: RedisNames;
  readonly moderation: RedisModeration;
  /** What the operator should know about this Redis, a sentence each. */
  readonly warnings: readonly string[];
  readonly #connection: RedisConnection;
  readonly #notifications: RedisNotifications;
  readonly #sweeper: Sweeper;
  readonly #secret: string;
  readonly #rules: Rulebook;
  readonly #clock: Clock;
  readonly #scanner: Scanner;
  readonly #stops: (() => void)[];
  /** Rooms that were locked at the last reply about them. */
  readonly #locked = new Set<string>();
  /** Events that wait to be published together, by room. */
  readonly #events = new Map<string | undefined, ClusterEvent[]>();
  #pulses = 0;

  private constructor(
    connection: RedisConnection,
    notifications: RedisNotifications,
    { rules, clock, secret }: { rules: Rulebook; clock: Clock; secret: string | undefined },
  ) {
    this.#connection = connection;
    this.#notifications = notifications;
    this.#sweeper = new Sweeper(connection, notifications, rules, clock);
    this.names = new RedisNames(connection, clock);
    this.moderation = new RedisModeration(connection, notifications);
    this.warnings = connection.warnings;
    this.#secret = secret ?? connection.secret;
    this.#rules = rules;
    this.#clock = clock;
    this.#scanner = new Scanner((room, query) => this.history(room, query), clock);
    this.#stops = [interval(clock, PULSE_INTERVAL, () => this.#checkNotifications())];
    if (rules.expires) this.#stops.push(interval(clock, SWEEP_INTERVAL, () => this.#sweeper.sweep()));
  }

  /**
   * Connects, and makes the epoch and the secret where there are none.
   * @param options.secret where absent, it stands in Redis
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(
    place: RedisPlace,
    { clock, retention, kinds, secret }: { clock: Clock; retention: Retention; kinds?: Kinds; secret?: string },
  ): Promise<RedisStorage> {
    const rules = new Rulebook(retention, kinds);
    const notifications = new RedisNotifications(place.prefix, clock, rules);
    const connection = await RedisConnection.open(place, clock, notifications);
    return new RedisStorage(connection, notifications, { rules, clock, secret });
  }

  get missedNotifications(): number {
    return this.#notifications.missed;
  }

  async append(commands: readonly Command[]): Promise<AppendResult[]> {
    const rooms = [...Map.groupBy(commands, ({ room }) => room)]
      .map(([room, own]) => new RoomAppend(room, own, this.#rules, this.#locked.has(room)));
    // Before anything is stored: a room that is not in the list is never swept.
    await this.#sweeper.list(rooms.map(({ room }) => room));
    let failed: ChatError | undefined;
    try {
      for (let open = rooms, tries = 0; open.length > 0; open = open.filter(({ isDone }) => !isDone)) {
        if (tries++ === MOST_TRIES + commands.length) {
          throw new ChatError("unavailable", "Others were faster each time. Send it again.", 1);
        }
        await this.#send(open);
      }
    } catch (error) {
      if (!(error instanceof ChatError) || !rooms.some(({ results }) => results.some(Boolean))) throw error;
      failed = error;
    }
    const begun = rooms.filter((each) => each.hasBegun).map(({ room }) => room);
    // A first entry may mean that the store was emptied. If this fails, the next pulse finds that.
    if (begun.length > 0) await this.#connection.pulse().then(() => this.#sweeper.list(begun)).catch(() => {});
    const next = new Map(rooms.map(({ room, results }) => [room, results.values()]));
    // Some entries are stored and sent already. Who sends the others again, with the same id, gets their results.
    return commands.map(({ room }) =>
      next.get(room)!.next().value ?? { refused: "unavailable", message: failed!.message }
    );
  }

  history(room: string, query: HistoryQuery): Promise<History> {
    return this.#history(room, query, 1);
  }

  keys(room: string, wanted: readonly DocumentKey[]): Promise<unknown[]> {
    const take = (values: (string | null)[]) => values.map((value) => value === null ? undefined : JSON.parse(value));
    return this.#connection.call("keys", room, wanted.flat(), take);
  }

  listKeys(room: string, { seq, prefix, after = "", limit }: KeysQuery): Promise<[name: string, value: unknown][]> {
    // Between the key of this name and the next one.
    const from = after > prefix ? `${after}\x01` : prefix;
    const take = (keys: string[]) => keys.map(toDocumentKey);
    return this.#connection.call("list_keys", room, [seq, prefix, from, limit], take);
  }

  search(room: string, request: SearchRequest): Promise<SearchResult> {
    return this.#scanner.search(room, request);
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const now = this.#clock.now();
    for (let from = after + 1;;) {
      const { record, rows, isFull, epoch } = await this.#page("read", room, RESUME_LIMIT, [from]);
      const page = catchUp(rows, { room, record, rules: this.#rules, now, after });
      // Expired entries that have not been removed yet may come before those that are held.
      const mayGoOn = isFull && page.entries.length === 0;
      if (!mayGoOn) return { epoch: await epoch(), seq: record.head, ...page };
      from = rows.at(-1)!.entry.seq + 1;
    }
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    return this.#notifications.subscribe(room, listener);
  }

  async renewEpoch(room?: string): Promise<void> {
    const { origin, channel } = this.#notifications;
    const epoch = crypto.randomUUID();
    if (room === undefined) {
      await this.#connection.call("renew", ALL, [channel, origin, epoch], () => this.#notifications.learn(epoch));
    } else {
      const args = [origin, epoch, await this.#connection.pulse(), JSON.stringify(room)];
      await this.#connection.call("renew_room", room, args, () => this.#notifications.tell(room, epoch, []));
    }
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  publish(event: ClusterEvent): void {
    const room = roomOf(event);
    const waiting = this.#events.get(room);
    if (waiting) return void waiting.push(event);
    if (this.#events.size === 0) this.#clock.soon(() => this.#publishEvents());
    this.#events.set(room, [event]);
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#notifications.listener = listener;
  }

  async check(): Promise<void> {
    if (this.#notifications.isBroken) {
      throw new ChatError("unavailable", "What others write does not arrive here. Try again in a moment.", 2);
    }
    await this.#connection.pulse();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#publishEvents();
    await this.#connection.close();
  }

  async #send(open: readonly RoomAppend[]): Promise<void> {
    const { origin, epoch } = this.#notifications;
    const now = this.#clock.now();
    const rooms = open.map(({ room }) => room);
    const args = [origin, epoch, now, IDEMPOTENCY_WINDOW, ...open.map((each) => each.decide(now))];
    await this.#connection.call("append", rooms, args, (replies: RoomReply[]) => {
      for (const [at, reply] of replies.entries()) {
        const { room } = open[at];
        const told = open[at].take(reply, now);
        const [, [, , , epoch], locked] = reply;
        if (told.length > 0) this.#notifications.tell(room, epoch, told);
        if (locked === "1") this.#locked.add(room);
        else this.#locked.delete(room);
      }
    });
  }

  async #history(room: string, query: HistoryQuery, attempt: number): Promise<History> {
    const { limit, before = Number.MAX_SAFE_INTEGER, after = 0, repliesTo } = query;
    const isBackwards = query.after === undefined && repliesTo === undefined;
    const now = this.#clock.now();
    const rows: StoredMessage[] = [];
    let position: { seq: number; epoch: () => Promise<string> } | undefined;
    const to = isBackwards ? 1 : before - 1;
    for (let from = isBackwards ? before - 1 : after + 1;;) {
      const places = [isBackwards ? "down" : "up", from, to, ...repliesTo === undefined ? [] : [repliesTo]];
      const found = await this.#page("history", room, limit, places);
      const { record } = found;
      if (position && position.seq !== record.head && attempt < PAGE_ATTEMPTS) {
        // Whoever is shown a page applies the entries that follow, so all of it has to be of one moment.
        return this.#history(room, query, attempt + 1);
      }
      // What answers a message that has expired is not told.
      const isTold = repliesTo === undefined || found.answered && this.#rules.isHeld(found.answered.entry, record, now);
      if (isTold) rows.push(...found.rows);
      // What is said between two calls is behind the last message of a page, but not in one that begins at the newest.
      if (!position || !isBackwards) position = { seq: record.head, epoch: found.epoch };
      const page = historyPage(rows, { room, record, rules: this.#rules, now, limit, isBackwards });
      const last = rows.at(-1)?.entry;
      // The same.
      const mayGoOn = last && found.isFull && !page.more && (!isBackwards || this.#rules.isHeld(last, record, now));
      if (!mayGoOn) return { epoch: await position.epoch(), seq: position.seq, ...page };
      from = last.seq + (isBackwards ? -1 : 1);
    }
  }

  /**
   * Rows from a place on. `isFull`: they are enough for a page of `limit`, and more may follow. `answered`: the message
   * that they answer, if that was asked for.
   */
  #page(name: string, room: string, limit: number, more: (string | number)[]) {
    const args = [this.#notifications.epoch, limit + 1, PAGE_BYTES, ...more];
    const take = ([record, rows, isFull, answered]: [RecordReply, Row[], number, (Row | null)?]) => ({
      record: toRecord(record),
      rows: rows.map(toStored),
      isFull: isFull === 1,
      answered: answered ? toStored(answered) : undefined,
      // A room without entries may be in a store that was emptied, which has another epoch by now.
      epoch: async () => record[4] === 1 ? await this.#connection.pulse() : record[3],
    });
    return this.#connection.call(name, room, args, take);
  }

  #publishEvents(): void {
    for (const [room, events] of this.#events) {
      this.#connection.publish(`signals ${this.#notifications.origin}\n${JSON.stringify(events)}`, room);
    }
    this.#events.clear();
  }

  /** Checks that notifications come here, and looks for those that did not. */
  async #checkNotifications(): Promise<void> {
    await this.#connection.pulse();
    const rooms = this.#notifications.subscribers.rooms();
    if (this.#pulses++ % PULSES_A_LOOK !== 0) this.#notifications.lookBack();
    else if (rooms.length > 0) {
      const records = await this.#connection.call<RecordReply[]>("records", rooms, [this.#notifications.epoch]);
      this.#notifications.look(new Map(records.map(([head, , , epoch], at) => [rooms[at], { head, epoch }])));
    }
    this.#notifications.expectPulse();
  }
}
