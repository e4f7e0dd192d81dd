import assert from "node:assert/strict";
import { webStorage } from "./web_storage.ts";

/** A browser's storage for all tabs, which takes nothing more while it is full. */
class SharedStorage {
  readonly content = new Map<string, string>();
  isFull = false;

  getItem(key: string): string | null {
    return this.content.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    if (this.isFull) throw new DOMException("full", "QuotaExceededError");
    this.content.set(key, value);
  }

  removeItem(key: string): void {
    this.content.delete(key);
  }
}

const over = (shared: SharedStorage) => webStorage(() => shared as unknown as Storage, "/chat/");

Deno.test("what is written is read again, under a key of its own chat", () => {
  const shared = new SharedStorage();
  over(shared).write("key", "value");
  assert.deepEqual([...shared.content], [["/chat/key", "value"]]);
  assert.equal(over(shared).read("key"), "value");
  over(shared).write("key", null);
  assert.equal(over(shared).read("key"), null);
});

Deno.test("where storage is forbidden, what is written lasts as long as the page", () => {
  const storage = webStorage(() => {
    throw new DOMException("forbidden", "SecurityError");
  }, "");
  assert.equal(storage.read("key"), null);
  storage.write("key", "value");
  assert.equal(storage.read("key"), "value");
  storage.write("key", null);
  assert.equal(storage.read("key"), null);
});

Deno.test("where storage is full, the page goes on with what it wrote, until another tab writes", () => {
  const shared = new SharedStorage();
  shared.content.set("/chat/key", "old");
  const storage = over(shared);
  shared.isFull = true;
  storage.write("key", "new");
  assert.deepEqual([storage.read("key"), over(shared).read("key")], ["new", "old"]);
  shared.isFull = false;
  over(shared).write("key", "another tab's");
  assert.equal(storage.read("key"), "another tab's");
  storage.write("key", "newest");
  assert.equal(over(shared).read("key"), "newest");
});
