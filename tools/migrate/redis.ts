import type { StoredEntry } from "../../chat/rulebook.ts";
import { toFixed } from "../../storage/redis/codec.ts";
import { ALL, COMMAND_DEADLINE, NAMES, type RedisPlace } from "../../storage/redis/connection.ts";
import { createClient } from "../../storage/redis/package.ts";
import { checkServer } from "../../storage/redis/server_check.ts";
import { TOLD_BY, tombstone } from "./old_entries.ts";
import { BOTH_WROTE, done, DONE_BEFORE, EMPTY, type Held, type MigrateOptions, OLDER_REMOVED } from "./options.ts";

/** Entries, or keys, that are asked for at once. */
const CHUNK = 300;
/**
 * What older functions count and compare. As a list it makes their first words fail, before a connection is used, and
 * so whatever would follow.
 */
const BLOCKED = ["told", "run"];
const BLOCK = "Parley has migrated this chat to a newer layout.";
/**
 * Keys of the old layout: of a room, of a name, and those that are there once, but for the epoch and what is blocked.
 */
const OF_ROOM = /^room:([^:]+):(?:(head|settings|log|said|words|marks)|id:(.*))$/s;
const OF_NAME = /^(?:name|user):/;
const SINGLE = ["secret", "bans", "rooms", "listed", "swept"];
const KIND: Record<string, string> = { m: "receive_message", e: "message_edited", d: "message_deleted" };

type Send = (...words: (string | number)[]) => Promise<unknown>;

