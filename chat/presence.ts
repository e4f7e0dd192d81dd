import type { Clock } from "./clock.ts";
import { type Member, type MemberJoined, type MemberLeft, MEMBERS_LISTED, type RoomCount } from "./protocol.ts";

/** Who lost the last socket is gone only after this, milliseconds: a reconnect is no news. */
export const LINGER = 5_000;
/** With fewer people than this a crowded room lists its members again; the distance to 100 keeps it from flapping. */
export const CROWD_OVER = 80;
/** Least time between two `room_count`, milliseconds. */
export const COUNT_INTERVAL = 1_000;

interface Presence extends Member {
  /** How many sessions of this person are in the room. */
  sessions: number;
  stayAfterAll?: () => void;
}

/** What a room does with the news of who is in it. */
export interface PresenceListener {
  changed(frame: MemberJoined | MemberLeft | RoomCount): void;
  /** The crowd is over: from here on each change is told again, and everyone needs the list that they start from. */
  listAgain(): void;
  /** The last one has left. */
  empty(): void;
}

/** The people in one room. One person is one member, however many sockets they have. */
export class Members {
  readonly #room: string;
  readonly #clock: Clock;
  readonly #listener: PresenceListener;
  readonly #here = new Map<string, Presence>();
  #crowded = false;
  #countDue: (() => void) | undefined;

  constructor(room: string, clock: Clock, listener: PresenceListener) {
    this.#room = room;
    this.#clock = clock;
    this.#listener = listener;
  }

  get count(): number {
    return this.#here.size;
  }

  has(user: string): boolean {
    return this.#here.has(user);
  }

  /** The first hundred. */
  list(): Member[] {
    const members: Member[] = [];
    for (const { user, name } of this.#here.values()) {
      if (members.push({ user, name }) === MEMBERS_LISTED) break;
    }
    return members;
  }

  /** One more session of a person has come. */
  enter({ user, name }: Member): void {
    const presence = this.#here.get(user);
    if (presence) {
      presence.sessions++;
      presence.stayAfterAll?.();
      presence.stayAfterAll = undefined;
    } else {
      this.#here.set(user, { user, name, sessions: 1 });
      this.#change({ action: "member_joined", room: this.#room, user, name });
    }
  }

  /** One session of a person has gone. With the last one they have left: now, or after a while if it just got lost. */
  leave(user: string, lost: boolean): void {
    const presence = this.#here.get(user);
    if (!presence || --presence.sessions > 0) return;
    if (lost) presence.stayAfterAll = this.#clock.after(LINGER, () => this.#remove(presence));
    else this.#remove(presence);
  }

  rename(user: string, name: string): void {
    const presence = this.#here.get(user);
    if (presence) presence.name = name;
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    for (const presence of this.#here.values()) presence.stayAfterAll?.();
    this.#countDue?.();
  }

  #remove({ user, name }: Presence): void {
    this.#here.delete(user);
    this.#change({ action: "member_left", room: this.#room, user, name });
    if (this.count === 0) this.#listener.empty();
  }

  /** Up to a hundred people each change is told; above it a count stands in, so that arrivals don't multiply. */
  #change(frame: MemberJoined | MemberLeft): void {
    if (this.count > MEMBERS_LISTED) this.#crowded = true;
    if (!this.#crowded) return this.#listener.changed(frame);
    if (this.count < CROWD_OVER) {
      this.#crowded = false;
      return this.#listener.listAgain();
    }
    this.#countDue ??= this.#clock.after(COUNT_INTERVAL, () => {
      this.#countDue = undefined;
      if (this.#crowded) this.#listener.changed({ action: "room_count", room: this.#room, count: this.count });
    });
  }
}
