import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import { type AppendResult, type Kinds, type Retention, Rulebook } from "../../chat/rulebook.ts";
import type {
  CatchUp,
  ClusterEvent,
  Command,
  DocumentKey,
  History,
  HistoryQuery,
  KeysQuery,
  LogNotification,
  SearchRequest,
  SearchResult,
  Storage,
} from "../../chat/storage.ts";
import { Channel } from "../shared/channel.ts";
import { DataFile } from "../shared/data_file.ts";
import { secretFile } from "../shared/secret.ts";
import { Subscribers } from "../shared/subscribers.ts";
import { ChangeDetector } from "./change_detector.ts";
import { Database } from "./database.ts";
import { Entries } from "./entries.ts";
import { openWhenFree } from "./file.ts";
import { ModerationTables } from "./moderation.ts";
import { NameTable } from "./names.ts";
import { RoomTable } from "./rooms.ts";
import { Scrubber } from "./scrubber.ts";
import { IndexKeeper } from "./search/index_keeper.ts";
import { Search } from "./search/search.ts";
import { WordIndex } from "./search/word_index.ts";

/** How often expired entries are removed, milliseconds. They are hidden at once. */
export const SWEEP_INTERVAL = 60_000;
/** Names are swept once an hour: that is more expensive than sweeping the ends of the rooms, and less urgent. */
const SWEEPS_AN_HOUR = 60 * 60_000 / SWEEP_INTERVAL;

/** Keeps everything in one file, for one machine: durable when acknowledged, also when the power fails. */
export class SqliteStorage implements Storage {
  readonly names: NameTable;
  readonly moderation: ModerationTables;
  readonly #clock: Clock;
  readonly #secret: string;
  readonly #database: Database;
  /**
   * Another connection, for names and for whose turn it is to sweep. It does not wait for the disk: a power cut may
   * take the latest names back. In return a thousand people can arrive in a second.
   */
  readonly #nameDatabase: Database;
  readonly #rooms: RoomTable;
  readonly #entries: Entries;
  readonly #subscribers = new Subscribers();
  /** To the other isolates, where there are any. */
  readonly #channel: Channel | undefined;
  #onEventHeard: (event: ClusterEvent) => void = () => {};
  readonly #changeDetector: ChangeDetector;
  readonly #scrubber: Scrubber;
  readonly #indexKeeper: IndexKeeper;
  readonly #search: Search;
  readonly #stopSweeping: () => void;
  #sweeps = 0;
  #closed = false;

