import type { Engine, News } from "../chat/storage.ts";

/**
 * Makes an engine tell its followers badly: some news is dropped, some doubled, some comes after what was newer.
 * @param random in [0, 1)
 * @returns ends it, and tells all what an engine tells that has missed something: look into the log
 */
export function injectFaults(engine: Engine, random: () => number): () => Promise<void> {
  const follow = engine.follow.bind(engine);
  const listeners = new Map<(news: News) => void, string>();
  const held: (() => void)[] = [];
  let isFaulty = true;
  engine.follow = (room, listener) => {
    listeners.set(listener, room);
    const unfollow = follow(room, (news) => {
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
    for (const [listener, room] of listeners) listener({ epoch: (await engine.read(room, 0)).epoch, entries: [] });
  };
}
