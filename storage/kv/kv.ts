import { Serializer } from "../../chat/async.ts";
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
import { Scanner } from "../shared/scan.ts";
import { newSecret } from "../shared/secret.ts";
import { KvEvents } from "./events.ts";
import { KvModeration } from "./moderation.ts";
import { KvNames } from "./names.ts";
import { KvNotifications } from "./notifications.ts";
import { KvRooms } from "./rooms.ts";
import { CHANGE_KEYS, changeKeyOf, KEY, KvStore } from "./store.ts";
import { KvSweep } from "./sweep.ts";

/**
 * Code points of the longest text: 64 KiB is what one value holds, in which a letter takes two bytes and an emoji four
 * as soon as one of them is not Latin.
 */
export const KV_TEXT_LIMIT = 16_000;

/**
 * Keeps everything in Deno KV, for Deno Deploy: isolates there share nothing else. A room is one value that holds its
 * head; whoever appends writes the entries and the head in one commit which fails if the head has moved, and reads
 * anew.
 */
export class KvStorage implements Storage {
  readonly names: KvNames;
  readonly moderation: KvModeration;
  readonly #store: KvStore;
  readonly #secret: string;
  readonly #rooms: KvRooms;
  readonly #notifications: KvNotifications;
  readonly #events: KvEvents;
  /** One call after the other for each room, so that one isolate does not overtake itself. */
  readonly #appends = new Serializer<string>();
  readonly #sweep: KvSweep;
  readonly #scanner: Scanner;

  private constructor(store: KvStore, rules: Rulebook, secret: string, lastEvents: number) {
    this.#store = store;
    this.#secret = secret;
    this.#rooms = new KvRooms(store, rules);
    this.names = new KvNames(store);
    this.moderation = new KvModeration(store, this.#rooms);
    this.#events = new KvEvents(store, lastEvents);
    this.#notifications = new KvNotifications(store, this.#rooms, (last) => this.#events.hear(last));
    this.#sweep = new KvSweep(store, this.#rooms);
    this.#scanner = new Scanner((room, query) => this.history(room, query), store.clock);
  }

  /**
   * @param path of a file; where absent, what Deno Deploy or Deno itself provides
   * @param options.secret where absent, it stands in the store
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(
    path: string | undefined,
    options: { clock: Clock; secret?: string; retention: Retention; kinds?: Kinds },
  ): Promise<KvStorage> {
    const store = await KvStore.open(path, options.clock);
    try {
      await store.epoch();
      const secret = options.secret ?? await store.setIfAbsent(KEY.secret, newSecret);
      const { value: lastEvents = 0 } = await store.get<number>(KEY.events);
      return new KvStorage(store, new Rulebook(options.retention, options.kinds), secret, lastEvents);
    } catch (error) {
      await store.close();
      throw error;
    }
  }

  /**
   * Rooms are kept at the same time, each in its own commits: one that can't be kept does not keep the others from it.
   */
  async append(commands: readonly Command[]): Promise<AppendResult[]> {
    const byRoom = Map.groupBy(commands.keys(), (at) => commands[at].room);
    const results = new Array<AppendResult>(commands.length);
    const kept = await Promise.allSettled([...byRoom].map(async ([room, places]) => {
      let decided = 0;
      await this.#appends.run(room, async () => {
        for await (const batch of this.#rooms.append(room, places.map((at) => commands[at]))) {
          for (const result of batch.results) results[places[decided++]] = result;
          if (batch.entries.length > 0) this.#notifications.tell(room, { epoch: batch.epoch, entries: batch.entries });
        }
      });
    }));
    const failed = kept.find((result) => result.status === "rejected");
    if (failed && (kept.length === 1 && !(0 in results) || !(failed.reason instanceof ChatError))) throw failed.reason;
    // Some are kept and told already: the next try with the same id finds out about the others.
    return Array.from(results, (result) => result ?? { refused: "unavailable", message: failed!.reason.message });
  }

  async history(room: string, query: HistoryQuery): Promise<History> {
    return this.#notifications.seen(room, await this.#rooms.history(room, query));
  }

  keys(room: string, wanted: readonly DocumentKey[]): Promise<unknown[]> {
    return this.#rooms.keys(room, wanted);
  }

  listKeys(room: string, query: KeysQuery): Promise<[string, unknown][]> {
    return this.#rooms.listKeys(room, query);
  }

  search(room: string, request: SearchRequest): Promise<SearchResult> {
    return this.#scanner.search(room, request);
  }

  async read(room: string, after: number): Promise<CatchUp> {
    return this.#notifications.seen(room, await this.#rooms.read(room, after));
  }

  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    return this.#notifications.subscribe(room, listener);
  }

  async renewEpoch(room?: string): Promise<void> {
    const epoch = crypto.randomUUID();
    const changeKeys = room === undefined ? [...Array(CHANGE_KEYS).keys()] : [changeKeyOf(room)];
    if (room === undefined) {
      await this.#store.writing(() => {
        const operation = this.#store.kv.atomic().set(KEY.epoch, epoch);
        for (const changeKey of changeKeys) operation.set(KEY.roomsChanged(changeKey), 0);
        return operation.commit();
      });
    } else {
      const of = await this.#store.epoch();
      await this.#rooms.change(room, (record) => ({ ...record, epoch: { own: epoch, of } }));
    }
    await this.#notifications.look(changeKeys);
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  publish(event: ClusterEvent): void {
    this.#events.publish(event);
  }

  onEvent(listener: (event: ClusterEvent) => void): void {
    this.#events.listener = listener;
  }

  get missedNotifications(): number {
    return this.#notifications.missed;
  }

  /** After a write that failed only a write can tell whether the store is well again. */
  async check(): Promise<void> {
    if (this.#notifications.notificationsBroken) {
      throw new ChatError("unavailable", "This isolate does not hear what the others write. It comes late here.", 2);
    }
    this.#store.place?.check();
    if (this.#store.failed) await this.#store.writing(() => this.#store.kv.set(KEY.probe, 0));
    else await this.#store.reading(() => this.#store.get(KEY.epoch));
  }

  async close(): Promise<void> {
    const swept = this.#sweep.close();
    await this.#appends.settled();
    await Promise.all([swept, this.#notifications.close(), this.#events.close()]);
    await this.#store.close();
  }
}
