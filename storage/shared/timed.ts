import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";

/** Told of each thing that was asked of a store: what, how long the answer took in milliseconds, and whether it failed. */
export type StoreWatcher = (operation: string, milliseconds: number, failed: boolean) => void;

/** What operations of a storage's parts are called in metrics; the others by their own names. */
const OPERATIONS: Record<string, string> = {
  claim: "claimName",
  hold: "holdNames",
  settings: "roomSettings",
  change: "changeRoom",
  listed: "listedRooms",
};

/** The same storage, with a watcher told how long each of its answers took. */
export function timed(storage: Storage, clock: Clock, watch: StoreWatcher): Storage {
  const parts = new Map<unknown, unknown>([storage.names, storage.moderation].map((part) => [part, watched(part)]));
  return watched(storage);

  // Around whatever a storage can do, so that what is added is watched too. It is called once a flush, not once a message.
  function watched<Part extends object>(part: Part): Part {
    return new Proxy(part, {
      get(target, name) {
        const member = Reflect.get(target, name, target);
        if (typeof member !== "function" || typeof name === "symbol") return parts.get(member) ?? member;
        const operation = OPERATIONS[name] ?? name;
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
}
