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
 * Storage in `localStorage` or `sessionStorage`. Where that is forbidden or full, what is written lasts as long as the
 * page, or until another tab writes the same.
 * @param prefix precedes every key, because a browser has one storage for everything on a host
 */
export function webStorage(open: () => Storage, prefix: string): KeyValueStorage {
  /** What could not be stored, and what stands in its place. */
  const unstored = new Map<string, { value: string | null; instead: string | null }>();

  function stored(key: string): string | null {
    try {
      return open().getItem(prefix + key);
    } catch {
      return null;
    }
  }

  return {
    read(key) {
      const instead = stored(key);
      const own = unstored.get(key);
      return own && own.instead === instead ? own.value : instead;
    },
    write(key, value) {
      unstored.delete(key);
      try {
        if (value === null) open().removeItem(prefix + key);
        else open().setItem(prefix + key, value);
      } catch {
        unstored.set(key, { value, instead: stored(key) });
      }
    },
  };
}
