import type { Engine, Signal } from "../chat/storage.ts";

/** One opening of a store that several isolates share, and what may go wrong between them. */
export interface Opening {
  engine: Engine;
  /** Which of the signals that it gives get lost; none unless set. */
  loses: (signal: Signal) => boolean;
  /** It has died: nothing comes from it any more, or to it. */
  dead: boolean;
}

/** Opens one engine several times, as isolates do that share a store: each hears what the others signal. */
export function openings(engine: Engine, count: number): Opening[] {
  const listeners = new Map<Opening, (signal: Signal) => void>();
  return Array.from({ length: count }, () => {
    const opening: Opening = { engine, loses: () => false, dead: false };
    const own: Partial<Engine> = {
      onSignal: (listener) => void listeners.set(opening, listener),
      signal(signal) {
        if (opening.dead || opening.loses(signal)) return;
        for (const [other, listener] of listeners) {
          if (other !== opening && !other.dead) queueMicrotask(() => listener(structuredClone(signal)));
        }
      },
    };
    opening.engine = new Proxy(engine, {
      get(target, key) {
        const value = key in own ? own[key as keyof Engine] : target[key as keyof Engine];
        return typeof value === "function" ? value.bind(target as never) : value;
      },
    });
    return opening;
  });
}
