import type { RoomRegistry } from "../rooms/registry.ts";
import type { PresenceChange, PresenceUpdate } from "../storage.ts";
import { changeBytes, partsThatFit } from "./event_size.ts";

/** With so many heartbeats without a change the version is published once more: the last change may have got lost. */
const QUIET_HEARTBEATS = 2;

/**
 * The shares of this instance in its rooms, as others know them: what it has published about its own people, and what
 * it has not published yet. For the shares of the others see `RoomShares`.
 */
export class OwnShares {
  readonly #rooms: RoomRegistry;
  /** The number of the last published change in each room that somebody is in. */
  readonly #versions = new Map<string, number>();
  /** The last number, in whichever room: so none is used twice for a room that is opened again. */
  #lastVersion = 0;
  /** By room, who has come or gone since, or has another name. */
  #changed = new Map<string, Set<string>>();
  /** After how many more heartbeats the version in a room is to be published once more. */
  readonly #repeats = new Map<string, number>();

  constructor(rooms: RoomRegistry) {
    this.#rooms = rooms;
  }

  /** Notes that somebody has come or gone, or has another name. */
  changed(room: string, user: string): void {
    const changed = this.#changed.get(room);
    if (changed) changed.add(user);
    else this.#changed.set(room, new Set([user]));
  }

  /** Whether there is, or was just now, somebody here to tell of. */
  has(room: string): boolean {
    return this.#versions.has(room) || this.#changed.has(room);
  }

  /** The number of the last published change in a room; 0: nobody was here then. */
  versionOf(room: string): number {
    return this.#versions.get(room) ?? 0;
  }

  /** Takes the changes that were not published yet, each for one event. */
  *takeUpdates(): Generator<PresenceUpdate> {
    const all = this.#changed;
    this.#changed = new Map();
    for (const [room, users] of all) yield* this.#updates(room, users);
  }

  /** Takes, on each heartbeat, the rooms in which the version is to be published once more. */
  *takeRepeats(): Generator<string> {
    for (const [room, left] of this.#repeats) {
      if (left > 1) {
        this.#repeats.set(room, left - 1);
        continue;
      }
      this.#repeats.delete(room);
      yield room;
    }
  }

  *#updates(room: string, users: ReadonlySet<string>): Generator<PresenceUpdate> {
    const members = this.#rooms.find(room)?.members;
    const before = this.versionOf(room);
    const isEmpty = !members?.localCount;
    // Nobody has been told of those who came and went at once.
    if (isEmpty && before === 0) return;
    this.#repeats.set(room, QUIET_HEARTBEATS);
    if (isEmpty) {
      this.#versions.delete(room);
      yield { room, after: before, version: 0, changes: [] };
      return;
    }
    const changes = [...users].map((user): PresenceChange => {
      const member = members.localMember(user);
      return member ? [user, member.name] : [user];
    });
    for (const part of partsThatFit(changes, changeBytes)) {
      const after = this.versionOf(room);
      this.#versions.set(room, ++this.#lastVersion);
      yield { room, after, version: this.#lastVersion, changes: part };
    }
  }
}
