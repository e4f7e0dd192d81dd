import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { Members } from "../rooms/members.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { RoomPresence } from "../rooms/room_presence.ts";
import type { PresenceEvent, PresencePart, PresenceUpdate, Storage } from "../storage.ts";
import { Doubts } from "./doubts.ts";
import { partsThatFit, textBytes } from "./event_size.ts";
import { Inbox, inboxOf } from "./inbox.ts";
import { Inquiries, type Inquiry } from "./inquiries.ts";
import { HEARTBEAT, Instances } from "./instances.ts";
import { OwnShares } from "./own_shares.ts";
import { RollCall } from "./roll_call.ts";
import { RoomShares } from "./room_shares.ts";
import { StepQueue } from "./step_queue.ts";

/** Changes, questions and answers are collected so long before they are published, ms: many may come at once. */
const GATHER = 20;
/** How many instances an asker says that it knows: those beyond it answer in full. */
const KNOWN_LIMIT = 500;

/**
 * Presence between instances, room by room: an instance hears only of the rooms that it holds. It publishes every
 * change in a room there, with a number; a heartbeat or two after the last change, that number again. Whoever sees that
 * something is missing asks, and so does whoever opens a room. So events may get lost. Here is when which event is
 * published; what is known, and what is still to be told or asked, is in the parts.
 */
export class RemotePresence implements RoomPresence {
  /** By this name the others know this instance. Random: 48 bits. */
  readonly id: string = crypto.randomUUID().slice(-12);
  readonly inbox: Inbox;
  readonly #storage: Pick<Storage, "publish" | "subscribe">;
  readonly #clock: Clock;
  readonly #instances = new Instances();
  /** The others' people in the rooms that this instance holds. */
  readonly #shares = new Map<string, RoomShares>();
  readonly #own: OwnShares;
  readonly #rollCall: RollCall;
  readonly #inquiries = new Inquiries();
  readonly #doubts = new Doubts();
  /** Where the version is to be published, and maybe to be asked with it. */
  readonly #later: StepQueue;
  /** Whether somebody has asked who lives. */
  #isAsked = false;
  #cancelGather: (() => void) | undefined;
  #stopHeartbeat: (() => void) | undefined;
  /** When it last published a heartbeat, by the clock's `monotonic`. */
  #beatAt = 0;
  #leaving = false;

  /** @param rooms learn who joins and leaves on other instances; the people in them are those of this one */
  constructor(storage: Pick<Storage, "publish" | "subscribe">, clock: Clock, rooms: RoomRegistry) {
    this.#storage = storage;
    this.#clock = clock;
    this.#own = new OwnShares(rooms);
    this.#rollCall = new RollCall(rooms, this.#own);
    this.#later = new StepQueue(clock, (room, asks) => this.#publishVersion(room, asks && this.#shares.has(room)));
    this.inbox = new Inbox(storage, this.id);
  }

  /** Asks who else lives, and begins to publish heartbeats. */
  start(): void {
    this.#storage.publish({ kind: "presence", from: this.id, presence: "alive", asks: true });
    this.#beatAt = this.#clock.monotonic();
    this.#stopHeartbeat = interval(this.#clock, HEARTBEAT, () => this.#beat());
  }

  opened(name: string, members: Members): void {
    this.inbox.open();
    this.#shares.set(name, new RoomShares(members));
    this.#inquiries.opened(name);
    this.#gather();
  }

  closed(name: string): void {
    this.#shares.delete(name);
    this.#inquiries.forgetRoom(name);
    this.#doubts.forgetRoom(name);
  }

  changed(name: string, user: string): void {
    this.#own.changed(name, user);
    this.#gather();
  }

