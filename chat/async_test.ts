import assert from "node:assert/strict";
import { FakeClock, settle } from "../testing/clock.ts";
import { interval, Serializer, withTimeout } from "./async.ts";

Deno.test("work that is done in time gives its result, and leaves no timer behind", async () => {
  const clock = new FakeClock();
  assert.equal(await withTimeout(clock, 10, Promise.resolve("here"), () => "late"), "here");
  await assert.rejects(withTimeout(clock, 10, Promise.reject(new Error("broken")), () => "late"), /broken/);
  assert.equal(clock.waiting, 0);
});

Deno.test("work that is late has another result in its place, and may fail unheard", async () => {
  const clock = new FakeClock();
  const work = Promise.withResolvers<string>();
  const [value, thrown] = [
    withTimeout(clock, 10, work.promise, () => "late"),
    withTimeout(clock, 10, work.promise, () => {
      throw new Error("no answer");
    }),
  ];
  const refused = assert.rejects(thrown, /no answer/);
  await clock.advance(10);
  assert.equal(await value, "late");
  await refused;
  work.reject(new Error("too late to matter"));
  await settle();
});

Deno.test("work of one key keeps its order, also after a failure, and leaves nothing behind", async () => {
  const done: string[] = [];
  const first = Promise.withResolvers<void>();
  const serializer = new Serializer<string>();
  const failed = assert.rejects(
    serializer.run("a", async () => {
      await first.promise;
      done.push("a1");
      throw new Error("broken");
    }),
    /broken/,
  );
  serializer.run("a", () => done.push("a2"));
  await serializer.run("b", () => done.push("b1"));
  first.resolve();
  await failed;
  await serializer.settled();
  assert.deepEqual(done, ["b1", "a1", "a2"]);
});

Deno.test("an interval goes on after a failure, and ends when it is stopped", async () => {
  const clock = new FakeClock();
  let runs = 0;
  const stop = interval(clock, 100, () => {
    runs++;
    throw new Error("broken");
  });
  await clock.advance(350);
  assert.equal(runs, 3);
  stop();
  await clock.advance(350);
  assert.deepEqual([runs, clock.waiting], [3, 0]);
});
