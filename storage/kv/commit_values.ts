import type { Found } from "./store.ts";

/**
 * One commit may have 1,000 writes, 819,200 bytes, and 81,920 bytes of keys. One more command adds at most a hundred
 * reactions: as many document keys of up to 400 bytes in a room with the longest name, their entry of up to 40 KiB, and
 * a message of 64 KiB. An answer adds two such messages.
 */
const COMMIT_WRITES = 880;
const COMMIT_BYTES = 600 * 1024;
const COMMIT_KEY_BYTES = 32 * 1024;

const encoder = new TextEncoder();

/** What one commit depends on and writes, by key, and how much of what a commit may have it takes. */
export class CommitValues {
  /** What was read or is to be written, by the key as JSON. */
  readonly #values = new Map<string, { key: Deno.KvKey; value: unknown }>();
  /** Of what is to be written, the bytes. */
  readonly #writes = new Map<string, number>();
  #bytes = 0;
  #keyBytes = 0;

  /** Whether another command might not fit. */
  get isFull(): boolean {
    return this.#writes.size > COMMIT_WRITES || this.#bytes > COMMIT_BYTES || this.#keyBytes > COMMIT_KEY_BYTES;
  }

  rememberAll(found: Found<unknown>[]): void {
    for (const { value, check } of found) this.remember(check.key, value);
  }

  /** Notes what stands in the store. @param value undefined: nothing */
  remember(key: Deno.KvKey, value: unknown): void {
    this.#values.set(JSON.stringify(key), { key, value });
  }

  has(key: Deno.KvKey): boolean {
    return this.#values.has(JSON.stringify(key));
  }

  get<Value>(key: Deno.KvKey): Value | undefined {
    return this.#values.get(JSON.stringify(key))?.value as Value | undefined;
  }

  /** Those of the values whose keys differ from this one only by a longer text at the end. */
  *list<Value>(beginning: Deno.KvKey): Generator<[key: Deno.KvKey, value: Value]> {
    const start = JSON.stringify(beginning).slice(0, -'"]'.length);
    for (const [at, { key, value }] of this.#values) {
      if (value !== undefined && at.startsWith(start)) yield [key, value as Value];
    }
  }

  /** @param value undefined: it is deleted */
  set(key: Deno.KvKey, value: unknown): void {
    const at = JSON.stringify(key);
    const before = this.#writes.get(at);
    const bytes = bytesOf(value);
    this.#bytes += bytes - (before ?? 0);
    if (before === undefined) {
      const keyBytes = bytesOfKey(key);
      this.#keyBytes += keyBytes;
      this.#bytes += keyBytes;
    }
    this.#values.set(at, { key, value });
    this.#writes.set(at, bytes);
  }

  writeTo(operation: Deno.AtomicOperation): void {
    for (const at of this.#writes.keys()) {
      const { key, value } = this.#values.get(at)!;
      if (value === undefined) operation.delete(key);
      else operation.set(key, value);
    }
  }
}

/** The bytes that plain JSON takes at most as a value: a text has two a letter, unless all of it is Latin. */
export function bytesOf(value: unknown): number {
  if (typeof value === "string") return 7 + value.length * (/[^\0-\xff]/.test(value) ? 2 : 1);
  if (typeof value !== "object" || value === null) return 10;
  return Object.entries(value).reduce((sum, [name, field]) => sum + bytesOf(name) + bytesOf(field), 8);
}

/** The bytes that a key takes at most: UTF-8, and numbers of up to nine bytes. */
function bytesOfKey(key: Deno.KvKey): number {
  return key.reduce<number>((sum, part) => sum + (typeof part === "string" ? 2 + encoder.encode(part).length : 9), 0);
}
