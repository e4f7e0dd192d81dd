import type { ClusterEvent, Storage } from "../../chat/storage.ts";

/** One opening of a store that several isolates share, and what may go wrong between them. */
export interface Opening {
  storage: Storage;
  /** Which of the events that it publishes get lost; none unless set. */
  loses: (event: ClusterEvent) => boolean;
  /** It has died: nothing comes from it any more, or to it. */
  dead: boolean;
}

/** Opens one storage several times, as isolates do that share a store: each hears what the others publish. */
export function openings(storage: Storage, count: number): Opening[] {
  const listeners = new Map<Opening, (event: ClusterEvent) => void>();
  return Array.from({ length: count }, () => {
    const opening: Opening = { storage, loses: () => false, dead: false };
    const own: Partial<Storage> = {
      onEvent: (listener) => void listeners.set(opening, listener),
      publish(event) {
        if (opening.dead || opening.loses(event)) return;
        for (const [other, listener] of listeners) {
          if (other !== opening && !other.dead) queueMicrotask(() => listener(structuredClone(event)));
        }
      },
    };
    opening.storage = new Proxy(storage, {
      get(target, key) {
        const value = key in own ? own[key as keyof Storage] : target[key as keyof Storage];
        return typeof value === "function" ? value.bind(target as never) : value;
      },
    });
    return opening;
  });
}
