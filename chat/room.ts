import type { Clock } from "./clock.ts";
import { Delivery } from "./delivery.ts";
import type { Log, News } from "./log.ts";
import {
  type Entry,
  type Member,
  MEMBERS_LISTED,
  PAGE_SIZE,
  type Position,
  type RoomJoined,
  type ServerFrame,
} from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import type { Session } from "./session.ts";

/** Who lost the last socket is gone only after this, milliseconds: a reconnect is no news. */
export const LINGER = 5_000;
/** With fewer people than this a crowded room lists its members again; the distance to 100 keeps it from flapping. */
export const CROWD_OVER = 80;
/** Least time between two `room_count`, milliseconds. */
export const COUNT_INTERVAL = 1_000;
/** Wait before a hole in the log is read again after the store failed, milliseconds. */
const REREAD_DELAY = 1_000;
/** Reads of a page that may be overtaken by newer entries before the joiner is told to come again. */
const JOIN_ATTEMPTS = 3;

/** What a room needs of the house around it. */
export interface RoomSurroundings {
  log: Log;
  clock: Clock;
  /** Asks for `flush` to be called soon. */
  requestFlush(room: Room): void;
  /** The room is empty: nobody holds it any more. */
  forget(room: Room): void;
}

/** A session on its way in. Until its page has been sent, what comes live is held back for it. */
interface Arrival {
  held: Entry[];
  /** Answers to this session alone which its page must come before. */
  answers: Entry[];
  /** Once the page is sent: its head, which may be ahead of what the others have been told. */
  sentUpTo?: number;
}

interface Presence extends Member {
  /** How many sessions of this person are in the room. */
  sessions: number;
  stayAfterAll?: () => void;
}

/** One room as this isolate sees it: who is in it, and passing on what its log brings. */
export class Room {
  readonly name: string;
  readonly #around: RoomSurroundings;
  readonly #unfollow: () => void;
  readonly #sessions = new Set<Session>();
  readonly #arriving = new Map<Session, Arrival>();
  readonly #members = new Map<string, Presence>();
  #epoch: string | undefined;
  /** The last entry that has been passed on; undefined until the first page has been read. */
  #cursor: number | undefined;
  #news: Entry[] = [];
  #rereading = false;
  #cancelReread: (() => void) | undefined;
  #crowded = false;
  #countDue: (() => void) | undefined;

  constructor(name: string, around: RoomSurroundings) {
    this.name = name;
    this.#around = around;
    this.#unfollow = around.log.follow(name, (news) => this.#hear(news));
  }

  get count(): number {
    return this.#members.size;
  }

  has(user: string): boolean {
    return this.#members.has(user);
  }

  get sessions(): Iterable<Session> {
    return this.#sessions;
  }

