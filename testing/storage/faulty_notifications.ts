import type { LogNotification, Storage } from "../../chat/storage.ts";

/**
 * Makes a storage notify badly: some notifications are dropped, some doubled, and some come after newer ones.
 * @param random in [0, 1)
 * @returns ends it, and makes all subscribers read the log, as a storage does that has missed something
 */
export function injectFaults(storage: Storage, random: () => number): () => Promise<void> {
  const subscribe = storage.subscribe.bind(storage);
  const listeners = new Map<(notification: LogNotification) => void, string>();
  const held: (() => void)[] = [];
  let isFaulty = true;
  storage.subscribe = (room, listener) => {
    listeners.set(listener, room);
    const unsubscribe = subscribe(room, (notification) => {
      const chance = isFaulty ? random() : 1;
      if (chance < 0.2) return;
      if (chance < 0.4) return void held.push(() => listener(notification));
      listener(notification);
      if (chance < 0.6) listener(notification);
      if (chance < 0.8) held.shift()?.();
    });
    return () => {
      listeners.delete(listener);
      unsubscribe();
    };
  };
  return async () => {
    isFaulty = false;
    for (const late of held) late();
    for (const [listener, room] of listeners) listener({ epoch: (await storage.read(room, 0)).epoch, entries: [] });
  };
}
