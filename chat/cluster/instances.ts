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

/** For how long, without another event, an instance stays in a state. */
const LIMITS = { living: SILENCE_LIMIT, leaving: RECONNECT_GRACE, dead: DEAD_MEMORY };

/** Another instance, as far as this one knows. */
interface Instance {
  state: keyof typeof LIMITS;
  /** When it was last heard, said that it stops, or began to count as dead, by the clock's `monotonic`. */
  since: number;
}

/** The other instances: which of them live. */
export class Instances {
  readonly #instances = new Map<string, Instance>();

  /** Those that live, by id. */
  living(): string[] {
    return [...this.#instances].flatMap(([id, { state }]) => state === "living" ? [id] : []);
  }

  /** @returns whether it counted as dead */
  heard(id: string, now: number): boolean {
    const before = this.#instances.get(id)?.state;
    // What it says after it has said that it leaves was said before.
    if (before !== "leaving") this.#instances.set(id, { state: "living", since: now });
    return before === "dead";
  }

  /** It says that it stops. */
  leaves(id: string, now: number): void {
    this.#instances.set(id, { state: "leaving", since: now });
  }

  /** Whether it was heard after this time and lives. */
  livedAfter(id: string, time: number): boolean {
    const instance = this.#instances.get(id);
    return instance?.state === "living" && instance.since > time;
  }

  /** Those that count as dead from now on. */
  takeDead(now: number): string[] {
    const dead: string[] = [];
    for (const [id, { state, since }] of this.#instances) {
      if (since + LIMITS[state] > now) continue;
      if (state !== "dead") dead.push(id);
      if (state === "living") this.#instances.set(id, { state: "dead", since: now });
      else this.#instances.delete(id);
    }
    return dead;
  }
}
