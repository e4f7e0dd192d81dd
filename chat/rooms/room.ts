import { CachedValue } from "./cached_value.ts";
import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import { ChatError } from "../errors.ts";
import type { Entry, Position, Reacted, RoomJoined, ServerFrame } from "../protocol.ts";
import { reactedIn } from "../reading/reactions.ts";
import { ROOM_SETTINGS, type RoomSettings, type Storage } from "../storage.ts";
import type { Subscriber } from "../subscriber.ts";
import { LogSubscriber } from "./log_subscriber.ts";
import { Members } from "./members.ts";
import { NoticeBuffer } from "./notice_buffer.ts";
import { type Page, PageCache } from "./page_cache.ts";
import type { JoinRequest, PendingJoin } from "./pending_join.ts";
import { Recipients } from "./recipients.ts";
import type { RoomPresence } from "./room_presence.ts";

/** How often newer entries may overtake the page of a join before it fails. */
const JOIN_ATTEMPTS = 3;

/** What a room works on. */
export interface RoomDeps {
  storage: Storage;
  clock: Clock;
  /** Asks for `flush` to be called soon. */
  requestFlush(room: Room): void;
  /** The room is empty: nobody needs it any more. */
  forget(): void;
  /** Tells other isolates of this one, and its members of the others' people. */
  presence: RoomPresence;
}

/** A page as one person gets it. */
type PersonalPage = Page & Pick<RoomJoined, "reacted">;

/** One room on this isolate: who is in it, and how they are sent what its log brings. */
export class Room {
  readonly name: string;
  readonly members: Members;
  readonly #deps: RoomDeps;
  readonly #log: LogSubscriber;
  readonly #settings: CachedValue<RoomSettings>;
  readonly #recipients = new Recipients((seq) => seq <= this.#log.position!.seq && this.#notices.length === 0);
  /** What is sent beside the log with the next flush. */
  readonly #notices: NoticeBuffer;
  readonly #pages: PageCache;
  #disposed = false;

