import assert from "node:assert/strict";
import { pathOf, roomAt, roomNamed } from "./address.ts";

Deno.test("a room's name is letters, marks and digits of any script, - and _, up to 64", () => {
  for (const name of ["general", "섬여행", "हिन्दी", "a-b_9", "x".repeat(64)]) {
    assert.equal(roomNamed(name), name.normalize("NFC"));
  }
  for (const name of ["", "a/b", "a.b", "x".repeat(65), "👋"]) assert.equal(roomNamed(name), null);
});

Deno.test("a room's name is taken as the server keeps it", () => {
  assert.equal(roomNamed(" #General "), "general");
  assert.equal(roomNamed("Summer  trip"), "summer-trip");
  assert.equal(roomNamed("섬여행".normalize("NFD")), "섬여행");
  assert.equal(roomNamed("gen\u{e0101}eral\ufe0f"), "general");
  assert.equal(roomNamed("\u3164"), null);
});

Deno.test("the address names the room, and / the default one", () => {
  assert.equal(roomAt("/"), "general");
  assert.equal(roomAt(pathOf("섬여행")), "섬여행");
  assert.equal(roomAt("/r/Islands"), "islands");
  assert.equal(roomAt("/r/Isl%EF%B8%8Fands"), "islands");
  assert.equal(roomAt(pathOf("general")), "general");
});

Deno.test("an address that names no possible room names none", () => {
  for (const path of ["/r/", "/r/a%2Fb", "/r/%E0%A4%A", "/r/two%20words"]) assert.equal(roomAt(path), null);
});
