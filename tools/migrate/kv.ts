import type { Clock } from "../../chat/clock.ts";
import { IDEMPOTENCY_WINDOW, type StoredEntry } from "../../chat/rulebook.ts";
import type { Ban, HeldName, RoomSettings } from "../../chat/storage.ts";
import type { Kept, KvRoom } from "../../storage/kv/append.ts";
import { KEY, OLD_EPOCH } from "../../storage/kv/store.ts";
import { TOLD_BY, tombstone } from "./old_entries.ts";
import { BOTH_WROTE, done, DONE_BEFORE, EMPTY, type Held, type MigrateOptions, OLDER_REMOVED } from "./options.ts";

/** Keys that one read may ask for. */
const CHUNK = 10;
/** Writes and bytes of one commit, which may have 1,000 and 819,200. */
const WRITES = 300;
const WRITE_BYTES = 400 * 1024;
const KEY_BYTES = 1_000;
/** As in `storage/kv/names.ts`. */
const GIVEN_NAME_MEMORY = 30 * 24 * 60 * 60 * 1000;
/** What the old layout's keys began with, but for the epoch. */
const OLD_NAMES = [
  ..."room message change edited id listed bell signal name called ban".split(" "),
  ..."secret swept probe signals".split(" "),
];
/** There as long as the old layout is being removed. */
const WRITTEN = [...KEY.epoch.slice(0, 2), "migrated"];

const old = (...parts: Deno.KvKeyPart[]): Deno.KvKey => ["parley", ...parts];

interface OldRoom {
  head: number;
  date: number;
  floor: number;
  settings: RoomSettings;
}

interface OldEntry {
  action: "receive_message" | "message_edited" | "message_deleted";
  seq: number;
  date: number;
  user: string;
  id?: string;
  from?: string;
  text?: string;
  edited?: number;
  deleted?: true;
  target?: number;
}

/** The newest text of a message, and the edit that brought it. */
interface OldEdited {
  text: string;
  seq: number;
}

interface NameRecord extends HeldName {
  user: string;
  until: number;
}

/** @throws {Error} one sentence that says why it can't be done */
export async function migrateKv(path: string | undefined, options: MigrateOptions): Promise<string> {
  const place = path ?? "Deno KV";
  if (path !== undefined && !/^https?:/.test(path) && !await exists(path)) return EMPTY;
  try {
    const kv = await Deno.openKv(path);
    try {
      return await new KvMigration(kv, options).run();
    } finally {
      kv.close();
    }
  } catch (error) {
    throw new Error(`${place}: ${(error as Error).message}`, { cause: error });
  }
}

/** In the same steps as in Redis. Here nothing can keep older servers out: they must have been stopped. */
class KvMigration {
  readonly #kv: Deno.Kv;
  readonly #clock: Clock;
  readonly #step: (name: string) => void | Promise<void>;
  readonly #dropOlder: boolean;
  readonly #writer: Writer;

  constructor(kv: Deno.Kv, { clock, step = () => {}, dropOlder = false }: MigrateOptions) {
    this.#kv = kv;
    this.#clock = clock;
    this.#step = step;
    this.#dropOlder = dropOlder;
    this.#writer = new Writer(kv, () => this.#step("write"));
  }

  async run(): Promise<string> {
    const [epoch, current, written] = await this.#kv.getMany<[string, string, Held]>([OLD_EPOCH, KEY.epoch, WRITTEN]);
    if (epoch.value === null) return current.value === null ? EMPTY : DONE_BEFORE;
    if (current.value !== null) {
      if (!this.#dropOlder && await this.#hasMessages()) throw new Error(BOTH_WROTE);
      await this.#end(epoch.value);
      return OLDER_REMOVED;
    }
    const held = written.value ?? await this.#write();
    await this.#end(epoch.value);
    return done(held);
  }

  async #hasMessages(): Promise<boolean> {
    for await (const _ of this.#kv.list({ prefix: old("message") }, { limit: 1 })) return true;
    return false;
  }

  async #write(): Promise<Held> {
    const { versionstamp } = await this.#kv.set(KEY.probe, 0);
    const held: Held = { rooms: 0, messages: 0 };
    for await (const { key, value } of this.#kv.list<OldRoom>({ prefix: old("room") })) {
      held.messages += await this.#writeRoom(String(key.at(-1)), value);
      if (value.head > 0) held.rooms++;
    }
    // Ids look for the entries.
    await this.#writer.flush();
    await this.#writeIds();
    await this.#writeOthers();
    await this.#writer.flush();
    for await (const room of this.#kv.list({ prefix: old("room") })) {
      if (room.versionstamp <= versionstamp) continue;
      throw new Error("A server has written there meanwhile. Stop every server, then run this again.");
    }
    await this.#step("written");
    await this.#kv.set(WRITTEN, held);
    return held;
  }

