import type { Clock } from "../clock.ts";
import type { ServerFrame } from "../protocol.ts";

/**
 * News of who came and went waits so long for each connection that is to hear it, milliseconds, so that it stays cheap
 * where many come at once; among a few it does not wait at all.
 */
const WAIT = 10;
const LONGEST_WAIT = 1_000;
const A_FEW = 10;

/** What is told in a room beside its log, gathered: together it costs as much as one of them. */
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

  /** @param hearers how many connections will hear it */
  add(frame: ServerFrame, hearers: number): void {
    this.#frames.push(frame);
    if (hearers < A_FEW || frame.action === "room_count") this.#due();
    else this.#cancel ??= this.#clock.after(Math.min(hearers * WAIT, LONGEST_WAIT), this.#due);
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
