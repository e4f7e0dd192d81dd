import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Room, RoomPresence } from "../rooms/room.ts";
import type { PresenceChange, PresenceEvent, PresencePart, PresenceUpdate, Storage } from "../storage.ts";
import { changeBytes, partsThatFit, textBytes } from "./event_size.ts";
import { Inbox, inboxOf } from "./inbox.ts";
import { HEARTBEAT, Instances } from "./instances.ts";
import { RollCall } from "./roll_call.ts";
import { RoomShares } from "./room_shares.ts";

/** Changes, questions and answers are collected so long before they are published, ms: many may come at once. */
const GATHER = 20;
/** What is not urgent is published for so many rooms in each step, milliseconds: after a pause it is due in all. */
const ROOMS_PER_STEP = 20;
const STEP = 100;
/** How many instances an asker says that it knows: those beyond it answer in full. */
const KNOWN_LIMIT = 500;

/** What this instance has published about its own people in a room. */
interface OwnShare {
  /** The number of the last change; 0: nobody was here then. */
  version: number;
  /** Who has come or gone since. */
  changed: Set<string>;
}

/** A room of which this instance asks all who have people there; each asking may get lost, and each answer. */
interface Inquiry {
  /** Whoever has told nothing of the room since then has nobody there. By the clock's `monotonic`, like `askedAt`. */
  since: number;
  askedAt: number;
  /** How often it is still to be asked. */
  left: number;
}

/**
 * Presence between instances, room by room: an instance hears only of the rooms that it holds. It publishes every
 * change in a room there, with a number; a heartbeat or two after the last change, that number again. Whoever sees that
 * something is missing asks, and so does whoever opens a room. So events may get lost.
 */
export class RemotePresence implements RoomPresence {
  /** By this name the others know this instance. Random: 48 bits. */
  readonly id: string = crypto.randomUUID().slice(-12);
  readonly inbox: Inbox;
  readonly #storage: Pick<Storage, "publish" | "subscribe">;
  readonly #clock: Clock;
  readonly #rooms: RoomRegistry;
  readonly #instances = new Instances();
  /** The others' people in the rooms that this instance holds. */
  readonly #shares = new Map<string, RoomShares>();
  readonly #own = new Map<string, OwnShare>();
  /** The last number of a change, in whichever room: so none is used twice for a room that is opened again. */
  #version = 0;
  /** Rooms with unpublished changes, and rooms that have just been opened. */
  #changed = new Set<string>();
  #opened = new Set<string>();
  readonly #inquiries = new Map<string, Inquiry>();
  readonly #rollCall = new RollCall();
  /** Rooms that had changes since the last heartbeat, and between that and the one before. */
  #recent = new Set<string>();
  #earlier = new Set<string>();
  /** Rooms in which the version is to be published, and whether to ask with it. */
  readonly #due = new Map<string, boolean>();
  /** Whether somebody has asked who lives. */
  #isAsked = false;
  #cancelGather: (() => void) | undefined;
  #cancelStep: (() => void) | undefined;
  #stopHeartbeat: (() => void) | undefined;
  /** When it last published a heartbeat, by the clock's `monotonic`. */
  #beatAt = 0;
  #leaving = false;

  /** @param rooms learn who joins and leaves on other instances; the people in them are those of this one */
  constructor(storage: Pick<Storage, "publish" | "subscribe">, clock: Clock, rooms: RoomRegistry) {
    this.#storage = storage;
    this.#clock = clock;
    this.#rooms = rooms;
    this.inbox = new Inbox(storage, this.id);
  }

  /** Asks who else lives, and begins to publish heartbeats. */
  start(): void {
    this.#storage.publish({ kind: "presence", from: this.id, presence: "alive", asks: true });
    this.#beatAt = this.#clock.monotonic();
    this.#stopHeartbeat = interval(this.#clock, HEARTBEAT, () => this.#beat());
  }

  opened({ name, members }: Room): void {
    this.inbox.open();
    this.#shares.set(name, new RoomShares(members));
    this.#opened.add(name);
    this.#gather();
  }

  closed(name: string): void {
    this.#shares.delete(name);
    this.#opened.delete(name);
    this.#inquiries.delete(name);
    this.#instances.forgetRoom(name);
  }

  changed(name: string, user: string): void {
    let own = this.#own.get(name);
    if (!own) this.#own.set(name, own = { version: 0, changed: new Set() });
    own.changed.add(user);
    this.#changed.add(name);
    this.#gather();
  }

