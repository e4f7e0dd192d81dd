import assert from "node:assert/strict";
import { checkText, chosenName, givenNames, nameKey, roomName } from "./names.ts";

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

Deno.test("a room's name is kept in NFC and lower case, in any script", () => {
  assert.equal(roomName("General-2_x"), "general-2_x");
  assert.equal(roomName("한국어".normalize("NFD")), "한국어");
  assert.equal(roomName("हिन्दी"), "हिन्दी");
  assert.equal(roomName("İ"), "i̇");
  assert.equal(roomName("あ".repeat(64)), "あ".repeat(64));
});

Deno.test("what is no room's name is bad_room", () => {
  for (const name of ["", " ", "a b", "a/b", "..", "a.b", "x".repeat(65), "x".repeat(1e6), "a\u200db", "😀", "a\n"]) {
    assert.throws(() => roomName(name), refused("bad_room"), JSON.stringify(name.slice(0, 80)));
  }
});

Deno.test("a text has 1 to 4,000 code points, however many units they take, and is not only white space", () => {
  checkText("x", 4_000);
  checkText("😀".repeat(4_000), 4_000);
  assert.throws(() => checkText("😀".repeat(4_001), 4_000), refused("text_too_long"));
  assert.throws(() => checkText("x".repeat(4_001), 4_000), refused("text_too_long"));
  for (const text of ["", " ", "\n\t", "\u3000\u00a0"]) {
    assert.throws(() => checkText(text, 4_000), refused("text_empty"));
  }
});

Deno.test("a chosen name may be in any script and hold emoji", () => {
  for (
    const name of [
      "Alice",
      "김민준",
      "Ελένη",
      "Иван",
      "O'Neill-Smith",
      "José 2",
      "👩‍👩‍👧 family",
      "❤️",
      "🏴󠁧󠁢󠁥󠁮󠁧󠁿 fan",
      "Иван John",
    ]
  ) {
    assert.equal(chosenName(name), name.normalize("NFC"));
  }
  assert.equal(chosenName("  Ada   Lovelace "), "Ada Lovelace");
});

Deno.test("a name that could deceive the eye is bad_name", () => {
  const bad = {
    empty: "",
    blank: "  ",
    long: "x".repeat(33),
    huge: "x".repeat(1e6),
    control: "a\u0007b",
    newline: "a\nb",
    "bidi override": "abc\u202edef",
    "bidi isolate": "abc\u2066def",
    "zero-width space": "Ali\u200bce",
    "zero-width joiner": "Ali\u200dce",
    "soft hyphen": "Ali\u00adce",
    "Hangul filler": "\u3164",
    "Braille blank": "\u2800",
    "variation selector": "a\ufe0f",
    "tag characters": "a\u{e0061}",
    "Cyrillic in Latin": "p\u0430ypal",
    "Greek in Latin": "\u0391dmin",
  };
  for (const [what, name] of Object.entries(bad)) assert.throws(() => chosenName(name), refused("bad_name"), what);
});

Deno.test("nobody can choose a name of the form that the server gives", () => {
  for (
    const name of ["User 482", "user 1", "USER482", "Ｕser ４８２", "User-482", "User  99999", "User ٤٨٢", "User_7"]
  ) {
    assert.throws(() => chosenName(name), refused("bad_name"), name);
  }
  for (const name of ["User", "Users 12", "User 12b", "Superuser 5"]) assert.equal(chosenName(name), name);
});

Deno.test("names that differ only in case, width or composition are one name", () => {
  for (
    const [one, other] of [["Alice", "aLICE"], ["Straße", "STRASSE"], ["Ａlice", "Alice"], ["é", "e\u0301"], [
      "ΣΑΣ",
      "σασ",
    ], ["ﬁn", "FIN"]]
  ) {
    assert.equal(nameKey(one), nameKey(other));
  }
  assert.notEqual(nameKey("Alice"), nameKey("Alicia"));
});

Deno.test("given names have three digits, and more when those are taken", () => {
  const names = givenNames("some-user", Math.random);
  const lengths = Array.from({ length: 40 }, () => names.next().value.replace(/^User /, "").length);
  assert.deepEqual(lengths.slice(0, 4), [3, 3, 3, 3]);
  assert.deepEqual(lengths, lengths.toSorted((one, other) => one - other));
  assert.ok(lengths.at(-1)! > 9);
});

Deno.test("who comes back to a store that forgot them is likely given the same name", () => {
  assert.equal(givenNames("some-user", Math.random).next().value, givenNames("some-user", Math.random).next().value);
});
