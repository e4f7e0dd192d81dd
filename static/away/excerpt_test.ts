import assert from "node:assert/strict";
import { excerpt } from "./excerpt.ts";

Deno.test("a notification shows how a message begins, in one line and as it was typed", () => {
  assert.equal(excerpt("  **hello**\n\n`you`  "), "**hello** `you`");
  assert.equal(excerpt("🦦".repeat(120)), "🦦".repeat(120));
  assert.equal(excerpt("🦦".repeat(121)), `${"🦦".repeat(120)}…`);
});
