import assert from "node:assert/strict";
import { TokenBucket } from "./token_bucket.ts";

Deno.test("a bucket gives its burst at once, then so many a second, and tells how long to wait", () => {
  const bucket = new TokenBucket({ perSecond: 5, burst: 3 });
  const now = 1_000_000.1;
  assert.deepEqual([0, 0, 0, 0].map(() => bucket.take(now)), [0, 0, 0, 0.2]);
  assert.equal(bucket.take(now + 100), 0.1);
  assert.equal(bucket.take(now + 200), 0);
  assert.notEqual(bucket.take(now + 200), 0, "what is refused is not taken, nor given twice");
});

Deno.test("what costs several tokens waits for all of them, and for a full bucket where it holds fewer", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 10 });
  assert.deepEqual([0, 0, 0].map(() => bucket.take(0, 4)), [0, 0, 2]);
  assert.deepEqual([bucket.take(0), bucket.take(1_000)], [0, 0], "what is refused is not taken");
  assert.equal(bucket.take(2_000, 20), 8);
  assert.deepEqual([bucket.take(10_000, 20), bucket.take(10_000)], [0, 1]);
});

Deno.test("quiet fills a bucket to its burst and no further", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
  assert.deepEqual([0, 0].map(() => bucket.take(0)), [0, 0]);
  assert.ok(!bucket.isFull(1_999));
  assert.ok(bucket.isFull(2_000));
  assert.deepEqual([0, 0, 0].map(() => bucket.take(1e9)), [0, 0, 1]);
});

Deno.test("a bucket never gives more than its burst and its rate allow, whenever it is asked", () => {
  const bucket = new TokenBucket({ perSecond: 7, burst: 11 });
  let given = 0;
  for (let now = 0; now <= 10_000; now += 1.7) given += bucket.take(now) === 0 ? 1 : 0;
  assert.ok(given <= 11 + 70 && given >= 10 + 70, `${given}`);
});

Deno.test("without a rate or a burst there is no limit", () => {
  for (const rate of [{ perSecond: 0, burst: 5 }, { perSecond: 5, burst: 0 }]) {
    const bucket = new TokenBucket(rate);
    for (let at = 0; at < 1_000; at++) assert.equal(bucket.take(0), 0);
    assert.ok(bucket.isFull(0));
  }
});

Deno.test("tokens that are taken away never make the bucket less than empty", () => {
  const bucket = new TokenBucket({ perSecond: 1, burst: 2 });
  bucket.spend(0, 10);
  assert.equal(bucket.take(0), 1);
  assert.equal(bucket.take(1_000), 0);
});
