import assert from "node:assert/strict";
import { checkText } from "./text_length.ts";

const refused = (code: string) => (error: unknown) => (error as { code?: string }).code === code;

Deno.test("a text has 1 to 4,000 code points, however many units they take, and is not only white space", () => {
  checkText("x", 4_000);
  checkText("😀".repeat(4_000), 4_000);
  assert.throws(() => checkText("😀".repeat(4_001), 4_000), refused("text_too_long"));
  assert.throws(() => checkText("x".repeat(4_001), 4_000), refused("text_too_long"));
  for (const text of ["", " ", "\n\t", "\u3000\u00a0"]) {
    assert.throws(() => checkText(text, 4_000), refused("text_empty"));
  }
});
