import fc from "fast-check";
import assert from "node:assert/strict";
import { createEventReader } from "./event_stream.ts";

Deno.test("events are the same, however the stream was cut into pieces", () => {
  const text = [
    "retry: 1000\n\n",
    'event: pong\nid: e:1\ndata: {"a":1}\n\n',
    ": here\n\n",
    "event: typing\r\ndata: one\r\ndata: two\r\n\r\n",
    "data:no event\n\n",
    "event: empty\n\n",
    "event: lines\ndata: a\u2028b: c\n\n",
  ].join("");
  const events = [
    { event: "pong", data: '{"a":1}' },
    { event: "typing", data: "one\ntwo" },
    { event: "", data: "no event" },
    { event: "lines", data: "a\u2028b: c" },
  ];
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: text.length })), (cuts) => {
    const read = createEventReader();
    const ends = [...cuts.sort((one, other) => one - other), text.length];
    assert.deepEqual(ends.flatMap((end, at) => read(text.slice(ends[at - 1] ?? 0, end))), events);
  }));
});

Deno.test("an incomplete event is not returned", () => {
  const read = createEventReader();
  assert.deepEqual(read("event: pong\ndata: {}\n"), []);
  assert.deepEqual(read("\n"), [{ event: "pong", data: "{}" }]);
});
