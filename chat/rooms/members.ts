import type { Clock } from "../clock.ts";
import { type Member, type MemberJoined, type MemberLeft, MEMBERS_LISTED, type RoomCount } from "../protocol.ts";

/** A person who lost their last connection has left only after this, milliseconds: most reconnect, unseen by others. */
export const DISCONNECT_GRACE = 5_000;
/** With fewer people than this a crowded room lists its members again; the distance to 100 keeps it from flapping. */
export const CROWD_OVER = 80;
/** Least time between two `room_count`, milliseconds. */
export const COUNT_INTERVAL = 1_000;

interface MemberState extends Member {
  /** How many connections of this person are in the room on this isolate. */
  connections: number;
  /** How many other isolates and machines this person is connected to, in this room. */
  remoteIsolates: number;
  /** The last connection here was lost a moment ago; cancels that the person leaves for it. */
  cancelLeave?: () => void;
}

/** What a room does when its members change. */
export interface MembersListener {
  changed(frame: MemberJoined | MemberLeft | RoomCount): void;
  /** The crowd is over: from here on each change is told again, and everyone needs the list that they start from. */
  relist(): void;
  /** A person is connected to this isolate who was not before. */
  joined(user: string, name: string): void;
  /** A person is connected to this isolate no more; they may be to others. */
  left(user: string): void;
  /** Nobody is connected to this isolate any more. */
  empty(): void;
}

/**
 * The people in one room, wherever they are connected. One person is one member, however many connections they have, and
 * on however many machines.
 */
export class Members {
  readonly #room: string;
  readonly #clock: Clock;
  readonly #listener: MembersListener;
  readonly #members = new Map<string, MemberState>();
  #localCount = 0;
  #crowded = false;
  #cancelCount: (() => void) | undefined;

  constructor(room: string, clock: Clock, listener: MembersListener) {
    this.#room = room;
    this.#clock = clock;
    this.#listener = listener;
  }

  /** Different people. */
  get count(): number {
    return this.#members.size;
  }

  /** Different people who are connected to this isolate, those among them who are expected back. */
  get localCount(): number {
    return this.#localCount;
  }

  has(user: string): boolean {
    return this.#members.has(user);
  }

  /** The first hundred. */
  list(): Member[] {
    const members: Member[] = [];
    for (const { user, name } of this.#members.values()) {
      if (members.push({ user, name }) === MEMBERS_LISTED) break;
    }
    return members;
  }

  /** All who are connected to this isolate, or expected back. */
  *localMembers(): Generator<Member> {
    for (const { user, name, connections, cancelLeave } of this.#members.values()) {
      if (connections > 0 || cancelLeave) yield { user, name };
    }
  }

  /** One more connection of a person is in the room. */
  join(person: Member): void {
    const member = this.#findOrAdd(person);
    if (member.connections++ > 0) return;
    if (member.cancelLeave) {
      member.cancelLeave();
      member.cancelLeave = undefined;
    } else {
      this.#localCount++;
      this.#listener.joined(member.user, member.name);
    }
  }

  /** A connection has gone. With the last one its person has left: at once, or after a while if it was lost. */
  leave(user: string, lost: boolean): void {
    const member = this.#members.get(user);
    if (!member || member.connections === 0 || --member.connections > 0) return;
    if (lost) member.cancelLeave = this.#clock.after(DISCONNECT_GRACE, () => this.#leaveHere(member));
    else this.#leaveHere(member);
  }

  /** A person is connected to one more of the other isolates. */
  joinRemote(person: Member): void {
    this.#findOrAdd(person).remoteIsolates++;
  }

  /** A person is connected to one less of the other isolates. */
  leaveRemote(user: string): void {
    const member = this.#members.get(user);
    if (!member || member.remoteIsolates === 0) return;
    member.remoteIsolates--;
    this.#removeIfGone(member);
  }

  rename(user: string, name: string): void {
    const member = this.#members.get(user);
    if (member) member.name = name;
  }

  /** Stops all that would still happen by itself. */
  dispose(): void {
    for (const { cancelLeave } of this.#members.values()) cancelLeave?.();
    this.#cancelCount?.();
  }

  #findOrAdd({ user, name }: Member): MemberState {
    let member = this.#members.get(user);
    if (!member) {
      this.#members.set(user, member = { user, name, connections: 0, remoteIsolates: 0 });
      this.#change({ action: "member_joined", room: this.#room, user, name });
    }
    return member;
  }

  #leaveHere(member: MemberState): void {
    member.cancelLeave = undefined;
    this.#localCount--;
    this.#listener.left(member.user);
    this.#removeIfGone(member);
    if (this.#localCount === 0) this.#listener.empty();
  }

  #removeIfGone({ user, name, connections, cancelLeave, remoteIsolates }: MemberState): void {
    if (connections > 0 || cancelLeave || remoteIsolates > 0) return;
    this.#members.delete(user);
    this.#change({ action: "member_left", room: this.#room, user, name });
  }

  /** Up to a hundred people each change is told; above it a count stands in, so that arrivals don't multiply. */
  #change(frame: MemberJoined | MemberLeft): void {
    if (this.count > MEMBERS_LISTED) this.#crowded = true;
    if (!this.#crowded) return this.#listener.changed(frame);
    if (this.count < CROWD_OVER) {
      this.#crowded = false;
      return this.#listener.relist();
    }
    this.#cancelCount ??= this.#clock.after(COUNT_INTERVAL, () => {
      this.#cancelCount = undefined;
      if (this.#crowded) this.#listener.changed({ action: "room_count", room: this.#room, count: this.count });
    });
  }
}
