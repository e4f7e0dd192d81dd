import assert from "node:assert/strict";
import { FrameReader } from "./frames.ts";
import { median, percentile } from "./percentile.ts";

Deno.test("frames are read however they were cut, and counted without being read", () => {
  const texts = ["", "a", "b".repeat(125), "c".repeat(126), "d".repeat(65_536)];
  const bytes = texts.flatMap((text) => {
    const { length } = text;
    const size = length < 126
      ? [length]
      : length < 65_536
      ? [126, length >> 8, length & 255]
      : [127, 0, 0, 0, 0, 0, length >> 16, length >> 8 & 255, length & 255];
    return [0x81, ...size, ...new TextEncoder().encode(text)];
  });
  const all = Uint8Array.from([...bytes, 0x88, 2, 1012 >> 8, 1012 & 255]);
  for (const size of [1, 3, 1_000, all.length]) {
    const heard: (string | number)[] = [];
    const reader = new FrameReader({ text: (text) => void heard.push(text), close: (code) => void heard.push(code) });
    const counter = new FrameReader();
    for (let at = 0; at < all.length; at += size) {
      reader.read(all.subarray(at, at + size));
      counter.read(all.subarray(at, at + size));
    }
    assert.deepEqual(heard, [...texts, 1012]);
    assert.deepEqual([reader.frames, counter.frames], [6, 6]);
  }
});

Deno.test("a percentile is a sample, and a median needs no order", () => {
  const samples = Float64Array.from({ length: 100 }, (_, at) => at + 1);
  assert.deepEqual([percentile(samples, 50), percentile(samples, 99), percentile([], 99)], [50, 99, NaN]);
  assert.equal(median([3, 1, 2]), 2);
});
