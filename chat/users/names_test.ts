import assert from "node:assert/strict";
import { LOOK_LIKE, skeleton } from "./look_alikes.ts";
import { chosenName, nameKey } from "./names.ts";

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

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
    "private use": "a\ue000",
    unassigned: "a\u0378",
    "null notehead": "\u{1d159}",
    "Khitan filler": "\u{16fe4}",
    "blank hieroglyph": "\u{13441}",
    "object replacement": "\ufffc",
    "a lone mark": "\u0301",
    "a mark that begins": "\u0301ada",
    "a mark on a space": "a \u0301b",
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

Deno.test("nobody can choose a name that only looks like one that the server gives", () => {
  const deceiving = [
    "User 482.",
    "User 48 2",
    "User №482",
    "User 4\u030882",
    "U\u0336ser 482",
    "Uꜱer 482",
    "User 482 ✓",
    "“User 482”",
    "Us er 482",
    "User 4-8-2",
    "User 4O2",
    "User l00",
    "User I7",
    "Ⓤⓢⓔⓡ ④⑧②",
    "𝐔𝐬𝐞𝐫 𝟒𝟖𝟐",
    "ᴜꜱᴇʀ 482",
    "ꓴꓢꓰꓣ 482",
    "Üsér 482",
    "User 482 🙂",
    "user482",
    "User lOl",
    "User IOO",
    "User OOO",
    "User ƽ12",
    "User 𑣆42",
    "User ᒿᔯᔰ",
    "User ᒿȜꮞƽбꝯ",
    "🅤🅢🅔🅡 482",
    "User ❹❽❷",
    "User ➃➇➁",
    "useɾ 4",
    "∪ser 482",
    "Us℮r 482",
    "User ⁴⁸²",
  ];
  for (const name of deceiving) assert.throws(() => chosenName(name), refused("bad_name"), name);
  for (
    const name of [
      "User Lo",
      "User Oil",
      "User Lolo",
      "User of 2024",
      "Ursula 482",
      "Uschi 4",
      "User 3rd",
      "Useful 1",
      "Room 482",
    ]
  ) {
    assert.equal(chosenName(name), name);
  }
});

Deno.test("nobody can choose to be taken for those who run the chat", () => {
  const deceiving = [
    "moderator",
    "Moderator",
    "M o d e r a t o r",
    "Moderator.",
    "rnoderator",
    "Admin",
    "ADMIN 2",
    "Adm1n",
    "Admın",
    "Ａｄｍｉｎ",
    "Ädmin",
    "🅰dmin",
    "🅐🅓🅜🅘🅝",
    "ᴀᴅᴍɪɴ",
    "Αdmin".replace("Α", "ꓮ"),
    "Μoderator".replace("Μ", "ᗰ"),
    "Mɵderatꝋr",
    "аԁміп",
    "Adm|n",
    "@dmin",
    "🇦🇩🇲🇮🇳",
    "moderatoɾ",
    "m○derator",
    "$ystem",
    "admins",
    "Administrator",
    "System",
    "관리자",
    "관리자1",
    "운 영 자",
    "운영자님",
    "시스템",
    "관리자".normalize("NFD"),
  ];
  for (const name of deceiving) assert.throws(() => chosenName(name), refused("bad_name"), name);
  for (const name of ["Adam", "Admiral", "Madmin", "Modesty", "Systematic", "관리", "김관리자", "Admin Kim"]) {
    assert.equal(chosenName(name), name);
  }
});

Deno.test("names that differ only in case, width or composition are one name", () => {
  for (
    const [one, other] of [
      ["Alice", "aLICE"],
      ["Straße", "STRASSE"],
      ["Ａlice", "Alice"],
      ["é", "e\u0301"],
      [
        "ΣΑΣ",
        "σασ",
      ],
      ["ﬁn", "FIN"],
      ["Ni̇na", "Nina"],
      ["Ni\u0323\u0307na", "N\u1ecbna"],
      ["İda", "Ida"],
      ["J\u0307o", "j\u0307\u0307o"],
    ]
  ) {
    assert.equal(nameKey(one), nameKey(other));
  }
  for (const [one, other] of [["Alice", "Alicia"], ["Niña", "Nina"], ["Zoë", "Zoe"], ["ż", "z"], ["Ė", "e"]]) {
    assert.notEqual(nameKey(one), nameKey(other));
  }
});

Deno.test("each look-alike is one letter, and no other", () => {
  const seen = new Map<string, string>();
  for (const [letter, others] of Object.entries(LOOK_LIKE)) {
    for (const other of others) {
      assert.equal(seen.get(other), undefined, `${other} stands for ${seen.get(other)} and ${letter}`);
      seen.set(other, letter);
      assert.equal(skeleton(other), skeleton(letter));
    }
  }
});