/** @throws {Error} one sentence that says why it can't be done */
export async function migrateRedis({ url, prefix }: RedisPlace, options: MigrateOptions): Promise<string> {
  const { host } = new URL(url);
  const client = createClient({
    url,
    RESP: 3,
    socket: { connectTimeout: COMMAND_DEADLINE, reconnectStrategy: false },
    maintNotifications: "disabled",
    // A timer for each of some million commands would fill the memory.
    commandOptions: { timeout: undefined },
  });
  client.on("error", () => {/* the command that it ended says so */});
  try {
    await client.connect();
    await checkServer((...words) => client.sendCommand(words), true);
    const send: Send = (...words) => client.sendCommand(words.map(String));
    return await new RedisMigration(send, prefix, options).run();
  } catch (error) {
    const { message, code } = error as Error & { code?: string };
    throw new Error(`Redis at ${host}: ${message || code}`, { cause: error });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/**
 * All of the new layout is written while the old one stays as it is; then it is noted that this is done, and the old
 * one is removed. Both can be begun again at any place. The end, in one step, is what lets new servers start.
 */
class RedisMigration {
  readonly #send: Send;
  readonly #prefix: string;
  readonly #step: (name: string) => void | Promise<void>;
  readonly #dropOlder: boolean;

  constructor(send: Send, prefix: string, { step = () => {}, dropOlder = false }: MigrateOptions) {
    this.#send = send;
    this.#prefix = prefix;
    this.#step = step;
    this.#dropOlder = dropOlder;
  }

  async run(): Promise<string> {
    const [epoch, current, written] = await Promise.all([
      this.#send("GET", this.#old("epoch")),
      this.#send("GET", this.#new("epoch")),
      this.#send("GET", this.#new("migrated")),
    ]);
    if (epoch === null) return current === null ? EMPTY : DONE_BEFORE;
    if (current !== null) return await this.#removeOlder(String(epoch));
    if (written !== null) {
      const [rooms, messages] = String(written).split(" ").map(Number);
      await this.#end(String(epoch));
      return done({ rooms, messages });
    }
    await this.#keepServersOut();
    const held = await this.#write();
    await this.#step("written");
    await this.#send("SET", this.#new("migrated"), `${held.rooms} ${held.messages}`);
    await this.#end(String(epoch));
    return done(held);
  }

  /** An older server has come after the migration. Where it was kept out, it has told nobody that it kept anything. */
  async #removeOlder(epoch: string): Promise<string> {
    const hasMessages = await this.#send("EXISTS", this.#old("rooms")) === 1;
    if (hasMessages && !this.#dropOlder && !await this.#isBlocked()) throw new Error(BOTH_WROTE);
    await this.#block();
    await this.#end(epoch);
    return OLDER_REMOVED;
  }

  /** Whoever connects from now on fails; whoever had connected before listens to the channel. */
  async #keepServersOut(): Promise<void> {
    if (await this.#isBlocked()) return;
    await this.#refuseListeners();
    const [told, run] = await Promise.all(BLOCKED.map((name) => this.#send("GET", this.#old(name))));
    if (run !== null) await this.#send("SET", this.#new("run"), String(run));
    await this.#step("block");
    await this.#block();
    try {
      await this.#refuseListeners();
    } catch (error) {
      const before = [[BLOCKED[0], told], [BLOCKED[1], run]].flatMap(([name, value]) =>
        value === null ? [] : [["SET", this.#old(String(name)), String(value)]]
      );
      await this.#atOnce(["DEL", ...BLOCKED.map((name) => this.#old(name))], ...before);
      throw error;
    }
  }

  async #isBlocked(): Promise<boolean> {
    return await this.#send("TYPE", this.#old(BLOCKED[0])) === "list";
  }

  async #block(): Promise<void> {
    const keys = BLOCKED.map((name) => this.#old(name));
    await this.#atOnce(["DEL", ...keys], ...keys.map((key) => ["RPUSH", key, BLOCK]));
  }

  async #refuseListeners(): Promise<void> {
    const [, count] = Object.entries(await this.#pairs("PUBSUB", "NUMSUB", this.#old("news")))[0];
    if (Number(count) > 0) {
      throw new Error("A server is still connected to it. Stop every server, then run this again.");
    }
  }

  async #write(): Promise<Held> {
    const rooms = new Set<string>();
    let messages = 0;
    for await (const names of this.#keys()) {
      await this.#step("keys");
      const copies: (() => Promise<unknown>)[] = [];
      const ids: { room: string; key: string }[] = [];
      for (const name of names) {
        const [, room, part, key] = OF_ROOM.exec(name) ?? [];
        if (key !== undefined) ids.push({ room, key });
        else if (part === "settings") copies.push(() => this.#copySettings(room));
        else if (OF_NAME.test(name)) copies.push(() => this.#copy(this.#old(name), this.#new(name, NAMES)));
        else if (part === "head" && !rooms.has(room)) {
          rooms.add(room);
          messages += await this.#writeRoom(room);
        }
      }
      await Promise.all([...copies.map((copy) => copy()), this.#writeExpired(ids)]);
    }
    await Promise.all(SINGLE.map((name) => this.#copy(this.#old(name), this.#new(name))));
    return { rooms: rooms.size, messages };
  }

  /** @returns how many messages it has */
  async #writeRoom(room: string): Promise<number> {
    const [from, to] = [this.#old(`room:${room}`), `${this.#prefix}:{${room}}`];
    await this.#step(`room ${room}`);
    // What an earlier run has begun.
    await this.#send("UNLINK", ...["head", "log", "messages", "documents", "versions"].map((name) => `${to}:${name}`));
    let messages = 0;
    let first: number | undefined;
    for (let low = "-";;) {
      const found = await this.#send("XRANGE", `${from}:log`, low, "+", "COUNT", CHUNK) as [string, string[]][];
      if (found.length === 0) break;
      const entries = found.map(toOldEntry);
      first ??= entries[0].seq;
      messages = await this.#writeEntries(entries, { from, to, first, messages });
      low = `(${found.at(-1)![0]}`;
      await this.#step(`entries of ${room}`);
    }
    const [seq, date] = await this.#send("HMGET", `${from}:head`, "seq", "date") as string[];
    await this.#send("HSET", `${to}:head`, "seq", seq, "date", date, "messages", messages);
    return messages;
  }

  /** @returns how many messages the room has had with these */
  async #writeEntries(
    entries: OldEntry[],
    { from, to, first, messages }: { from: string; to: string; first: number; messages: number },
  ): Promise<number> {
    const about = [...new Set(entries.map(({ seq, target = seq }) => target))];
    const keys = entries.flatMap(({ key }) => key === "" ? [] : [`${from}:id:${key}`]);
    const [words, marks, used] = await Promise.all([
      this.#send("HMGET", `${from}:words`, ...about),
      this.#send("HMGET", `${from}:marks`, ...about),
      keys.length > 0 ? this.#send("MGET", ...keys) : [],
    ]) as (string | null)[][];
    const places = new Map(keys.map((key, at) => [key, used[at]]));
    const writes: (string | number)[][] = [];
    for (const { seq, date, kind, key, fixed, target } of entries) {
      if (kind === "m") {
        messages++;
        writes.push(["ZADD", `${to}:messages`, seq, seq]);
      }
      const entry = toFixed(toStored({ kind, fixed, target, seq, date, ordinal: messages }));
      const toldKey = newKey(key);
      const words = ["date", date, "ordinal", messages, "target", target ?? "", "key", toldKey, "entry", entry];
      writes.push(["XADD", `${to}:log`, `${seq}-0`, ...words]);
      // An id may have been used again since.
      if (places.get(`${from}:id:${key}`)?.startsWith(`${seq}:`)) {
        writes.push(["SET", `${to}:id:${toldKey}`, `${seq} ${date} ${messages}`]);
      }
    }
    for (const [at, message] of about.entries()) {
      // Without its words a message was deleted; or it has expired, and nothing shows them any more.
      if (words[at] === null && message < first) continue;
      const [, edited, changed] = /^(\d*):(\d+)$/.exec(marks[at] ?? "") ?? [];
      const document = {
        ...(words[at] !== null && { text: JSON.parse(words[at]) }),
        ...(edited && { edited: Number(edited) }),
        ...(words[at] === null && { deleted: true }),
      };
      writes.push(["HSET", `${to}:documents`, message, JSON.stringify(document)]);
      if (changed) writes.push(["HSET", `${to}:versions`, message, `${changed}:${changed}`]);
    }
    await Promise.all(writes.map((words) => this.#send(...words)));
    return messages;
  }

  /** Ids that outlive their entries: those whose time is counted. */
  async #writeExpired(ids: { room: string; key: string }[]): Promise<void> {
    await Promise.all(ids.map(async ({ room, key }) => {
      const [, user, action, id] = /^(.*?) (send_message|edit_message|delete_message) (.*)$/s.exec(key) ?? [];
      const from = this.#old(`room:${room}:id:${key}`);
      const until = await this.#send("PEXPIRETIME", from) as number;
      if (until < 0 || action === undefined) return;
      const [value, name] = await Promise.all([
        this.#send("GET", from),
        this.#send("HGET", this.#old(`user:${user}`), "name"),
      ]) as (string | null)[];
      if (value === null) return;
      const [seq, date] = value.split(":").map(Number);
      const entry = tombstone({ seq, date, user, id, action }, name ?? undefined);
      const to = `${this.#prefix}:{${room}}:id:${newKey(key)}`;
      await this.#send("SET", to, `${seq} ${date} ${entry.ordinal} ${toFixed(entry)}`, "PXAT", until);
    }));
  }

  async #copySettings(room: string): Promise<void> {
    const to = `${this.#prefix}:{${room}}:settings`;
    await this.#copy(this.#old(`room:${room}:settings`), to);
    // Whoever appends knows settings by their version; those of no version are none.
    await this.#send("HSET", to, "version", 1);
  }

  /** With what is left of its time. */
  #copy(from: string, to: string): Promise<unknown> {
    return this.#send("COPY", from, to, "REPLACE");
  }

  async #end(epoch: string): Promise<void> {
    for await (const names of this.#keys()) {
      await this.#step("remove");
      const old = names.filter((name) => OF_ROOM.test(name) || OF_NAME.test(name) || SINGLE.includes(name));
      if (old.length > 0) await this.#send("UNLINK", ...old.map((name) => this.#old(name)));
    }
    await this.#step("end");
    // An older server that has tried to come in may have put its own in place of one.
    await this.#block();
    await this.#atOnce(
      ["SET", this.#new("epoch"), epoch, "NX"],
      ["DEL", this.#old("epoch"), this.#new("migrated")],
    );
  }

  /** Names of all keys of the chat, without the prefix, in parts; some may come twice. */
  async *#keys(): AsyncGenerator<string[]> {
    let cursor = "0";
    do {
      const found = await this.#send("SCAN", cursor, "MATCH", `${this.#prefix}:*`, "COUNT", CHUNK) as [
        string,
        string[],
      ];
      cursor = String(found[0]);
      yield found[1].map((key) => key.slice(this.#prefix.length + 1));
    } while (cursor !== "0");
  }

  async #atOnce(...commands: string[][]): Promise<void> {
    await Promise.all([["MULTI"], ...commands, ["EXEC"]].map((words) => this.#send(...words)));
  }

  /** What is answered in pairs, whatever the protocol makes of them. */
  async #pairs(...words: string[]): Promise<Record<string, unknown>> {
    const answer = await this.#send(...words);
    if (!Array.isArray(answer)) return answer as Record<string, unknown>;
    return Object.fromEntries(answer.flatMap((name, at) => at % 2 === 0 ? [[name, answer[at + 1]]] : []));
  }

  #old(name: string): string {
    return `${this.#prefix}:${name}`;
  }

  #new(name: string, tag = ALL): string {
    return `${this.#prefix}:{${tag}}:${name}`;
  }
}

/** An entry of the old log. `fixed`: the inside of a JSON object. */
interface OldEntry {
  seq: number;
  kind: string;
  date: number;
  target?: number;
  key: string;
  fixed: string;
}

function toOldEntry([place, fields]: [string, string[]]): OldEntry {
  const [, kind, , , , date, , target, , key, , fixed] = fields;
  const about = target === "" ? {} : { target: Number(target) };
  return { seq: parseInt(place), kind, date: Number(date), key, fixed, ...about };
}

function toStored(
  { kind, fixed, target, ...place }: Omit<OldEntry, "key"> & { ordinal: number },
): StoredEntry {
  const { user, from, id } = JSON.parse(`{${fixed}}`);
  return {
    ...place,
    action: KIND[kind],
    user,
    ...(id !== undefined && { id }),
    ...(target !== undefined && { target }),
    ...(kind === "m" && { fixed: { from } }),
  };
}

function newKey(key: string): string {
  return key.replace(/ (send_message|edit_message|delete_message) /, (_, action) => ` ${TOLD_BY[action]} `);
}
