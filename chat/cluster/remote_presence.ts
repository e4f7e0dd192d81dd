import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { Member } from "../protocol.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import { CLUSTER_EVENT_BYTES, type PresenceChange, type PresenceEvent, type Storage } from "../storage.ts";

/** Milliseconds between two heartbeats of an instance, which is an isolate of any machine. */
export const HEARTBEAT = 5_000;
/** An instance that is silent for this long, milliseconds, counts as dead: two heartbeats may get lost. */
export const SILENCE_LIMIT = 3 * HEARTBEAT;
/**
 * The people of an instance that stops stay members for this long, milliseconds: nearly all connect again, to another
 * instance or to its successor, and nobody needs to be told.
 */
export const RECONNECT_GRACE = 30_000;
/** Changes are collected for this long before they are published, milliseconds: many may come at once. */
const CHANGES_DELAY = 20;
/** Bytes of one change at most: a room of 64, a user of 64 and a name of 32 characters, 4 bytes each, and quotes. */
const CHANGE_BYTES = 700;
const CHANGES_PER_EVENT = Math.floor(CLUSTER_EVENT_BYTES / CHANGE_BYTES);

/** Another instance, as far as this one knows. */
interface Instance {
  /** The number of the last change in `rooms`; undefined while a change may be missing. */
  version: number | undefined;
  /** Names by user, by room. */
  rooms: Map<string, Map<string, string>>;
  /** The parts of its snapshot that have arrived so far. */
  snapshot: PresenceChange[];
  /** When the last sync request went to it, by the clock's `monotonic`. */
  requestedAt: number;
  /** When it counts as dead without another event, by the clock's `monotonic`. */
  expiresAt: number;
}

/**
 * Presence between instances. Each publishes every change with a number, and its latest number with each heartbeat. An
 * instance that has missed a change sends a sync request and gets a snapshot of all people, so events may get lost. In
 * events a sync request is called `who` and a snapshot `roster`.
 */
export class RemotePresence {
  readonly #id: string = crypto.randomUUID();
  readonly #storage: Pick<Storage, "publish">;
  readonly #clock: Clock;
  readonly #rooms: RoomRegistry;
  readonly #instances = new Map<string, Instance>();
  #version = 0;
  #changes: PresenceChange[] = [];
  #cancelSending: (() => void) | undefined;
  #stopHeartbeat: (() => void) | undefined;
  /** When it last published a heartbeat, by the clock's `monotonic`. */
  #beatAt = 0;
  #leaving = false;

  /** @param rooms learn who joins and leaves on other instances; the people in them make the snapshot of this one */
  constructor(storage: Pick<Storage, "publish">, clock: Clock, rooms: RoomRegistry) {
    this.#storage = storage;
    this.#clock = clock;
    this.#rooms = rooms;
  }

  /** Asks all other instances for their people, and begins to publish heartbeats. */
  start(): void {
    this.#storage.publish({ kind: "presence", from: this.#id, presence: "who" });
    this.#beatAt = this.#clock.monotonic();
    this.#stopHeartbeat = interval(this.#clock, HEARTBEAT, () => this.#beat());
  }

