import assert from "node:assert/strict";
import { memoryStorage } from "../../testing/browser/memory_storage.ts";
import {
  forget,
  keep,
  KEPT_LIMIT,
  KEPT_ROOMS_KEY,
  type KeptRoom,
  loadKeptRooms,
  markRead,
  saveKeptRooms,
  setMuted,
  withMarksOf,
} from "./kept_rooms.ts";

const names = (rooms: readonly KeptRoom[]) => rooms.map(({ room }) => room);

Deno.test("a room is kept once, the last one entered first, until it is left or too many are", () => {
  let rooms = keep(keep(keep([], "a", 1), "b", 2), "a", 3);
  assert.deepEqual(rooms.map(({ room, date }) => [room, date]), [["a", 3], ["b", 2]]);
  assert.deepEqual(names(forget(rooms, "a")), ["b"]);
  for (let count = 0; count < KEPT_LIMIT - 1; count++) rooms = keep(rooms, `room-${count}`, 4);
  assert.equal(rooms.length, KEPT_LIMIT);
  assert.equal(names(rooms).includes("b"), false);
});

Deno.test("what is read goes up only, except in another epoch, and stays when a room is entered again", () => {
  const rooms = markRead(keep([], "a", 1), "a", { epoch: "e1", seq: 5 });
  assert.equal(markRead(rooms, "a", { epoch: "e1", seq: 4 }), rooms);
  assert.equal(markRead(rooms, "left", { epoch: "e1", seq: 4 }), rooms);
  assert.deepEqual(markRead(rooms, "a", { epoch: "e2", seq: 1 })[0].read, { epoch: "e2", seq: 1 });
  assert.deepEqual(keep(setMuted(rooms, "a", true), "a", 9), [
    { room: "a", muted: true, read: { epoch: "e1", seq: 5 }, date: 9 },
  ]);
});

Deno.test("of what two tabs have read, the later counts, and a room that one of them has left stays left", () => {
  const [here, there] = [markRead(keep([], "a", 1), "a", { epoch: "e1", seq: 5 }), keep([], "a", 1)];
  assert.deepEqual(withMarksOf(here, there), here);
  assert.deepEqual(withMarksOf(here, markRead(there, "a", { epoch: "e1", seq: 7 }))[0].read, { epoch: "e1", seq: 7 });
  assert.deepEqual(withMarksOf(here, markRead(there, "a", { epoch: "e2", seq: 1 }))[0].read, { epoch: "e2", seq: 1 });
  assert.deepEqual(withMarksOf(here, []), []);
});

Deno.test("stored rooms are read as far as they can be understood", () => {
  const storage = memoryStorage();
  assert.deepEqual(loadKeptRooms(storage), []);
  const rooms = markRead(keep([], "섬", 1), "섬", { epoch: "e1", seq: 5 });
  saveKeptRooms(storage, rooms);
  assert.deepEqual(loadKeptRooms(storage), rooms);
  for (const junk of ["{", "null", "5", '{"room":"x"}', '["x",null,{"room":5}]', '[{"room":"a","muted":0}]']) {
    storage.write(KEPT_ROOMS_KEY, junk);
    assert.deepEqual(loadKeptRooms(storage), [], junk);
  }
  saveKeptRooms(storage, []);
  assert.deepEqual(storage.content, {});
});

Deno.test("what is no room, and what no server could read, is not kept", () => {
  const good = { room: "kept", muted: true, read: { epoch: "e1", seq: 0 }, date: 5 };
  const bad = [
    ...["", "two words", "UPPER", "\ud800", "x".repeat(65)].map((room) => ({ ...good, room })),
    ...["", "\0", "\ud800", "x".repeat(1_000)].map((epoch) => ({ ...good, room: "epoch", read: { epoch, seq: 1 } })),
    ...[-1, 0.5, null].map((seq) => ({ ...good, room: "seq", read: { epoch: "e1", seq } })),
    ...[null, 7, "x", [], {}],
  ];
  const names = ["__proto__", "constructor"].map((room) => ({ ...good, room, read: null }));
  const stored = JSON.stringify([...bad, good, ...names]);
  assert.deepEqual(loadKeptRooms(memoryStorage({ [KEPT_ROOMS_KEY]: stored })), [good, ...names]);
  const endless = stored.replaceAll('"date":5', '"date":1e999');
  assert.deepEqual(loadKeptRooms(memoryStorage({ [KEPT_ROOMS_KEY]: endless })), []);
});
