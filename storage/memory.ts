import type { Clock } from "../chat/clock.ts";
import {
  type AppendResult,
  type Ban,
  type CatchUp,
  type Command,
  type HeldName,
  type History,
  IDEMPOTENCY_WINDOW,
  type LogNotification,
  type Retention,
  ROOM_SETTINGS,
  type RoomSettings,
  type Storage,
} from "../chat/storage.ts";
import { type Entry, type ReceiveMessage, RESUME_LIMIT } from "../chat/protocol.ts";
import { fillPage } from "./shared/page.ts";
import { tombstone } from "./shared/tombstone.ts";

const DAY = 24 * 60 * 60 * 1000;
/** So many names are kept before those that are over are looked for; then twice as many as are left. */
const NAMES_BEFORE_SWEEP = 10_000;

interface Room {
  head: number;
  /** The date of the newest entry: no later one is dated before it. */
  date: number;
  /** Messages and edits in their present state; the first one's `seq` is head − length + 1. */
  entries: Entry[];
  /** The first entry of each user + action + id. */
  ids: Map<string, { seq: number; date: number }>;
  subscribers: Set<(news: LogNotification) => void>;
}

/** Keeps everything in this process, for tests and throw-away rooms: a restart is another epoch. */
export class MemoryStorage implements Storage {
  readonly #clock: Clock;
  readonly #retention: Retention;
  readonly #secret: string;
  #epoch = crypto.randomUUID();
  readonly #rooms = new Map<string, Room>();
  readonly #names = new Map<string, HeldName & { user: string; until: number }>();
  readonly #keys = new Map<string, string>();
  #namesBeforeSweep = NAMES_BEFORE_SWEEP;
  readonly #settings = new Map<string, RoomSettings>();
  readonly #bans = new Map<string, Ban>();

  constructor(options: { clock: Clock; secret: string; retention: Retention }) {
    this.#clock = options.clock;
    this.#secret = options.secret;
    this.#retention = options.retention;
  }