  /** Publishes that a person is connected here in a room; without a name, that they no longer are. */
  announce(room: string, user: string, name?: string): void {
    if (this.#leaving) return;
    this.#changes.push(name === undefined ? [room, user] : [room, user, name]);
    this.#cancelSending ??= this.#clock.after(CHANGES_DELAY, () => this.#sendChanges());
  }

  /** The people in a room who are connected to other instances, once per instance. */
  *membersIn(room: string): Generator<Member> {
    for (const { rooms } of this.#instances.values()) {
      for (const [user, name] of rooms.get(room) ?? []) yield { user, name };
    }
  }

  /** Whether a person is in any room on another instance. */
  has(user: string): boolean {
    return this.#instances.values().some(({ rooms }) => rooms.values().some((users) => users.has(user)));
  }

  /** Notes the new name of a person, on whichever instances they are. */
  rename(user: string, name: string): void {
    for (const { rooms } of this.#instances.values()) {
      for (const users of rooms.values()) if (users.has(user)) users.set(user, name);
    }
  }

  /** Handles an event of another instance. One of an unknown kind comes from a newer version, and changes nothing. */
  handle(event: PresenceEvent): void {
    const { from } = event;
    let instance = this.#instances.get(from);
    if (!instance) {
      instance = { version: undefined, rooms: new Map(), snapshot: [], requestedAt: -Infinity, expiresAt: 0 };
      this.#instances.set(from, instance);
    }
    const now = this.#clock.monotonic();
    instance.expiresAt = now + (event.presence === "leaving" ? RECONNECT_GRACE : SILENCE_LIMIT);
    switch (event.presence) {
      case "who":
        if (event.of === undefined || event.of === this.#id) this.#sendSnapshot();
        // Only an instance that has just started asks all others, and nobody is connected to it yet.
        if (event.of === undefined) instance.version ??= 0;
        return;
      case "alive":
        if (instance.version !== event.version) this.#requestSync(from, instance, now);
        return;
      case "changes":
        if (instance.version === event.version - 1) {
          instance.version = event.version;
          for (const change of event.changes) this.#apply(instance, change);
        } else this.#requestSync(from, instance, now);
        return;
      case "roster":
        if (event.part === 0) instance.snapshot = [];
        // After a lost part the next one does not fit, and the next heartbeat asks again.
        if (instance.snapshot.length !== event.part) return;
        instance.snapshot.push(...event.users);
        if (event.last) this.#applySnapshot(instance, event.version);
        return;
      case "leaving":
        return;
      default:
        event satisfies never;
    }
  }

  /** This instance is stopping: its people will connect to another one, so their leaving is not published. */
  leave(): void {
    this.#sendChanges();
    this.#leaving = true;
    this.#storage.publish({ kind: "presence", from: this.#id, presence: "leaving" });
    this.#stopHeartbeat?.();
  }

  #requestSync(of: string, instance: Instance, now: number): void {
    instance.version = undefined;
    // Changes that come before the answer do not fit either, and are no reason to ask again.
    if (now - instance.requestedAt < HEARTBEAT) return;
    instance.requestedAt = now;
    this.#storage.publish({ kind: "presence", from: this.#id, presence: "who", of });
  }

  #beat(): void {
    this.#sendChanges();
    this.#storage.publish({ kind: "presence", from: this.#id, presence: "alive", version: this.#version });
    const now = this.#clock.monotonic();
    // After a pause of its own it has not yet handled what the others published meanwhile.
    if (now - this.#beatAt < 2 * HEARTBEAT) this.#removeSilent();
    this.#beatAt = now;
  }

  #removeSilent(): void {
    const now = this.#clock.monotonic();
    for (const [id, instance] of this.#instances) {
      if (instance.expiresAt > now) continue;
      this.#instances.delete(id);
      for (const [room, users] of instance.rooms) {
        for (const user of users.keys()) this.#rooms.find(room)?.members.leaveRemote(user);
      }
    }
  }

  #sendChanges(): void {
    this.#cancelSending?.();
    this.#cancelSending = undefined;
    const changes = this.#changes;
    this.#changes = [];
    for (let at = 0; at < changes.length; at += CHANGES_PER_EVENT) {
      const part = changes.slice(at, at + CHANGES_PER_EVENT);
      this.#storage.publish({
        kind: "presence",
        from: this.#id,
        presence: "changes",
        version: ++this.#version,
        changes: part,
      });
    }
  }

  #sendSnapshot(): void {
    if (this.#leaving) return;
    this.#sendChanges();
    const users: PresenceChange[] = [];
    for (const room of this.#rooms) {
      for (const { user, name } of room.members.localMembers()) users.push([room.name, user, name]);
    }
    for (let at = 0; at === 0 || at < users.length; at += CHANGES_PER_EVENT) {
      this.#storage.publish({
        kind: "presence",
        from: this.#id,
        presence: "roster",
        version: this.#version,
        part: at,
        last: at + CHANGES_PER_EVENT >= users.length,
        users: users.slice(at, at + CHANGES_PER_EVENT),
      });
    }
  }

  #apply({ rooms }: Instance, [room, user, name]: PresenceChange): void {
    const users = rooms.get(room);
    if (name === undefined) {
      if (!users?.delete(user)) return;
      if (users.size === 0) rooms.delete(room);
      this.#rooms.find(room)?.members.leaveRemote(user);
    } else if (!users?.has(user)) {
      if (users) users.set(user, name);
      else rooms.set(room, new Map([[user, name]]));
      this.#rooms.find(room)?.members.joinRemote({ user, name });
    }
  }

  /** Makes the people of an instance those of its complete snapshot. */
  #applySnapshot(instance: Instance, version: number): void {
    // No room's name has a space in it.
    const listed = new Set(instance.snapshot.map(([room, user]) => `${room} ${user}`));
    for (const change of instance.snapshot) this.#apply(instance, change);
    for (const [room, users] of instance.rooms) {
      for (const user of users.keys()) if (!listed.has(`${room} ${user}`)) this.#apply(instance, [room, user]);
    }
    instance.version = version;
    instance.snapshot = [];
    instance.requestedAt = -Infinity;
  }
}
