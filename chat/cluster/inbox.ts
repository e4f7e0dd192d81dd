import type { Storage } from "../storage.ts";

/**
 * Where an instance gets what is meant for it alone: it subscribes to a room that nobody can be in, since no room's
 * name has a colon in it, and others publish events in that room.
 */
export class Inbox {
  readonly #storage: Pick<Storage, "subscribe">;
  readonly #own: string;
  #close: (() => void) | undefined;

  /** @param instance whose inbox it is */
  constructor(storage: Pick<Storage, "subscribe">, instance: string) {
    this.#storage = storage;
    this.#own = inboxOf(instance);
  }

  /** Begins to take what comes. An instance that holds nobody needs none. */
  open(): void {
    this.#close ??= this.#storage.subscribe(this.#own, () => {});
  }

  close(): void {
    this.#close?.();
  }
}

/** The room in which events for this instance are published. */
export function inboxOf(instance: string): string {
  return `inbox:${instance}`;
}
