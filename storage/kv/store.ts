import { dirname } from "node:path";
import { withTimeout } from "../../chat/async.ts";
import type { Clock } from "../../chat/clock.ts";
import { ChatError } from "../../chat/errors.ts";
import { HOW_TO_MIGRATE } from "../shared/migrate.ts";
import { DataFile, keepToOwner } from "../shared/data_file.ts";

/** Keys that one read may ask for. */
const KEYS_A_READ = 10;
/** How long something is tried again that others keep overtaking, milliseconds. */
const CONTENTION_TIMEOUT = 10_000;
/** How long one answer may take, milliseconds: everyone else waits meanwhile. */
export const ANSWER_TIMEOUT = 5_000;
/**
 * The pause before another try, milliseconds: twice as long each time, so that less is repeated, but never long, or
 * whoever has waited longest would come too late most often. One of those who overtake each other always gets through.
 */
const FIRST_PAUSE = 4;
const LONGEST_PAUSE = 40;

/** The layout of what is kept; 1 had no number in its keys. */
const LAYOUT = 2;
const key = (...parts: Deno.KvKeyPart[]): Deno.KvKey => ["parley", LAYOUT, ...parts];
/** Where every chat of layout 1 has something. */
export const OLD_EPOCH: Deno.KvKey = ["parley", "epoch"];

/** Rooms share so many change keys: one watch may have ten keys, and one of them is for events. */
export const CHANGE_KEYS = 9;

/** The change key of a room. */
export function changeKeyOf(room: string): number {
  let hash = 0;
  for (let at = 0; at < room.length; at++) hash = (hash * 31 + room.charCodeAt(at)) % 0x1_0000_0000;
  return hash % CHANGE_KEYS;
}

/** What stands where. */
export const KEY = {
  epoch: key("epoch"),
  secret: key("secret"),
  /** When expired entries were last removed. */
  swept: key("swept"),
  /** Written to find out whether writing works. */
  probe: key("probe"),
  rooms: key("room"),
  room: (room: string) => key("room", room),
  /** Messages with their documents, and entries that are about them: apart, so that history reads messages only. */
  message: (room: string, seq: number) => key("message", room, seq),
  change: (room: string, seq: number) => key("change", room, seq),
  /** What belongs to a message: what is erasable of the entries about it, its document's keys, and its answers. */
  parts: (room: string, target: number) => key("part", room, target),
  erasable: (room: string, target: number, seq: number) => key("part", room, target, "entry", seq),
  documentKeys: (room: string, target: number) => key("part", room, target, "key"),
  documentKey: (room: string, target: number, name: string) => key("part", room, target, "key", name),
  /** A message that answers this one. */
  answer: (room: string, target: number, seq: number) => key("part", room, target, "answer", seq),
  /** Messages whose parts are being removed. */
  erasingIn: (room: string) => key("erasing", room),
  erasing: (room: string, target: number) => key("erasing", room, target),
  /** The first entry that had an idempotency key. */
  id: (room: string, user: string, action: string, id: string) => key("id", room, user, action, id),
  listedRooms: key("listed"),
  listed: (room: string) => key("listed", room),
  /** A change key, written with every commit to one of its rooms. Versions that run side by side know it as "bell". */
  roomsChanged: (changeKey: number) => key("bell", changeKey),
  /** The number of the last value with events, and those values by their number. */
  events: key("events"),
  event: (number: number) => key("event", number),
  name: (name: string) => key("name", name),
  /** The key of the name that a user has. */
  called: (user: string) => key("called", user),
  bans: key("ban"),
  ban: (user: string) => key("ban", user),
};

/** What was read, and what it takes to write only if nobody else has written meanwhile. */
export type Found<Value> = { value: Value | undefined; check: Deno.AtomicCheck };

/** Deno KV, used within its limits. What fails is thrown as the storage contract says. */
export class KvStore {
  readonly kv: Deno.Kv;
  /** Where it is a file of our own. */
  readonly place: DataFile | undefined;
  readonly clock: Clock;
  readonly #writes = new Set<Promise<unknown>>();
  /** Whether the latest write failed. */
  failed = false;

  private constructor(kv: Deno.Kv, place: DataFile | undefined, clock: Clock) {
    this.kv = kv;
    this.place = place;
    this.clock = clock;
  }

