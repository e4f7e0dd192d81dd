import type { Clock } from "../../chat/clock.ts";
import type { ClusterEvent, LogNotification } from "../../chat/storage.ts";
import type { Entry } from "../../chat/protocol.ts";
import { Subscribers } from "../shared/subscribers.ts";

/**
 * Where news comes together: what this process keeps is told when Redis has answered, what others keep when it has been
 * heard on the channel. News is counted in Redis, so that what gets lost on the way is missed, and then everyone looks
 * into the log.
 */
export class RedisNotifications {
  readonly #origin: string;
  readonly #clock: Clock;
  readonly #subscribers = new Subscribers();
  #onEvent: (signal: ClusterEvent) => void = () => {};
  #onPulse: () => void;
  #waiting: Entry[] = [];
  #epoch: string | undefined;
  /** The number of the latest news that was heard. */
  #count = 0;
  #missed = 0;

  /**
   * @param origin the name under which this process publishes
   * @param onPulse called when this process hears itself
   */
  constructor(origin: string, clock: Clock, onPulse: () => void) {
    this.#origin = origin;
    this.#clock = clock;
    this.#onPulse = onPulse;
  }

  /** How many times news was missed, and read from the log. */
  get missed(): number {
    return this.#missed;
  }

  subscribe(room: string, listener: (news: LogNotification) => void): () => void {
    return this.#subscribers.subscribe(room, listener, () => 0);
  }

  onEvent(listener: (signal: ClusterEvent) => void): void {
    this.#onEvent = listener;
  }

  /** Takes what the channel brought: one line, `KIND ORIGIN COUNT EPOCH`, and what it is about as JSON. */
  hear(message: string): void {
    const line = message.indexOf("\n");
    const [kind, origin, count, epoch] = message.slice(0, line).split(" ");
    const isOwn = origin === this.#origin;
    if (kind === "signals") {
      if (!isOwn) { for (const signal of JSON.parse(message.slice(line)) as ClusterEvent[]) this.#onEvent(signal); }
      return;
    }
    // News itself is counted too: before it there was one less.
    this.agree(epoch, kind === "log" ? Number(count) - 1 : Number(count));
    if (kind === "pulse") {
      if (isOwn) this.#onPulse();
      return;
    }
    this.#count = Math.max(this.#count, Number(count));
    if (isOwn) return;
    // What others keep waits for the turn's end: an answer to us that came before it may be on its way through promises.
    if (this.#waiting.length === 0) this.#clock.soon(() => this.#tell());
    for (const entry of JSON.parse(message.slice(line)) as Entry[]) this.#waiting.push(entry);
  }

  /** Tells what this process has kept, and what waited before it. */
  tell(epoch: string, entries: readonly Entry[]): void {
    this.#learn(epoch, 0);
    for (const entry of entries) this.#waiting.push(entry);
    this.#tell();
  }

  /** Compares what was heard with what Redis says there was to hear. */
  agree(epoch: string, count: number): void {
    this.#learn(epoch, count);
    if (count <= this.#count) return;
    this.#count = count;
    this.lookAgain();
  }

  /** A new connection: whatever was told while there was none has been missed. */
  begin(epoch: string, count: number): void {
    const isSame = epoch === this.#epoch;
    this.#learn(epoch, count);
    this.#count = count;
    if (isSame) this.lookAgain();
  }

  /** Something may have been missed: those who follow read the log. */
  lookAgain(): void {
    this.#missed++;
    this.#subscribers.tellAll(this.#epoch!);
  }

  #learn(epoch: string, count: number): void {
    if (epoch === this.#epoch) return;
    const isFirst = this.#epoch === undefined;
    this.#tell();
    this.#epoch = epoch;
    this.#count = count;
    if (!isFirst) this.#subscribers.tellAll(epoch);
  }

  #tell(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    const rooms = new Map<string, Entry[]>();
    for (const entry of waiting) {
      const entries = rooms.get(entry.room);
      if (entries) entries.push(entry);
      else if (this.#subscribers.has(entry.room)) rooms.set(entry.room, [entry]);
    }
    for (const [room, entries] of rooms) {
      entries.sort((one, other) => one.seq - other.seq);
      this.#subscribers.tell(room, { epoch: this.#epoch!, entries });
    }
  }
}