  /** @returns how many messages it has */
  async #writeRoom(room: string, { head, date, floor, settings }: OldRoom): Promise<number> {
    await this.#step(`room ${room}`);
    // An edit that outlives its message shows words that need one to stand in.
    const outlived = { start: old("edited", room), end: old("edited", room, floor + 1) };
    for await (const { key, value } of this.#kv.list<OldEdited>(outlived)) {
      const target = Number(key.at(-1));
      const [message, edit] = await this.#kv.getMany<[OldEntry, OldEntry]>([
        old("message", room, target),
        old("change", room, value.seq),
      ]);
      if (message.value !== null || edit.value === null) continue;
      const { user, date } = edit.value;
      const entry = { seq: target, date: 0, ordinal: 0, action: "receive_message", user, fixed: { from: "" } };
      const document = { text: value.text, edited: date };
      await this.#writer.set(KEY.message(room, target), { entry, document, shownBy: value.seq } satisfies Kept);
    }
    let messages = 0;
    for await (const entries of chunks(this.#entries(room))) {
      const edited = entries.filter((entry) => entry.edited !== undefined && !entry.deleted);
      const found = await this.#kv.getMany<OldEdited[]>(edited.map(({ seq }) => old("edited", room, seq)));
      const shownBy = new Map(edited.map(({ seq }, at) => [seq, found[at].value?.seq]));
      for (const entry of entries) {
        const isMessage = entry.action === "receive_message";
        if (isMessage) messages++;
        const kept = toKept(entry, messages, shownBy.get(entry.seq));
        await this.#writer.set((isMessage ? KEY.message : KEY.change)(room, entry.seq), kept);
      }
    }
    await this.#writer.set(KEY.room(room), { head, date, messages, floor, settings } satisfies KvRoom);
    return messages;
  }

  /** Messages and what changed them, in order. */
  async *#entries(room: string): AsyncGenerator<OldEntry> {
    const lists = ["message", "change"].map((kind) => this.#kv.list<OldEntry>({ prefix: old(kind, room) }));
    const next = await Promise.all(lists.map((list) => list.next()));
    for (;;) {
      const seqs = next.map(({ done, value }) => done ? Infinity : value!.value.seq);
      const at = seqs[0] < seqs[1] ? 0 : 1;
      if (seqs[at] === Infinity) return;
      yield next[at].value!.value;
      next[at] = await lists[at].next();
    }
  }

  async #writeIds(): Promise<void> {
    const now = this.#clock.now();
    for await (const ids of chunks(this.#kv.list<{ seq: number; date: number }>({ prefix: old("id") }))) {
      const used = ids.map(({ key, value }) => {
        const [room, user, action, id] = key.slice(2).map(String);
        return { room, user, action, id, ...value };
      });
      const places = used.map(({ room, action, seq }) =>
        (action === "send_message" ? KEY.message : KEY.change)(room, seq)
      );
      const kept = await this.#kv.getMany<Kept[]>(places);
      for (const [at, { room, ...one }] of used.entries()) {
        const { user, action, id, date } = one;
        const to = KEY.id(room, user, TOLD_BY[action], id);
        const entry = kept[at].value?.entry;
        const expireIn = date + IDEMPOTENCY_WINDOW - now;
        if (entry?.id === id && entry.user === user) await this.#writer.set(to, entry);
        else if (expireIn > 0) await this.#writer.set(to, tombstone(one, await this.#nameOf(user)), expireIn);
      }
    }
  }

  async #nameOf(user: string): Promise<string | undefined> {
    const { value: key } = await this.#kv.get<string>(old("called", user));
    return key === null ? undefined : (await this.#kv.get<NameRecord>(old("name", key))).value?.name;
  }

  /** Names, bans, the list of rooms, and the secret. */
  async #writeOthers(): Promise<void> {
    const now = this.#clock.now();
    await this.#step("names");
    for await (const { key, value } of this.#kv.list<NameRecord>({ prefix: old("name") })) {
      const name = String(key.at(-1));
      const expireIn = value.chosen ? undefined : Math.max(1, value.until + GIVEN_NAME_MEMORY - now);
      await this.#writer.set(KEY.name(name), value, expireIn);
      await this.#writer.set(KEY.called(value.user), name, expireIn);
    }
    await this.#step("bans");
    for await (const { value } of this.#kv.list<Ban>({ prefix: old("ban") })) {
      await this.#writer.set(KEY.ban(value.user), value, Math.max(1, value.until - now));
    }
    for await (const { value } of this.#kv.list<string>({ prefix: old("listed") })) {
      await this.#writer.set(KEY.listed(value), value);
    }
    const { value: secret } = await this.#kv.get<string>(old("secret"));
    if (secret !== null) await this.#writer.set(KEY.secret, secret);
  }

  async #end(epoch: string): Promise<void> {
    for (const name of OLD_NAMES) {
      await this.#step(`remove ${name}`);
      for await (const { key } of this.#kv.list({ prefix: old(name) })) await this.#writer.delete(key);
      await this.#writer.delete(old(name));
    }
    await this.#writer.flush();
    await this.#step("end");
    const { value: current } = await this.#kv.get(KEY.epoch);
    const operation = this.#kv.atomic().delete(OLD_EPOCH).delete(WRITTEN);
    if (current === null) operation.set(KEY.epoch, epoch);
    await operation.commit();
  }
}

