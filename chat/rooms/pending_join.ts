import type { Clock } from "../clock.ts";
import { EncodedFrames } from "../encoded_frames.ts";
import type { Entry, Position, RoomJoined, ServerFrame } from "../protocol.ts";
import type { Connection } from "../subscriber.ts";

/** A page waits until the client has read what was sent before: checked in these steps, and at most this long, ms. */
const DRAIN_STEP = 10;
const DRAIN_TIMEOUT = 10_000;

/** What a join asks for; the `id` comes back in its answer. */
export interface JoinRequest {
  /** The last place that the client has seen. */
  since?: Position;
  /** How many messages a page may have. */
  limit?: number;
  id?: string;
  /** Gives the frames that are to be sent before the page, once there is one. */
  before?: () => ServerFrame[];
}

/**
 * A join of one connection that has begun. Until its page has been sent, live entries are held back for it; after that
 * it gets what its page did not have, until the others have caught up with that page.
 */
export class PendingJoin {
  readonly #connection: Connection;
  #held: Entry[] = [];
  /** Answers to this connection alone, which must follow its page. */
  readonly #answers: Entry[] = [];
  /** Once the page is sent: its head, and how many of the waiting notices it made superfluous. */
  #sent: { upTo: number; notices: number } | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** The last entry of the log that it has been sent; undefined until its page is sent. */
  get sentUpTo(): number | undefined {
    return this.#sent?.upTo;
  }

  /** Waits until a page can be sent: several joins of one connection must not make a slow reader of it. */
  async drained(clock: Clock): Promise<void> {
    for (let waited = 0; !this.#connection.hasRoom && waited < DRAIN_TIMEOUT; waited += DRAIN_STEP) {
      await new Promise<void>((resolve) => clock.after(DRAIN_STEP, resolve));
    }
  }

  /** Drops what was held back: the room begins with a page that has it. */
  dropHeld(): void {
    this.#held = [];
  }

  /** What was held back and a page up to `seq` does not have. */
  heldAfter(seq: number): Entry[] {
    return this.#held.filter((entry) => entry.seq > seq);
  }

  /** Answers it with an entry as soon as its page has been sent. */
  answerLater(entry: Entry): void {
    this.#answers.push(entry);
  }

  /**
   * Sends what comes before the page, the page, the answers to what it holds, and what was held back.
   * @param notices how many notices wait in the room, all of which the page has
   */
  sendPage(before: readonly ServerFrame[], page: RoomJoined, held: Entry[], notices: number): void {
    const answers = this.#answers.filter((entry) => entry.seq <= page.seq);
    this.#connection.deliver(new EncodedFrames(...before, page, ...answers, ...held));
    this.#sent = { upTo: page.seq + held.length, notices };
  }

  /**
   * Sends what all others get, without what its page had; holds entries back until that page is sent.
   * @param delivery some notices, and then the entries
   */
  deliver(delivery: EncodedFrames, entries: readonly Entry[]): void {
    if (!this.#sent) {
      for (const entry of entries) this.#held.push(entry);
      return;
    }
    const { notices, upTo } = this.#sent;
    this.#sent.notices = 0;
    const unsent = delivery.where((frame, at) => "seq" in frame ? frame.seq > upTo : at >= notices);
    if (unsent.frames.length > 0) this.#connection.deliver(unsent);
  }

  /** Sends what was held back without a page: the connection goes on where it was. */
  sendHeld(): void {
    const waiting = [...this.#answers, ...this.#held];
    if (waiting.length > 0) this.#connection.deliver(new EncodedFrames(...waiting));
  }
}
