import { dirname } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { interval } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import type { AppendResult } from "../../chat/rulebook.ts";
import type {
  Ban,
  CatchUp,
  ClusterEvent,
  Command,
  HeldName,
  History,
  LogNotification,
  RoomSettings,
  Storage,
} from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";
import { type Kinds, type Retention, Rulebook } from "../../chat/rulebook.ts";
import { ChatError } from "../../chat/errors.ts";
import { Channel } from "../shared/channel.ts";
import { DataFile } from "../shared/data_file.ts";
import { Subscribers } from "../shared/subscribers.ts";
import { secretFile } from "../shared/secret.ts";
import { Entries } from "./entries.ts";
import { RoomTable } from "./rooms.ts";
import { Scrubber } from "./scrubber.ts";
import { openWhenFree } from "./file.ts";
import { ModerationTables } from "./moderation.ts";
import { ChangeDetector } from "./change_detector.ts";
import { NameTable } from "./names.ts";
import { SweepLease } from "./sweep_lease.ts";
import { GroupCommit } from "./group_commit.ts";

/** How often expired entries are removed, milliseconds. They are hidden at once. */
export const SWEEP_INTERVAL = 60_000;
/** Sweeping all names is more expensive than sweeping the ends of the rooms, and less urgent. */
const SWEEPS_AN_HOUR = 60;
/** How long given names are remembered after their time is over, milliseconds: whoever is back by then keeps theirs. */
const GIVEN_NAME_MEMORY = 30 * 24 * 60 * 60 * 1000;

/** Writes as much as a name or a message may need, and leaves nothing behind. */
const PROBE = "INSERT OR REPLACE INTO meta VALUES ('probe', hex(zeroblob(8192))); DELETE FROM meta WHERE key = 'probe'";

/** Keeps everything in one file, for one machine: durable when acknowledged, also when the power fails. */
export class SqliteStorage implements Storage {
  readonly #file: DatabaseSync;
  /**
   * A connection of its own for names and the turns of sweeping, which does not wait for the disk: a power cut may take
   * the latest names back. In return a thousand people can arrive in a second.
   */
  readonly #nameFile: DatabaseSync;
  readonly #place: DataFile;
  readonly #clock: Clock;
  readonly #secret: string;
  readonly #writer: GroupCommit;
  readonly #nameWriter: GroupCommit;
  readonly #rooms: RoomTable;
  readonly #entries: Entries;
  readonly #names: NameTable;
  readonly #turns: SweepLease;
  readonly #moderation: ModerationTables;
  readonly #subscribers = new Subscribers();
  /** To the other isolates, where there are any. */
  readonly #channel: Channel | undefined;
  #onEventHeard: (event: ClusterEvent) => void = () => {};
  readonly #changeDetector: ChangeDetector;
  readonly #scrubber: Scrubber;
  readonly #stopSweeping: () => void;
  #sweeps = 0;
  #closed = false;

