import assert from "node:assert/strict";
import fc from "fast-check";
import { message } from "../../testing/clients/frames.ts";
import { findByDate } from "./date_search.ts";

Deno.test("the first message of a time or later is found, with few requests, whatever is missing between them", async () => {
  const sizes = fc.array(fc.record({ gap: fc.integer({ min: 1, max: 40 }), later: fc.integer({ min: 0, max: 3 }) }), {
    maxLength: 60,
  });
  await fc.assert(fc.asyncProperty(sizes, fc.integer({ min: 0, max: 100 }), fc.nat(30), async (steps, date, rest) => {
    let [seq, now] = [0, 0];
    const messages = steps.map(({ gap, later }) => message(seq += gap, { date: now += later }));
    let requests = 0;
    const firstAfter = (after: number) => {
      requests++;
      return Promise.resolve(messages.find(({ seq }) => seq > after));
    };
    const expected = messages.find((message) => message.date >= date)?.seq ?? null;
    assert.equal(await findByDate(firstAfter, seq + rest, date), expected);
    assert.ok(requests <= Math.ceil(Math.log2(seq + rest + 1)) + 1);
  }));
});
