/** Something of another instance's share in a room is missing here. */
interface Doubt {
  /** The version that the share has at least. */
  needed: number;
  /** When the instance was last asked for it, by the clock's `monotonic`. */
  askedAt: number;
}

/** What is missing here of the shares of other instances, each of which is asked for it: see `Inquiries` for all. */
export class Doubts {
  /** By instance, and then by room. */
  readonly #doubts = new Map<string, Map<string, Doubt>>();

  /** Something is missing in this room, which has this version at least. @returns whether that is new */
  add(instance: string, room: string, needed: number): boolean {
    let doubts = this.#doubts.get(instance);
    if (!doubts) this.#doubts.set(instance, doubts = new Map());
    const doubt = doubts.get(room);
    if (doubt) doubt.needed = Math.max(doubt.needed, needed);
    else doubts.set(room, { needed, askedAt: -Infinity });
    return !doubt;
  }

  /** This version of the room is known now. */
  settle(instance: string, room: string, known: number): void {
    const doubts = this.#doubts.get(instance);
    const doubt = doubts?.get(room);
    if (doubt && known >= doubt.needed) doubts!.delete(room);
  }

  /** Nobody here needs to know about this room any more. */
  forgetRoom(room: string): void {
    for (const doubts of this.#doubts.values()) doubts.delete(room);
  }

  /** This instance is not to be asked any more. */
  forgetInstance(instance: string): void {
    this.#doubts.delete(instance);
  }

  /** Takes the rooms to ask for, by instance: those for which it was not asked after `askedBefore`. It is asked now. */
  *toAsk(askedBefore: number, now: number): Generator<[instance: string, rooms: string[]]> {
    for (const [instance, doubts] of this.#doubts) {
      const rooms: string[] = [];
      for (const [room, doubt] of doubts) {
        if (doubt.askedAt > askedBefore) continue;
        doubt.askedAt = now;
        rooms.push(room);
      }
      if (rooms.length > 0) yield [instance, rooms];
    }
  }
}
