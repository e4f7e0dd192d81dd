import type { Clock } from "../clock.ts";
import { type Member, type MemberJoined, type MemberLeft, MEMBERS_LISTED, type RoomCount } from "../protocol.ts";

/** Who lost the last socket is gone only after this, milliseconds: a reconnect is no news. */
export const DISCONNECT_GRACE = 5_000;
/** With fewer people than this a crowded room lists its members again; the distance to 100 keeps it from flapping. */
export const CROWD_OVER = 80;
/** Least time between two `room_count`, milliseconds. */
export const COUNT_INTERVAL = 1_000;

interface Presence extends Member {
  /** How many sessions of this person are in the room on this isolate. */
  sessions: number;
  /** How many other isolates and machines hold this person in the room. */
  remotePresence: number;
  /** The last session here was lost a moment ago; takes back that this isolate lets go of the person. */
  stayAfterAll?: () => void;
}

/** What a room does with the news of who is in it. */
export interface MembersListener {
  changed(frame: MemberJoined | MemberLeft | RoomCount): void;
  /** The crowd is over: from here on each change is told again, and everyone needs the list that they start from. */
  listAgain(): void;
  /** This isolate has come to hold a person whom it did not hold before. */
  held(user: string, name: string): void;
  /** This isolate holds a person no more; others may. */
  released(user: string): void;
  /** The last one whom this isolate held has left. */
  empty(): void;
}

/**
 * The people in one room, wherever they are connected. One person is one member, however many sockets they have, and on
 * however many machines.
 */
export class Members {
  readonly #room: string;
  readonly #clock: Clock;
  readonly #listener: MembersListener;
  readonly #here = new Map<string, Presence>();
  #heldHere = 0;
  #crowded = false;
  #countDue: (() => void) | undefined;

  constructor(room: string, clock: Clock, listener: MembersListener) {
    this.#room = room;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Different people. */
  get count(): number {
    return this.#here.size;
  }

  /** Those whom this isolate holds, the ones expected back among them. */
  get heldHere(): number {
    return this.#heldHere;
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

  /** All whom this isolate holds. */
  *listHere(): Generator<Member> {
    for (const { user, name, sessions, stayAfterAll } of this.#here.values()) {
      if (sessions > 0 || stayAfterAll) yield { user, name };
    }
  }

  /** One more session of a person has come. */
  enter(member: Member): void {
    const presence = this.#find(member);
    if (presence.sessions++ > 0) return;
    if (presence.stayAfterAll) {
      presence.stayAfterAll();
      presence.stayAfterAll = undefined;
    } else {
      this.#heldHere++;
      this.#listener.held(presence.user, presence.name);
    }
  }

  /** One session of a person has gone. With the last one they have left: now, or after a while if it just got lost. */
  leave(user: string, lost: boolean): void {
    const presence = this.#here.get(user);
    if (!presence || presence.sessions === 0 || --presence.sessions > 0) return;
    if (lost) presence.stayAfterAll = this.#clock.after(DISCONNECT_GRACE, () => this.#release(presence));
    else this.#release(presence);
  }

  /** One more of the others holds a person. */
  holdElsewhere(member: Member): void {
    this.#find(member).remotePresence++;
  }

  /** One of the others holds a person no more. */
  releaseElsewhere(user: string): void {
    const presence = this.#here.get(user);
    if (!presence || presence.remotePresence === 0) return;
    presence.remotePresence--;
    this.#removeIfNowhere(presence);
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

  /** Whoever is not here yet has come. */
  #find({ user, name }: Member): Presence {
    let presence = this.#here.get(user);
    if (!presence) {
      this.#here.set(user, presence = { user, name, sessions: 0, remotePresence: 0 });
      this.#change({ action: "member_joined", room: this.#room, user, name });
    }
    return presence;
  }

  #release(presence: Presence): void {
    presence.stayAfterAll = undefined;
    this.#heldHere--;
    this.#listener.released(presence.user);
    this.#removeIfNowhere(presence);
    if (this.#heldHere === 0) this.#listener.empty();
  }

  #removeIfNowhere({ user, name, sessions, stayAfterAll, remotePresence }: Presence): void {
    if (sessions > 0 || stayAfterAll || remotePresence > 0) return;
    this.#here.delete(user);
    this.#change({ action: "member_left", room: this.#room, user, name });
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
