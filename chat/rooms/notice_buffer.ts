import type { Clock } from "../clock.ts";
import type { ServerFrame } from "../protocol.ts";

/**
 * A notice of who came or went waits so long for each connection that it goes to, and at most so long, milliseconds: it
 * stays cheap where many come at once. Where it goes to fewer than `A_FEW` it does not wait at all.
 */
const WAIT_PER_RECIPIENT = 10;
const LONGEST_WAIT = 1_000;
const A_FEW = 10;

/** What a room sends beside its log, gathered: together the notices cost as much as one of them. */
export class NoticeBuffer {
  readonly #clock: Clock;
  readonly #due: () => void;
  #frames: ServerFrame[] = [];
  #cancel: (() => void) | undefined;

  /** @param due called when what was gathered has waited long enough */
  constructor(clock: Clock, due: () => void) {
    this.#clock = clock;
    this.#due = due;
  }

  get length(): number {
    return this.#frames.length;
  }

  /** @param recipients how many connections it goes to */
  add(frame: ServerFrame, recipients: number): void {
    this.#frames.push(frame);
    if (recipients < A_FEW || frame.action === "room_count") this.#due();
    else this.#cancel ??= this.#clock.after(Math.min(recipients * WAIT_PER_RECIPIENT, LONGEST_WAIT), this.#due);
  }

  /** What was gathered since the last time. */
  take(): ServerFrame[] {
    const frames = this.#frames;
    this.#frames = [];
    this.dispose();
    return frames;
  }

  dispose(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }
}
