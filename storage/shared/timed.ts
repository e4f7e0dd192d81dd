import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";

/** Is told of each answer of a store: the operation, how many milliseconds it took, and whether it failed. */
type StoreWatcher = (operation: string, milliseconds: number, failed: boolean) => void;

/** The names of some operations in metrics. Others have their own. */
const OPERATIONS: Record<string, string> = {
  claim: "claimName",
  give: "giveNames",
  hold: "holdNames",
  settings: "roomSettings",
  change: "changeRoom",
  listed: "listedRooms",
};

/** The same storage, with a watcher told how long each of its answers took. */
export function timed(storage: Storage, clock: Clock, watch: StoreWatcher): Storage {
  const parts = new Map<unknown, unknown>([storage.names, storage.moderation].map((part) => [part, watched(part)]));
  return watched(storage);

  // A proxy also watches what is added to a storage later. It costs one call for each flush cycle, not for each
  // message.
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
