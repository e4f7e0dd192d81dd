/** How often a room is asked about: the question may get lost, and so may each answer. */
const ASKINGS = 2;

/** All who have people in a room are asked who these are. Times are by the clock's `monotonic`. */
export interface Inquiry {
  /** Whoever has told nothing of the room since then has nobody there. */
  since: number;
  askedAt: number;
  /** How often it is still to be asked. */
  left: number;
}

/** Which rooms are to be asked about, and when: all who have people there. For what one instance is asked see `Doubts`. */
export class Inquiries {
  /** Rooms that were just opened. They are asked about at once, so they need no inquiry until they are. */
  #opened = new Set<string>();
  readonly #inquiries = new Map<string, Inquiry>();

  /** This room was just opened, so nobody in it is known yet. */
  opened(room: string): void {
    this.#opened.add(room);
  }

  /** Takes the rooms that were opened since the last call: all of them are to be asked about now. */
  takeOpened(): Set<string> {
    const opened = this.#opened;
    this.#opened = new Set();
    return opened;
  }

  /** Something may have been missed in this room. @returns whether it is to be asked about soon: it is not so far */
  missed(room: string, now: number): boolean {
    if (this.#opened.has(room)) return false;
    const inquiry = this.#inquiries.get(room);
    this.#inquiries.set(room, { since: now, askedAt: inquiry?.askedAt ?? -Infinity, left: ASKINGS });
    // Otherwise a heartbeat asks: that is often enough for a room that misses something again and again.
    return !inquiry;
  }

  /** Notes that a room is asked about now, maybe for the first time. */
  asked(room: string, now: number): void {
    const { since, left } = this.#inquiries.get(room) ?? { since: now, left: ASKINGS };
    this.#inquiries.set(room, { since, askedAt: now, left: left - 1 });
  }

  /** Nobody here needs to know about this room any more. */
  forgetRoom(room: string): void {
    this.#opened.delete(room);
    this.#inquiries.delete(room);
  }

  /** The rooms that are to be asked about again, and were not after this time. */
  *toAsk(askedBefore: number): Generator<string> {
    for (const [room, { askedAt, left }] of this.#inquiries) if (left > 0 && askedAt <= askedBefore) yield room;
  }

  /** Takes the inquiries that are over: those who asked often enough, and not after this time. */
  *takeEnded(askedBefore: number): Generator<[room: string, inquiry: Inquiry]> {
    for (const [room, inquiry] of this.#inquiries) {
      if (inquiry.left > 0 || inquiry.askedAt > askedBefore) continue;
      this.#inquiries.delete(room);
      yield [room, inquiry];
    }
  }
}