/** Writes in commits as large as they may be. */
class Writer {
  readonly #kv: Deno.Kv;
  readonly #onCommit: () => void | Promise<void>;
  #operation: Deno.AtomicOperation;
  #writes = 0;
  #bytes = 0;

  constructor(kv: Deno.Kv, onCommit: () => void | Promise<void>) {
    this.#kv = kv;
    this.#onCommit = onCommit;
    this.#operation = kv.atomic();
  }

  async set(key: Deno.KvKey, value: unknown, expireIn?: number): Promise<void> {
    // Most scripts take two bytes a letter.
    await this.#add(KEY_BYTES + 2 * JSON.stringify(value).length);
    this.#operation.set(key, value, { expireIn });
  }

  async delete(key: Deno.KvKey): Promise<void> {
    await this.#add(KEY_BYTES);
    this.#operation.delete(key);
  }

  async flush(): Promise<void> {
    if (this.#writes === 0) return;
    await this.#onCommit();
    await this.#operation.commit();
    this.#operation = this.#kv.atomic();
    this.#writes = this.#bytes = 0;
  }

  async #add(bytes: number): Promise<void> {
    if (this.#writes === WRITES || this.#bytes + bytes > WRITE_BYTES) await this.flush();
    this.#writes++;
    this.#bytes += bytes;
  }
}

function toKept(old: OldEntry, ordinal: number, shownBy: number | undefined): Kept {
  const { action, seq, date, user, id, target, from, text, edited, deleted } = old;
  const entry: StoredEntry = { seq, date, ordinal, action, user, ...(id !== undefined && { id }) };
  if (action !== "receive_message") return { entry: { ...entry, target } };
  return {
    entry: { ...entry, fixed: { from } },
    document: {
      ...(text !== undefined && { text }),
      ...(edited !== undefined && { edited }),
      ...(deleted && { deleted }),
    },
    shownBy: shownBy ?? seq,
  };
}

async function* chunks<Item>(items: AsyncIterable<Item>): AsyncGenerator<Item[]> {
  let chunk: Item[] = [];
  for await (const item of items) {
    if (chunk.push(item) < CHUNK) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
