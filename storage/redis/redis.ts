import type { Clock } from "../../chat/clock.ts";
import {
  type AppendResult,
  type Ban,
  type CatchUp,
  type ClusterEvent,
  type Command,
  type HeldName,
  type History,
  type LogNotification,
  PAGE_BYTES,
  type Retention,
  type RoomSettings,
  type Storage,
} from "../../chat/storage.ts";
import { type Entry, RESUME_LIMIT } from "../../chat/protocol.ts";
import { ChatError } from "../../chat/errors.ts";
import { type Reply, toArguments, toOutcome } from "./codec.ts";
import { RedisConnection, type RedisPlace } from "./connection.ts";
import { RedisNotifications } from "./notifications.ts";
import { interval } from "../../chat/async.ts";
import { newSecret } from "../shared/secret.ts";

const DAY = 24 * 60 * 60 * 1000;
/** How often this process tells itself something over the channel, milliseconds, to know that it hears. */
export const PULSE_INTERVAL = 1_000;
/** Pulses in a row that were given and not heard until the process counts as deaf. */
const DEAF_AFTER = 3;
/** How often what has expired is let go of where nobody speaks, milliseconds. It is hidden at once. */
export const SWEEP_INTERVAL = 60_000;
/** How long given names are remembered after their time is over, milliseconds: whoever is back by then keeps theirs. */
const GIVEN_NAME_MEMORY = 30 * DAY;
/** Names held in one call: some milliseconds of Redis, in which nobody else is answered. */
const HOLDS_A_CALL = 500;

/**
 * Keeps everything in Redis (7 or newer) or Valkey, for several machines. What it promises when Redis crashes is what
 * Redis' `appendfsync` promises; where less may be there afterwards, the epoch is renewed.
 */
export class RedisStorage implements Storage {
  readonly #clock: Clock;
  readonly #retention: Retention;
  /** This process, as others hear of it. */
  readonly #origin = crypto.randomUUID();
  readonly #desk: RedisNotifications;
  #link!: RedisConnection;
  /** What signs the tokens where the settings don't say: made by whoever comes first. */
  #made = newSecret();
  readonly #given: string | undefined;
  #signals: ClusterEvent[] = [];
  #unheard = 0;
  #isClosed = false;
  readonly #stops: (() => void)[] = [];

  private constructor(options: { clock: Clock; retention: Retention; secret?: string }) {
    this.#clock = options.clock;
    this.#retention = options.retention;
    this.#given = options.secret;
    this.#desk = new RedisNotifications(this.#origin, options.clock, () => this.#unheard = 0);
  }

  /**
   * Connects, and makes the epoch and the secret where there are none.
   * @param options.secret where absent, it stands in Redis
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(
    place: RedisPlace,
    options: { clock: Clock; retention: Retention; secret?: string },
  ): Promise<RedisStorage> {
    const storage = new RedisStorage(options);
    storage.#link = await RedisConnection.open(place, options.clock, {
      hear: (message) => storage.#desk.hear(message),
      async begin({ run, isDurable }, call) {
        const mayHoldLess = isDurable ? "0" : "1";
        const reply = await call<string[]>("begin", run, crypto.randomUUID(), mayHoldLess, storage.#toKeep);
        const [epoch, count, secret] = reply;
        storage.#made = secret;
        storage.#unheard = 0;
        return () => storage.#desk.begin(epoch, Number(count));
      },
    });
    storage.#stops.push(interval(options.clock, PULSE_INTERVAL, () => storage.#listen()));
    const { messages, days } = options.retention;
    if (messages > 0 || days > 0) storage.#stops.push(interval(options.clock, SWEEP_INTERVAL, () => storage.#sweep()));
    return storage;
  }

  get missedNotifications(): number {
    return this.#desk.missed;
  }

  /** What whoever runs Redis should know of it, a sentence each. */
  get warnings(): readonly string[] {
    return this.#link.warnings;
  }

