import assert from "node:assert/strict";
import { addressesAt, roomNamed } from "./address.ts";

Deno.test("a room's name has letters, marks and digits of any script, - and _, up to 64", () => {
  for (const name of ["general", "섬여행", "हिन्दी", "a-b_9", "x".repeat(64)]) {
    assert.equal(roomNamed(name), name.normalize("NFC"));
  }
  for (const name of ["", "a/b", "a.b", "x".repeat(65), "👋"]) assert.equal(roomNamed(name), null);
});

Deno.test("a room's name takes the form in which the server keeps it", () => {
  assert.equal(roomNamed(" #General "), "general");
  assert.equal(roomNamed("Summer  trip"), "summer-trip");
  assert.equal(roomNamed("섬여행".normalize("NFD")), "섬여행");
  assert.equal(roomNamed("gen\u{e0101}eral\ufe0f"), "general");
  assert.equal(roomNamed("\u3164"), null);
});

const top = addressesAt("/");
const below = addressesAt("/chat/");

Deno.test("an address shows its room, and the top the default room, wherever the chat is on its host", () => {
  for (const { routeAt, pathOf } of [top, below]) {
    for (const room of ["general", "섬여행"]) assert.deepEqual(routeAt(pathOf(room)), { room });
  }
  for (const path of ["/r/Islands", "/r/islands/", "/r/Isl%EF%B8%8Fands"]) {
    assert.deepEqual(top.routeAt(path), { room: "islands" });
    assert.deepEqual(below.routeAt(`/chat${path}`), { room: "islands" });
    assert.deepEqual(below.routeAt(path), { room: "islands" }, "without the base path");
  }
  for (const path of ["/", "/chat", "/chat/"]) assert.deepEqual(below.routeAt(path), { room: "general" });
  assert.equal(below.pathOf("a b"), "/chat/r/a%20b");
});

Deno.test("an address with an impossible room name shows no room, and suggests one", () => {
  const bad = (meant: string | null) => ({ room: null, problem: "bad_room", meant });
  assert.deepEqual(top.routeAt("/r/two%20words"), bad("two-words"));
  for (const path of ["/r/a%2Fb", "/r/%E0%A4%A"]) assert.deepEqual(top.routeAt(path), bad(null));
});

Deno.test("an unknown address shows no room, and suggests one where it can", () => {
  const nothing = (meant: string | null) => ({ room: null, problem: "not_found", meant });
  for (const path of ["/islands", "/Islands/"]) {
    assert.deepEqual(top.routeAt(path), nothing("islands"));
  }
  assert.deepEqual(below.routeAt("/chat/islands"), nothing("islands"));
  for (const path of ["/r", "/r/", "/r/islands/2", "/a/b", "//", "/index.html", "/%E0%A4%A"]) {
    assert.deepEqual(top.routeAt(path), nothing(null), path);
  }
  assert.deepEqual(below.routeAt("/chats"), nothing("chats"));
});
