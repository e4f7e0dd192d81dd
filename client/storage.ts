/** What the browser remembers between two lives of the page: strings under names. Nothing here ever throws. */
export interface Memory {
  read(key: string): string | null;
  /** Null forgets. */
  write(key: string, value: string | null): void;
}

/**
 * Memory in `localStorage` or `sessionStorage`. Where it is forbidden or full, only the next life of the page loses.
 * @param prefix stands before every name, since browsers have one storage for all that is on a host
 */
export function storageMemory(open: () => Storage, prefix: string): Memory {
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
        // The words are still on the screen, and are sent as ever.
      }
    },
  };
}
