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
  return { told, look, tell };
}

Deno.test("what no notification told is found by the second look, once", () => {
  const { told, look, tell } = setUp();
  tell("e", 5);
  assert.deepEqual([look("e", 5), look("e", 6), look("e", 6), look("e", 6)], [0, 0, 1, 0]);
  assert.deepEqual(told.slice(1), [{ epoch: "e", entries: [] }]);
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
