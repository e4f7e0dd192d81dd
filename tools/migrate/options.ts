import type { Clock } from "../../chat/clock.ts";

/** How a store is brought to the layout of today. */
export interface MigrateOptions {
  clock: Clock;
  /** Lets go of what an older version has written into a store of today's layout. */
  dropOlder?: boolean;
  /** Called before each step; what it throws ends the work there. */
  step?(name: string): void | Promise<void>;
}

/** What a store held. */
export interface Held {
  rooms: number;
  messages: number;
}

export const EMPTY = "Nothing is to be done: no Parley has written there.";
export const DONE_BEFORE = "Nothing is to be done: it has the new layout already.";
export const OLDER_REMOVED = "What an older Parley had left in the new store was removed. Don't start that one again.";
/** Of what was written after the migration nothing can be joined: its places are taken. */
export const BOTH_WROTE =
  "An older and a newer Parley have both written messages there, which can't be joined. Stop the " +
  "older one. Then deno task migrate --drop-older lets go of what it has written.";

export function done({ rooms, messages }: Held): string {
  return `Done: ${rooms} rooms, ${messages} messages. Start the new servers, and no older one again.`;
}
