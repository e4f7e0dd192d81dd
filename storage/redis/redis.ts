import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import { type AppendResult, type Kinds, type Retention, Rulebook } from "../../chat/rulebook.ts";
import type {
  CatchUp,
  ClusterEvent,
  Command,
  History,
  HistoryQuery,
  LogNotification,
  Storage,
} from "../../chat/storage.ts";
import { RedisConnection, type RedisPlace } from "./connection.ts";
import { RedisModeration } from "./moderation.ts";
import { RedisNames } from "./names.ts";
import { RedisNotifications } from "./notifications.ts";
import { RedisRooms, SWEEP_INTERVAL } from "./rooms.ts";

/** How often this process tells itself something over the channel, milliseconds, to know that it hears. */
export const PULSE_INTERVAL = 1_000;
/** What no notification told is found by the second look at where the rooms' logs stand, one every so many pulses. */
const PULSES_A_LOOK = 2;

/**
 * Keeps everything in Redis (7 or newer) or Valkey, for several machines. What it promises when Redis crashes is what
 * Redis' `appendfsync` promises; where less may be there afterwards, the epoch is renewed.
 */
export class RedisStorage implements Storage {
  readonly names: RedisNames;
  readonly moderation: RedisModeration;
  readonly #connection: RedisConnection;
  readonly #notifications: RedisNotifications;
  readonly #rooms: RedisRooms;
  readonly #clock: Clock;
  readonly #stops: (() => void)[];
  /** Events that are published together. */
  #events: ClusterEvent[] = [];
  #pulses = 0;

  private constructor(connection: RedisConnection, notifications: RedisNotifications, rules: Rulebook, clock: Clock) {
    this.#connection = connection;
    this.#notifications = notifications;
    this.#rooms = new RedisRooms(connection, notifications, rules, clock);
    this.names = new RedisNames(connection, clock);
    this.moderation = new RedisModeration(connection, this.#rooms);
    this.#clock = clock;
    this.#stops = [interval(clock, PULSE_INTERVAL, () => this.#listen())];
    if (rules.expires) this.#stops.push(interval(clock, SWEEP_INTERVAL, () => this.#rooms.sweep()));
  }

  /**
   * Connects, and makes the epoch and the secret where there are none.
   * @param options.secret where absent, it stands in Redis
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(
    place: RedisPlace,
    options: { clock: Clock; retention: Retention; kinds?: Kinds; secret?: string },
  ): Promise<RedisStorage> {
    const { clock, retention, kinds, secret } = options;
    const rules = new Rulebook(retention, kinds);
    const notifications = new RedisNotifications(`${place.prefix}:news`, clock, rules);
    const connection = await RedisConnection.open(place, clock, notifications, secret);
    return new RedisStorage(connection, notifications, rules, clock);
  }

  get missedNotifications(): number {
    return this.#notifications.missed;
  }

  /** What whoever runs Redis should know of it, a sentence each. */
  get warnings(): readonly string[] {
    return this.#connection.warnings;
  }

  append(commands: readonly Command[]): Promise<AppendResult[]> {
    return this.#rooms.append(commands);
  }

  history(room: string, query: HistoryQuery): Promise<History> {
    return this.#rooms.history(room, query);
  }

  read(room: string, after: number): Promise<CatchUp> {
    return this.#rooms.read(room, after);
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    return this.#notifications.subscribe(room, listener);
  }

  renewEpoch(room?: string): Promise<void> {
    return this.#rooms.renewEpoch(room);
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#connection.secret);
  }

  publish(event: ClusterEvent): void {
    if (this.#events.push(event) === 1) this.#clock.soon(() => this.#publishEvents());
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#notifications.onEvent(listener);
  }

  async check(): Promise<void> {
    if (this.#notifications.isBroken) {
      throw new ChatError("unavailable", "What others write is not heard. Try again in a moment.", 2);
    }
    await this.#connection.pulse();
  }

  async close(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#publishEvents();
    await this.#connection.close();
  }

  #publishEvents(): void {
    if (this.#events.length === 0) return;
    this.#connection.publish(`signals ${this.#notifications.origin}\n${JSON.stringify(this.#events)}`);
    this.#events = [];
  }

  /** Makes sure that this process hears, and looks for what it did not. */
  async #listen(): Promise<void> {
    await this.#connection.pulse();
    if (this.#pulses++ % PULSES_A_LOOK === 0) {
      this.#notifications.look(await this.#rooms.positions(this.#notifications.rooms()));
    }
    this.#notifications.expectPulse();
  }
}
