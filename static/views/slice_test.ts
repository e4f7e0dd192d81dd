import assert from "node:assert/strict";
import { around, FAR, fitted, NEAR, newest, sliceOf, type Span, spanOf, STEP, wholeRuns } from "./slice.ts";

/** Messages with these numbers, of one person. */
const messages = (...seqs: number[]) => seqs.map((seq) => ({ seq, user: "u1" }));
const range = (first: number, last: number) =>
  messages(...Array.from({ length: last - first + 1 }, (_, index) => first + index));
const enough = { above: NEAR, below: NEAR };
const nothing = (): Span => assert.fail("what is near is not asked for");

Deno.test("a slice stays the same messages when older ones come and the oldest go", () => {
  const slice = sliceOf(range(10, 30), { from: 5, to: 10 });
  assert.deepEqual(slice, { first: 15, last: 19 });
  assert.deepEqual(spanOf(range(1, 30), slice), { from: 14, to: 19 });
  assert.deepEqual(spanOf(range(17, 30), slice), { from: 0, to: 3 });
  assert.deepEqual(spanOf(messages(3, 14, 16, 40), slice), { from: 2, to: 3 }, "numbers may be missing");
});

Deno.test("a slice of messages that are all gone is empty", () => {
  const slice = { first: 15, last: 19 };
  for (const other of [[], range(1, 9), range(50, 60)]) {
    const { from, to } = spanOf(other, slice);
    assert.equal(from, to);
  }
});

Deno.test("messages come in on the side that the reader is near, and no others", () => {
  const all = range(1, 500);
  const span = { from: 200, to: 300 };
  assert.deepEqual(fitted(all, span, enough, nothing), span);
  assert.deepEqual(fitted(all, span, { above: NEAR - 0.1, below: NEAR }, nothing), { from: 200 - STEP, to: 300 });
  assert.deepEqual(fitted(all, span, { above: NEAR, below: 0 }, nothing), { from: 200, to: 300 + STEP });
  assert.deepEqual(fitted(range(1, 30), { from: 5, to: 25 }, { above: 0, below: 0 }, nothing), { from: 0, to: 30 });
});

Deno.test("what is far away goes, on each side by itself", () => {
  const staying = () => ({ from: 230, to: 270 });
  const span = { from: 200, to: 300 };
  assert.deepEqual(fitted(range(1, 500), span, { above: FAR, below: FAR }, nothing), span);
  assert.deepEqual(fitted(range(1, 500), span, { above: FAR + 1, below: NEAR }, staying), { from: 230, to: 300 });
  assert.deepEqual(fitted(range(1, 500), span, { above: 0, below: FAR + 1 }, staying), { from: 200 - STEP, to: 270 });
});

Deno.test("a message near the slice makes it longer; one far away takes its place unless it has to stay", () => {
  const all = range(1, 500);
  const span = { from: 200, to: 240 };
  assert.deepEqual(around(all, span, 199, false), { from: 199 - STEP, to: 240 });
  assert.deepEqual(around(all, span, 240, false), { from: 200, to: 240 + STEP });
  assert.deepEqual(around(all, span, 0, false), { from: 0, to: STEP });
  assert.deepEqual(around(all, span, 499, false), { from: 499 - STEP, to: 500 });
  assert.deepEqual(around(all, span, 0, true), { from: 0, to: 240 });
});

Deno.test("the newest messages are as many as there are", () => {
  assert.deepEqual(newest(range(1, 500)), { from: 500 - STEP, to: 500 });
  assert.deepEqual(newest(range(1, 3)), { from: 0, to: 3 });
});

Deno.test("a muted person's messages in a row are in a slice together", () => {
  const all = ["a", "b", "b", "b", "c", "c", "c", "b", "b"].map((user, index) => ({ seq: index + 1, user }));
  const runs = (from: number, to: number) => wholeRuns(all, { from, to }, (user) => user === "b");
  assert.deepEqual(runs(2, 3), { from: 1, to: 4 });
  assert.deepEqual(runs(4, 5), { from: 4, to: 5 }, "nobody else's are");
  assert.deepEqual(runs(5, 8), { from: 5, to: 9 });
  assert.deepEqual(runs(0, 9), { from: 0, to: 9 });
  assert.deepEqual(wholeRuns([], { from: 0, to: 0 }, () => true), { from: 0, to: 0 });
});
