import assert from "node:assert/strict";
import { actionIn, isEmojiOnly, isStacked } from "./message_text.ts";

Deno.test("one to six emoji alone are large, and nothing else is", () => {
  for (const text of ["👍", " 🎉 🎉\n🎉 ", "👩‍👩‍👧‍👦", "🇰🇷🇫🇷", "1️⃣", "❤️❤️❤️❤️❤️❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"]) {
    assert.ok(isEmojiOnly(text), text);
  }
  for (const text of ["", "  ", "1", "*", "a 👍", "👍!", "👍👍👍👍👍👍👍", "한", "👍".repeat(500), "\u200d"]) {
    assert.ok(!isEmojiOnly(text), text);
  }
});

Deno.test("/me says what its author does, and nothing without it", () => {
  assert.equal(actionIn("/me waves"), "waves");
  assert.equal(actionIn("/Me waves"), "waves", "as phones write it");
  assert.equal(actionIn("/me  손을 흔들어요\n크게"), "손을 흔들어요\n크게");
  for (const text of ["/me", "/me ", "/meow", "//me waves", " /me waves", "\\/me waves", "/you wave"]) {
    assert.equal(actionIn(text), null, text);
  }
});

Deno.test("marks on a letter are many where no language has so many", () => {
  for (const text of ["a" + "\u0301".repeat(8), `hello ${"\u0325\u0301".repeat(2_000)}`]) {
    assert.ok(isStacked(text), text);
  }
  for (const text of ["Việt", "ཧཱུྃ", "กี๊", "דָּ֗", "e\u0301\u0323\u0302", "👩‍👩‍👧‍👦", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "❤️"]) {
    assert.ok(!isStacked(text), text);
  }
});