  mayHaveMissed(name: string): void {
    if (!this.#shares.has(name) || this.#opened.has(name)) return;
    const inquiry = this.#inquiries.get(name);
    const now = this.#clock.monotonic();
    this.#inquiries.set(name, { since: now, askedAt: inquiry?.askedAt ?? -Infinity, left: 2 });
    // Otherwise a heartbeat asks: that is often enough for a room that misses something again and again.
    if (!inquiry) this.#publishLater(name, true);
  }

  /** Other instances that live, as far as this one knows. */
  others(): string[] {
    return this.#instances.living();
  }

  /** Whether this instance is to tell others who is in this room, in which it has people. */
  isSpokesman(room: string): boolean {
    return this.#shares.get(room)?.isSpokesman(this.id) ?? false;
  }

  /** Notes that an instance lives. If it was thought dead, what it has told meanwhile is missing here. */
  heard(from: string): void {
    const wasDead = this.#instances.heard(from, this.#clock.monotonic());
    if (!wasDead) return;
    for (const room of this.#shares.keys()) this.mayHaveMissed(room);
  }

  /** Handles an event of another instance. One of an unknown kind comes from another version, and changes nothing. */
  handle(event: PresenceEvent): void {
    const { from } = event;
    this.heard(from);
    switch (event.presence) {
      case "alive":
        if (!event.asks) return;
        this.#isAsked = true;
        return this.#gather();
      case "leaving":
        return this.#instances.leaves(from, this.#clock.monotonic());
      case "update":
        return this.#takeUpdate(from, event);
      case "check":
        for (const [room, version] of event.rooms) this.#answerLater(room, from, version);
        return;
      case "people":
        for (const part of event.rooms) this.#takeAnswer(from, part);
        return;
      default:
        event satisfies never;
    }
  }

  /** This instance is stopping: its people will connect to another one, so their leaving is not published. */
  leave(): void {
    this.#publishGathered();
    this.#leaving = true;
    this.#storage.publish({ kind: "presence", from: this.id, presence: "leaving" });
    this.#stopHeartbeat?.();
    this.#cancelStep?.();
    this.inbox.close();
  }

  #takeUpdate(from: string, update: PresenceUpdate): void {
    const { room, version, asks, known } = update;
    const shares = this.#shares.get(room);
    // On some stores everyone hears everything.
    if (!shares) return;
    const fits = shares.update(from, update, this.#clock.monotonic());
    this.#note(from, room, version, shares, !fits);
    if (asks) this.#answerLater(room, from, known?.[this.id]);
  }

  #takeAnswer(from: string, part: PresencePart): void {
    const shares = this.#shares.get(part.room);
    if (!shares) return;
    const got = shares.answered(from, part, this.#clock.monotonic());
    this.#note(from, part.room, part.version, shares, got === "missing");
  }

  /** Notes whether something of this instance in this room is missing here, and asks for it. */
  #note(from: string, room: string, version: number, shares: RoomShares, isMissing: boolean): void {
    if (!isMissing) this.#instances.settle(from, room, version === 0 ? Infinity : shares.versionOf(from));
    else if (this.#instances.doubt(from, room, version)) this.#gather();
  }

  #answerLater(room: string, asker: string, known: number | undefined): void {
    if (this.#leaving || (known === undefined && !this.#own.has(room))) return;
    this.#rollCall.asked(room, asker, known);
    this.#gather();
  }

  #beat(): void {
    this.#publishGathered();
    for (const room of this.#earlier) if (!this.#recent.has(room)) this.#publishLater(room, false);
    this.#earlier = this.#recent;
    this.#recent = new Set();
    const now = this.#clock.monotonic();
    for (const [room, inquiry] of this.#inquiries) {
      if (now - inquiry.askedAt < HEARTBEAT || this.#due.get(room)) continue;
      if (inquiry.left > 0) this.#publishLater(room, true);
      else this.#endInquiry(room, inquiry);
    }
    this.#checkDoubts(now - HEARTBEAT);
    this.#sayAlive();
    // After a pause of its own it has not yet handled what the others published meanwhile.
    if (now - this.#beatAt < 2 * HEARTBEAT) {
      for (const dead of this.#instances.takeDead(now)) for (const shares of this.#shares.values()) shares.drop(dead);
    }
    this.#beatAt = now;
  }

  /** Who lives, and did not answer although they were asked twice, has nobody in the room. */
  #endInquiry(room: string, { since, askedAt }: Inquiry): void {
    this.#inquiries.delete(room);
    const shares = this.#shares.get(room)!;
    for (const instance of [...shares.silentSince(since)]) {
      if (this.#instances.livedAfter(instance, askedAt)) shares.drop(instance);
    }
  }

  #gather(): void {
    if (!this.#leaving) this.#cancelGather ??= this.#clock.after(GATHER, () => this.#publishGathered());
  }

  #publishGathered(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    if (this.#leaving) return;
    const [changed, opened] = [this.#changed, this.#opened];
    this.#changed = new Set();
    this.#opened = new Set();
    for (const room of changed) this.#publishChanges(room, opened.delete(room));
    for (const room of opened) this.#publishVersion(room, true);
    this.#checkDoubts(-Infinity);
    const versionOf = (room: string) => this.#own.get(room)?.version ?? 0;
    for (const { to, parts } of this.#rollCall.take(this.#rooms, versionOf)) {
      this.#storage.publish({ kind: "presence", from: this.id, presence: "people", room: to, rooms: parts });
    }
    if (this.#isAsked) this.#sayAlive();
  }

  #sayAlive(): void {
    this.#isAsked = false;
    this.#storage.publish({ kind: "presence", from: this.id, presence: "alive" });
  }

  /** Publishes who has come and gone. @param asks who else is there */
  #publishChanges(room: string, asks: boolean): void {
    const own = this.#own.get(room)!;
    const members = this.#rooms.find(room)?.members;
    if (own.version > 0) this.#recent.add(room);
    if (!members?.localCount) {
      this.#own.delete(room);
      // Nobody has been told of those who came and went at once.
      if (own.version > 0) this.#publish({ room, after: own.version, version: 0, changes: [] });
      if (asks) this.#publishVersion(room, true);
      return;
    }
    const changes = [...own.changed].map((user): PresenceChange => {
      const member = members.localMember(user);
      return member ? [user, member.name] : [user];
    });
    own.changed = new Set();
    this.#recent.add(room);
    if (asks) this.#noteAsking(room);
    for (const part of partsThatFit(changes, changeBytes)) {
      const after = own.version;
      own.version = ++this.#version;
      // Whoever asks knows nobody there yet, so all answer in full.
      this.#publish({ room, after, version: own.version, changes: part, ...(asks && { asks }) });
      asks = false;
    }
  }

  /** Publishes the number of the last change. @param asks who else is there */
  #publishVersion(room: string, asks: boolean): void {
    const version = this.#own.get(room)?.version ?? 0;
    const update: PresenceUpdate = { room, after: version, version, changes: [] };
    if (asks) {
      this.#noteAsking(room);
      update.asks = true;
      update.known = Object.fromEntries(this.#shares.get(room)!.versions().take(KNOWN_LIMIT));
    }
    this.#publish(update);
  }

  /** Notes that a room is asked about now: it is asked again at least once, since the question may get lost. */
  #noteAsking(room: string): void {
    const now = this.#clock.monotonic();
    const { since, left } = this.#inquiries.get(room) ?? { since: now, left: 2 };
    this.#inquiries.set(room, { since, askedAt: now, left: left - 1 });
  }

  #publish(update: PresenceUpdate): void {
    this.#storage.publish({ kind: "presence", from: this.id, presence: "update", ...update });
  }

  /** Publishes the version in a room as soon as that is due, and asks with it. */
  #publishLater(room: string, asks: boolean): void {
    if (this.#leaving) return;
    this.#due.set(room, asks || (this.#due.get(room) ?? false));
    this.#cancelStep ??= this.#clock.after(0, () => this.#step());
  }

  #step(): void {
    for (const [room, asks] of [...this.#due.entries().take(ROOMS_PER_STEP)]) {
      this.#due.delete(room);
      this.#publishVersion(room, asks && this.#shares.has(room));
    }
    this.#cancelStep = this.#due.size > 0 ? this.#clock.after(STEP, () => this.#step()) : undefined;
  }

  /** Asks instances for what is missing and was not asked since then, by the clock's `monotonic`. */
  #checkDoubts(askedBefore: number): void {
    for (const [instance, rooms] of this.#instances.takeDoubts(askedBefore, this.#clock.monotonic())) {
      const known = rooms.map((room): [string, number] => [room, this.#shares.get(room)!.versionOf(instance)]);
      for (const part of partsThatFit(known, ([room]) => textBytes(room) + 20)) {
        const room = inboxOf(instance);
        this.#storage.publish({ kind: "presence", from: this.id, presence: "check", room, rooms: part });
      }
    }
  }
}
