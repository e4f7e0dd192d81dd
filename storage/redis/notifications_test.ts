import assert from "node:assert/strict";
import { Rulebook } from "../../chat/rulebook.ts";
import type { Entry } from "../../chat/protocol.ts";
import { FakeClock } from "../../testing/clock.ts";
import { RedisNotifications } from "./notifications.ts";

const said = (room: string, seq: number): Entry => {
  return { action: "receive_message", room, seq, user: "ann", from: "Ann", text: "hello", date: seq };
};
/** What another process publishes when it stores a message. */
const published = (room: string, epoch: string, seq: number) => {
  const row = [seq, seq, seq, { action: "send_message", user: "bob", from: "Bob" }, { text: "hello" }, null];
  return `log other\n${JSON.stringify([[room, epoch, [row]]])}`;
};

Deno.test("what was stored in several rooms at once is not taken for missed, whatever others said meanwhile", () => {
  const clock = new FakeClock();
  let endOfTurn = () => {};
  clock.soon = (act) => endOfTurn = act;
  const notifications = new RedisNotifications("parley", clock, new Rulebook({ messages: 0, days: 0 }));
  notifications.learn("e");
  const told: string[] = [];
  for (const room of ["a", "b"]) {
    notifications.subscribe(room, ({ entries }) => told.push(`${room} ${entries.map(({ seq }) => seq)}`));
    notifications.tell(room, "e", [said(room, 1)]);
  }
  told.length = 0;
  // Redis' answer, which is of both rooms, came before this, but passes some promises before it is told.
  notifications.hear(published("b", "e", 3));
  notifications.tell("a", "e", [said("a", 2)]);
  notifications.tell("b", "e", [said("b", 2)]);
  notifications.hear(published("b", "e", 4));
  endOfTurn();
  assert.deepEqual(told, ["a 2", "b 2,3", "b 4"]);
  assert.equal(notifications.missed, 0);
});
