import type { Clock } from "../../chat/clock.ts";
import { RESUME_LIMIT } from "../../chat/protocol.ts";
import { type AppendResult, IDEMPOTENCY_WINDOW, type Rulebook } from "../../chat/rulebook.ts";
import { type CatchUp, type Command, type History, type HistoryQuery, PAGE_BYTES } from "../../chat/storage.ts";
import { ChatError } from "../../chat/errors.ts";
import { catchUp, historyPage, type StoredMessage } from "../shared/page.ts";
import type { RoomPosition } from "../shared/subscribers.ts";
import { RoomAppend, type RoomReply } from "./append.ts";
import { type RecordReply, type Row, toRecord, toStored } from "./codec.ts";
import { ALL, type RedisConnection } from "./connection.ts";
import type { RedisNotifications } from "./notifications.ts";

/** Tries of commands that others overtook each time, one call each. */
const MOST_TRIES = 100;
/** Rooms that are remembered as listed; then they are listed once more. */
const LISTED_LIMIT = 10_000;
/** Entries looked at and removed in one call: some milliseconds of Redis, in which nobody else is answered. */
const SWEEP_STEP = 500;

/** How often expired entries are removed, milliseconds. They are hidden at once. */
export const SWEEP_INTERVAL = 60_000;

/** The rooms' logs in Redis. */
export class RedisRooms {
  readonly #connection: RedisConnection;
  readonly #notifications: RedisNotifications;
  readonly #rules: Rulebook;
  readonly #clock: Clock;
  /** Rooms that were locked when Redis last told of them. */
  readonly #locked = new Set<string>();
  /** Rooms that this process has put into the list of those to be swept. */
  #listed = { epoch: "", rooms: new Set<string>() };

  constructor(connection: RedisConnection, notifications: RedisNotifications, rules: Rulebook, clock: Clock) {
    this.#connection = connection;
    this.#notifications = notifications;
    this.#rules = rules;
    this.#clock = clock;
  }

