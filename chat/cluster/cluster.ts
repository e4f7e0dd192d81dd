import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import { MEMBERS_LISTED, type NameChanged, TYPING_SECONDS } from "../protocol.ts";
import type { Members } from "../rooms/members.ts";
import { peoplePage } from "../rooms/people_page.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Room } from "../rooms/room.ts";
import type { ClusterEvent, HeldName, RemoteCommand, Storage } from "../storage.ts";
import type { Person, Subscriber } from "../subscriber.ts";
import type { Users } from "../users/users.ts";
import { type CountedPage, Questions } from "./questions.ts";
import type { RemotePresence } from "./remote_presence.ts";

/** What the cluster works on. */
interface ClusterDeps {
  storage: Pick<Storage, "publish" | "onEvent">;
  clock: Clock;
  rooms: RoomRegistry;
  users: Users;
  presence: RemotePresence;
  /** The bans have changed. */
  bansChanged(): void;
}

/**
 * What happens beside the log: typing, names, leaving. It is done on this isolate, published to all others as an event,
 * and done on this isolate when such an event comes from another one.
 */
export class Cluster {
  readonly #deps: ClusterDeps;
  readonly #questions: Questions;

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    this.#questions = new Questions(deps);
    deps.storage.onEvent((event) => this.#handle(event));
    deps.presence.start();
  }

