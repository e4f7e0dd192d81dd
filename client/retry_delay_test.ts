import assert from "node:assert/strict";
import { CLOSE } from "../chat/protocol.ts";
import { CROWDED_DELAY, RESTART_SPREAD, RETRY_BASE, RETRY_CEILING, retryDelay } from "./retry_delay.ts";

Deno.test("retry delays double up to the ceiling, with full jitter", () => {
  const most = () => 1;
  const least = () => 0;
  assert.equal(retryDelay(0, 1006, () => 0.5), RETRY_BASE);
  assert.deepEqual([1, 2, 3].map((attempt) => retryDelay(attempt, 1006, most)), [1_000, 2_000, 4_000]);
  assert.equal(retryDelay(50, 1006, most), RETRY_CEILING);
  assert.equal(retryDelay(5, 1006, least), 0);
});

Deno.test("clients come back spread out after a restart, and stay away longer after one connection too many", () => {
  assert.equal(retryDelay(0, CLOSE.restarting, () => 1), RESTART_SPREAD);
  assert.equal(retryDelay(0, 1001, () => 0), 0);
  const seconds = Array.from({ length: 1_000 }, (_, at) => retryDelay(0, CLOSE.restarting, () => at / 1_000) / 1_000);
  const inEach = Object.values(Object.groupBy(seconds, Math.floor)).map((come) => come!.length);
  assert.deepEqual(inEach, [250, 250, 250, 250], "evenly");
  assert.equal(retryDelay(0, CLOSE.tooManyConnections, () => 0), CROWDED_DELAY);
  assert.equal(retryDelay(0, CLOSE.flooding, () => 1), RETRY_CEILING);
});
