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
import { newSecret } from "../shared/secret.ts";
import { ALL, RedisConnection, type RedisPlace } from "./connection.ts";
import { RedisModeration } from "./moderation.ts";
import { RedisNames } from "./names.ts";
import { RedisNotifications } from "./notifications.ts";
import { RedisRooms } from "./rooms.ts";

/** How often this process tells itself something over the channel, milliseconds, to know that it hears. */
export const PULSE_INTERVAL = 1_000;
/** What no notification told is found by the second look at where the rooms' logs stand, one every so many pulses. */
const PULSES_A_LOOK = 2;
/** Pulses in a row that were published and not heard until notifications count as broken. */
const UNHEARD_PULSES_LIMIT = 3;
/** How often expired entries are removed, milliseconds. They are hidden at once. */
export const SWEEP_INTERVAL = 60_000;

/**
 * Keeps everything in Redis (7 or newer) or Valkey, for several machines. What it promises when Redis crashes is what
 * Redis' `appendfsync` promises; where less may be there afterwards, the epoch is renewed.
 */
export class RedisStorage implements Storage {
  names!: RedisNames;
  moderation!: RedisModeration;
  readonly #clock: Clock;
  /** This process, as others hear of it. */
  readonly #origin = crypto.randomUUID();
  readonly #channel: string;
  readonly #notifications: RedisNotifications;
  #connection!: RedisConnection;
  #rooms!: RedisRooms;
  /** What signs the tokens where the settings don't say: made by whoever comes first. */
  #made = newSecret();
  readonly #given: string | undefined;
  #events: ClusterEvent[] = [];
  #pulses = 0;
  #unheardPulses = 0;
  #isClosed = false;
  readonly #stops: (() => void)[] = [];

  private constructor(place: RedisPlace, rules: Rulebook, options: { clock: Clock; secret?: string }) {
    this.#clock = options.clock;
    this.#given = options.secret;
    this.#channel = `${place.prefix}:news`;
    this.#notifications = new RedisNotifications(this.#origin, options.clock, rules, () => this.#unheardPulses = 0);
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
    const rules = new Rulebook(options.retention, options.kinds);
    const storage = new RedisStorage(place, rules, options);
    storage.#connection = await RedisConnection.open(place, options.clock, {
      hear: (message) => storage.#notifications.hear(message),
      async begin({ run, isDurable }, call) {
        const mayHoldLess = isDurable ? "0" : "1";
        const args = [run, crypto.randomUUID(), mayHoldLess, storage.#toKeep];
        const [epoch, secret] = await call<string[]>({ name: "begin", tags: [ALL], args });
        storage.#made = secret;
        storage.#unheardPulses = 0;
        return () => storage.#notifications.begin(epoch);
      },
    });
    storage.#rooms = new RedisRooms(storage.#connection, rules, options.clock, {
      origin: storage.#origin,
      channel: storage.#channel,
      epoch: () => storage.#notifications.epoch,
      askEpoch: () => storage.#pulse(),
      tell: (room, epoch, entries) => storage.#notifications.tell(room, epoch, entries),
    });
    storage.names = new RedisNames(storage.#connection, options.clock);
    storage.moderation = new RedisModeration(storage.#connection, storage.#rooms);
    storage.#stops.push(interval(options.clock, PULSE_INTERVAL, () => storage.#listen()));
    if (rules.expires) storage.#stops.push(interval(options.clock, SWEEP_INTERVAL, () => storage.#sweep()));
    return storage;
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

  async renewEpoch(room?: string): Promise<void> {
    if (room !== undefined) return await this.#rooms.renewEpoch(room);
    const epoch = crypto.randomUUID();
    const args = [this.#channel, this.#origin, epoch];
    await this.#connection.call({ name: "renew", tags: [ALL], args }, () => this.#notifications.learn(epoch));
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#given ?? this.#made);
  }

  /** Those that are given together travel together. */
  publish(event: ClusterEvent): void {
    if (this.#events.push(event) > 1) return;
    this.#clock.soon(() => this.#publishSignals());
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#notifications.onEvent(listener);
  }

  async check(): Promise<void> {
    if (this.#unheardPulses >= UNHEARD_PULSES_LIMIT) {
      throw new ChatError("unavailable", "What others write is not heard. Try again in a moment.", 2);
    }
    await this.#pulse();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#publishSignals();
    await this.#connection.close();
  }

  /** The secret that Redis keeps, if any. */
  get #toKeep(): string {
    return this.#given === undefined ? this.#made : "";
  }

  #publishSignals(): void {
    if (this.#events.length === 0) return;
    this.#connection.publish(`signals ${this.#origin}\n${JSON.stringify(this.#events)}`);
    this.#events = [];
  }

  /** Has something published and hears whether it arrives. @returns the epoch of rooms that have none of their own */
  #pulse(): Promise<string> {
    const args = [this.#channel, this.#origin, crypto.randomUUID(), this.#toKeep];
    return this.#connection.call({ name: "pulse", tags: [ALL], args }, (epoch: string) => {
      this.#notifications.learn(epoch);
      return epoch;
    });
  }

  /** Makes sure that this process hears, and looks for what it did not. */
  async #listen(): Promise<void> {
    await this.#pulse();
    if (this.#pulses++ % PULSES_A_LOOK === 0) {
      this.#notifications.look(await this.#rooms.positions(this.#notifications.rooms()));
    }
    // Until it is heard again, looking is the only way to know.
    if (++this.#unheardPulses >= UNHEARD_PULSES_LIMIT) this.#notifications.rereadAll();
  }

  /** Removes expired entries, one room after the other. One process at a time does it. */
  async #sweep(): Promise<void> {
    const call = { name: "rooms_to_sweep", tags: [ALL], args: [String(SWEEP_INTERVAL / 2)] };
    for (const room of await this.#connection.call<string[] | null>(call) ?? []) {
      await this.#rooms.sweep(room, () => this.#isClosed);
    }
  }
}
