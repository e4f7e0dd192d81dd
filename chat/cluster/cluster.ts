import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import { MEMBERS_LISTED, type NameChanged, TYPING_SECONDS } from "../protocol.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Room } from "../rooms/room.ts";
import type { ClusterEvent, HeldName, RemoteCommand, Storage } from "../storage.ts";
import type { Person, Subscriber } from "../subscriber.ts";
import type { Users } from "../users/users.ts";
import type { RemotePresence } from "./remote_presence.ts";

/** What the cluster works on. */
export interface ClusterDeps {
  storage: Pick<Storage, "publish" | "onEvent">;
  clock: Clock;
  rooms: RoomRegistry;
  users: Users;
  presence: RemotePresence;
  /** Somebody else may be banned by now. */
  bansChanged(): void;
}

/**
 * What happens beside the log, wherever people are connected: it is done here, sent to the other isolates and machines as
 * an event, and done here when such an event comes from them.
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

  /** Tells everyone who sees this person their new name, but for the connection that asked for it. */
  broadcastName({ user, name }: Person, was: string, asker?: Subscriber): void {
    this.#showName({ action: "name_changed", user, name, was }, asker);
    this.#deps.storage.publish({ kind: "name_changed", user, name, was });
  }

  /** A person who is connected here has connected again under another name: it was changed elsewhere. */
  syncName(person: Person, { name, chosen }: HeldName): void {
    if (person.name === name) return;
    const was = person.name;
    Object.assign(person, { name, chosen });
    this.broadcastName(person, was);
  }

  /** Tells the others in a room that a person is typing, though not too often and not to a crowd. */
  broadcastTyping(room: Room, person: Person): void {
    const now = this.#deps.clock.now();
    if (room.members.count > MEMBERS_LISTED || Math.abs(now - person.typedAt) < TYPING_SECONDS * 1000) return;
    person.typedAt = now;
    const { user, name } = person;
    room.broadcast({ action: "typing", room: room.name, user, name }, user);
    this.#deps.storage.publish({ kind: "typing", room: room.name, user, name });
  }

  /** Executes what a person asks of their own connections, which may be here or elsewhere. */
  execute(command: RemoteCommand): void {
    if (!this.#executeHere(command)) this.#deps.storage.publish({ kind: "asked", ...command });
  }

  /** @returns whether that was all there was to do */
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

  /** An event from another isolate. A kind that this version does not know changes nothing. */
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

  /** Each connection is told once, in however many rooms it meets that person. */
  #showName(frame: NameChanged, asker?: Subscriber): void {
    const { users, rooms } = this.#deps;
    users.renamed(frame);
    const recipients = new Set<Subscriber>(users.find(frame.user)?.sessions);
    for (const room of rooms) {
      if (!room.members.has(frame.user)) continue;
      // Whoever came under the old name is announced first.
      room.flush();
      room.members.rename(frame.user, frame.name);
      for (const session of room.recipients()) recipients.add(session);
    }
    if (asker) recipients.delete(asker);
    const delivery = new EncodedFrames(frame);
    for (const session of recipients) session.connection.deliver(delivery);
  }
}