  private constructor(
    file: DatabaseSync,
    nameFile: DatabaseSync,
    place: DataFile,
    options: { clock: Clock; rules: Rulebook; secret: string; channel: string | undefined },
  ) {
    this.#file = file;
    this.#nameFile = nameFile;
    this.#place = place;
    this.#clock = options.clock;
    this.#secret = options.secret;
    this.#writer = new GroupCommit(file, place, options.clock);
    this.#rooms = new RoomTable(file);
    this.#entries = new Entries(file, this.#rooms, options.rules);
    this.#moderation = new ModerationTables(file);
    this.#nameWriter = new GroupCommit(nameFile, place, options.clock);
    this.#names = new NameTable(nameFile);
    this.#turns = new SweepLease(nameFile);
    if (options.channel !== undefined) {
      this.#channel = new Channel(options.channel, {
        follows: (room) => this.#subscribers.has(room),
        news: (room, news) => this.#subscribers.tell(room, news),
        epoch: (room) => this.#renewed(room),
        publish: (event) => this.#onEventHeard(event),
      });
    }
    this.#changeDetector = new ChangeDetector(file, this.#rooms, this.#subscribers, options.clock);
    this.#scrubber = new Scrubber(file, place, options.clock);
    this.#stopSweeping = interval(options.clock, SWEEP_INTERVAL, () => this.#sweep());
    // What a former life deleted just before it ended may still stand in the write-ahead log.
    this.#scrubber.later();
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
    const files: DatabaseSync[] = [];
    try {
      for (const synchronous of ["FULL", "NORMAL"] as const) {
        files.push(await openWhenFree(path, synchronous, rules.actions, options.clock));
      }
      const secret = options.secret ?? await secretFile(`${path}.secret`);
      const channel = options.isolates ? await Deno.realPath(path) : undefined;
      const version = files[0].prepare("PRAGMA schema_version");
      const place = new DataFile(
        path,
        options.clock,
        () => (version.get() as { schema_version: number }).schema_version,
      );
      return new SqliteStorage(files[0], files[1], place, { clock: options.clock, rules, secret, channel });
    } catch (error) {
      for (const file of files) file.close();
      throw error;
    }
  }

  async append(commands: readonly Command[]): Promise<AppendResult[]> {
    const { results, epochs } = await this.#writer.run(() => this.#entries.append(commands, this.#clock.now()), true);
    const news = new Map<string, Entry[]>();
    for (const result of results) {
      if (!("entry" in result) || result.repeated) continue;
      const { entry } = result;
      if ("target" in entry) this.#scrubber.later();
      const entries = news.get(entry.room);
      if (entries) entries.push(entry);
      else news.set(entry.room, [entry]);
    }
    for (const [room, entries] of news) {
      const notification = { epoch: epochs.get(room)!, entries };
      this.#subscribers.tell(room, notification);
      this.#channel?.news(room, notification);
    }
    return results;
  }

  history(room: string, query: { limit: number; before?: number; after?: number }): Promise<History> {
    return this.#read(() => this.#entries.history(room, query, this.#clock.now()));
  }

  read(room: string, after: number): Promise<CatchUp> {
    return this.#read(() => this.#entries.read(room, after, this.#clock.now()));
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    this.#changeDetector.start();
    return this.#subscribers.subscribe(room, listener, () => {
      try {
        return this.#rooms.position(room);
      } catch {
        // Then they are told once too often to look into the log.
        return { epoch: "", head: 0 };
      }
    });
  }

  claimName(
    claim: HeldName & { user: string; key: string; until: number; now: number },
  ): Promise<HeldName | undefined> {
    return this.#nameWriter.run(() => this.#names.claim(claim));
  }

  holdNames(holds: readonly { user: string; until: number }[]): Promise<void> {
    return this.#nameWriter.run(() => this.#names.hold(holds));
  }

  roomSettings(room: string): Promise<RoomSettings> {
    return this.#read(() => this.#moderation.settings(room));
  }

  changeRoom(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    return this.#writer.run(() => this.#moderation.change(room, change));
  }

  listedRooms(): Promise<{ room: string; seq: number; date: number }[]> {
    return this.#read(() => this.#moderation.listed());
  }

  ban(ban: Ban): Promise<void> {
    return this.#writer.run(() => this.#moderation.ban(ban));
  }

  unban(user: string): Promise<boolean> {
    return this.#writer.run(() => this.#moderation.unban(user));
  }

  bans(now: number): Promise<Ban[]> {
    return this.#read(() => this.#moderation.bans(now));
  }

  async renewEpoch(room?: string): Promise<void> {
    await this.#writer.run(() => this.#rooms.renewEpoch(room));
    this.#renewed(room);
    this.#channel?.epoch(room);
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

  /** After a write that failed only a write can tell whether the store is well again. */
  async check(): Promise<void> {
    if (this.#channel && this.#changeDetector.notificationsBroken) {
      throw new ChatError("unavailable", "This isolate does not hear what the others write. It comes late here.", 2);
    }
    await Promise.all([
      this.#writer.failed ? this.#writer.run(() => this.#file.exec(PROBE)) : this.#read(() => this.#rooms.epoch),
      // Who comes in needs a name. That the file is gone, or locked by another process, is found without writing anything.
      this.#nameWriter.run(() => this.#nameWriter.failed && this.#nameFile.exec(PROBE)),
    ]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#scrubber.stop();
    this.#stopSweeping();
    this.#changeDetector.stop();
    await Promise.all([this.#writer.settled(), this.#nameWriter.settled()]);
    this.#channel?.close();
    this.#nameFile.close();
    // The last one to close empties the write-ahead log and removes it.
    this.#file.close();
  }

  /** Several statements see one state of the file. */
  #read<Result>(work: () => Result): Promise<Result> {
    try {
      this.#file.exec("BEGIN");
      try {
        return Promise.resolve(work());
      } finally {
        this.#file.exec("COMMIT");
      }
    } catch (error) {
      console.error("the database could not be read:", error);
      return Promise.reject(new ChatError("unavailable", "The store can't be read now. Try again in a moment.", 2));
    }
  }

  #renewed(room?: string): void {
    this.#subscribers.renewed((each) => this.#rooms.position(each).epoch, room);
  }

  /** In small steps, with everyone else's writes between them. What fails is written to the error output by the writer. */
  async #sweep(): Promise<void> {
    const now = this.#clock.now();
    // One isolate's work is enough; whoever comes first does it.
    if (this.#channel && !await this.#nameWriter.run(() => this.#turns.take(now, SWEEP_INTERVAL / 2))) return;
    if (this.#sweeps++ % SWEEPS_AN_HOUR === 0) {
      await this.#nameWriter.run(() => this.#names.forget(now - GIVEN_NAME_MEMORY));
    }
    let next: number | undefined = 0;
    while (next !== undefined && !this.#closed) {
      const from: number = next;
      const step = await this.#writer.run(() => this.#entries.expire(from, now));
      if (step?.changed) this.#scrubber.later();
      next = step?.next;
    }
  }
}
