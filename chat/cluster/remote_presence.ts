import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import { CLUSTER_EVENT_BYTES, type ClusterEvent, type PresenceChange, type PresenceEvent } from "../storage.ts";
import type { Member } from "../protocol.ts";

/** How often each instance (an isolate of any machine) says that it is alive, milliseconds. */
export const HEARTBEAT = 5_000;
/** An instance that was silent for so long is taken for dead and its people leave, milliseconds: two beats may get lost. */
export const SILENCE = 3 * HEARTBEAT;
/**
 * The people of an instance that said it was stopping are still taken for here so long, milliseconds: nearly all come
 * back at another instance or at the next one, and that is no news to anyone.
 */
export const RETURN_TIME = 30_000;
/** Changes are gathered for so long before the others are told, milliseconds: many may come at once. */
const GATHER = 20;
/** An entry of a roster has at most a room of 64, a user of 64 and a name of 32 characters, 4 bytes each, and quotes. */
const ENTRY_BYTES = 700;
const ENTRIES_A_SIGNAL = Math.floor(CLUSTER_EVENT_BYTES / ENTRY_BYTES);

/** Another instance, as far as this one knows. */
interface Instance {
  /** Of its people as they stand here; undefined while they are not known for certain. */
  version: number | undefined;
  rooms: Map<string, Map<string, string>>;
  /** The parts of its roster that have come so far. */
  roster: PresenceChange[];
  /** When it was asked for its roster, and when it is taken for gone unless it is heard of; by the clock's `monotonic`. */
  asked: number;
  until: number;
}

/** What this isolate does about the people of others. */
export interface RemotePresenceListener {
  /** Another one has come to hold a person in a room. */
  held(room: string, member: Member): void;
  released(room: string, user: string): void;
  /** All whom this isolate holds. */
  here(): Iterable<{ room: string; member: Member }>;
}

/**
 * Presence between instances. Each tells the others of every change, numbered, and of its latest number with each
 * heartbeat; whoever finds that it has missed one asks for the whole roster. So signals may get lost.
 */
export class RemotePresence {
  readonly #id: string = crypto.randomUUID();
  readonly #clock: Clock;
  readonly #signal: (signal: ClusterEvent) => void;
  readonly #listener: RemotePresenceListener;
  readonly #instances = new Map<string, Instance>();
  #version = 0;
  #changes: PresenceChange[] = [];
  #cancelTelling: (() => void) | undefined;
  #stopHeartbeat: (() => void) | undefined;
  /** When it last said that it is alive, by the clock's `monotonic`. */
  #beatAt = 0;
  #leaving = false;

  constructor(clock: Clock, signal: (signal: ClusterEvent) => void, listener: RemotePresenceListener) {
    this.#clock = clock;
    this.#signal = signal;
    this.#listener = listener;
  }

  /** Asks who is there, and shows itself from now on. */
  start(): void {
    this.#signal({ kind: "presence", from: this.#id, presence: "who" });
    this.#beatAt = this.#clock.monotonic();
    this.#stopHeartbeat = interval(this.#clock, HEARTBEAT, () => this.#beat());
  }

