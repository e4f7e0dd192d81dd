import type { LogNotification, Storage } from "../chat/storage.ts";

/**
 * Makes an engine tell its followers badly: some news is dropped, some doubled, some comes after what was newer.
 * @param random in [0, 1)
 * @returns ends it, and tells all what an engine tells that has missed something: look into the log
 */
export function injectFaults(storage: Storage, random: () => number): () => Promise<void> {
  const subscribe = storage.subscribe.bind(storage);
  const listeners = new Map<(news: LogNotification) => void, string>();
  const held: (() => void)[] = [];
  let isFaulty = true;
  storage.subscribe = (room, listener) => {
    listeners.set(listener, room);
    const unfollow = subscribe(room, (news) => {
      const chance = isFaulty ? random() : 1;
      if (chance < 0.2) return;
      if (chance < 0.4) return void held.push(() => listener(news));
      listener(news);
      if (chance < 0.6) listener(news);
      if (chance < 0.8) held.shift()?.();
    });
    return () => {
      listeners.delete(listener);
      unfollow();
    };
  };
  return async () => {
    isFaulty = false;
    for (const late of held) late();
    for (const [listener, room] of listeners) listener({ epoch: (await storage.read(room, 0)).epoch, entries: [] });
  };
}
