import assert from "node:assert/strict";
import { plainText } from "./plain_text.ts";

Deno.test("a quoted text has its words and none of its marks", () => {
  const text =
    "**Shall** we take `7:40`, ~~not~~ [this](https://example.org/)?\n> *no*\n- one\n- two\n```js\nlet a;\n```";
  assert.deepEqual(
    plainText(text, false).split(/\s+/).filter((word) => word !== ""),
    ["Shall", "we", "take", "7:40,", "not", "this?", "no", "one", "two", "let", "a;"],
  );
  assert.equal(plainText("waves **twice**", true), "waves twice");
});
