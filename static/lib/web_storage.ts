import type { KeyValueStorage } from "../../client/storage.ts";

/** The keys of the reader's choices in the browser's storage. theme.ts, which can't import anything, has its own too. */
export const PREFERENCES = {
  language: "parley.language",
  theme: "parley.theme",
  /** It is "newest" where the rooms at the side are not in the order of their names. */
  roomOrder: "parley.room_order",
  /** It is "off" where no single character may be a key of the page (WCAG 2.1.4). */
  characterKeys: "parley.character_keys",
} as const;

/**
 * Storage in `localStorage` or `sessionStorage`. Where that is forbidden or full, nothing is kept for the next load.
 * @param prefix precedes every key, because a browser has one storage for everything on a host
 */
export function webStorage(open: () => Storage, prefix: string): KeyValueStorage {
  return {
    read(key) {
      try {
        return open().getItem(prefix + key);
      } catch {
        return null;
      }
    },
    write(key, value) {
      try {
        if (value === null) open().removeItem(prefix + key);
        else open().setItem(prefix + key, value);
      } catch {
        // The message is still on the screen, and is sent as usual.
      }
    },
  };
}
