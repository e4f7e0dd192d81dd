import { withTimeout } from "./async.ts";
import type { AddressUsage } from "./limits/usage.ts";
import { Bans } from "./moderation/bans.ts";
import type { Clock } from "./clock.ts";
import { type Connection, EncodedFrames } from "./encoded_frames.ts";
import { RemotePresence } from "./cluster/remote_presence.ts";
import { RateLimiter } from "./limits/rate_limiter.ts";
import { executeRemoteCommand } from "./commands.ts";
import { WriteQueue } from "./pipeline/write_queue.ts";
import { NO_LIMITS } from "./limits/token_bucket.ts";
import type { AppendResult, ClusterEvent, Command, HeldName, RemoteCommand, RoomSettings, Storage } from "./storage.ts";
import { Counters } from "./pipeline/counters.ts";
import { type Person, Users } from "./users/users.ts";
import { CLOSE, type Limits, type Member, type NameChanged } from "./protocol.ts";
import { ChatError } from "./errors.ts";
import { Room } from "./rooms/room.ts";
import { Session } from "./session.ts";
import { SettingsSweep } from "./rooms/settings_sweep.ts";
import { SlowMode } from "./limits/slow_mode.ts";
import { Pacer } from "./pipeline/pacer.ts";
import { SessionExpiry } from "./users/session_expiry.ts";

/** Seconds after which a room may be tried again that there was no place for. */
const CROWDED_RETRY = 60;
/** How long a server that is to stop waits for a store that does not answer, milliseconds: it has five seconds in all. */
export const DRAIN_PATIENCE = 1_500;
/** What a lobby is made of. */
export interface ChatOptions {
  storage: Storage;
  limits: Limits;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** See `Bans`; absent: no address is ever banned. */
  hashAddress?: (addressKey: string) => string | undefined;
  /** Absent: there are no limits. */
  rateLimiter?: RateLimiter;
}

/** Everyone and everything that this isolate holds: the people, their sessions, the rooms, and what waits for the log. */
export class Chat {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly users: Users;
  readonly bans: Bans;
  readonly slowMode: SlowMode;
  readonly sessionExpiry: SessionExpiry;
  readonly rateLimiter: RateLimiter;
  readonly counters = new Counters();
  readonly #storage: Storage;
  readonly #rooms = new Map<string, Room>();
  readonly #settingsSweep: SettingsSweep;
  readonly #sessions = new Set<Session>();
  readonly #remotePresence: RemotePresence;
  readonly #pacer: Pacer;
  readonly #writeQueue: WriteQueue;
  readonly #unflushed = new Set<Room>();
  #draining = false;

