import type { KeyValueStorage } from "../../client/storage.ts";

/** Storage that lasts as long as the test. */
export function memoryStorage(content: Record<string, string> = {}): KeyValueStorage & { content: typeof content } {
  return {
    content,
    read: (key) => content[key] ?? null,
    write(key, value) {
      if (value === null) delete content[key];
      else content[key] = value;
    },
  };
}