  /** How many different people are in each room, wherever they are connected; `COUNTS_MAX_AGE` old at most. */
  async countsIn(names: readonly string[]): Promise<(room: string) => number> {
    const elsewhere = names.filter((name) => !this.#membersHere(name));
    const counts = elsewhere.length > 0 ? await this.#questions.counts(elsewhere) : undefined;
    return (room) => this.#membersHere(room)?.count ?? counts?.get(room) ?? 0;
  }

  /** A page of the people in a room, wherever they are connected, in the order of their ids, and how many there are. */
  async peopleIn(room: string, after: string, limit: number): Promise<CountedPage> {
    const members = this.#membersHere(room);
    if (!members) return await this.#questions.people(room, after, limit);
    return { ...peoplePage(members, after, limit), count: members.count };
  }

  /** Whether somebody is connected to any isolate. */
  async isHere(user: string): Promise<boolean> {
    if (this.#deps.users.find(user)) return true;
    // Not who was connected here a moment ago: they may never come back, as without their cookie.
    for (const { members } of this.#deps.rooms) if (members.isElsewhere(user)) return true;
    return await this.#questions.isElsewhere(user);
  }

  /** Tells everyone who sees this person their new name, except the connection that asked for it. */
  broadcastName({ user, name }: Person, was: string, asker?: Subscriber): void {
    this.#showName({ action: "name_changed", user, name, was }, asker);
    this.#deps.storage.publish({ kind: "name_changed", user, name, was });
  }

  /**
   * Gives a person who was already connected here the name that the store holds for them now, and tells everyone but
   * their newest connection, whose welcome says it.
   */
  syncName(person: Person, { name, chosen }: HeldName, newest: Subscriber): void {
    if (person.name === name) return;
    const was = person.name;
    this.#deps.users.call(person, { name, chosen });
    this.broadcastName(person, was, newest);
  }

  /**
   * Shows the name that a person was given on another isolate. Whoever is connected here too may have got another one
   * here at the same time; which one came last, only the store knows.
   */
  renamedElsewhere(change: Omit<NameChanged, "action">): void {
    if (!this.#deps.users.find(change.user)) return this.#showName({ action: "name_changed", ...change });
    this.#showStoredName(change).catch((error) => console.error("a new name could not be shown:", error));
  }

  /** Tells the others in a room that a person is typing, at most every `TYPING_SECONDS` and not in a crowd. */
  broadcastTyping(room: Room, person: Person): void {
    const now = this.#deps.clock.now();
    if (room.members.count > MEMBERS_LISTED || Math.abs(now - person.typedAt) < TYPING_SECONDS * 1000) return;
    person.typedAt = now;
    const { user, name } = person;
    room.broadcast({ action: "typing", room: room.name, user, name }, user);
    this.#deps.storage.publish({ kind: "typing", room: room.name, user, name });
  }

  /** Executes what a person asks for their own connections, on whichever isolate they are. */
  execute(command: RemoteCommand): void {
    if (!this.#executeHere(command)) this.#deps.storage.publish({ kind: "asked", ...command });
  }

  /** @returns whether the other isolates have nothing to do for it */
  #executeHere(command: RemoteCommand): boolean {
    const { user, room } = command;
    const person = this.#deps.users.find(user);
    const sessions = [...person?.sessions ?? []].filter((session) => session.rooms.has(room));
    switch (command.asked) {
      case "typing":
        if (sessions.length > 0) this.broadcastTyping(this.#deps.rooms.find(room)!, person!);
        return sessions.length > 0;
      case "leave":
        for (const session of sessions) {
          const { stream } = session.connection;
          if (stream !== undefined && (command.stream ?? stream) === stream) session.leaveRoom(room);
        }
        return false;
      default:
        command satisfies never;
        return false;
    }
  }

  /** The members of a room that somebody is in here. They know those on other instances, unlike one just opened. */
  #membersHere(room: string): Members | undefined {
    const members = this.#deps.rooms.find(room)?.members;
    return members?.localCount ? members : undefined;
  }

  /** Handles an event from another isolate. One of an unknown kind comes from a newer version, and changes nothing. */
  #handle(event: ClusterEvent): void {
    const { rooms } = this.#deps;
    switch (event.kind) {
      case "presence":
        return this.#deps.presence.handle(event);
      case "question":
        this.#deps.presence.heard(event.from);
        return this.#questions.answer(event);
      case "answer":
        this.#deps.presence.heard(event.from);
        return this.#questions.take(event);
      case "typing": {
        const { room, user, name } = event;
        return rooms.find(room)?.broadcast({ action: "typing", room, user, name }, user);
      }
      case "asked":
        return void this.#executeHere(event);
      case "name_changed": {
        const { user, name, was } = event;
        return this.renamedElsewhere({ user, name, was });
      }
      case "room_changed":
        return rooms.find(event.room)?.refreshSettings();
      case "bans_changed":
        return this.#deps.bansChanged();
      default:
        event satisfies never;
    }
  }

  /** @param change what is shown if the store does not answer, or the person has left meanwhile */
  async #showStoredName(change: Omit<NameChanged, "action">): Promise<void> {
    const { users } = this.#deps;
    const { user } = change;
    let shown = users.find(user)?.name;
    while (shown !== undefined) {
      // Without an answer, what was heard is all that is known.
      const { name } = await users.resolveName(user).catch(() => change);
      const was = shown;
      shown = users.find(user)?.name;
      // If they were renamed here meanwhile, the answer may be older than that.
      if (was !== shown) continue;
      if (name !== was) this.#showName({ action: "name_changed", user, name, was });
      return;
    }
    this.#showName({ action: "name_changed", ...change });
  }

  /** Tells each connection once, however many rooms it shares with that person. */
  #showName(frame: NameChanged, asker?: Subscriber): void {
    const { users, rooms } = this.#deps;
    users.renamed(frame);
    const recipients = new Set<Subscriber>(users.find(frame.user)?.sessions);
    for (const session of recipients) session.greet();
    for (const room of rooms) {
      if (!room.members.has(frame.user)) continue;
      // An arrival under the old name that is still waiting goes out first.
      room.flush();
      room.members.rename(frame.user, frame.name);
      for (const session of room.recipients()) recipients.add(session);
    }
    if (asker) recipients.delete(asker);
    const delivery = new EncodedFrames(frame);
    for (const session of recipients) session.connection.deliver(delivery);
  }
}
