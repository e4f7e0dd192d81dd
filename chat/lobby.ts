import type { Clock } from "./clock.ts";
import { type Connection, Delivery } from "./delivery.ts";
import type { Draft, Engine, Outcome, Signal } from "./log.ts";
import { People, type Person } from "./people.ts";
import { type Limits, type NameChanged } from "./protocol.ts";
import { Refusal } from "./refusal.ts";
import { Room } from "./room.ts";
import { Session } from "./session.ts";
import { Tick } from "./tick.ts";

/** Drafts that may wait for the store; what comes on top is refused, so that a stalled store can't fill the memory. */
export const DRAFTS_WAITING = 10_000;

/** UTF-16 units of text that one turn keeps and sends, at least one message: far below what makes a slow reader. */
const TURN_LENGTH = 32 * 1024;

interface Waiting {
  draft: Draft;
  resolve(outcome: Outcome): void;
  reject(reason: unknown): void;
}

/** Everyone and everything that this isolate holds: the people, their sessions, the rooms, and what waits for the log. */
export class Lobby {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly people: People;
  readonly #engine: Engine;
  readonly #rooms = new Map<string, Room>();
  readonly #sessions = new Set<Session>();
  readonly #tick: Tick;
  #drafts: Waiting[] = [];
  #unflushed = new Set<Room>();

  /** @param random in [0, 1) */
  constructor(engine: Engine, limits: Limits, clock: Clock, random: () => number) {
    this.clock = clock;
    this.limits = limits;
    this.#engine = engine;
    this.people = new People(engine, clock, random);
    this.#tick = new Tick(clock, () => this.#turn());
    engine.onSignal((signal) => this.#hear(signal));
  }

  /** Begins a session for a connection that has just opened. */
  enter(connection: Connection): Session {
    const session = new Session(this, connection);
    this.#sessions.add(session);
    return session;
  }

  leave(session: Session): void {
    this.#sessions.delete(session);
  }

  /** The room of this (normalised) name. It is kept for as long as somebody is in it or on the way. */
  room(name: string): Room {
    let room = this.#rooms.get(name);
    if (!room) {
      room = new Room(name, {
        log: this.#engine,
        clock: this.clock,
        requestFlush: (room) => {
          this.#unflushed.add(room);
          this.#tick.request();
        },
        forget: (room) => this.#rooms.delete(room.name),
      });
      this.#rooms.set(name, room);
    }
    return room;
  }

  /**
   * Has a draft kept, together with all others that wait. Members, the author among them, have been told of what was
   * kept when this resolves.
   * @throws {Refusal} `unavailable`
   */
  append(draft: Draft): Promise<Outcome> {
    if (this.#drafts.length >= DRAFTS_WAITING) {
      throw new Refusal("unavailable", "Too much is waiting to be kept. Send it again in a moment.", 1);
    }
    this.#tick.request();
    return new Promise((resolve, reject) => this.#drafts.push({ draft, resolve, reject }));
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

  /** Resolves when all that was said so far has been kept and told; under unbroken load that may be never. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => this.clock.soon(resolve));
    await this.#tick.settled();
  }

  /** Ends every session, and all that would still happen by itself. */
  close(): void {
    for (const session of this.#sessions) session.end();
    for (const room of this.#rooms.values()) room.dispose();
    this.people.dispose();
  }

  async #turn(): Promise<void> {
    const waiting = this.#drafts.splice(0, draftsInTurn(this.#drafts));
    if (this.#drafts.length > 0) this.#tick.request();
    let settle: () => void = () => {};
    if (waiting.length > 0) {
      try {
        const outcomes = await this.#engine.append(waiting.map(({ draft }) => draft));
        settle = () => waiting.forEach(({ resolve }, at) => resolve(outcomes[at]));
      } catch (error) {
        settle = () => waiting.forEach(({ reject }) => reject(error));
      }
    }
    const rooms = this.#unflushed;
    this.#unflushed = new Set();
    for (const room of rooms) room.flush();
    settle();
  }

  #hear(signal: Signal): void {
    switch (signal.kind) {
      case "typing":
        return this.#rooms.get(signal.room)?.tell({
          action: "typing",
          room: signal.room,
          user: signal.user,
          name: signal.name,
        }, signal.user);
      case "name_changed": {
        const person = this.people.find(signal.user);
        if (person) person.name = signal.name;
        return this.#showName({ action: "name_changed", user: signal.user, name: signal.name, was: signal.was });
      }
    }
  }

  /** Each connection hears it once, in however many rooms it meets that person. */
  #showName(frame: NameChanged, asker?: Session): void {
    const hearers = new Set<Session>(this.people.find(frame.user)?.sessions);
    for (const room of this.#rooms.values()) {
      if (!room.has(frame.user)) continue;
      room.rename(frame.user, frame.name);
      for (const session of room.sessions) hearers.add(session);
    }
    if (asker) hearers.delete(asker);
    const delivery = new Delivery(frame);
    for (const session of hearers) session.connection.deliver(delivery);
  }
}

/** How many of the drafts that wait, from the first on, one turn takes. */
function draftsInTurn(drafts: Waiting[]): number {
  let length = 0;
  for (const [at, { draft }] of drafts.entries()) {
    if ("text" in draft) length += draft.text.length;
    if (length > TURN_LENGTH && at > 0) return at;
  }
  return drafts.length;
}