  /** This isolate has come to hold a person in a room; without a name, it holds them no more. */
  announce(room: string, user: string, name?: string): void {
    if (this.#leaving) return;
    this.#changes.push(name === undefined ? [room, user] : [room, user, name]);
    this.#cancelTelling ??= this.#clock.after(GATHER, () => this.#tell());
  }

  /** The people whom others hold in a room, once for each that holds them. */
  *membersIn(room: string): Generator<Member> {
    for (const { rooms } of this.#instances.values()) {
      for (const [user, name] of rooms.get(room) ?? []) yield { user, name };
    }
  }

  rename(user: string, name: string): void {
    for (const { rooms } of this.#instances.values()) {
      for (const users of rooms.values()) if (users.has(user)) users.set(user, name);
    }
  }

  hear(signal: PresenceEvent): void {
    const { from } = signal;
    let instance = this.#instances.get(from);
    if (!instance) {
      instance = { version: undefined, rooms: new Map(), roster: [], asked: -Infinity, until: 0 };
      this.#instances.set(from, instance);
    }
    const now = this.#clock.monotonic();
    instance.until = now + (signal.presence === "leaving" ? RETURN_TIME : SILENCE);
    switch (signal.presence) {
      case "who":
        if (signal.of === undefined || signal.of === this.#id) this.#tellRoster();
        // Only one that has just started asks everyone, and it holds nobody yet.
        if (signal.of === undefined) instance.version ??= 0;
        break;
      case "alive":
        if (instance.version !== signal.version) this.#ask(from, instance, now);
        break;
      case "changes":
        if (instance.version === signal.version - 1) {
          instance.version = signal.version;
          for (const change of signal.changes) this.#apply(instance, change);
        } else this.#ask(from, instance, now);
        break;
      case "roster":
        if (signal.part === 0) instance.roster = [];
        // After a lost part the number of the next does not fit, and the next heartbeat asks again.
        if (instance.roster.length !== signal.part) break;
        instance.roster.push(...signal.users);
        if (signal.last) this.#replace(instance, signal.version);
    }
  }

  /** This isolate is about to stop: its people are expected elsewhere, so nobody is told that they go. */
  leave(): void {
    this.#tell();
    this.#leaving = true;
    this.#signal({ kind: "presence", from: this.#id, presence: "leaving" });
    this.#stopHeartbeat?.();
  }

  #ask(of: string, instance: Instance, now: number): void {
    instance.version = undefined;
    // What comes before the answer does not fit either, and is no reason to ask again.
    if (now - instance.asked < HEARTBEAT) return;
    instance.asked = now;
    this.#signal({ kind: "presence", from: this.#id, presence: "who", of });
  }

  #beat(): void {
    this.#tell();
    this.#signal({ kind: "presence", from: this.#id, presence: "alive", version: this.#version });
    const now = this.#clock.monotonic();
    // After it stood still itself, what the others said meanwhile has yet to be heard.
    if (now - this.#beatAt < 2 * HEARTBEAT) this.#forgetSilent();
    this.#beatAt = now;
  }

  #forgetSilent(): void {
    const now = this.#clock.monotonic();
    for (const [id, instance] of this.#instances) {
      if (instance.until > now) continue;
      this.#instances.delete(id);
      for (const [room, users] of instance.rooms) {
        for (const user of users.keys()) this.#listener.released(room, user);
      }
    }
  }

  #tell(): void {
    this.#cancelTelling?.();
    this.#cancelTelling = undefined;
    const changes = this.#changes;
    this.#changes = [];
    for (let at = 0; at < changes.length; at += ENTRIES_A_SIGNAL) {
      const part = changes.slice(at, at + ENTRIES_A_SIGNAL);
      this.#signal({ kind: "presence", from: this.#id, presence: "changes", version: ++this.#version, changes: part });
    }
  }

  #tellRoster(): void {
    if (this.#leaving) return;
    this.#tell();
    const users: PresenceChange[] = [];
    for (const { room, member } of this.#listener.here()) users.push([room, member.user, member.name]);
    for (let at = 0; at === 0 || at < users.length; at += ENTRIES_A_SIGNAL) {
      this.#signal({
        kind: "presence",
        from: this.#id,
        presence: "roster",
        version: this.#version,
        part: at,
        last: at + ENTRIES_A_SIGNAL >= users.length,
        users: users.slice(at, at + ENTRIES_A_SIGNAL),
      });
    }
  }

  #apply({ rooms }: Instance, [room, user, name]: PresenceChange): void {
    const users = rooms.get(room);
    if (name === undefined) {
      if (!users?.delete(user)) return;
      if (users.size === 0) rooms.delete(room);
      this.#listener.released(room, user);
    } else if (!users?.has(user)) {
      if (users) users.set(user, name);
      else rooms.set(room, new Map([[user, name]]));
      this.#listener.held(room, { user, name });
    }
  }

  /** Makes what is known of an instance equal to its roster. */
  #replace(instance: Instance, version: number): void {
    const listed = new Map<string, Set<string>>();
    for (const [room, user] of instance.roster) {
      const users = listed.get(room);
      if (users) users.add(user);
      else listed.set(room, new Set([user]));
    }
    for (const change of instance.roster) this.#apply(instance, change);
    for (const [room, users] of instance.rooms) {
      for (const user of users.keys()) if (!listed.get(room)?.has(user)) this.#apply(instance, [room, user]);
    }
    instance.version = version;
    instance.roster = [];
    instance.asked = -Infinity;
  }
}
