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
    const instance = this.#instances.get(id);
    // What it says after it has said that it leaves was said before.
    if (instance?.state === "leaving") return false;
    const wasDead = instance?.state === "dead";
    this.#instances.set(id, { state: "living", heardAt: now, expiresAt: now + SILENCE_LIMIT });
    return wasDead;
  }

  /** It says that it stops. */
  leaves(id: string, now: number): void {
    Object.assign(this.#instances.get(id)!, { state: "leaving", expiresAt: now + RECONNECT_GRACE });
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
      else Object.assign(instance, { state: "dead", expiresAt: now + DEAD_MEMORY });
    }
    return dead;
  }
}