  constructor(options: ChatOptions) {
    const { storage, limits, clock, random, hashAddress = () => undefined } = options;
    this.clock = clock;
    this.limits = limits;
    this.rateLimiter = options.rateLimiter ?? new RateLimiter(NO_LIMITS, clock);
    this.#storage = storage;
    this.users = new Users(storage, clock, random);
    this.bans = new Bans(storage, clock, hashAddress, () => this.#sendBannedAway());
    this.slowMode = new SlowMode(clock, (command) => this.append(command));
    this.sessionExpiry = new SessionExpiry(clock);
    this.#settingsSweep = new SettingsSweep(this.#rooms, clock);
    this.#writeQueue = new WriteQueue({
      log: storage,
      clock,
      counters: this.counters,
      sizeOf: (room) => this.#rooms.get(room)?.size ?? 0,
      keptLate: () => this.#pacer.request(),
    });
    this.#pacer = new Pacer(clock, () => this.#turn());
    this.#remotePresence = new RemotePresence(clock, (signal) => storage.signal(signal), {
      held: (room, member) => this.#rooms.get(room)?.members.holdElsewhere(member),
      released: (room, user) => this.#rooms.get(room)?.members.releaseElsewhere(user),
      here: () => this.#here(),
    });
    storage.onEvent((signal) => this.#hear(signal));
    this.#remotePresence.start();
  }

  /** How many are here now: connections through every door, the people they belong to, and the rooms they are in. */
  get occupancy(): { connections: number; users: number; rooms: number } {
    return { connections: this.#sessions.size, users: this.users.count, rooms: this.#rooms.size };
  }

  /**
   * Begins a session for a connection that has just opened.
   * @param address the key of the address from which it comes, where there is one
   */
  enter(connection: Connection, address?: string): Session {
    const session = new Session(this, connection, address);
    this.#sessions.add(session);
    return session;
  }

  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  /** The room of this (normalised) name, if somebody is in it or on the way. */
  roomHeld(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  /**
   * The room of this (normalised) name. It is kept for as long as somebody is in it or on the way.
   * @param opener from where it is opened if it is not there yet
   * @throws {ChatError} `too_many_rooms`
   */
  room(name: string, opener?: AddressUsage): Room {
    let room = this.#rooms.get(name);
    if (!room) {
      if (!this.rateLimiter.hasPlaceForRoom(this.#rooms.size, opener)) {
        throw new ChatError(
          "too_many_rooms",
          "Nothing more can be opened here for now. Come back later.",
          CROWDED_RETRY,
        );
      }
      room = new Room(name, {
        log: this.#storage,
        moderation: this.#storage,
        clock: this.clock,
        requestFlush: (room) => {
          this.#unflushed.add(room);
          this.#pacer.request(room.deferrable);
        },
        forget: (room) => {
          this.#rooms.delete(room.name);
          if (opener) opener.rooms--;
        },
        announce: (room, user, name) => this.#remotePresence.announce(room.name, user, name),
        heldElsewhere: (room) => this.#remotePresence.membersIn(room),
      });
      this.#rooms.set(name, room);
      this.#settingsSweep.start();
      if (opener) opener.rooms++;
    }
    return room;
  }

  /** What moderators have set for a room, also for one that nobody is in. @throws {ChatError} `unavailable` */
  async settingsOf(name: string): Promise<RoomSettings> {
    return await (this.#rooms.get(name)?.readSettings() ?? this.#storage.roomSettings(name));
  }

  /**
   * Has a draft kept, together with all others that wait. Members, the author among them, have been told of what was
   * kept when this resolves.
   * @throws {ChatError} `unavailable`, or `rate_limited` when more is said than can be passed on
   */
  append(command: Command): Promise<AppendResult> {
    const waited = this.#writeQueue.add(command);
    this.#pacer.request(this.#rooms.get(command.room)?.deferrable);
    return waited;
  }

  /** A person who is here already has come again under another name: theirs was changed elsewhere. */
  syncName(person: Person, { name, chosen }: HeldName): void {
    if (person.name === name) return;
    const was = person.name;
    Object.assign(person, { name, chosen });
    this.tellName(person, was);
  }

  /** Tells everyone who sees this person what they are called now, but for the connection that asked for it. */
  tellName({ user, name }: Person, was: string, asker?: Session): void {
    this.#showName({ action: "name_changed", user, name, was }, asker);
    this.#storage.signal({ kind: "name_changed", user, name, was });
  }

  tellTyping(room: Room, { user, name }: Person): void {
    room.tell({ action: "typing", room: room.name, user, name }, user);
    this.#storage.signal({ kind: "typing", room: room.name, user, name });
  }

  /** Does what a person asked about their connections, which may be here or elsewhere. */
  ask(asked: RemoteCommand): void {
    if (!executeRemoteCommand(this.users, asked)) this.#storage.signal({ kind: "asked", ...asked });
  }

  /** Resolves when all that was said so far has been kept and told; under unbroken load that may be never. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => this.clock.soon(resolve));
    do {
      await this.#writeQueue.settled();
      await this.#pacer.settled();
    } while (this.#writeQueue.busy);
  }

  /** How many different people are in a room, wherever they are connected. */
  countIn(name: string): number {
    const room = this.#rooms.get(name);
    return room ? room.members.count : new Set([...this.#remotePresence.membersIn(name)].map(({ user }) => user)).size;
  }

  /** Whether nothing new is taken any more, because the server is to stop. */
  get draining(): boolean {
    return this.#draining;
  }

  /**
   * Takes nothing new, waits until what was taken has been kept and told, though not for ever, and sends everyone away to
   * come back.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    await withTimeout(this.clock, DRAIN_PATIENCE, this.settled(), () => {});
    for (const { connection } of [...this.#sessions]) connection.close(CLOSE.restarting, "Restarting. Come back.");
  }

  /** Ends every session, and all that would still happen by itself. Others take its people for here a little longer. */
  close(): void {
    this.#remotePresence.leave();
    for (const session of this.#sessions) session.end();
    for (const room of this.#rooms.values()) room.dispose();
    this.users.dispose();
    this.#settingsSweep.stop();
    this.bans.dispose();
    this.sessionExpiry.dispose();
  }

  async #turn(): Promise<void> {
    const start = this.clock.monotonic();
    const isDue = this.#pacer.isDue;
    await this.#writeQueue.keepSome();
    let keepsPace = false;
    for (const room of this.#unflushed) {
      if (room.deferrable && !isDue) continue;
      this.#unflushed.delete(room);
      room.flush();
      keepsPace ||= room.deferrable;
    }
    // An answer to one comes after what all are told, which may wait for the pace.
    if (this.#unflushed.size === 0) this.#writeQueue.answer();
    if (this.#writeQueue.canGoOn || this.#unflushed.size > 0) this.#pacer.request(true);
    if (keepsPace) await this.#pacer.keepPace(start);
    this.counters.onTurn(this.clock.monotonic() - start);
  }

  *#here(): Generator<{ room: string; member: Member }> {
    for (const [room, { members }] of this.#rooms) for (const member of members.listHere()) yield { room, member };
  }

  #hear(signal: ClusterEvent): void {
    switch (signal.kind) {
      case "presence":
        return this.#remotePresence.hear(signal);
      case "typing":
        return this.#rooms.get(signal.room)?.tell({
          action: "typing",
          room: signal.room,
          user: signal.user,
          name: signal.name,
        }, signal.user);
      case "asked":
        executeRemoteCommand(this.users, signal);
        return;
      case "name_changed": {
        this.#remotePresence.rename(signal.user, signal.name);
        return this.#showName({ action: "name_changed", user: signal.user, name: signal.name, was: signal.was });
      }
      case "room_changed":
        return this.#rooms.get(signal.room)?.refreshSettings();
      case "bans_changed":
        return void this.bans.refresh();
    }
  }

  #sendBannedAway(): void {
    for (const session of this.#sessions) {
      try {
        if (session.person) this.bans.check(session.person.user, session.address);
      } catch (refusal) {
        // They are not coming back in a moment, as others are who lost a connection.
        for (const room of session.rooms) room.leave(session, false);
        session.connection.close(CLOSE.notAllowed, (refusal as ChatError).message);
      }
    }
  }

  /** Each connection hears it once, in however many rooms it meets that person. */
  #showName(frame: NameChanged, asker?: Session): void {
    this.users.renamed(frame);
    const hearers = new Set<Session>(this.users.find(frame.user)?.sessions);
    for (const room of this.#rooms.values()) {
      if (!room.members.has(frame.user)) continue;
      // Who came under the old name is told of first.
      room.flush();
      room.members.rename(frame.user, frame.name);
      for (const session of room.hearers()) hearers.add(session);
    }
    if (asker) hearers.delete(asker);
    const delivery = new EncodedFrames(frame);
    for (const session of hearers) session.connection.deliver(delivery);
  }
}
