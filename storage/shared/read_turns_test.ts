import assert from "node:assert/strict";
import type { History, Storage } from "../../chat/storage.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { readInTurns } from "./read_turns.ts";

/** A storage whose pages take this long to read, and what happens on it, in order. */
function createStorage(milliseconds: number) {
  const clock = new FakeClock();
  const done: string[] = [];
  const slow = {
    history(room: string): Promise<History> {
      clock.spend(milliseconds);
      done.push(`read ${room}`);
      return room === "broken" ? Promise.reject(new Error(room)) : Promise.resolve({ seq: 1 } as History);
    },
    read(room: string): Promise<History> {
      return this.history(room);
    },
    missedNotifications: 7,
    append() {
      return Promise.resolve(this.missedNotifications);
    },
  };
  const storage = readInTurns(slow as unknown as Storage, clock);
  return { clock, done, storage };
}

Deno.test("while many pages are read, what else waits comes between them", async () => {
  const { clock, done, storage } = createStorage(2);
  const pages = [storage.history("a", { limit: 50 }), storage.read("b", 0), storage.history("c", { limit: 50 })];
  assert.deepEqual(done, ["read a"], "the first one need not wait");
  const other = (left: number): void =>
    clock.soon(() => {
      done.push("something else");
      if (left > 1) other(left - 1);
    });
  other(2);
  assert.deepEqual((await Promise.all(pages)).map(({ seq }) => seq), [1, 1, 1]);
  assert.deepEqual(done, ["read a", "read b", "something else", "read c", "something else"]);
});

Deno.test("pages that are read quickly share a turn", async () => {
  const { clock, done, storage } = createStorage(0.4);
  for (const room of ["a", "b", "c", "d", "e", "f", "g"]) storage.history(room, { limit: 50 });
  assert.equal(done.length, 3);
  clock.soon(() => done.push("something else"));
  await settle();
  assert.equal(done.indexOf("something else"), 6);
  assert.equal(done.length, 8);
});

Deno.test("a page that can't be read holds up no other page, and the rest of the storage is as it was", async () => {
  const { storage } = createStorage(2);
  const [first, broken, last] = ["a", "broken", "b"].map((room) => storage.history(room, { limit: 50 }));
  await assert.rejects(broken, /broken/);
  await Promise.all([first, last]);
  assert.equal(storage.missedNotifications, 7);
  assert.equal(await storage.append([]), 7 as never);
});

Deno.test("a page that is asked for later does not overtake one that waits", async () => {
  const { clock, done, storage } = createStorage(2);
  for (const room of ["a", "b", "c"]) storage.history(room, { limit: 50 });
  clock.soon(() => void storage.history("late", { limit: 50 }));
  await settle();
  assert.deepEqual(done, ["read a", "read b", "read c", "read late"]);
});
