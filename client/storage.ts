/** What the client keeps from one run to the next: strings by key. No function here throws. */
export interface KeyValueStorage {
  read(key: string): string | null;
  /** Null removes the key. */
  write(key: string, value: string | null): void;
}
