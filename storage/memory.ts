import type { Clock } from "../chat/clock.ts";
import {
  type Ban,
  type Draft,
  type Engine,
  type HeldName,
  type History,
  ID_MEMORY,
  type Missed,
  type News,
  type Outcome,
  type Retention,
  ROOM_SETTINGS,
  type RoomSettings,
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
  followers: Set<(news: News) => void>;
}

/** Keeps everything in this process, for tests and throw-away rooms: a restart is another epoch. */
export class MemoryEngine implements Engine {
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

  append(drafts: readonly Draft[]): Promise<Outcome[]> {
    const news = new Map<Room, Entry[]>();
    const outcomes = drafts.map((draft) => {
      const room = this.#rooms.get(draft.room) ?? newRoom();
      const outcome = this.#keep(room, draft);
      if ("entry" in outcome && !outcome.repeated) {
        this.#rooms.set(draft.room, room);
        const entries = news.get(room);
        if (entries) entries.push(outcome.entry);
        else news.set(room, [outcome.entry]);
      }
      return outcome;
    });
    for (const [room, entries] of news) {
      this.#expire(room);
      for (const follower of room.followers) follower({ epoch: this.#epoch, entries });
    }
    return Promise.resolve(outcomes);
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

  read(name: string, after: number): Promise<Missed> {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#expire(room);
    const { page, more } = fillPage(room.entries.slice(Math.max(0, after + 1 - firstSeq(room))), RESUME_LIMIT);
    const complete = after <= room.head && !more && page.length === room.head - after;
    return Promise.resolve({ epoch: this.#epoch, seq: room.head, entries: page, complete });
  }

  follow(name: string, listener: (news: News) => void): () => void {
    const room = this.#rooms.get(name) ?? newRoom();
    this.#rooms.set(name, room);
    room.followers.add(listener);
    return () => {
      // A room in which nothing was ever said leaves no trace: anyone can name any number of them.
      if (room.followers.delete(listener) && room.followers.size + room.head === 0) this.#rooms.delete(name);
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
    for (const { followers } of this.#rooms.values()) {
      for (const follower of followers) follower({ epoch: this.#epoch, entries: [] });
    }
    return Promise.resolve();
  }

  secret(): Promise<string> {
    return Promise.resolve(this.#secret);
  }

  readonly missedNews = 0;

  /** There is no other isolate to tell: nobody else sees this memory. */
  signal(): void {}
  onSignal(): void {}

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

  #keep(room: Room, draft: Draft): Outcome {
    const key = draft.id === undefined ? undefined : `${draft.user} ${draft.action} ${draft.id}`;
    const first = key === undefined ? undefined : room.ids.get(key);
    if (first) {
      const entry = at(room, first.seq);
      return { entry: entry && !this.#hasExpired(room, entry) ? entry : tombstone(draft, first), repeated: true };
    }
    if (draft.action === "send_message" && draft.again) return { refused: "not_found" };
    const entry = this.#entry(room, draft);
    if ("refused" in entry) return entry;
    if (draft.id !== undefined) entry.id = draft.id;
    room.entries.push(entry);
    room.head = entry.seq;
    room.date = entry.date;
    if (key !== undefined) room.ids.set(key, { seq: entry.seq, date: entry.date });
    return { entry, repeated: false };
  }

  #entry(room: Room, draft: Draft): Entry | Extract<Outcome, { refused: unknown }> {
    if (draft.action !== "delete_message" && this.#settings.get(draft.room)?.locked) return { refused: "locked" };
    const place = { room: draft.room, seq: room.head + 1 };
    const date = Math.max(room.date, this.#clock.now());
    if (draft.action === "send_message") {
      return { action: "receive_message", ...place, user: draft.user, from: draft.from, text: draft.text, date };
    }
    const target = at(room, draft.target);
    if (target?.action !== "receive_message" || target.deleted || this.#hasExpired(room, target)) {
      return { refused: "not_found" };
    }
    const moderator = draft.action === "delete_message" && draft.moderator;
    if (target.user !== draft.user && !moderator) return { refused: "forbidden" };
    if (draft.action === "edit_message") {
      rewrite(room, target, { text: draft.text, edited: date }, draft.text);
      return { action: "message_edited", ...place, target: draft.target, user: draft.user, text: draft.text, date };
    }
    rewrite(room, target, { text: undefined, deleted: true }, "");
    return { action: "message_deleted", ...place, target: draft.target, user: draft.user, date };
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
      if (seq >= firstSeq(room) || date > now - ID_MEMORY) break;
      room.ids.delete(key);
    }
  }
}

function newRoom(): Room {
  return { head: 0, date: 0, entries: [], ids: new Map(), followers: new Set() };
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
