import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { LONGEST_WAIT, Pacer } from "./pacer.ts";

/** A pacer whose every run costs so many milliseconds, and the times at which the runs began. */
function createPacer(clock: FakeClock, cost: () => number) {
  const runs: number[] = [];
  const start = clock.now();
  const pacer = new Pacer(clock, async () => {
    const began = clock.monotonic();
    runs.push(began - start);
    clock.spend(cost());
    await pacer.keepPace(began);
  });
  return { pacer, runs };
}

Deno.test("idle, a run begins at once", async () => {
  const clock = new FakeClock();
  const { pacer, runs } = createPacer(clock, () => 20);
  pacer.request(true);
  await clock.advance(1_000);
  pacer.request(true);
  await clock.advance(0);
  assert.deepEqual(runs, [0, 1_000]);
});

Deno.test("under load deferrable requests wait in proportion to what the last run cost, and are done together", async () => {
  const clock = new FakeClock();
  const { pacer, runs } = createPacer(clock, () => 10);
  for (let at = 0; at < 200; at++) {
    pacer.request(true);
    await clock.advance(1);
  }
  const busy = 10 * runs.length / (clock.now() - Date.UTC(2026, 0, 1));
  // The last run is counted whole.
  assert.ok(busy > 0.3 && busy < 0.51, `busy for ${busy} of the time`);
});

Deno.test("nobody waits longer than a tenth of a second for the pace, however expensive a run is", async () => {
  const clock = new FakeClock();
  const { pacer, runs } = createPacer(clock, () => 400);
  pacer.request(true);
  await clock.advance(0);
  pacer.request(true);
  await clock.advance(LONGEST_WAIT);
  assert.deepEqual(runs, [0, 400 + LONGEST_WAIT]);
});

Deno.test("an urgent request does not wait for the pace", async () => {
  const clock = new FakeClock();
  const { pacer, runs } = createPacer(clock, () => 30);
  pacer.request(true);
  await clock.advance(0);
  pacer.request(true);
  await clock.advance(5);
  pacer.request();
  await clock.advance(0);
  assert.deepEqual(runs, [0, 35]);
});
