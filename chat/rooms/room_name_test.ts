import assert from "node:assert/strict";
import { roomName } from "./room_name.ts";

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

Deno.test("a room's name is kept in NFC and lower case, in any script", () => {
  assert.equal(roomName("General-2_x"), "general-2_x");
  assert.equal(roomName("한국어".normalize("NFD")), "한국어");
  assert.equal(roomName("हिन्दी"), "हिन्दी");
  assert.equal(roomName("İ"), "i̇");
  assert.equal(roomName("あ".repeat(64)), "あ".repeat(64));
});

Deno.test("invisible characters are taken out of a room's name", () => {
  for (
    const unseen of ["\ufe0f", "\u{e0101}", "\u180b", "\u3164", "\u115f", "\uffa0", "\u034f", "\u{16fe4}", "\u{13441}"]
  ) {
    assert.equal(roomName(`gen${unseen}eral${unseen}`), "general");
    assert.throws(() => roomName(unseen), refused("bad_room"));
  }
  assert.equal(roomName("हिन्दी"), "हिन्दी", "marks that are seen stay");
});

Deno.test("a name that no room can have is bad_room", () => {
  for (const name of ["", " ", "a b", "a/b", "..", "a.b", "x".repeat(65), "x".repeat(1e6), "a\u200db", "😀", "a\n"]) {
    assert.throws(() => roomName(name), refused("bad_room"), JSON.stringify(name.slice(0, 80)));
  }
});
