import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import { LogSubscriber } from "./log_subscriber.ts";
import { CachedValue } from "../cached_value.ts";
import { type MessageLog, type Moderation, ROOM_SETTINGS, type RoomSettings } from "../storage.ts";
import { type Page, PageCache } from "./page_cache.ts";
import { Members } from "./members.ts";
import type { Entry, Member, Position, RoomJoined, ServerFrame } from "../protocol.ts";
import { ChatError } from "../errors.ts";
import type { Subscriber } from "../subscriber.ts";
import { NoticeBuffer } from "./notice_buffer.ts";

/** Reads of a page that may be overtaken by newer entries before the joiner is told to come again. */
const JOIN_ATTEMPTS = 3;

/** A page waits until the joiner has taken in what was sent before, in steps and at most so long, milliseconds. */
const DRAIN_PAUSE = 10;
const LONGEST_DRAIN = 10_000;

/** What a room needs of the house around it. */
export interface RoomDeps {
  storage: MessageLog & Moderation;
  clock: Clock;
  /** Asks for `flush` to be called soon. */
  requestFlush(room: Room): void;
  /** The room is empty: nobody holds it any more. */
  forget(room: Room): void;
  /** Tells other isolates and machines that this one has come to hold a person in this room, or holds them no more. */
  announce(room: string, user: string, name?: string): void;
  /** The people whom others hold in this room, once for each that holds them. */
  remoteMembers(room: string): Iterable<Member>;
}

/** What a join asks for; the `id` comes back in its answer. */
export interface JoinRequest {
  /** The last place that the client has seen. */
  since?: Position;
  /** How many messages a page may have. */
  limit?: number;
  id?: string;
}

/** A session on its way in. Until its page has been sent, what comes live is held back for it. */
interface PendingJoin {
  held: Entry[];
  /** Answers to this session alone which its page must come before. */
  answers: Entry[];
  /** Once the page is sent: its head, and the first of the waiting tidings that are news to this session. */
  sent?: { upTo: number; notices: number };
}

/** One room as this isolate sees it: who is in it, and passing on what its log brings. */
export class Room {
  readonly name: string;
  readonly members: Members;
  readonly #around: RoomDeps;
  readonly #subscriber: LogSubscriber;
  readonly #settings: CachedValue<RoomSettings>;
  readonly #sessions = new Set<Subscriber>();
  #batching = 0;
  readonly #arriving = new Map<Subscriber, PendingJoin>();
  /** What is told beside the log with the next flush. */
  readonly #notices: NoticeBuffer;
  readonly #pages: PageCache;
  #disposed = false;