  mayHaveMissed(name: string): void {
    if (!this.#shares.has(name)) return;
    if (this.#inquiries.missed(name, this.#clock.monotonic())) this.#later.add(name, true);
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
    if (!this.#instances.heard(from, this.#clock.monotonic())) return;
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
        this.#doubts.forgetInstance(from);
        return this.#instances.leaves(from, this.#clock.monotonic());
      case "update":
        return this.#takeUpdate(from, event);
      case "check":
        for (const [room, version] of event.rooms) this.#answerLater(room, from, version);
        return;
      case "people":
        for (const part of event.rooms) this.#takePeople(from, part);
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
    this.#later.close();
    this.inbox.close();
  }

  #takeUpdate(from: string, update: PresenceUpdate): void {
    const shares = this.#shares.get(update.room);
    // On some stores everyone hears everything.
    if (!shares) return;
    this.#note(from, update, shares, shares.update(from, update, this.#clock.monotonic()));
    if (update.asks) this.#answerLater(update.room, from, update.known?.[this.id]);
  }

  #takePeople(from: string, part: PresencePart): void {
    const shares = this.#shares.get(part.room);
    if (shares) this.#note(from, part, shares, shares.answered(from, part, this.#clock.monotonic()));
  }

  /** Notes what is known of the other's share now, or that something of it is missing, which is asked for. */
  #note(from: string, { room, version }: PresenceUpdate | PresencePart, shares: RoomShares, fits: boolean): void {
    if (fits) this.#doubts.settle(from, room, version === 0 ? Infinity : shares.versionOf(from));
    else if (this.#doubts.add(from, room, version)) this.#gather();
  }

  #answerLater(room: string, asker: string, known: number | undefined): void {
    if (known === undefined && !this.#own.has(room)) return;
    this.#rollCall.asked(room, asker, known);
    this.#gather();
  }

  #beat(): void {
    const now = this.#clock.monotonic();
    const before = now - HEARTBEAT;
    this.#publishGathered();
    for (const room of this.#own.takeRepeats()) this.#later.add(room, false);
    for (const room of this.#inquiries.toAsk(before)) this.#later.add(room, true);
    for (const [room, inquiry] of this.#inquiries.takeEnded(before)) this.#dropSilent(room, inquiry);
    this.#checkDoubts(before);
    this.#sayAlive();
    // After a pause of its own it has not yet handled what the others published meanwhile.
    if (now - this.#beatAt < 2 * HEARTBEAT) {
      for (const dead of this.#instances.takeDead(now)) {
        this.#doubts.forgetInstance(dead);
        for (const shares of this.#shares.values()) shares.drop(dead);
      }
    }
    this.#beatAt = now;
  }

  /** Who lives, and did not answer although they were asked twice, has nobody in the room. */
  #dropSilent(room: string, { since, askedAt }: Inquiry): void {
    const shares = this.#shares.get(room)!;
    for (const instance of [...shares.silentSince(since)]) {
      if (this.#instances.livedAfter(instance, askedAt)) shares.drop(instance);
    }
  }

  /** What comes in the next moment is published together. */
  #gather(): void {
    if (!this.#leaving) this.#cancelGather ??= this.#clock.after(GATHER, () => this.#publishGathered());
  }

  #publishGathered(): void {
    this.#cancelGather?.();
    this.#cancelGather = undefined;
    const opened = this.#inquiries.takeOpened();
    for (const update of this.#own.takeUpdates()) {
      // Whoever opens a room knows nobody there yet, so all answer in full.
      if (update.version > 0 && opened.delete(update.room)) this.#ask(update);
      else this.#publish(update);
    }
    for (const room of opened) this.#publishVersion(room, true);
    this.#checkDoubts(-Infinity);
    for (const { to, parts } of this.#rollCall.take()) {
      this.#storage.publish({ kind: "presence", from: this.id, presence: "people", room: to, rooms: parts });
    }
    if (this.#isAsked) this.#sayAlive();
  }

  #sayAlive(): void {
    this.#isAsked = false;
    this.#storage.publish({ kind: "presence", from: this.id, presence: "alive" });
  }

  /** Publishes the number of the last change. @param asks who else is there */
  #publishVersion(room: string, asks: boolean): void {
    const version = this.#own.versionOf(room);
    const update: PresenceUpdate = { room, after: version, version, changes: [] };
    if (!asks) return this.#publish(update);
    this.#ask(update, Object.fromEntries(this.#shares.get(room)!.versions().take(KNOWN_LIMIT)));
  }

  /** Publishes an update that asks who else is there. @param known by instance, the version that is known here */
  #ask(update: PresenceUpdate, known?: Record<string, number>): void {
    this.#inquiries.asked(update.room, this.#clock.monotonic());
    this.#publish({ ...update, asks: true, ...(known && { known }) });
  }

  #publish(update: PresenceUpdate): void {
    this.#storage.publish({ kind: "presence", from: this.id, presence: "update", ...update });
  }

  /** Asks instances for what is missing and was not asked since then, by the clock's `monotonic`. */
  #checkDoubts(askedBefore: number): void {
    for (const [instance, rooms] of this.#doubts.toAsk(askedBefore, this.#clock.monotonic())) {
      const known = rooms.map((room): [string, number] => [room, this.#shares.get(room)!.versionOf(instance)]);
      for (const part of partsThatFit(known, ([room]) => textBytes(room) + 20)) {
        const room = inboxOf(instance);
        this.#storage.publish({ kind: "presence", from: this.id, presence: "check", room, rooms: part });
      }
    }
  }
}