  private constructor(
    database: Database,
    nameDatabase: Database,
    options: { path: string; clock: Clock; rules: Rulebook; secret: string; channel: string | undefined },
  ) {
    this.#database = database;
    this.#nameDatabase = nameDatabase;
    this.#clock = options.clock;
    this.#secret = options.secret;
    this.names = new NameTable(nameDatabase);
    this.moderation = new ModerationTables(database);
    this.#rooms = new RoomTable(database);
    const words = new WordIndex(database);
    this.#entries = new Entries(database, this.#rooms, words, options.rules);
    this.#search = new Search(options.path, {
      ...options,
      database,
      rooms: this.#rooms,
      broken: () => this.#indexKeeper.renew().catch(() => {/* the database has reported it */}),
    });
    if (options.channel !== undefined) {
      this.#channel = new Channel(options.channel, {
        has: (room) => this.#subscribers.has(room),
        notified: (room, notification) => this.#subscribers.tell(room, notification),
        renewed: (room) => this.#renewed(room),
        onEvent: (event) => this.#onEventHeard(event),
      });
    }
    this.#changeDetector = new ChangeDetector(database, this.#rooms, this.#subscribers, options.clock);
    this.#scrubber = new Scrubber(database, options.clock, (act) => this.#search.between(act));
    this.#indexKeeper = new IndexKeeper(database, words, options.clock, () => this.#scrubber.later());
    this.#stopSweeping = interval(options.clock, SWEEP_INTERVAL, () => this.#sweep());
    // What was deleted just before the last process ended may still stand in the write-ahead log.
    this.#scrubber.later();
    this.#indexKeeper.start();
  }

  /**
   * Opens the file, which is made with its folder where there is none.
   * @param options.secret where absent, it stands in a file beside the database
   * @param options.isolates other isolates of this process have it open too: they tell each other what is new
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(
    path: string,
    options: { clock: Clock; secret?: string; retention: Retention; kinds?: Kinds; isolates?: boolean },
  ): Promise<SqliteStorage> {
    await Deno.mkdir(dirname(path), { recursive: true });
    const rules = new Rulebook(options.retention, options.kinds);
    const connections: DatabaseSync[] = [];
    try {
      for (const synchronous of ["FULL", "NORMAL"] as const) {
        connections.push(await openWhenFree(path, synchronous, rules.actions, options.clock));
      }
      const secret = options.secret ?? await secretFile(`${path}.secret`);
      const channel = options.isolates ? await Deno.realPath(path) : undefined;
      const version = connections[0].prepare("PRAGMA schema_version");
      const schemaVersion = () => (version.get() as { schema_version: number }).schema_version;
      const file = new DataFile(path, options.clock, schemaVersion);
      const [database, nameDatabase] = connections.map((each) => new Database(each, file, options.clock));
      return new SqliteStorage(database, nameDatabase, { path, clock: options.clock, rules, secret, channel });
    } catch (error) {
      for (const connection of connections) connection.close();
      throw error;
    }
  }

  async append(commands: readonly Command[]): Promise<AppendResult[]> {
    const append = () => this.#entries.append(commands, this.#clock.now());
    const { results, notifications, overwrites, removesWords } = await this.#database.write(append, true);
    if (overwrites) this.#scrubber.later();
    this.#indexKeeper.written(removesWords);
    for (const [room, notification] of notifications) {
      this.#subscribers.tell(room, notification);
      this.#channel?.notify(room, notification);
    }
    return results;
  }

  history(room: string, query: HistoryQuery): Promise<History> {
    return this.#database.read(() => this.#entries.history(room, query, this.#clock.now()));
  }

  keys(room: string, wanted: readonly DocumentKey[]): Promise<unknown[]> {
    return this.#database.read(() => this.#entries.keys(room, wanted));
  }

  listKeys(room: string, query: KeysQuery): Promise<[name: string, value: unknown][]> {
    return this.#database.read(() => this.#entries.listKeys(room, query));
  }

  read(room: string, after: number): Promise<CatchUp> {
    return this.#database.read(() => this.#entries.read(room, after, this.#clock.now()));
  }

  search(room: string, request: SearchRequest): Promise<SearchResult> {
    return this.#search.search(room, request);
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    this.#changeDetector.start();
    return this.#subscribers.subscribe(room, listener, () => {
      try {
        return this.#rooms.find(room);
      } catch {
        // Then they read the log once more than they need to.
        return { epoch: "", head: 0 };
      }
    });
  }

  async renewEpoch(room?: string): Promise<void> {
    await this.#database.write(() => this.#rooms.renewEpoch(room));
    this.#renewed(room);
    this.#channel?.renew(room);
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  publish(event: ClusterEvent): void {
    this.#channel?.publish(event);
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#onEventHeard = listener;
  }

  get missedNotifications(): number {
    return this.#changeDetector.missedNotifications;
  }

  async check(): Promise<void> {
    if (this.#channel && this.#changeDetector.notificationsBroken) {
      throw new ChatError("unavailable", "This isolate does not hear what the others write. It comes late here.", 2);
    }
    // Who comes in needs a name, too.
    await Promise.all([this.#database.check(), this.#nameDatabase.check()]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopSweeping();
    this.#changeDetector.stop();
    this.#indexKeeper.stop();
    await Promise.all([this.#search.close(), this.#database.settled(), this.#nameDatabase.settled()]);
    // Last: what was still being written may have asked for it.
    this.#scrubber.stop();
    this.#channel?.close();
    this.#nameDatabase.close();
    // The last one to close empties the write-ahead log and removes it.
    this.#database.close();
  }

  #renewed(room?: string): void {
    this.#subscribers.renewed((each) => this.#rooms.find(each).epoch, room);
  }

  /** In small steps, with everyone else's writes between them. `Database.write` reports what fails. */
  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    // One isolate is enough: the first one that comes.
    if (this.#channel && !await this.#isOurTurn(now) || this.#closed) return;
    if (this.#sweeps++ % SWEEPS_AN_HOUR === 0) await this.names.forget(now);
    let next: number | undefined = 0;
    while (next !== undefined && !this.#closed) {
      const from: number = next;
      const step = await this.#database.write(() => this.#entries.expire(from, now));
      if (step?.changed) this.#scrubber.later();
      if (step) this.#indexKeeper.written(step.removesWords);
      next = step?.next;
    }
  }

  /** Whether no other isolate had the turn lately. A clock that was set back must not keep everyone waiting. */
  #isOurTurn(now: number): Promise<boolean> {
    const take = `INSERT INTO meta VALUES ('swept', ?1) ON CONFLICT (key) DO UPDATE SET value = excluded.value
      WHERE abs(CAST(value AS INTEGER) - ?1) >= ?2`;
    return this.#nameDatabase.write(() => this.#nameDatabase.sql(take).run(now, SWEEP_INTERVAL / 2).changes > 0);
  }
}
