/** Milliseconds between two heartbeats of an instance, which is an isolate of any machine. */
export const HEARTBEAT = 5_000;
/** An instance that is silent for this long, milliseconds, counts as dead: two heartbeats may get lost. */
export const SILENCE_LIMIT = 3 * HEARTBEAT;
/**
 * The people of an instance that stops stay members for this long, milliseconds: nearly all connect again, to another
 * instance or to its successor, and nobody needs to be told.
 */
export const RECONNECT_GRACE = 30_000;
/** How long it is remembered that an instance counted as dead, milliseconds: it may only have stalled. */
const DEAD_MEMORY = 60 * 60_000;

/** Another instance, as far as this one knows. Times are by the clock's `monotonic`. */
interface Instance {
  state: "living" | "leaving" | "dead";
  heardAt: number;
  /** When it counts as dead without another event, or is forgotten. */
  expiresAt: number;
  /** Rooms in which something of it is missing here: the version that it has at least, and when it was asked. */
  doubts: Map<string, { needed: number; askedAt: number }>;
}

/** The other instances: who lives, and what is missing of whom. */
export class Instances {
  readonly #instances = new Map<string, Instance>();

  /** Those that live, by id. */
  living(): string[] {
    return [...this.#instances].flatMap(([id, { state }]) => state === "living" ? [id] : []);
  }

  /** @returns whether it counted as dead */
  heard(id: string, now: number): boolean {
    const instance = this.#instances.get(id);
    // What it says after it has said that it leaves was said before.
    if (instance?.state === "leaving") return false;
    const wasDead = instance?.state === "dead";
    const seen = { state: "living" as const, heardAt: now, expiresAt: now + SILENCE_LIMIT };
    if (instance) Object.assign(instance, seen);
    else this.#instances.set(id, { ...seen, doubts: new Map() });
    return wasDead;
  }

  /** It says that it stops. */
  leaves(id: string, now: number): void {
    Object.assign(this.#instances.get(id)!, { state: "leaving", expiresAt: now + RECONNECT_GRACE, doubts: new Map() });
  }

  /** Whether it was heard after this time and lives. */
  livedAfter(id: string, time: number): boolean {
    const instance = this.#instances.get(id);
    return instance?.state === "living" && instance.heardAt > time;
  }

  /** Those that count as dead from now on. */
  takeDead(now: number): string[] {
    const dead: string[] = [];
    for (const [id, instance] of this.#instances) {
      if (instance.expiresAt > now) continue;
      if (instance.state !== "dead") dead.push(id);
      if (instance.state !== "living") this.#instances.delete(id);
      else Object.assign(instance, { state: "dead", expiresAt: now + DEAD_MEMORY, doubts: new Map() });
    }
    return dead;
  }

  /** Something of it is missing in this room, which has this version at least. @returns whether that is new */
  doubt(id: string, room: string, needed: number): boolean {
    const { doubts } = this.#instances.get(id)!;
    const doubt = doubts.get(room);
    if (doubt) doubt.needed = Math.max(doubt.needed, needed);
    else doubts.set(room, { needed, askedAt: -Infinity });
    return !doubt;
  }

  /** This version of the room is known now. */
  settle(id: string, room: string, known: number): void {
    const doubts = this.#instances.get(id)?.doubts;
    if (known >= (doubts?.get(room)?.needed ?? Infinity)) doubts!.delete(room);
  }

  /** Nobody here needs to know about this room any more. */
  forgetRoom(room: string): void {
    for (const { doubts } of this.#instances.values()) doubts.delete(room);
  }

  /** Takes the rooms to ask for, by instance: those for which it was not asked after `askedBefore`. It is asked now. */
  *takeDoubts(askedBefore: number, now: number): Generator<[id: string, rooms: string[]]> {
    for (const [id, { doubts }] of this.#instances) {
      const rooms: string[] = [];
      for (const [room, doubt] of doubts) {
        if (doubt.askedAt > askedBefore) continue;
        doubt.askedAt = now;
        rooms.push(room);
      }
      if (rooms.length > 0) yield [id, rooms];
    }
  }
}
