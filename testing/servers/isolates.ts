import type { ClusterEvent, Storage } from "../../chat/storage.ts";

/** One opening of a store that several isolates share, and what may go wrong between them. */
export interface Opening {
  storage: Storage;
  /** Which of the events that it publishes get lost; none unless set. */
  loses: (event: ClusterEvent) => boolean;
  /** It has died: nothing comes from it any more, or to it. */
  dead: boolean;
  /** The events that it has heard. */
  heard: ClusterEvent[];
}

/**
 * Opens one storage several times, as isolates do that share a store. Each hears what the others publish, but what has a
 * room only if it has subscribed to that room: a store need not do more.
 */
export function openings(storage: Storage, count: number): Opening[] {
  const listeners = new Map<Opening, (event: ClusterEvent) => void>();
  return Array.from({ length: count }, () => {
    const opening: Opening = { storage, loses: () => false, dead: false, heard: [] };
    const subscribed = new Map<string, number>();
    const count = (room: string, more: number) => subscribed.set(room, (subscribed.get(room) ?? 0) + more);
    const own: Partial<Storage> = {
      onEvent: (listener) =>
        void listeners.set(opening, (event) => {
          if ("room" in event && !subscribed.get(event.room)) return;
          opening.heard.push(event);
          listener(event);
        }),
      subscribe(room, listener) {
        const unsubscribe = storage.subscribe(room, listener);
        count(room, 1);
        return () => {
          unsubscribe();
          count(room, -1);
        };
      },
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
