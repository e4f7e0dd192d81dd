import { EncodedFrames } from "../encoded_frames.ts";
import type { Entry, ServerFrame } from "../protocol.ts";
import type { Subscriber } from "../subscriber.ts";
import { LiveSubscribers } from "./live_subscribers.ts";
import { PendingJoin } from "./pending_join.ts";

/** The connections that a room sends to: those that are live, and those that join, which are sent a page first. */
export class Recipients {
  readonly #isSent: (seq: number) => boolean;
  readonly #live = new LiveSubscribers();
  readonly #joining = new Map<Subscriber, PendingJoin>();

  /** @param isSent whether the live ones have been sent all up to this place of the log, and no notice waits */
  constructor(isSent: (seq: number) => boolean) {
    this.#isSent = isSent;
  }

  /** The live ones: only their number and kind may be looked at. */
  get live(): Pick<LiveSubscribers, "size" | "plain" | "deferrable"> {
    return this.#live;
  }

  get isEmpty(): boolean {
    return this.#live.size + this.#joining.size === 0;
  }

  /** Those that get what is sent beside the log. */
  *[Symbol.iterator](): Generator<Subscriber> {
    yield* this.#live;
    for (const [subscriber, { sentUpTo }] of this.#joining) if (sentUpTo !== undefined) yield subscriber;
  }

  /** Begins a join, in place of one that has begun before: until it is sent its page, the connection gets nothing. */
  begin(subscriber: Subscriber): { join: PendingJoin; wasLive: boolean } {
    const join = new PendingJoin(subscriber.connection);
    this.#joining.set(subscriber, join);
    return { join, wasLive: this.#live.delete(subscriber) };
  }

  /** Whether this join goes on: the connection has not left, or begun another one. */
  isJoining(subscriber: Subscriber, join: PendingJoin): boolean {
    return this.#joining.get(subscriber) === join;
  }

  /** Makes a connection live once the others have been sent all that its page held, and no notice waits. */
  complete(subscriber: Subscriber, join: PendingJoin): void {
    if (this.#isSent(join.sentUpTo!) && this.#joining.delete(subscriber)) this.#live.add(subscriber);
  }

  /** Makes a connection live that was so before its join, and sends it what was held back meanwhile. */
  resume(subscriber: Subscriber, join: PendingJoin): void {
    this.#joining.delete(subscriber);
    this.#live.add(subscriber);
    join.sendHeld();
  }

  delete(subscriber: Subscriber): void {
    this.#live.delete(subscriber);
    this.#joining.delete(subscriber);
  }

  /** Drops what was held back for those who join: the room begins with a page that has it. */
  dropHeld(): void {
    for (const join of this.#joining.values()) join.dropHeld();
  }

  /**
   * Answers one connection with an entry of the log that it has been sent; a later entry comes with the others.
   * @param head the last entry that the live ones have been sent
   */
  answer(subscriber: Subscriber, entry: Entry, head: number): void {
    const join = this.#joining.get(subscriber);
    if (join && join.sentUpTo === undefined) join.answerLater(entry);
    else if (entry.seq <= (join?.sentUpTo ?? head)) subscriber.connection.deliver(new EncodedFrames(entry));
  }

  /** Sends everyone what comes beside the log, and what comes from it. */
  deliver(notices: ServerFrame[], entries: Entry[]): void {
    if (notices.length + entries.length === 0) return;
    const delivery = new EncodedFrames(...notices, ...entries);
    for (const { connection } of this.#live) connection.deliver(delivery);
    for (const [subscriber, join] of this.#joining) {
      join.deliver(delivery, entries);
      if (join.sentUpTo !== undefined) this.complete(subscriber, join);
    }
  }
}