  /** @throws {ChatError} `unavailable` */
  async append(commands: readonly Command[]): Promise<AppendResult[]> {
    const byRoom = Map.groupBy(commands, ({ room }) => room);
    const all = [...byRoom].map(([room, own]) => new RoomAppend(room, own, this.#rules, this.#locked.has(room)));
    await this.#list(byRoom.keys());
    try {
      for (let open = all, tries = 0; open.length > 0; open = open.filter(({ isDone }) => !isDone)) {
        if (tries++ === MOST_TRIES) {
          throw new ChatError("unavailable", "Others were faster each time. Send it again.", 1);
        }
        await this.#send(open);
      }
    } catch (error) {
      if (!(error instanceof ChatError) || all.every(({ results }) => results.every((each) => each === undefined))) {
        throw error;
      }
      // Some are kept and told already.
      for (const { results } of all) giveUp(results, error);
    }
    const began = all.flatMap(({ room, results }) => results.some(isFirst) ? [room] : []);
    // A room that begins may be one of a store that was emptied, in which it is in no list any more.
    if (began.length > 0) {
      await Promise.all([this.#addToList(began), this.#connection.pulse()]).catch(
        () => {/* the next call finds out */},
      );
    }
    const next = new Map(all.map(({ room, results }) => [room, results.values()]));
    return commands.map(({ room }) => next.get(room)!.next().value!);
  }

  async history(room: string, { limit, before = Number.MAX_SAFE_INTEGER, after }: HistoryQuery): Promise<History> {
    const isBackwards = after === undefined;
    const now = this.#clock.now();
    const rows: StoredMessage[] = [];
    const to = isBackwards ? 1 : before - 1;
    for (let from = isBackwards ? before - 1 : after + 1;;) {
      const asked = await this.#page("history", room, limit, [isBackwards ? "down" : "up", from, to]);
      rows.push(...asked.rows);
      const { record } = asked;
      const page = historyPage(rows, { room, record, rules: this.#rules, now, limit, isBackwards });
      const last = rows.at(-1)?.entry;
      // Expired entries that were not removed yet may stand in front of what is held.
      const mayGoOn = last && asked.isFull && !page.more && (!isBackwards || this.#rules.isHeld(last, record, now));
      if (!mayGoOn) return { epoch: await this.#epoch(asked), seq: record.head, ...page };
      from = last.seq + (isBackwards ? -1 : 1);
    }
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const now = this.#clock.now();
    for (let from = after + 1;;) {
      const asked = await this.#page("read", room, RESUME_LIMIT, [from]);
      const { record, rows } = asked;
      const page = catchUp(rows, { room, record, rules: this.#rules, now, after });
      // Expired entries that were not removed yet may stand in front of what is held.
      const mayGoOn = asked.isFull && page.entries.length === 0;
      if (!mayGoOn) return { epoch: await this.#epoch(asked), seq: record.head, ...page };
      from = rows.at(-1)!.entry.seq + 1;
    }
  }

  /** Where the logs of these rooms stand, and when something was last kept in them. @throws {ChatError} `unavailable` */
  async positions(rooms: readonly string[]): Promise<Map<string, RoomPosition & { date: number }>> {
    const records = await this.#records(rooms);
    return new Map(records.map(([head, date, , epoch], at) => [rooms[at], { head, epoch, date }]));
  }

  /** Gives the log of a room, or those of all rooms, another epoch. @throws {ChatError} `unavailable` */
  async renewEpoch(room?: string): Promise<void> {
    const { origin, channel } = this.#notifications;
    const epoch = crypto.randomUUID();
    if (room === undefined) {
      await this.#connection.call("renew", ALL, [channel, origin, epoch], () => this.#notifications.learn(epoch));
    } else {
      const args = [epoch, await this.#connection.pulse(), channel, origin, JSON.stringify(room)];
      await this.#connection.call("renew_room", room, args, () => this.#notifications.tell(room, epoch, []));
    }
  }

  /** Removes expired entries, one room after the other, in small steps. One process at a time does it. */
  async sweep(): Promise<void> {
    const rooms = await this.#connection.call<string[] | null>("rooms_to_sweep", ALL, [SWEEP_INTERVAL / 2]);
    for (const room of rooms ?? []) await this.#sweepRoom(room);
  }

  async #sweepRoom(room: string): Promise<void> {
    const now = this.#clock.now();
    const [[, , messages]] = await this.#records([room]);
    const expired = [this.#rules.ordinalFloor(messages), this.#rules.oldest(now)];
    const args = [SWEEP_STEP, ...expired, now, IDEMPOTENCY_WINDOW];
    while (await this.#connection.call("drop", room, args) === SWEEP_STEP);
  }

  /** Has rooms swept, of which this process has not done that: nobody sweeps one that is in no list. */
  async #list(rooms: Iterable<string>): Promise<void> {
    const epoch = this.#notifications.epoch;
    if (this.#listed.epoch !== epoch) this.#listed = { epoch, rooms: new Set() };
    const fresh = [...rooms].filter((room) => !this.#listed.rooms.has(room));
    if (fresh.length === 0) return;
    await this.#addToList(fresh);
    if (this.#listed.rooms.size >= LISTED_LIMIT) this.#listed.rooms.clear();
    for (const room of fresh) this.#listed.rooms.add(room);
  }

  async #addToList(rooms: readonly string[]): Promise<void> {
    await this.#connection.call("add_rooms", ALL, rooms);
  }

  async #send(open: readonly RoomAppend[]): Promise<void> {
    const { origin, channel, epoch } = this.#notifications;
    const now = this.#clock.now();
    const tags = open.map(({ room }) => room);
    const args = [origin, channel, epoch, now, IDEMPOTENCY_WINDOW, ...open.map((each) => each.decide(now))];
    await this.#connection.call("append", tags, args, (replies: RoomReply[]) => {
      for (const [at, reply] of replies.entries()) {
        const told = open[at].take(reply, now);
        if (told.length > 0) this.#notifications.tell(open[at].room, reply[1][3], told);
        const { room, isLocked } = open[at];
        if (isLocked) this.#locked.add(room);
        else this.#locked.delete(room);
      }
    });
  }

  async #records(rooms: readonly string[]): Promise<RecordReply[]> {
    return rooms.length === 0 ? [] : await this.#connection.call("records", rooms, [this.#notifications.epoch]);
  }

  /** Rows from a place on; `isFull`: there are enough for a page of at most `limit`, and more may follow. */
  #page(name: string, room: string, limit: number, more: (string | number)[]) {
    const args = [this.#notifications.epoch, limit + 1, PAGE_BYTES, ...more];
    const take = ([reply, rows, isFull]: [RecordReply, Row[], number]) => ({
      reply,
      record: toRecord(reply),
      rows: rows.map(toStored),
      isFull: isFull === 1,
    });
    return this.#connection.call(name, room, args, take);
  }

  /** Of a room in which nothing has been said it may be another one by now: in a store that was emptied. */
  async #epoch({ reply: [, , , epoch, isNew] }: { reply: RecordReply }): Promise<string> {
    return isNew === 1 ? await this.#connection.pulse() : epoch;
  }
}

/** What is not known to be kept is refused: the next try with the same id finds out. */
function giveUp(results: (AppendResult | undefined)[], { message }: ChatError): void {
  for (const [at, result] of results.entries()) results[at] = result ?? { refused: "unavailable", message };
}

function isFirst(result: AppendResult | undefined): boolean {
  return result !== undefined && "entry" in result && result.entry.seq === 1;
}