  append(commands: readonly Command[]): Promise<AppendResult[]> {
    const news = new Map<Room, Entry[]>();
    const results = commands.map((command) => {
      const room = this.#rooms.get(command.room) ?? newRoom();
      const result = this.#keep(room, command);
      if ("entry" in result && !result.repeated) {
        this.#rooms.set(command.room, room);
        const entries = news.get(room);
        if (entries) entries.push(result.entry);
        else news.set(room, [result.entry]);
      }
      return result;
    });
    for (const [room, entries] of news) {
      this.#expire(room);
      for (const subscriber of room.subscribers) subscriber({ epoch: this.#epoch, entries });
    }
    return Promise.resolve(results);
  }

  history(name: string, query: { limit: number; before?: number; after?: number }): Promise<History> {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#expire(room);
    const { after, before = Infinity } = query;
    const rows = after === undefined
      ? messages(room.entries.toReversed(), (seq) => seq < before)
      : messages(room.entries, (seq) => seq > after);
    const { page, more } = fillPage(rows, query.limit);
    if (after === undefined) page.reverse();
    return Promise.resolve({ epoch: this.#epoch, seq: room.head, messages: page, more });
  }

  read(name: string, after: number): Promise<CatchUp> {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#expire(room);
    const { page, more } = fillPage(room.entries.slice(Math.max(0, after + 1 - firstSeq(room))), RESUME_LIMIT);
    const complete = after <= room.head && !more && page.length === room.head - after;
    return Promise.resolve({ epoch: this.#epoch, seq: room.head, entries: page, complete });
  }

  subscribe(name: string, listener: (news: LogNotification) => void): () => void {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#rooms.set(name, room);
    room.subscribers.add(listener);
    return () => {
      // A room in which nothing was ever said leaves no trace: anyone can name any number of them.
      if (room.subscribers.delete(listener) && room.subscribers.size + room.head === 0) this.#rooms.delete(name);
    };
  }

  claimName(
    claim: HeldName & { user: string; key: string; until: number; now: number },
  ): Promise<HeldName | undefined> {
    const ownKey = this.#keys.get(claim.user);
    const own = ownKey === undefined ? undefined : this.#names.get(ownKey);
    if (own && !claim.chosen) {
      own.until = Math.max(own.until, claim.until);
      return Promise.resolve({ name: own.name, chosen: own.chosen });
    }
    const holder = this.#names.get(claim.key);
    if (holder && holder.user !== claim.user) {
      if (holder.until > claim.now) return Promise.resolve(undefined);
      this.#keys.delete(holder.user);
    }
    if (ownKey !== undefined) this.#names.delete(ownKey);
    if (this.#names.size >= this.#namesBeforeSweep) this.#sweepNames(claim.now);
    const { user, name, chosen, until } = claim;
    this.#names.set(claim.key, { user, name, chosen, until });
    this.#keys.set(user, claim.key);
    return Promise.resolve({ name, chosen });
  }

  holdNames(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (const { user, until } of holds) {
      const name = this.#names.get(this.#keys.get(user) ?? "");
      if (name) name.until = Math.max(name.until, until);
    }
    return Promise.resolve();
  }

  roomSettings(room: string): Promise<RoomSettings> {
    return Promise.resolve(this.#settings.get(room) ?? ROOM_SETTINGS);
  }

  changeRoom(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const settings = { ...ROOM_SETTINGS, ...this.#settings.get(room), ...change };
    this.#settings.set(room, settings);
    return Promise.resolve(settings);
  }

  listedRooms(): Promise<{ room: string; seq: number; date: number }[]> {
    const listed = [...this.#settings].filter(([, { listed }]) => listed).map(([room]) => {
      const { head, date } = this.#rooms.get(room) ?? newRoom();
      return { room, seq: head, date };
    });
    return Promise.resolve(listed.sort((one, other) => one.room < other.room ? -1 : 1));
  }

  ban(ban: Ban): Promise<void> {
    this.#bans.set(ban.user, ban);
    return Promise.resolve();
  }

  unban(user: string): Promise<boolean> {
    return Promise.resolve(this.#bans.delete(user));
  }

  bans(now: number): Promise<Ban[]> {
    for (const { user, until } of this.#bans.values()) if (until <= now) this.#bans.delete(user);
    return Promise.resolve([...this.#bans.values()].sort((one, other) => other.date - one.date));
  }

  renewEpoch(): Promise<void> {
    this.#epoch = crypto.randomUUID();
    for (const { subscribers } of this.#rooms.values()) {
      for (const subscriber of subscribers) subscriber({ epoch: this.#epoch, entries: [] });
    }
    return Promise.resolve();
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  readonly missedNotifications = 0;

  /** There is no other isolate to tell: nobody else sees this memory. */
  signal(): void {}
  onEvent(): void {}

  check(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** Every passer-by leaves a given name behind. */
  #sweepNames(now: number): void {
    for (const [key, { user, chosen, until }] of this.#names) {
      if (chosen || until > now) continue;
      this.#names.delete(key);
      this.#keys.delete(user);
    }
    this.#namesBeforeSweep = Math.max(NAMES_BEFORE_SWEEP, 2 * this.#names.size);
  }

  #keep(room: Room, command: Command): AppendResult {
    const key = command.id === undefined ? undefined : `${command.user} ${command.action} ${command.id}`;
    const first = key === undefined ? undefined : room.ids.get(key);
    if (first) {
      const entry = at(room, first.seq);
      return { entry: entry && !this.#hasExpired(room, entry) ? entry : tombstone(command, first), repeated: true };
    }
    if (command.action === "send_message" && command.lookupOnly) return { refused: "not_found" };
    const entry = this.#entry(room, command);
    if ("refused" in entry) return entry;
    if (command.id !== undefined) entry.id = command.id;
    room.entries.push(entry);
    room.head = entry.seq;
    room.date = entry.date;
    if (key !== undefined) room.ids.set(key, { seq: entry.seq, date: entry.date });
    return { entry, repeated: false };
  }

  #entry(room: Room, command: Command): Entry | Extract<AppendResult, { refused: unknown }> {
    if (command.action !== "delete_message" && this.#settings.get(command.room)?.locked) return { refused: "locked" };
    const place = { room: command.room, seq: room.head + 1 };
    const date = Math.max(room.date, this.#clock.now());
    if (command.action === "send_message") {
      return { action: "receive_message", ...place, user: command.user, from: command.from, text: command.text, date };
    }
    const target = at(room, command.target);
    if (target?.action !== "receive_message" || target.deleted || this.#hasExpired(room, target)) {
      return { refused: "not_found" };
    }
    const moderator = command.action === "delete_message" && command.moderator;
    if (target.user !== command.user && !moderator) return { refused: "forbidden" };
    if (command.action === "edit_message") {
      rewrite(room, target, { text: command.text, edited: date }, command.text);
      return {
        action: "message_edited",
        ...place,
        target: command.target,
        user: command.user,
        text: command.text,
        date,
      };
    }
    rewrite(room, target, { text: undefined, deleted: true }, "");
    return { action: "message_deleted", ...place, target: command.target, user: command.user, date };
  }

  #hasExpired({ head }: Room, { seq, date }: Entry): boolean {
    const { messages, days } = this.#retention;
    return (messages > 0 && seq <= head - messages) || (days > 0 && date < this.#clock.now() - days * DAY);
  }

  #expire(room: Room): void {
    const now = this.#clock.now();
    let drop = 0;
    while (drop < room.entries.length && this.#hasExpired(room, room.entries[drop])) drop++;
    if (drop === 0) return;
    room.entries.splice(0, drop);
    // Insertion order is order of date, so the ones to forget are all in front.
    for (const [key, { seq, date }] of room.ids) {
      if (seq >= firstSeq(room) || date > now - IDEMPOTENCY_WINDOW) break;
      room.ids.delete(key);
    }
  }
}

function newRoom(): Room {
  return { head: 0, date: 0, entries: [], ids: new Map(), subscribers: new Set() };
}

function firstSeq(room: Room): number {
  return room.head - room.entries.length + 1;
}

function at(room: Room, seq: number): Entry | undefined {
  return room.entries[seq - firstSeq(room)];
}

function* messages(entries: Entry[], wanted: (seq: number) => boolean): Generator<ReceiveMessage> {
  for (const entry of entries) if (entry.action === "receive_message" && wanted(entry.seq)) yield entry;
}

/** Puts the new state in place of the old text, in the message and in every earlier edit of it; entries given out stay as they were. */
function rewrite(room: Room, target: ReceiveMessage, change: Partial<ReceiveMessage>, text: string): void {
  const { text: _, ...kept } = target;
  const first = firstSeq(room);
  room.entries[target.seq - first] = change.deleted ? { ...kept, deleted: true } : { ...target, ...change };
  for (let index = target.seq - first + 1; index < room.entries.length; index++) {
    const entry = room.entries[index];
    if (entry.action === "message_edited" && entry.target === target.seq) room.entries[index] = { ...entry, text };
  }
}
