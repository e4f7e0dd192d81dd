import type { Clock } from "../clock.ts";
import {
  type Member,
  type MemberJoined,
  type MemberLeft,
  MEMBERS_LISTED,
  type NameChanged,
  type RoomCount,
} from "../protocol.ts";
import { withItem } from "../shared_json.ts";

/** A person who lost their last connection leaves after this, milliseconds: most reconnect before anyone notices. */
export const DISCONNECT_GRACE = 5_000;
/** With fewer people than this a crowded room lists its members again; the distance to 100 keeps it from flapping. */
const CROWD_OVER = 80;
/** Least time between two `room_count`, milliseconds. */
export const COUNT_INTERVAL = 1_000;

interface MemberState extends Member {
  /** How many connections of this person are in the room on this isolate. */
  connections: number;
  /** To how many other isolates this person is connected, in this room. */
  remoteIsolates: number;
  /** Set after the last connection here was lost; cancels the leaving that follows. */
  cancelLeave?: () => void;
}

/** What a room does when its members change. */
interface MembersListener {
  changed(frame: MemberJoined | MemberLeft | NameChanged | RoomCount): void;
  /** The crowd is over: each change is sent again, and everyone needs the list from which the changes start. */
  relist(): void;
  /** A person is now connected to this isolate, or no longer is, or has another name; they may be connected to others. */
  localChanged(user: string): void;
  /** Nobody is connected to this isolate any more. */
  empty(): void;
}

/** The people in one room, on all isolates. One person is one member, however many connections they have. */
export class Members {
  readonly #room: string;
  readonly #clock: Clock;
  readonly #listener: MembersListener;
  readonly #members = new Map<string, MemberState>();
  /** The members that are listed, as long as these are known. */
  #list: Member[] | undefined;
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

  /** Different people who are connected to this isolate, or expected back. */
  get localCount(): number {
    return this.#localCount;
  }

  has(user: string): boolean {
    return this.#members.has(user);
  }

  /** Whether a person is connected to another isolate. */
  isElsewhere(user: string): boolean {
    return (this.#members.get(user)?.remoteIsolates ?? 0) > 0;
  }

  /** The first `MEMBERS_LISTED`: the same list, which must not be changed, until it is another one. */
  list(): Member[] {
    return this.#list ??= [...this.#members.values().take(MEMBERS_LISTED).map(({ user, name }) => ({ user, name }))];
  }

  /** Everyone, in any order. */
  [Symbol.iterator](): Iterator<Member> {
    return this.#members.values();
  }

  /** All who are connected to this isolate, or expected back. */
  *localMembers(): Generator<Member> {
    for (const member of this.#members.values()) if (isLocal(member)) yield { user: member.user, name: member.name };
  }

  /** This person, if they are connected to this isolate, or expected back. */
  localMember(user: string): Member | undefined {
    const member = this.#members.get(user);
    return member && isLocal(member) ? member : undefined;
  }

  /** Adds a connection of a person. */
  join(person: Member): void {
    const member = this.#findOrAdd(person);
    // Who comes here has just been given the name by the store; another isolate may have told an older one.
    this.#call(member, person.name);
    if (member.connections++ > 0) return;
    if (member.cancelLeave) {
      member.cancelLeave();
      member.cancelLeave = undefined;
    } else {
      this.#localCount++;
      this.#listener.localChanged(member.user);
    }
  }

  /** Removes a connection. With the last one its person leaves: at once, or after a grace period if it was lost. */
  leave(user: string, lost: boolean): void {
    const member = this.#members.get(user);
    if (!member || member.connections === 0 || --member.connections > 0) return;
    if (lost) member.cancelLeave = this.#clock.after(DISCONNECT_GRACE, () => this.#leaveHere(member));
    else this.#leaveHere(member);
  }

  /** A person is connected to one more of the other isolates. */
  joinRemote(person: Member): void {
    this.#findOrAdd(person).remoteIsolates++;
    this.renameRemote(person);
  }

  /**
   * Another isolate says what a person is called who is connected there. Mostly that is known: what tells everyone of a
   * new name may come before its person does, or get lost. Of who is connected here the name is known better.
   */
  renameRemote({ user, name }: Member): void {
    const member = this.#members.get(user);
    if (member && !isLocal(member)) this.#call(member, name);
  }

  /** A person is connected to one fewer of the other isolates. */
  leaveRemote(user: string): void {
    const member = this.#members.get(user);
    if (!member || member.remoteIsolates === 0) return;
    member.remoteIsolates--;
    this.#removeIfGone(member);
  }

  /** Notes a new name, which the caller has told everyone. */
  rename(user: string, name: string): void {
    const member = this.#members.get(user);
    if (!member) return;
    member.name = name;
    this.#list = undefined;
    if (isLocal(member)) this.#listener.localChanged(user);
  }

  /** Stops all timers. */
  dispose(): void {
    for (const { cancelLeave } of this.#members.values()) cancelLeave?.();
    this.#cancelCount?.();
  }

  #findOrAdd({ user, name }: Member): MemberState {
    let member = this.#members.get(user);
    if (!member) {
      this.#members.set(user, member = { user, name, connections: 0, remoteIsolates: 0 });
      if (this.#list && this.#list.length < MEMBERS_LISTED) this.#list = withItem(this.#list, { user, name });
      this.#change({ action: "member_joined", room: this.#room, user, name });
    }
    return member;
  }

  #call(member: MemberState, name: string): void {
    const { user, name: was } = member;
    if (was === name) return;
    member.name = name;
    this.#list = undefined;
    this.#listener.changed({ action: "name_changed", user, name, was });
  }

  #leaveHere(member: MemberState): void {
    member.cancelLeave = undefined;
    this.#localCount--;
    this.#listener.localChanged(member.user);
    this.#removeIfGone(member);
    if (this.#localCount === 0) this.#listener.empty();
  }

  #removeIfGone(member: MemberState): void {
    const { user, name, remoteIsolates } = member;
    if (isLocal(member) || remoteIsolates > 0) return;
    this.#members.delete(user);
    this.#list = undefined;
    this.#change({ action: "member_left", room: this.#room, user, name });
  }

  /** Up to a hundred people each change is sent; above that only a count, so that arrivals don't multiply. */
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

function isLocal({ connections, cancelLeave }: MemberState): boolean {
  return connections > 0 || cancelLeave !== undefined;
}