  constructor(name: string, deps: RoomDeps) {
    const { storage, clock } = deps;
    this.name = name;
    this.#deps = deps;
    this.#pages = new PageCache(name, storage, clock);
    this.#notices = new NoticeBuffer(clock, () => deps.requestFlush(this));
    this.members = new Members(name, clock, {
      changed: (frame) => this.#notices.add(frame, this.size),
      relist: () => this.#relist(),
      localChanged: (user) => deps.presence.changed(name, user),
      empty: () => this.forgetIfEmpty(),
    });
    this.#settings = new CachedValue(() => storage.moderation.settings(name), clock, (settings, before) => {
      const { locked, slow_seconds } = settings;
      if (!before || (before.locked === locked && before.slow_seconds === slow_seconds)) return;
      this.broadcast({ action: "room_changed", room: name, locked, slow_seconds });
    });
    this.#log = new LogSubscriber(name, storage, clock, {
      notified: ({ entries }) => {
        this.#pages.invalidate();
        if (entries.length > 0) return;
        this.refreshSettings();
        deps.presence.mayHaveMissed(name);
      },
      due: () => deps.requestFlush(this),
      deliver: (entries) => this.#recipients.deliver([], entries),
      restart: () => this.#restart(),
    });
  }

  /** What moderators have set, as this isolate last read it; the store itself enforces it. */
  get settings(): RoomSettings {
    return this.#settings.value ?? ROOM_SETTINGS;
  }

  /** The same, read first if need be. @throws {ChatError} `unavailable` */
  readSettings(): Promise<RoomSettings> {
    return this.#settings.get();
  }

  /** How many connections a message goes to. */
  get size(): number {
    return this.#recipients.live.size;
  }

  /** The same, and how many of these take each message as a frame of its own. */
  get recipientCount(): { all: number; plain: number } {
    const { size, plain } = this.#recipients.live;
    return { all: size, plain };
  }

  /** Whether a flush may wait for the pace, because somebody here takes many frames as one. */
  get deferrable(): boolean {
    return this.#recipients.live.deferrable;
  }

  /** The connections that get what is sent beside the log. */
  recipients(): Iterable<Subscriber> {
    return this.#recipients;
  }

  /**
   * Brings a connection into the room (again): a page or what it missed, then all that follows, each entry once.
   * @throws {ChatError} `unavailable`; a connection that was in the room stays in it
   */
  async join(subscriber: Subscriber, request: JoinRequest = {}): Promise<void> {
    const { join, wasLive } = this.#recipients.begin(subscriber);
    const before = { wasLive, epoch: this.#log.position?.epoch };
    try {
      for (let attempt = 0; attempt < JOIN_ATTEMPTS; attempt++) {
        if (attempt > 0) this.#pages.invalidate();
        const [page] = await Promise.all([this.#pages.read(request), this.#settings.get()]);
        const reacted = await this.#reacted(page, subscriber.person.user);
        await join.drained(this.#deps.clock);
        if (!this.#recipients.isJoining(subscriber, join)) return;
        if (!this.#log.position) this.#begin(page);
        else if (this.#log.position.epoch !== page.epoch) {
          this.#restart();
          continue;
        }
        const held = join.heldAfter(page.seq);
        if (held.length === Math.max(0, this.#log.position!.seq - page.seq)) {
          return this.#admit(subscriber, join, { ...page, reacted }, held, request);
        }
      }
      throw new ChatError("unavailable", "The room is moving too fast to join right now. Try again.", 1);
    } catch (error) {
      this.#revert(subscriber, join, before);
      throw error;
    }
  }

  /**
   * What someone who joined now would get. It makes nobody a member.
   * @param user absent: nobody knows who asks
   * @throws {ChatError} `unavailable`
   */
  async preview(request: Pick<JoinRequest, "since" | "limit">, user?: string): Promise<RoomJoined> {
    try {
      const [page] = await Promise.all([this.#pages.read(request), this.#settings.get()]);
      return this.#joinedFrame({ ...page, reacted: user === undefined ? undefined : await this.#reacted(page, user) });
    } finally {
      this.forgetIfEmpty();
    }
  }

  /** Takes a connection out. @param lost whether its person may be back in a moment */
  leave(subscriber: Subscriber, lost: boolean): void {
    this.#recipients.delete(subscriber);
    if (subscriber.rooms.delete(this.name)) this.members.leave(subscriber.person.user, lost);
    this.forgetIfEmpty();
  }

  /** Sends what the log brought, and who came or went, since the last call. */
  flush(): void {
    const notices = this.#notices.take();
    this.#recipients.deliver(notices, this.#log.take());
  }

  /** Answers one connection with an entry of the log that it has been sent; a later entry comes with the others. */
  answer(subscriber: Subscriber, entry: Entry): void {
    this.#recipients.answer(subscriber, entry, this.#log.position?.seq ?? 0);
  }

  /** Sends a frame at once to everyone in the room, or to everyone but one person. */
  broadcast(frame: ServerFrame, exceptUser?: string): void {
    const delivery = new EncodedFrames(frame);
    for (const { person, connection } of this.#recipients) {
      if (person.user !== exceptUser) connection.deliver(delivery);
    }
  }

  /** Reads its settings again. Its members are told if they have changed. */
  refreshSettings(): void {
    this.#settings.refresh();
  }

  /** Drops the room from memory if nobody is in it, joining or expected back. */
  forgetIfEmpty(): void {
    if (this.#disposed || !this.#recipients.isEmpty || this.members.localCount > 0) return;
    this.dispose();
    this.#deps.forget();
  }

  /** Stops all timers, and ends the subscription. */
  dispose(): void {
    this.#disposed = true;
    this.members.dispose();
    this.#notices.dispose();
    this.#pages.dispose();
    this.#settings.dispose();
    this.#log.dispose();
  }

  #joinedFrame({ epoch, seq, recovered, messages, more, reacted }: PersonalPage): RoomJoined {
    const [members, count] = [this.members.list(), this.members.count];
    const { locked, slow_seconds } = this.settings;
    const position = { action: "room_joined", room: this.name, epoch, seq, recovered, messages, more } as const;
    return { ...position, ...(reacted && { reacted }), members, count, locked, slow_seconds };
  }

  /** What a person gave to the messages of a page. What was missed brings it by itself. */
  async #reacted({ recovered, messages }: Page, user: string): Promise<Reacted | undefined> {
    return recovered ? undefined : await reactedIn(this.#deps.storage, this.name, messages, user);
  }

  /** Sends everyone the list of members from which they follow each change again. */
  #relist(): void {
    this.flush();
    const { position } = this.#log;
    if (!position) return;
    this.broadcast(this.#joinedFrame({ ...position, recovered: true, messages: [], more: position.seq > 0 }));
  }

  #begin(at: Position): void {
    this.#recipients.dropHeld();
    this.#log.begin(at);
  }

  /** The log does not continue what was sent: everyone here gets the room as it is. */
  #restart(): void {
    this.#log.forget();
    this.#pages.invalidate();
    // All at once: none stays live, so that none gets an entry of the new epoch before its page.
    for (const subscriber of [...this.#recipients]) {
      this.join(subscriber).catch(() => closeUnread(subscriber));
    }
  }

  #admit(
    subscriber: Subscriber,
    join: PendingJoin,
    page: PersonalPage,
    held: Entry[],
    { id, before }: JoinRequest,
  ): void {
    if (!subscriber.rooms.has(this.name)) {
      subscriber.rooms.add(this.name);
      this.members.join(subscriber.person);
    }
    const frame = this.#joinedFrame(page);
    if (id !== undefined) frame.id = id;
    join.sendPage(before?.() ?? [], frame, held, this.#notices.length);
    this.#recipients.complete(subscriber, join);
  }

  /** Ends a failed join: a live connection goes on where it was; another one that was in the room has to come back. */
  #revert(subscriber: Subscriber, join: PendingJoin, before: { wasLive: boolean; epoch: string | undefined }): void {
    if (!this.#recipients.isJoining(subscriber, join)) return;
    if (before.wasLive && before.epoch === this.#log.position?.epoch) this.#recipients.resume(subscriber, join);
    else {
      this.#recipients.delete(subscriber);
      if (subscriber.rooms.has(this.name)) closeUnread(subscriber);
    }
    this.forgetIfEmpty();
  }
}

function closeUnread({ connection }: Subscriber): void {
  connection.close(1011, "The room could not be read. Come back.");
}
