import assert from "node:assert/strict";
import { FakeClock, settle } from "../../testing/clock.ts";
import { Arrivals, ARRIVALS_A_TURN } from "./arrivals.ts";

Deno.test("whoever comes alone waits for nobody, and of a crowd a few come in each turn, in order", async () => {
  const clock = new FakeClock();
  const arrivals = new Arrivals(clock);
  assert.equal(arrivals.wait(), undefined);
  await settle();
  const { soon } = clock;
  let turn = 0;
  clock.soon = (act) =>
    soon.call(clock, () => {
      turn++;
      act();
    });
  const came: [number, number][] = [];
  await Promise.all(Array.from({ length: 3 * ARRIVALS_A_TURN + 1 }, async (_, at) => {
    await arrivals.wait();
    came.push([turn, at]);
  }));
  assert.deepEqual(came.map(([, at]) => at), [...came.keys()]);
  const each = Map.groupBy(came, ([turn]) => turn).values().map(({ length }) => length);
  assert.deepEqual([...each], [ARRIVALS_A_TURN, ARRIVALS_A_TURN, ARRIVALS_A_TURN, 1]);
  await settle();
  assert.equal(arrivals.wait(), undefined, "afterwards nobody waits");
});
