import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import { MEMBERS_LISTED, type NameChanged, TYPING_SECONDS } from "../protocol.ts";
import { type PeoplePage, peoplePage } from "../rooms/people_page.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Room } from "../rooms/room.ts";
import type { ClusterEvent, HeldName, RemoteCommand, Storage } from "../storage.ts";
import type { Person, Subscriber } from "../subscriber.ts";
import type { Users } from "../users/users.ts";
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

  constructor(deps: ClusterDeps) {
    this.#deps = deps;
    deps.storage.onEvent((event) => this.#handle(event));
    deps.presence.start();
  }

  /** How many different people are in a room, wherever they are connected. */
  countIn(room: string): number {
    const { rooms, presence } = this.#deps;
    return rooms.find(room)?.members.count ?? new Set(presence.membersIn(room).map(({ user }) => user)).size;
  }

  /** A page of the people in a room, wherever they are connected, in the order of their ids. */
  peopleIn(room: string, after: string, limit: number): PeoplePage {
    const { rooms, presence } = this.#deps;
    return peoplePage(rooms.find(room)?.members ?? presence.membersIn(room), after, limit);
  }

  /** Whether somebody is connected to any isolate. Who is connected to another one counts if they are in a room. */
  isHere(user: string): boolean {
    return this.#deps.users.find(user) !== undefined || this.#deps.presence.has(user);
  }

  /** Tells everyone who sees this person their new name, except the connection that asked for it. */
  broadcastName({ user, name }: Person, was: string, asker?: Subscriber): void {
    this.#showName({ action: "name_changed", user, name, was }, asker);
    this.#deps.storage.publish({ kind: "name_changed", user, name, was });
  }

  /** Gives a person who was already connected here the name that the store holds for them now, and tells everyone. */
  syncName(person: Person, { name, chosen }: HeldName): void {
    if (person.name === name) return;
    const was = person.name;
    this.#deps.users.call(person, { name, chosen });
    this.broadcastName(person, was);
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

  /** Handles an event from another isolate. One of an unknown kind comes from a newer version, and changes nothing. */
  #handle(event: ClusterEvent): void {
    const { rooms } = this.#deps;
    switch (event.kind) {
      case "presence":
        return this.#deps.presence.handle(event);
      case "typing": {
        const { room, user, name } = event;
        return rooms.find(room)?.broadcast({ action: "typing", room, user, name }, user);
      }
      case "asked":
        return void this.#executeHere(event);
      case "name_changed": {
        const { user, name, was } = event;
        this.#deps.presence.rename(user, name);
        return this.#showName({ action: "name_changed", user, name, was });
      }
      case "room_changed":
        return rooms.find(event.room)?.refreshSettings();
      case "bans_changed":
        return this.#deps.bansChanged();
      default:
        event satisfies never;
    }
  }

  /** Tells each connection once, however many rooms it shares with that person. */
  #showName(frame: NameChanged, asker?: Subscriber): void {
    const { users, rooms } = this.#deps;
    users.renamed(frame);
    const recipients = new Set<Subscriber>(users.find(frame.user)?.sessions);
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