  append(commands: readonly Command[]): Promise<AppendResult[]> {
    const words = [this.#origin, this.#now(), ...this.#kept(), crypto.randomUUID(), ...commands.flatMap(toArguments)];
    return this.#link.call("append", words, ([epoch, replies]: [string, Reply[]]) => {
      const results = replies.map((reply, at) => toOutcome(commands[at], reply));
      this.#desk.tell(
        epoch,
        results.flatMap((result) => "entry" in result && !result.repeated ? [result.entry] : []),
      );
      return results;
    });
  }

  async history(room: string, query: { limit: number; before?: number; after?: number }): Promise<History> {
    const { limit, before = Number.MAX_SAFE_INTEGER, after } = query;
    const from = after === undefined ? ["before", String(before)] : ["after", String(after)];
    const { epoch, seq, entries, mark } = await this.#page("history", room, limit, from);
    if (after === undefined) entries.reverse();
    return { epoch, seq, messages: entries as History["messages"], more: mark };
  }

  async read(room: string, after: number): Promise<CatchUp> {
    const { epoch, seq, entries, mark } = await this.#page("read", room, RESUME_LIMIT, [String(after)]);
    return { epoch, seq, entries, complete: mark };
  }

  subscribe(room: string, listener: (news: LogNotification) => void): () => void {
    return this.#desk.subscribe(room, listener);
  }

  async claimName(
    { user, key, name, chosen, until, now }: HeldName & { user: string; key: string; until: number; now: number },
  ): Promise<HeldName | undefined> {
    const words = [now, GIVEN_NAME_MEMORY, user, key, name, chosen ? 1 : 0, until].map(String);
    const held = await this.#link.call<[string, string] | null>("claim", words);
    return held ? { name: held[0], chosen: held[1] === "1" } : undefined;
  }

  async holdNames(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (let from = 0; from < holds.length; from += HOLDS_A_CALL) {
      const words = holds.slice(from, from + HOLDS_A_CALL).flatMap(({ user, until }) => [user, String(until)]);
      await this.#link.call("hold", [this.#now(), String(GIVEN_NAME_MEMORY), ...words]);
    }
  }

  roomSettings(room: string): Promise<RoomSettings> {
    return this.#link.call("settings", [room], toSettings);
  }

  changeRoom(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const words = Object.entries(change).flatMap(([name, value]) => [name, String(Number(value))]);
    return this.#link.call("change", [room, ...words], toSettings);
  }

  listedRooms(): Promise<{ room: string; seq: number; date: number }[]> {
    return this.#link.call("listed", [], (rooms: [string, string, string][]) =>
      rooms
        .map(([room, seq, date]) => ({ room, seq: Number(seq), date: Number(date) }))
        .sort((one, other) => one.room < other.room ? -1 : 1));
  }

  async ban(ban: Ban): Promise<void> {
    await this.#link.call("ban", [ban.user, `${ban.until} ${JSON.stringify(ban)}`]);
  }

  unban(user: string): Promise<boolean> {
    return this.#link.call("unban", [user], (removed: number) => removed > 0);
  }

  bans(now: number): Promise<Ban[]> {
    return this.#link.call("bans", [String(now)], (bans: string[]) =>
      bans
        .map((ban): Ban => JSON.parse(ban))
        .sort((one, other) => other.date - one.date));
  }

  async renewEpoch(): Promise<void> {
    const epoch = crypto.randomUUID();
    await this.#link.call("renew", [this.#origin, epoch], () => this.#desk.tell(epoch, []));
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#given ?? this.#made);
  }

  /** Those that are given together travel together. */
  signal(signal: ClusterEvent): void {
    if (this.#signals.push(signal) > 1) return;
    this.#clock.soon(() => this.#publishSignals());
  }

  onEvent(listener: (signal: ClusterEvent) => void): void {
    this.#desk.onEvent(listener);
  }

  async check(): Promise<void> {
    if (this.#unheard >= DEAF_AFTER) {
      throw new ChatError("unavailable", "What others write is not heard. Try again in a moment.", 2);
    }
    await this.#pulse();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#publishSignals();
    await this.#link.close();
  }

  /** The secret that Redis keeps, if any. */
  get #toKeep(): string {
    return this.#given === undefined ? this.#made : "";
  }

  #publishSignals(): void {
    if (this.#signals.length === 0) return;
    this.#link.publish(`signals ${this.#origin}\n${JSON.stringify(this.#signals)}`);
    this.#signals = [];
  }

  #now(): string {
    return String(this.#clock.now());
  }

  /** How many entries of a room are kept, and from which date on; 0: all. */
  #kept(): [string, string] {
    const { messages, days } = this.#retention;
    return [String(messages), String(days === 0 ? 0 : this.#clock.now() - days * DAY)];
  }

  async #page(
    name: "history" | "read",
    room: string,
    limit: number,
    from: string[],
  ): Promise<{ epoch: string; seq: number; entries: Entry[]; mark: boolean }> {
    const words = [room, ...this.#kept(), String(limit), String(PAGE_BYTES), ...from];
    const reply = await this.#link.call<[string | null, string, string[], number]>(name, words);
    const [epoch, seq, rows, mark] = reply;
    // Nothing is written by reading: in a store that was emptied somebody has to begin.
    return {
      epoch: epoch ?? await this.#pulse(),
      seq: Number(seq),
      entries: JSON.parse(`[${rows.join()}]`),
      mark: mark === 1,
    };
  }

  /** Has something published and hears whether it arrives. @returns the epoch */
  async #pulse(): Promise<string> {
    return await this.#link.call(
      "pulse",
      [this.#origin, crypto.randomUUID(), this.#toKeep],
      ([epoch, count]: [string, string]) => {
        this.#desk.agree(epoch, Number(count));
        return epoch;
      },
    );
  }

  /** Makes sure that this process hears. What was published came before the answer. */
  async #listen(): Promise<void> {
    await this.#pulse();
    // Until it is heard again, looking is the only way to know.
    if (++this.#unheard >= DEAF_AFTER) this.#desk.lookAgain();
  }

  /** Lets go of what has expired where nobody speaks, one room after the other. One process at a time does it. */
  async #sweep(): Promise<void> {
    const rooms = await this.#link.call<string[] | null>("rooms_to_sweep", [String(SWEEP_INTERVAL / 2)]);
    for (const room of rooms ?? []) {
      while (!this.#isClosed && await this.#link.call("sweep", [room, ...this.#kept(), this.#now()]) === 1);
    }
  }
}

function toSettings([locked, listed, slow]: [string, string, string]): RoomSettings {
  return { locked: locked === "1", listed: listed === "1", slow_seconds: Number(slow) };
}
