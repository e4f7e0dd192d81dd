import assert from "node:assert/strict";
import { findRooms } from "./room_search.ts";

const rooms = ["general", "team-harbour", "harbour", "제주도-여행", "book_club"].map((room) => ({ room }));
const find = (typed: string) => findRooms(typed, rooms).map(({ room }) => room);

Deno.test("rooms are found by the beginnings of their words, those that begin so first, Korean ones as they are typed", () => {
  assert.deepEqual(find("har"), ["harbour", "team-harbour"]);
  assert.deepEqual(find("Harb TEAM"), ["team-harbour"]);
  assert.deepEqual(find("#club"), ["book_club"]);
  assert.deepEqual(find("여"), ["제주도-여행"]);
  assert.deepEqual(find("ㅈㅈ"), ["제주도-여행"]);
  assert.deepEqual(find("bour"), []);
  assert.deepEqual(find(" "), rooms.map(({ room }) => room));
});
