import assert from "node:assert/strict";
import type { Entry } from "../../chat/protocol.ts";
import type { LogNotification } from "../../chat/storage.ts";
import { Subscribers } from "./subscribers.ts";

/** Subscribers of one room, what they are told, and a look at where its log stands. */
function setUp() {
  const subscribers = new Subscribers();
  const told: LogNotification[] = [];
  subscribers.subscribe("r", (notification) => told.push(notification), () => undefined);
  const look = (epoch: string, head: number) => subscribers.look(new Map([["r", { epoch, head }]]));
  const tell = (epoch: string, ...seqs: number[]) =>
    subscribers.tell("r", { epoch, entries: seqs.map((seq) => ({ seq }) as Entry) });
  /** The same, and whether that shows that something was not told. */
  const shows = (epoch: string, seq: number) => {
    const isMissing = subscribers.wouldMiss("r", { epoch, entries: [{ seq } as Entry] });
    tell(epoch, seq);
    return isMissing;
  };
  return { told, look, tell, shows };
}

Deno.test("what no notification told is found by the second look, once", () => {
  const { told, look, tell } = setUp();
  tell("e", 5);
  assert.deepEqual([look("e", 5), look("e", 6), look("e", 6), look("e", 6)], [0, 0, 1, 0]);
  assert.deepEqual(told.slice(1), [{ epoch: "e", entries: [] }]);
});

Deno.test("an entry that does not follow the last one shows that something was missed, also after a look", () => {
  const { look, shows, tell } = setUp();
  assert.equal(shows("e", 5), false);
  assert.deepEqual([shows("e", 6), shows("e", 8), shows("e", 9)], [false, true, false]);
  look("e", 10);
  assert.deepEqual([shows("e", 11), shows("e", 11), shows("e", 7)], [true, false, false]);
  // Subscribers that read by themselves know more than they were told of.
  tell("e");
  assert.deepEqual([shows("e", 15), shows("other", 3), shows("other", 5)], [false, false, true]);
});

Deno.test("what was missed is known from the first look on, though nothing was told yet", () => {
  const { look, shows } = setUp();
  look("e", 5);
  assert.equal(shows("e", 7), true);
});

Deno.test("what was there before the first look is not missed", () => {
  const { told, look } = setUp();
  assert.deepEqual([look("e", 5), look("e", 5)], [0, 0]);
  assert.deepEqual(told, [{ epoch: "e", entries: [] }]);
});

for (const how of ["look", "notification"] as const) {
  Deno.test(`in a store that was emptied, lost notifications are found too: a ${how} told of its epoch`, () => {
    const { told, look, tell } = setUp();
    tell("old", 100);
    look("old", 100);
    if (how === "notification") tell("new");
    assert.equal(look("new", 1), 0);
    tell("new", 2);
    assert.deepEqual([look("new", 3), look("new", 3)], [0, 1]);
    assert.deepEqual(told.slice(-1), [{ epoch: "new", entries: [] }]);
  });
}
