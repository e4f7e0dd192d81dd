import assert from "node:assert/strict";
import { description, type Point, sweepPicture } from "./sweep_picture.ts";

const [few, many] = [2, 1_000];
const points = [few, many].flatMap((people) =>
  [1, 500].flatMap((rate) =>
    [20, 2_000].map((text): Point => ({
      people,
      rate,
      text,
      p50: 5,
      p99: people === many && rate === 500 ? 4_000 : 10,
      cpu: 0.5,
      deliveriesPerSecond: people * rate,
      messagesPerFrame: 1,
      refused: people === many && rate === 500 ? 0.5 : 0,
      saturated: false,
    }))
  )
);

Deno.test("the sweep's picture has a point for each load in each row, hollow where a part was refused, and says it too", () => {
  const picture = sweepPicture({ date: "2026-11-28", machine: "a machine <1 GHz", points });
  const drawn = [...picture.matchAll(/<circle class="point( hollow)?" cx="([\d.]+)" cy="([\d.]+)" r="3"/g)];
  assert.equal(drawn.length, points.length * 3);
  assert.equal(drawn.filter(([, hollow]) => hollow).length, 2 * 3);
  assert.equal(picture.match(/<polyline /g)!.length, 2 * 2 * 3);
  assert.ok(!/NaN|undefined/.test(picture));
  const said = description(points, [few, many]);
  assert.match(said, /^With 2 people at every load .* 10 ms\. With 1,000 people .* 10 ms wherever .* 4,000 ms where/);
  assert.ok(picture.includes(said) && picture.includes("a machine &lt;1 GHz"));
});
