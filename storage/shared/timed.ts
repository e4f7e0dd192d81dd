import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";

/** Told of each thing that was asked of a store: what, how long the answer took in milliseconds, and whether it failed. */
export type StoreWatcher = (operation: string, milliseconds: number, failed: boolean) => void;

/** The same storage, with a watcher told how long each of its answers took. */
export function timed(storage: Storage, clock: Clock, watch: StoreWatcher): Storage {
  // Around whatever a storage can do, so that what is added is watched too. It is called once a flush, not once a message.
  return new Proxy(storage, {
    get(target, operation) {
      const member = Reflect.get(target, operation, target);
      if (typeof member !== "function" || typeof operation === "symbol") return member;
      return (...parameters: unknown[]) => {
        const start = clock.monotonic();
        const answer = member.apply(target, parameters);
        if (answer instanceof Promise) {
          const answered = (failed: boolean) => () => watch(operation, clock.monotonic() - start, failed);
          answer.then(answered(false), answered(true));
        }
        return answer;
      };
    },
  });
}
