import type { AddressAccount } from "./limits/usage.ts";
import { Bans } from "./moderation/bans.ts";
import type { Clock } from "./clock.ts";
import { type Connection, Delivery } from "./encoded_frames.ts";
import { Elsewhere } from "./cluster/remote_presence.ts";
import { Doorkeeper } from "./limits/rate_limiter.ts";
import { hearAsked } from "./commands.ts";
import { Keeping } from "./pipeline/write_queue.ts";
import { NO_LIMITS } from "./limits/token_bucket.ts";
import type { Asked, Draft, Engine, HeldName, Outcome, RoomSettings, Signal } from "./storage.ts";
import { Meter } from "./pipeline/counters.ts";
import { People, type Person } from "./users/users.ts";
import { CLOSE, type Limits, type Member, type NameChanged } from "./protocol.ts";
import { Refusal } from "./errors.ts";
import { Room } from "./rooms/room.ts";
import { Session } from "./session.ts";
import { SettingsSweep } from "./rooms/settings_sweep.ts";
import { SlowMode } from "./limits/slow_mode.ts";
import { Tick } from "./pipeline/pacer.ts";
import { Expiries } from "./users/session_expiry.ts";

/** Seconds after which a room may be tried again that there was no place for. */
const CROWDED_RETRY = 60;
/** How long a server that is to stop waits for a store that does not answer, milliseconds: it has five seconds in all. */
export const DRAIN_PATIENCE = 1_500;
/** What a lobby is made of. */
export interface LobbyOptions {
  engine: Engine;
  limits: Limits;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  /** See `Bans`; absent: no address is ever banned. */
  hashAddress?: (addressKey: string) => string | undefined;
  /** Absent: there are no limits. */
  doorkeeper?: Doorkeeper;
}

/** Everyone and everything that this isolate holds: the people, their sessions, the rooms, and what waits for the log. */
export class Lobby {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly people: People;
  readonly bans: Bans;
  readonly slowMode: SlowMode;
  readonly expiries: Expiries;
  readonly doorkeeper: Doorkeeper;
  readonly meter = new Meter();
  readonly #engine: Engine;
  readonly #rooms = new Map<string, Room>();
  readonly #settingsSweep: SettingsSweep;
  readonly #sessions = new Set<Session>();
  readonly #elsewhere: Elsewhere;
  readonly #tick: Tick;
  readonly #keeping: Keeping;
  readonly #unflushed = new Set<Room>();
  #draining = false;