  /**
   * Brings a session into the room (again): a page or what it missed, then everything live, without hole or double.
   * @throws {Refusal} `unavailable`; who was in the room stays in it
   */
  async join(session: Session, ask: { since?: Position; limit?: number; id?: string } = {}): Promise<void> {
    const arrival: Arrival = { held: [], answers: [] };
    const wasLive = this.#sessions.delete(session);
    this.#arriving.set(session, arrival);
    try {
      for (let attempt = 0; attempt < JOIN_ATTEMPTS; attempt++) {
        const page = await this.#page(ask);
        if (this.#arriving.get(session) !== arrival) return;
        if (this.#epoch === undefined) this.#begin(page);
        else if (this.#epoch !== page.epoch) {
          this.#restart();
          continue;
        }
        const held = arrival.held.filter((entry) => entry.seq > page.seq);
        if (held.length !== Math.max(0, this.#cursor! - page.seq)) continue;

        this.#appear(session);
        const frame = this.#joined(page);
        if (ask.id !== undefined) frame.id = ask.id;
        const answers = arrival.answers.filter((entry) => entry.seq <= page.seq);
        session.connection.deliver(new Delivery(frame, ...answers, ...held));
        arrival.sentUpTo = page.seq + held.length;
        this.#settle(session, arrival);
        return;
      }
      throw new Refusal("unavailable", "The room is moving too fast to join right now. Try again.", 1);
    } catch (error) {
      this.#stay(session, arrival, wasLive);
      throw error;
    }
  }

  /** Takes a session out. A person who has no other session here is gone: now, or after a while if it just got lost. */
  leave(session: Session, lost: boolean): void {
    this.#sessions.delete(session);
    this.#arriving.delete(session);
    const presence = session.rooms.delete(this) ? this.#members.get(session.person.user) : undefined;
    if (presence && --presence.sessions === 0) {
      if (lost) presence.stayAfterAll = this.#around.clock.after(LINGER, () => this.#remove(presence));
      else this.#remove(presence);
    }
    this.forgetIfEmpty();
  }

  /** Passes on what the log brought since the last call. */
  flush(): void {
    if (this.#cursor === undefined || this.#news.length === 0 || this.#rereading) return;
    const fresh: Entry[] = [];
    let hole = false;
    let next = this.#cursor + 1;
    for (const entry of this.#news.sort((one, other) => one.seq - other.seq)) {
      if (entry.seq > next) hole = true;
      else if (entry.seq === next) next = fresh.push(entry) + this.#cursor + 1;
    }
    this.#news = [];
    this.#passOn(fresh);
    if (hole) this.#reread();
  }

  /**
   * Answers one session with an entry of the log, never ahead of the entries before it: what it has not been told yet
   * it will be told with all others.
   */
  answer(session: Session, entry: Entry): void {
    const arrival = this.#arriving.get(session);
    if (arrival && arrival.sentUpTo === undefined) arrival.answers.push(entry);
    else if (entry.seq <= (arrival?.sentUpTo ?? this.#cursor ?? 0)) session.connection.deliver(new Delivery(entry));
  }

  /** Tells everyone in the room, or everyone but one person. */
  tell(frame: ServerFrame, exceptUser?: string): void {
    const delivery = new Delivery(frame);
    for (const session of this.#sessions) {
      if (session.person.user !== exceptUser) session.connection.deliver(delivery);
    }
  }

  /** Keeps the list of members true when a person is called something else. */
  rename(user: string, name: string): void {
    const presence = this.#members.get(user);
    if (presence) presence.name = name;
  }

  #hear(news: News): void {
    if (this.#epoch !== undefined && news.epoch !== this.#epoch) return this.#restart();
    for (const entry of news.entries) this.#news.push(entry);
    this.#around.requestFlush(this);
  }

  async #page(
    ask: { since?: Position; limit?: number },
  ): Promise<Position & Pick<RoomJoined, "recovered" | "messages" | "more">> {
    const { log } = this.#around;
    if (ask.since) {
      const missed = await log.read(this.name, ask.since.seq);
      if (missed.complete && missed.epoch === ask.since.epoch) {
        return { ...missed, recovered: true, messages: missed.entries, more: ask.since.seq > 0 };
      }
    }
    return { ...await log.history(this.name, { limit: ask.limit ?? PAGE_SIZE }), recovered: false };
  }

  #joined(page: Position & Pick<RoomJoined, "recovered" | "messages" | "more">): RoomJoined {
    const members: Member[] = [];
    for (const { user, name } of this.#members.values()) {
      if (members.push({ user, name }) === MEMBERS_LISTED) break;
    }
    return {
      action: "room_joined",
      room: this.name,
      epoch: page.epoch,
      seq: page.seq,
      recovered: page.recovered,
      messages: page.messages,
      more: page.more,
      members,
      count: this.#members.size,
      locked: false,
      slow_seconds: 0,
    };
  }

  #begin(at: Position): void {
    this.#epoch = at.epoch;
    this.#cursor = at.seq;
    for (const arrival of this.#arriving.values()) arrival.held = [];
    if (this.#news.length > 0) this.#around.requestFlush(this);
  }

  /** What was passed on does not lead up to what the log holds now: whoever is here gets the room as it is. */
  #restart(): void {
    this.#epoch = undefined;
    this.#cursor = undefined;
    this.#news = [];
    const told = [...this.#arriving].filter(([, arrival]) => arrival.sentUpTo !== undefined).map(([session]) =>
      session
    );
    // All at once: each is taken out of the live ones before any page comes, so none hears the new life before its page.
    for (const session of [...this.#sessions, ...told]) {
      this.join(session).catch(() => session.connection.close(1011, "The room could not be read. Come back."));
    }
  }

  /** A session joins the others as soon as they have been told all that its page held. */
  #settle(session: Session, arrival: Arrival): void {
    if (arrival.sentUpTo! > this.#cursor!) return;
    this.#arriving.delete(session);
    this.#sessions.add(session);
  }

  #stay(session: Session, arrival: Arrival, wasLive: boolean): void {
    if (this.#arriving.get(session) !== arrival) return;
    this.#arriving.delete(session);
    if (wasLive) {
      this.#sessions.add(session);
      const waiting = [...arrival.answers, ...arrival.held];
      if (waiting.length > 0) session.connection.deliver(new Delivery(...waiting));
    }
    this.forgetIfEmpty();
  }

  #passOn(entries: Entry[]): void {
    if (entries.length === 0) return;
    this.#cursor = entries[entries.length - 1].seq;
    const delivery = new Delivery(...entries);
    for (const session of this.#sessions) session.connection.deliver(delivery);
    for (const [session, arrival] of this.#arriving) {
      if (arrival.sentUpTo === undefined) arrival.held.push(...entries);
      else {
        const unseen = entries.filter((entry) => entry.seq > arrival.sentUpTo!);
        if (unseen.length > 0) session.connection.deliver(new Delivery(...unseen));
        this.#settle(session, arrival);
      }
    }
  }

  /** Fills a hole from the log, which is the truth; what was told beside it may get lost, doubled or out of order. */
  async #reread(): Promise<void> {
    this.#rereading = true;
    const epoch = this.#epoch;
    let complete = false;
    try {
      while (!complete) {
        const missed = await this.#around.log.read(this.name, this.#cursor!);
        if (this.#epoch !== epoch || this.#cursor === undefined) break;
        const expired = missed.seq > this.#cursor && missed.entries[0]?.seq !== this.#cursor + 1;
        if (missed.epoch !== epoch || missed.seq < this.#cursor || expired) {
          this.#restart();
          break;
        }
        this.#passOn(missed.entries);
        complete = missed.complete;
      }
      this.#rereading = false;
      this.#around.requestFlush(this);
    } catch {
      this.#cancelReread = this.#around.clock.after(REREAD_DELAY, () => this.#reread());
    }
  }

  #appear(session: Session): void {
    if (session.rooms.has(this)) return;
    session.rooms.add(this);
    const { user, name } = session.person;
    const presence = this.#members.get(user);
    if (presence) {
      presence.sessions++;
      presence.stayAfterAll?.();
      presence.stayAfterAll = undefined;
    } else {
      this.#members.set(user, { user, name, sessions: 1 });
      this.#tellChange({ action: "member_joined", room: this.name, user, name });
    }
  }

  #remove(presence: Presence): void {
    this.#members.delete(presence.user);
    this.#tellChange({ action: "member_left", room: this.name, user: presence.user, name: presence.name });
    this.forgetIfEmpty();
  }

  /** Below a hundred people each change is told; above it a count stands in, so that arrivals don't multiply. */
  #tellChange(frame: ServerFrame): void {
    if (this.count > MEMBERS_LISTED) this.#crowded = true;
    if (!this.#crowded) return this.tell(frame);
    if (this.count < CROWD_OVER) {
      this.#crowded = false;
      const position = { epoch: this.#epoch!, seq: this.#cursor! };
      this.tell(this.#joined({ ...position, recovered: true, messages: [], more: position.seq > 0 }));
    } else {
      this.#countDue ??= this.#around.clock.after(COUNT_INTERVAL, () => {
        this.#countDue = undefined;
        if (this.#crowded) this.tell({ action: "room_count", room: this.name, count: this.count });
      });
    }
  }

  /** Nobody is here, on the way or expected back: the room need not be held any longer. */
  forgetIfEmpty(): void {
    if (this.#sessions.size + this.#arriving.size + this.#members.size > 0) return;
    this.dispose();
    this.#around.forget(this);
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    for (const presence of this.#members.values()) presence.stayAfterAll?.();
    this.#countDue?.();
    this.#cancelReread?.();
    this.#unfollow();
  }
}
