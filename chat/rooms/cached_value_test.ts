import assert from "node:assert/strict";
import { FakeClock, settle } from "../../testing/clock.ts";
import { CachedValue } from "./cached_value.ts";

/** Something that is read when the test says so. */
function setUp() {
  const clock = new FakeClock();
  const readings: PromiseWithResolvers<string>[] = [];
  const changes: [string, string | undefined][] = [];
  const known = new CachedValue(
    () => {
      readings.push(Promise.withResolvers());
      return readings.at(-1)!.promise;
    },
    clock,
    (value, before) => changes.push([value, before]),
  );
  return { clock, readings, changes, known };
}

Deno.test("a value is read once for all who ask, and not again unless it may have changed", async () => {
  const { known, readings, changes } = setUp();
  const asked = [known.get(), known.get()];
  readings[0].resolve("one");
  assert.deepEqual(await Promise.all([...asked, known.get()]), ["one", "one", "one"]);
  assert.equal(readings.length, 1);
  known.refresh();
  assert.equal(await known.get(), "one", "until it is read again it is what it was");
  readings[1].resolve("two");
  await settle();
  assert.equal(known.value, "two");
  assert.deepEqual(changes, [["one", undefined], ["two", "one"]]);
});

Deno.test("a value that may have changed while it was being read is read once more", async () => {
  const { known, readings } = setUp();
  known.refresh();
  known.refresh();
  const refreshed = known.refresh().then(() => known.value);
  readings[0].resolve("old");
  await settle();
  assert.equal(readings.length, 2);
  readings[1].resolve("new");
  assert.equal(await refreshed, "new", "who asked for it is told when it is as new as that");
  assert.deepEqual([known.value, readings.length], ["new", 2]);
});

Deno.test("while the store fails the last reading holds, until another one works", async () => {
  const { known, readings, clock } = setUp();
  const asked = known.get();
  readings[0].reject(new Error("down"));
  await assert.rejects(asked, "who has nothing to hold on to is told");
  assert.equal(known.value, undefined);
  const again = known.get();
  readings[1].resolve("one");
  await again;
  known.refresh();
  readings[2].reject(new Error("down"));
  await settle();
  assert.equal(known.value, "one");
  await clock.advance(1_000);
  readings[3].resolve("two");
  await settle();
  assert.equal(known.value, "two");
});

Deno.test("a disposed value calls nobody any more", async () => {
  const { known, readings, changes } = setUp();
  known.refresh();
  known.dispose();
  readings[0].resolve("late");
  await settle();
  assert.deepEqual([changes, readings.length], [[], 1]);
});