  constructor(options: LobbyOptions) {
    const { engine, limits, clock, random, hashAddress = () => undefined } = options;
    this.clock = clock;
    this.limits = limits;
    this.doorkeeper = options.doorkeeper ?? new Doorkeeper(NO_LIMITS, clock);
    this.#engine = engine;
    this.people = new People(engine, clock, random);
    this.bans = new Bans(engine, clock, hashAddress, () => this.#sendBannedAway());
    this.slowMode = new SlowMode(clock, (draft) => this.append(draft));
    this.expiries = new Expiries(clock);
    this.#settingsSweep = new SettingsSweep(this.#rooms, clock);
    this.#keeping = new Keeping({
      log: engine,
      clock,
      meter: this.meter,
      sizeOf: (room) => this.#rooms.get(room)?.size ?? 0,
      keptLate: () => this.#tick.request(),
    });
    this.#tick = new Tick(clock, () => this.#turn());
    this.#elsewhere = new Elsewhere(clock, (signal) => engine.signal(signal), {
      held: (room, member) => this.#rooms.get(room)?.members.holdElsewhere(member),
      released: (room, user) => this.#rooms.get(room)?.members.releaseElsewhere(user),
      here: () => this.#here(),
    });
    engine.onSignal((signal) => this.#hear(signal));
    this.#elsewhere.start();
  }

  /** How many are here now: connections through every door, the people they belong to, and the rooms they are in. */
  get occupancy(): { connections: number; people: number; rooms: number } {
    return { connections: this.#sessions.size, people: this.people.count, rooms: this.#rooms.size };
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
   * @throws {Refusal} `too_many_rooms`
   */
  room(name: string, opener?: AddressAccount): Room {
    let room = this.#rooms.get(name);
    if (!room) {
      if (!this.doorkeeper.hasPlaceForRoom(this.#rooms.size, opener)) {
        throw new Refusal("too_many_rooms", "Nothing more can be opened here for now. Come back later.", CROWDED_RETRY);
      }
      room = new Room(name, {
        log: this.#engine,
        moderation: this.#engine,
        clock: this.clock,
        requestFlush: (room) => {
          this.#unflushed.add(room);
          this.#tick.request(room.patient);
        },
        forget: (room) => {
          this.#rooms.delete(room.name);
          if (opener) opener.rooms--;
        },
        announce: (room, user, name) => this.#elsewhere.announce(room.name, user, name),
        heldElsewhere: (room) => this.#elsewhere.membersIn(room),
      });
      this.#rooms.set(name, room);
      this.#settingsSweep.start();
      if (opener) opener.rooms++;
    }
    return room;
  }

  /** What moderators have set for a room, also for one that nobody is in. @throws {Refusal} `unavailable` */
  async settingsOf(name: string): Promise<RoomSettings> {
    return await (this.#rooms.get(name)?.readSettings() ?? this.#engine.roomSettings(name));
  }

  /**
   * Has a draft kept, together with all others that wait. Members, the author among them, have been told of what was
   * kept when this resolves.
   * @throws {Refusal} `unavailable`, or `rate_limited` when more is said than can be passed on
   */
  append(draft: Draft): Promise<Outcome> {
    const waited = this.#keeping.add(draft);
    this.#tick.request(this.#rooms.get(draft.room)?.patient);
    return waited;
  }

  /** A person who is here already has come again under another name: theirs was changed elsewhere. */
  callAs(person: Person, { name, chosen }: HeldName): void {
    if (person.name === name) return;
    const was = person.name;
    Object.assign(person, { name, chosen });
    this.tellName(person, was);
  }

  /** Tells everyone who sees this person what they are called now, but for the connection that asked for it. */
  tellName({ user, name }: Person, was: string, asker?: Session): void {
    this.#showName({ action: "name_changed", user, name, was }, asker);
    this.#engine.signal({ kind: "name_changed", user, name, was });
  }

  tellTyping(room: Room, { user, name }: Person): void {
    room.tell({ action: "typing", room: room.name, user, name }, user);
    this.#engine.signal({ kind: "typing", room: room.name, user, name });
  }

  /** Does what a person asked about their connections, which may be here or elsewhere. */
  ask(asked: Asked): void {
    if (!hearAsked(this.people, asked)) this.#engine.signal({ kind: "asked", ...asked });
  }

  /** Resolves when all that was said so far has been kept and told; under unbroken load that may be never. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => this.clock.soon(resolve));
    do {
      await this.#keeping.settled();
      await this.#tick.settled();
    } while (this.#keeping.busy);
  }

  /** How many different people are in a room, wherever they are connected. */
  countIn(name: string): number {
    const room = this.#rooms.get(name);
    return room ? room.members.count : new Set([...this.#elsewhere.membersIn(name)].map(({ user }) => user)).size;
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
    let cancel = () => {};
    const patience = new Promise<void>((resolve) => cancel = this.clock.after(DRAIN_PATIENCE, resolve));
    await Promise.race([this.settled(), patience]);
    cancel();
    for (const { connection } of [...this.#sessions]) connection.close(CLOSE.restarting, "Restarting. Come back.");
  }

  /** Ends every session, and all that would still happen by itself. Others take its people for here a little longer. */
  close(): void {
    this.#elsewhere.leave();
    for (const session of this.#sessions) session.end();
    for (const room of this.#rooms.values()) room.dispose();
    this.people.dispose();
    this.#settingsSweep.stop();
    this.bans.dispose();
    this.expiries.dispose();
  }

  async #turn(): Promise<void> {
    const start = this.clock.monotonic();
    const isDue = this.#tick.isDue;
    await this.#keeping.keepSome();
    let keepsPace = false;
    for (const room of this.#unflushed) {
      if (room.patient && !isDue) continue;
      this.#unflushed.delete(room);
      room.flush();
      keepsPace ||= room.patient;
    }
    // An answer to one comes after what all are told, which may wait for the pace.
    if (this.#unflushed.size === 0) this.#keeping.answer();
    if (this.#keeping.canGoOn || this.#unflushed.size > 0) this.#tick.request(true);
    if (keepsPace) await this.#tick.keepPace(start);
    this.meter.onTurn(this.clock.monotonic() - start);
  }

  *#here(): Generator<{ room: string; member: Member }> {
    for (const [room, { members }] of this.#rooms) for (const member of members.listHere()) yield { room, member };
  }

  #hear(signal: Signal): void {
    switch (signal.kind) {
      case "presence":
        return this.#elsewhere.hear(signal);
      case "typing":
        return this.#rooms.get(signal.room)?.tell({
          action: "typing",
          room: signal.room,
          user: signal.user,
          name: signal.name,
        }, signal.user);
      case "asked":
        hearAsked(this.people, signal);
        return;
      case "name_changed": {
        this.#elsewhere.rename(signal.user, signal.name);
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
        session.connection.close(CLOSE.notAllowed, (refusal as Refusal).message);
      }
    }
  }

  /** Each connection hears it once, in however many rooms it meets that person. */
  #showName(frame: NameChanged, asker?: Session): void {
    this.people.renamed(frame);
    const hearers = new Set<Session>(this.people.find(frame.user)?.sessions);
    for (const room of this.#rooms.values()) {
      if (!room.members.has(frame.user)) continue;
      // Who came under the old name is told of first.
      room.flush();
      room.members.rename(frame.user, frame.name);
      for (const session of room.hearers()) hearers.add(session);
    }
    if (asker) hearers.delete(asker);
    const delivery = new Delivery(frame);
    for (const session of hearers) session.connection.deliver(delivery);
  }
}
