import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { LONGEST_WAIT, Pacer } from "./pacer.ts";

/** A pacer whose every run costs so many milliseconds, and the times at which the runs began. */
function createPacer(clock: FakeClock, cost: () => number, frames = 10_000, isBehind = false) {
  const runs: number[] = [];
  const start = clock.now();
  const pacer = new Pacer(clock, async () => {
    const began = clock.monotonic();
    runs.push(began - start);
    clock.spend(cost());
    await pacer.keepPace(began, frames, isBehind);
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

Deno.test("runs follow each other within 80 ms, or at once if they cost more than that", async () => {
  for (const [cost, next] of [[60, LONGEST_WAIT], [400, 400]]) {
    const clock = new FakeClock();
    const { pacer, runs } = createPacer(clock, () => cost);
    pacer.request(true);
    await clock.advance(0);
    pacer.request(true);
    await clock.advance(LONGEST_WAIT);
    assert.deepEqual(runs, [0, next]);
  }
});

Deno.test("the pace is the same after a burst as before it, however much more a longer pause makes it cost", async () => {
  const clock = new FakeClock();
  // 1,000 frames cost 10 ms, and what gathers while messages come as fast as that costs two thirds of the time.
  let [burst, last] = [0, clock.monotonic()];
  const { pacer, runs } = createPacer(clock, () => {
    const gathered = clock.monotonic() - last;
    last = clock.monotonic();
    const cost = burst + 10 + gathered * 2 / 3;
    burst = 0;
    return cost;
  }, 1_000);
  const paceOver = async (milliseconds: number) => {
    const before = runs.length;
    for (let at = 0; at < milliseconds; at++) {
      pacer.request(true);
      await clock.advance(1);
    }
    return milliseconds / (runs.length - before);
  };
  await paceOver(1_000);
  const usual = await paceOver(2_000);
  burst = 500;
  await paceOver(3_000);
  assert.ok(usual < 100 && Math.abs(await paceOver(2_000) - usual) < 5, `every ${usual} ms`);
});

Deno.test("while more waits than one run can do, the next one comes sooner", async () => {
  const clock = new FakeClock();
  const { pacer, runs } = createPacer(clock, () => 20, 10_000, true);
  pacer.request(true);
  await clock.advance(0);
  pacer.request(true);
  await clock.advance(100);
  assert.deepEqual(runs, [0, 25]);
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
