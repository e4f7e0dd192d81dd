import fc from "fast-check";
import assert from "node:assert/strict";
import { ROOM_NAME_LIMIT } from "../../chat/protocol.ts";
import { addressesAt, roomNamed } from "./address.ts";
import { displayName, newRoomName } from "./room_name.ts";

const filled = (values: Uint8Array) => (bytes: Uint8Array) => bytes.set(values);
const eighty = fc.uint8Array({ minLength: 10, maxLength: 10 });

Deno.test("a room of one's own is shown by its stem, has a valid name, and an address that leads to it", () => {
  const { pathOf, routeAt } = addressesAt("/chat/");
  fc.assert(fc.property(fc.string({ unit: "grapheme", maxLength: 80 }), eighty, (text, bytes) => {
    const stem = roomNamed(text);
    fc.pre(stem !== null);
    const room = newRoomName(stem, filled(bytes));
    assert.equal(roomNamed(room), room);
    assert.ok([...room].length <= ROOM_NAME_LIMIT);
    const { name, isUnlisted } = displayName(room);
    assert.ok(isUnlisted && name !== "" && stem.startsWith(name));
    assert.deepEqual(routeAt(pathOf(room)), { room });
  }));
});

Deno.test("all 80 bits are in the name", () => {
  const names = new Set<string>();
  for (let bit = 0; bit < 80; bit++) {
    const bytes = new Uint8Array(10);
    bytes[bit >> 3] = 1 << bit % 8;
    names.add(newRoomName("islands", filled(bytes)));
  }
  assert.equal(names.size, 80);
  assert.equal(newRoomName("islands", filled(new Uint8Array(10))), "islands-00000000000000000");
  assert.match(newRoomName("islands", (bytes) => crypto.getRandomValues(bytes)), /^islands-[0-9a-hjkmnp-tv-z]{17}$/);
});

Deno.test("the longest stem is cut, and no character of it in two", () => {
  const room = newRoomName("𝒜".repeat(64), filled(new Uint8Array(10)));
  assert.deepEqual(displayName(room), { name: "𝒜".repeat(46), isUnlisted: true });
});

Deno.test("ordinary names are not mistaken for such a room, nor is one with a letter changed", () => {
  for (
    const room of [
      "general",
      "team-alphabetical",
      "team-administratively",
      "talk-incomprehensible",
      "build-9f86d081884c7d659",
      "log-20241127194700123",
      "meeting-2026-11-27",
      "00000000000000000",
      "-00000000000000000",
      "islands-0000000000000000",
      "회의-1234567890123456",
    ]
  ) assert.deepEqual(displayName(room), { name: room, isUnlisted: false });
  fc.assert(
    fc.property(eighty, fc.nat(16), fc.constantFrom(..."0123456789abcdefghjkmnpqrstvwxyz"), (bytes, at, other) => {
      const room = newRoomName("x", filled(bytes));
      const place = "x-".length + at;
      fc.pre(room[place] !== other);
      assert.equal(displayName(room.slice(0, place) + other + room.slice(place + 1)).isUnlisted, false);
    }),
  );
});
