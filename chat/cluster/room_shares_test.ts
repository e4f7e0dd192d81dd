import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { Members } from "../rooms/members.ts";
import { RoomShares } from "./room_shares.ts";

Deno.test("what comes late, by another way, changes nothing that is newer", () => {
  const nothing = () => {};
  const members = new Members("r", new FakeClock(), {
    changed: nothing,
    relist: nothing,
    localChanged: nothing,
    empty: nothing,
  });
  const shares = new RoomShares(members);
  const here = () => [...members].map(({ user }) => user).toSorted().join();
  const fits = shares.answered("i", { room: "r", version: 5, people: [["ann", "Ann"], ["bob", "Bob"]] }, 0);
  assert.deepEqual([fits, here()], [true, "ann,bob"]);
  // An update from before the answer, an answer from before that, and the number of the last change again.
  assert.equal(shares.update("i", { room: "r", after: 3, version: 4, changes: [["ann"]] }, 0), true);
  assert.equal(shares.answered("i", { room: "r", version: 2, people: [] }, 0), true);
  assert.equal(shares.update("i", { room: "r", after: 5, version: 5, changes: [] }, 0), true);
  assert.equal(here(), "ann,bob");
  // A part whose beginning did not come, and an answer that says "the same" to one who knows less.
  assert.equal(shares.answered("i", { room: "r", version: 9, people: [["cid", "Cid"]], at: 2 }, 0), false);
  assert.equal(shares.answered("i", { room: "r", version: 9 }, 0), false);
  assert.equal(
    shares.answered("i", { room: "r", version: 9, people: [["bob", "Bob"]], at: 0, more: true }, 0),
    true,
  );
  assert.equal(here(), "ann,bob");
  assert.equal(shares.answered("i", { room: "r", version: 9, people: [["cid", "Cid"]], at: 1 }, 0), true);
  assert.equal(here(), "bob,cid");
  // Whoever begins at nothing says all.
  assert.equal(shares.update("i", { room: "r", after: 0, version: 12, changes: [["dan", "Dan"]] }, 0), true);
  assert.equal(here(), "dan");
  assert.equal(shares.update("i", { room: "r", after: 12, version: 0, changes: [] }, 0), true);
  assert.equal(here(), "");
});