  /**
   * @param path of a file; on Deno Deploy, and where Deno keeps its own, none
   * @throws {Error} one sentence that says what is wrong
   */
  static async open(path: string | undefined, clock: Clock): Promise<KvStore> {
    if (typeof Deno.openKv !== "function") throw new Error("DATABASE_URL kv: needs deno run --unstable-kv.");
    if (path !== undefined) await Deno.mkdir(dirname(path), { recursive: true });
    try {
      if (path !== undefined) keepToOwner(path);
      const kv = await Deno.openKv(path);
      const [old, epoch] = await kv.getMany([OLD_EPOCH, KEY.epoch]);
      // There is none here until all of an older chat has been migrated.
      if (old.value !== null && epoch.value === null) {
        kv.close();
        throw new Error(`it was written by an older Parley. ${HOW_TO_MIGRATE}`);
      }
      return new KvStore(kv, path === undefined ? undefined : new DataFile(path, clock), clock);
    } catch (error) {
      throw new Error(`${path ?? "Deno KV"} can't be opened: ${(error as Error).message}`);
    }
  }

  async get<Value>(key: Deno.KvKey): Promise<Found<Value>> {
    return (await this.load<Value>([key]))[0];
  }

  /** Any number of keys; the first ten are read at one moment and before the others. */
  async load<Value>(keys: readonly Deno.KvKey[]): Promise<Found<Value>[]> {
    const read = async (from: number): Promise<Found<Value>[]> => {
      const entries = await this.#answered(this.kv.getMany<Value[]>(keys.slice(from, from + KEYS_A_READ)));
      return entries.map(({ key, value, versionstamp }) => ({
        value: value ?? undefined,
        check: { key, versionstamp },
      }));
    };
    if (keys.length === 0) return [];
    const first = await read(0);
    const others = [];
    for (let from = KEYS_A_READ; from < keys.length; from += KEYS_A_READ) others.push(read(from));
    return [first, ...await Promise.all(others)].flat();
  }

  /** @throws {ChatError} `unavailable` */
  async reading<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await this.#answered(work());
    } catch (error) {
      if (error instanceof ChatError) throw error;
      console.error("Deno KV could not be read:", error);
      throw new ChatError("unavailable", "The store can't be read now. Try again in a moment.", 2);
    }
  }

  /**
   * Reads and writes until nobody else has written in between.
   * @param attempt returns undefined if it was overtaken
   * @throws {ChatError} `unavailable`: it may or may not have been written
   */
  async writing<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
    const write = this.#write(attempt);
    this.#writes.add(write);
    try {
      return await write;
    } finally {
      this.#writes.delete(write);
    }
  }

  /** The epoch: in a store that was emptied whoever comes first begins one. */
  epoch(): Promise<string> {
    return this.setIfAbsent<string>(KEY.epoch, () => crypto.randomUUID());
  }

  /** Gives the store back, once what is being written has been. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#writes);
    this.kv.close();
  }

  /** What stands under this key, and is put there if there is nothing. */
  setIfAbsent<Value>(key: Deno.KvKey, make: () => Value): Promise<Value> {
    return this.writing(async () => {
      const { value, check } = await this.get<Value>(key);
      if (value !== undefined) return value;
      const made = make();
      return (await this.kv.atomic().check(check).set(key, made).commit()).ok ? made : undefined;
    });
  }

  async #write<Result>(attempt: () => Promise<Result | undefined>): Promise<Result> {
    try {
      this.place?.check();
      const start = this.clock.monotonic();
      for (let pause = FIRST_PAUSE; this.clock.monotonic() - start < CONTENTION_TIMEOUT; pause *= 2) {
        const result = await this.#answered(attempt()).catch(whereOvertaken);
        if (result !== undefined) {
          this.failed = false;
          return result;
        }
        // Two who overtake each other should not come back at the same time.
        const wait = Math.random() * Math.min(pause, LONGEST_PAUSE);
        await new Promise<void>((resolve) => this.clock.after(wait, resolve));
      }
      throw new Error(`others were faster for ${CONTENTION_TIMEOUT / 1000} s`);
    } catch (error) {
      this.failed = true;
      if (error instanceof ChatError) throw error;
      console.error("Deno KV could not be written:", error);
      throw new ChatError("unavailable", "The store can't be written now. Send it again, with the same id.", 2);
    }
  }

  #answered<Result>(answer: Promise<Result>): Promise<Result> {
    return withTimeout(this.clock, ANSWER_TIMEOUT, answer, () => {
      throw new Error(`no answer came within ${ANSWER_TIMEOUT / 1000} s`);
    });
  }
}

/** Where Deno KV is a file, others who are just writing to it are told as an error. */
function whereOvertaken(error: unknown): undefined {
  if (!(error instanceof Error && /database is locked/.test(error.message))) throw error;
}
