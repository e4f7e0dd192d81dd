import assert from "node:assert/strict";
import fc from "fast-check";
import { roomNamed } from "./address.ts";
import { roomNameFault } from "./room_name_fault.ts";

Deno.test("what is wrong with a room's name is named, and the character where it is one", () => {
  const faults: Record<string, ReturnType<typeof roomNameFault>> = {
    "": { kind: "empty" },
    " # ": { kind: "empty" },
    "no such room!": { kind: "character", character: "!" },
    "a/b": { kind: "character", character: "/" },
    "party 🎉": { kind: "character", character: "🎉" },
    "a\u200Bb": { kind: "character", character: "U+200B" },
    "##x": { kind: "character", character: "#" },
    ["x".repeat(65)]: { kind: "long" },
    "Second Room": null,
    "# 한국어 방": null,
  };
  for (const [text, fault] of Object.entries(faults)) assert.deepEqual(roomNameFault(text), fault, text);
});

Deno.test("a name is at fault if and only if no room is meant by it", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    assert.equal(roomNameFault(text) === null, roomNamed(text) !== null);
  }));
});