  constructor(name: string, around: RoomDeps) {
    this.name = name;
    this.#around = around;
    this.#pages = new PageCache(name, around.storage, around.clock);
    this.#notices = new NoticeBuffer(around.clock, () => around.requestFlush(this));
    this.members = new Members(name, around.clock, {
      changed: (frame) => this.#notices.add(frame, this.size),
      listAgain: () => {
        this.flush();
        const here = this.#subscriber.position;
        if (here) this.tell(this.#joined({ ...here, recovered: true, messages: [], more: here.seq > 0 }));
      },
      held: (user, member) => around.announce(name, user, member),
      released: (user) => around.announce(name, user),
      empty: () => this.forgetIfEmpty(),
    });
    for (const member of around.remoteMembers(name)) this.members.holdElsewhere(member);
    this.#settings = new CachedValue(() => around.storage.roomSettings(name), around.clock, (settings, before) => {
      const { locked, slow_seconds } = settings;
      if (!before || (before.locked === locked && before.slow_seconds === slow_seconds)) return;
      this.tell({ action: "room_changed", room: name, locked, slow_seconds });
    });
    this.#subscriber = new LogSubscriber(name, around.storage, around.clock, {
      heard: ({ entries }) => {
        this.#pages.invalidate();
        if (entries.length === 0) this.refreshSettings();
      },
      due: () => around.requestFlush(this),
      passOn: (entries) => this.#passOn([], entries),
      restart: () => this.#restart(),
    });
  }

  /** What moderators have set for it, as far as it is known here: the engine judges by what is. */
  get settings(): RoomSettings {
    return this.#settings.value ?? ROOM_SETTINGS;
  }

  /** The same, also where they have not been read yet. @throws {ChatError} `unavailable` */
  readSettings(): Promise<RoomSettings> {
    return this.#settings.get();
  }

  /** Connections that what is said here goes to. */
  get size(): number {
    return this.#sessions.size;
  }

  /** Whether somebody here takes many frames as one, so that waiting for more of them saves work. */
  get deferrable(): boolean {
    return this.#batching > 0;
  }

  /** Those who are to hear what is told beside the log. */
  *hearers(): Generator<Subscriber> {
    yield* this.#sessions;
    for (const [session, { sent }] of this.#arriving) if (sent) yield session;
  }

  /**
   * Brings a session into the room (again): a page or what it missed, then everything live, without hole or double.
   * @throws {ChatError} `unavailable`; who was in the room stays in it
   */
  async join(session: Subscriber, ask: JoinRequest = {}): Promise<void> {
    const arrival: PendingJoin = { held: [], answers: [] };
    const before = { live: this.#dropLive(session), epoch: this.#subscriber.position?.epoch };
    this.#arriving.set(session, arrival);
    try {
      for (let attempt = 0; attempt < JOIN_ATTEMPTS; attempt++) {
        if (attempt > 0) this.#pages.invalidate();
        const [page] = await Promise.all([this.#pages.read(ask), this.#settings.get()]);
        await this.#drained(session);
        if (this.#arriving.get(session) !== arrival) return;
        if (!this.#subscriber.position) this.#begin(page);
        else if (this.#subscriber.position.epoch !== page.epoch) {
          this.#restart();
          continue;
        }
        const held = arrival.held.filter((entry) => entry.seq > page.seq);
        if (held.length === Math.max(0, this.#subscriber.position!.seq - page.seq)) {
          return this.#admit(session, arrival, page, held, ask.id);
        }
      }
      throw new ChatError("unavailable", "The room is moving too fast to join right now. Try again.", 1);
    } catch (error) {
      this.#putBack(session, arrival, before);
      throw error;
    }
  }

  /**
   * What someone who joined now would be shown. It makes nobody a member.
   * @throws {ChatError} `unavailable`
   */
  async preview(ask: Omit<JoinRequest, "id">): Promise<RoomJoined> {
    try {
      const [page] = await Promise.all([this.#pages.read(ask), this.#settings.get()]);
      return this.#joined(page);
    } finally {
      this.forgetIfEmpty();
    }
  }

  /** Takes a session out: lost, if it may be back in a moment. */
  leave(session: Subscriber, lost: boolean): void {
    this.#dropLive(session);
    this.#arriving.delete(session);
    if (session.rooms.delete(this.name)) this.members.leave(session.person.user, lost);
    this.forgetIfEmpty();
  }

  /** Passes on what the log brought and who came or went since the last call. */
  flush(): void {
    const notices = this.#notices.take();
    this.#passOn(notices, this.#subscriber.take());
  }

  /**
   * Answers one session with an entry of the log, never ahead of the entries before it: what it has not been told yet
   * it will be told with all others.
   */
  answer(session: Subscriber, entry: Entry): void {
    const arrival = this.#arriving.get(session);
    if (arrival && !arrival.sent) arrival.answers.push(entry);
    else if (entry.seq <= (arrival?.sent?.upTo ?? this.#subscriber.position?.seq ?? 0)) {
      session.connection.deliver(new EncodedFrames(entry));
    }
  }

  /** Tells everyone in the room at once, or everyone but one person. */
  tell(frame: ServerFrame, exceptUser?: string): void {
    const delivery = new EncodedFrames(frame);
    for (const session of this.hearers()) {
      if (session.person.user !== exceptUser) session.connection.deliver(delivery);
    }
  }

  /** Its settings may be other ones now: whoever is here is told if they are. */
  refreshSettings(): void {
    this.#settings.refresh();
  }

  /** Nobody is here, on the way or expected back: the room need not be held any longer. */
  forgetIfEmpty(): void {
    if (this.#disposed || this.#sessions.size + this.#arriving.size + this.members.heldHere > 0) return;
    this.dispose();
    this.#around.forget(this);
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    this.#disposed = true;
    this.members.dispose();
    this.#notices.dispose();
    this.#settings.dispose();
    this.#subscriber.dispose();
  }

  /** Several joins of one connection must not make a slow reader of it. */
  async #drained({ connection }: Subscriber): Promise<void> {
    for (let waited = 0; !connection.hasRoom && waited < LONGEST_DRAIN; waited += DRAIN_PAUSE) {
      await new Promise<void>((resolve) => this.#around.clock.after(DRAIN_PAUSE, resolve));
    }
  }

  #joined({ epoch, seq, recovered, messages, more }: Page): RoomJoined {
    const [members, count] = [this.members.list(), this.members.count];
    const { locked, slow_seconds } = this.settings;
    const position = { action: "room_joined", room: this.name, epoch, seq, recovered, messages, more } as const;
    return { ...position, members, count, locked, slow_seconds };
  }

  #begin(at: Position): void {
    for (const arrival of this.#arriving.values()) arrival.held = [];
    this.#subscriber.begin(at);
  }

  /** What was passed on does not lead up to what the log holds now: whoever is here gets the room as it is. */
  #restart(): void {
    this.#subscriber.forget();
    this.#pages.invalidate();
    // All at once: each is taken out of the live ones before any page comes, so none hears the new life before its page.
    for (const session of [...this.hearers()]) {
      this.join(session).catch(() => session.connection.close(1011, "The room could not be read. Come back."));
    }
  }

  #admit(session: Subscriber, arrival: PendingJoin, page: Page, held: Entry[], id: string | undefined): void {
    if (!session.rooms.has(this.name)) {
      session.rooms.add(this.name);
      this.members.enter(session.person);
    }
    const frame = this.#joined(page);
    if (id !== undefined) frame.id = id;
    const answers = arrival.answers.filter((entry) => entry.seq <= page.seq);
    session.connection.deliver(new EncodedFrames(frame, ...answers, ...held));
    arrival.sent = { upTo: page.seq + held.length, notices: this.#notices.length };
    this.#settle(session, arrival);
  }

  /** A session joins the others as soon as they have been told all that its page held, and nothing waits to be told. */
  #settle(session: Subscriber, { sent }: PendingJoin): void {
    if (sent!.upTo > this.#subscriber.position!.seq || this.#notices.length > 0 || !this.#arriving.delete(session)) {
      return;
    }
    this.#addLive(session);
  }

  /** A join has failed: who was live goes on where they were; who was in the room in any other way has to come back. */
  #putBack(session: Subscriber, arrival: PendingJoin, before: { live: boolean; epoch: string | undefined }): void {
    if (this.#arriving.get(session) !== arrival) return;
    this.#arriving.delete(session);
    if (before.live && before.epoch === this.#subscriber.position?.epoch) {
      this.#addLive(session);
      const waiting = [...arrival.answers, ...arrival.held];
      if (waiting.length > 0) session.connection.deliver(new EncodedFrames(...waiting));
    } else if (session.rooms.has(this.name)) {
      session.connection.close(1011, "The room could not be read. Come back.");
    }
    this.forgetIfEmpty();
  }

  #addLive(session: Subscriber): void {
    this.#sessions.add(session);
    if (session.connection.batch) this.#batching++;
  }

  #dropLive(session: Subscriber): boolean {
    const wasLive = this.#sessions.delete(session);
    if (wasLive && session.connection.batch) this.#batching--;
    return wasLive;
  }

  #passOn(notices: ServerFrame[], entries: Entry[]): void {
    if (notices.length + entries.length === 0) return;
    const delivery = new EncodedFrames(...notices, ...entries);
    for (const session of this.#sessions) session.connection.deliver(delivery);
    for (const [session, arrival] of this.#arriving) {
      const { sent, held } = arrival;
      if (!sent) {
        for (const entry of entries) held.push(entry);
        continue;
      }
      const news = [...notices.slice(sent.notices), ...entries.filter((entry) => entry.seq > sent.upTo)];
      sent.notices = 0;
      if (news.length > 0) session.connection.deliver(new EncodedFrames(...news));
      this.#settle(session, arrival);
    }
  }
}
