import type { Clock } from "../../chat/clock.ts";
import type { Entry } from "../../chat/protocol.ts";
import type { Rulebook } from "../../chat/rulebook.ts";
import type { ClusterEvent, LogNotification } from "../../chat/storage.ts";
import { type RoomPosition, Subscribers } from "../shared/subscribers.ts";
import { fromPublished, type PublishedEntry } from "./codec.ts";
import { RoomChannels } from "./room_channels.ts";

/** After this many pulses in a row that did not come back, notifications count as broken. */
const UNHEARD_PULSES_LIMIT = 3;

interface Waiting {
  epoch: string;
  entries: Entry[];
}

/**
 * Notifies subscribers: of what this process stores, when Redis has answered; of what others store, when the room's
 * channel brings it. What gets lost is found by looking at where the rooms' logs stand.
 */
export class RedisNotifications {
  /** The name under which this process publishes. */
  readonly origin = crypto.randomUUID();
  /** What every process hears. */
  readonly channel: string;
  /** What only those hear who have subscribed to a room. */
  readonly channels: RoomChannels;
  readonly subscribers = new Subscribers();
  /** Is given the events of others. */
  listener: (event: ClusterEvent) => void = () => {};
  readonly #clock: Clock;
  readonly #rules: Rulebook;
  /** What subscribers are to be told next, by room. */
  #waiting = new Map<string, Waiting>();
  #epoch = "";
  #missed = 0;
  #unheardPulses = 0;

  constructor(prefix: string, clock: Clock, rules: Rulebook) {
    this.channel = `${prefix}:news`;
    this.channels = new RoomChannels(prefix, clock, (room) => this.subscribers.has(room));
    this.#clock = clock;
    this.#rules = rules;
  }

  /** How often something was missed, so that subscribers had to read the log. */
  get missed(): number {
    return this.#missed;
  }

  /** The epoch of rooms that have none of their own. */
  get epoch(): string {
    return this.#epoch;
  }

  /** Whether notifications of others don't come here, as far as this process knows. */
  get isBroken(): boolean {
    return this.#unheardPulses >= UNHEARD_PULSES_LIMIT;
  }

  /** Subscribes to a room. What is asked of Redis afterwards is done when its channel is subscribed to. */
  subscribe(room: string, listener: (notification: LogNotification) => void): () => void {
    const unsubscribe = this.subscribers.subscribe(room, listener, () => undefined);
    this.channels.changed(room);
    return () => {
      unsubscribe();
      this.channels.changed(room);
    };
  }

  /**
   * Takes what a channel brought: one line, `KIND ORIGIN`, and what it is about. The channels' names and the kinds
   * `log`, `pulse` and `signals` stay as they are, since versions of Parley run side by side. Those before the rooms had
   * channels publish all of it in the one that every process hears.
   */
  hear(message: string): void {
    const line = message.indexOf("\n");
    const [kind, origin] = message.slice(0, line).split(" ");
    const isOwn = origin === this.origin;
    const body = message.slice(line + 1);
    if (kind === "pulse") {
      this.learn(body);
      if (isOwn) this.#unheardPulses = 0;
      return;
    }
    if (isOwn) return;
    if (kind === "signals") {
      for (const event of JSON.parse(body) as ClusterEvent[]) this.listener(event);
      return;
    }
    // A newer version may publish more.
    if (kind !== "log") return;
    // This waits for the end of the turn: an answer that Redis sent before it may not have passed all its promises yet.
    if (this.#waiting.size === 0) this.#clock.soon(() => this.#tell());
    for (const [room, epoch, entries] of JSON.parse(body) as [string, string, PublishedEntry[]][]) {
      if (!this.subscribers.has(room)) continue;
      const stored = entries.map(fromPublished);
      this.#add(room, epoch, stored.map(({ entry, document }) => this.#rules.present(entry, document, room)));
    }
  }

  /**
   * Tells subscribers what this process has stored, together with what already waits for this room. What waits for others
   * may come after something that this process has stored in them, which is told with the same answer of Redis.
   */
  tell(room: string, epoch: string, entries: readonly Entry[]): void {
    this.#add(room, epoch, entries);
    const waiting = this.#waiting.get(room)!;
    this.#waiting.delete(room);
    this.#tellRoom(room, waiting);
  }

  /** Rooms that have no epoch of their own have this one. */
  learn(epoch: string): void {
    if (epoch === this.#epoch) return;
    const isFirst = this.#epoch === "";
    this.#tell();
    this.#epoch = epoch;
    if (!isFirst) this.subscribers.renewed(() => epoch);
  }

  /** There is a new connection. What was published while there was none has been missed. */
  begin(epoch: string): void {
    this.#unheardPulses = 0;
    const isSame = epoch === this.#epoch;
    this.learn(epoch);
    if (isSame) this.#rereadAll();
  }

  /** Counts a pulse that this process has published. If several did not come back, subscribers read the logs. */
  expectPulse(): void {
    this.#unheardPulses++;
    if (this.isBroken) this.#rereadAll();
  }

  /** Compares what was told with where the rooms' logs stand. */
  look(positions: ReadonlyMap<string, RoomPosition>): void {
    this.#missed += this.subscribers.look(positions, (room) => this.channels.heal(room));
  }

  /** Compares what was told with where the rooms' logs stood at the last look. */
  lookBack(): void {
    this.#missed += this.subscribers.lookBack((room) => this.channels.heal(room));
  }

  #add(room: string, epoch: string, entries: readonly Entry[]): void {
    const waiting = this.#waiting.get(room);
    if (waiting?.epoch === epoch && entries.length > 0) return void waiting.entries.push(...entries);
    if (waiting) this.#tellRoom(room, waiting);
    this.#waiting.set(room, { epoch, entries: [...entries] });
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = new Map();
    for (const [room, each] of waiting) this.#tellRoom(room, each);
  }

  #tellRoom(room: string, { epoch, entries }: Waiting): void {
    entries.sort((one, other) => one.seq - other.seq);
    const notification = { epoch, entries };
    if (this.subscribers.wouldMiss(room, notification)) {
      this.#missed++;
      this.channels.heal(room);
    }
    this.subscribers.tell(room, notification);
  }

  /** Something may have been missed: subscribers read the log. */
  #rereadAll(): void {
    if (!this.subscribers.any) return;
    this.#missed++;
    this.subscribers.rereadAll();
  }
}
