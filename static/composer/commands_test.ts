import assert from "node:assert/strict";
import { matchingCommands, readEntered } from "./commands.ts";

Deno.test("a command is a word with a slash at the beginning, and the rest is its argument", () => {
  assert.deepEqual(readEntered("/nick  Ann Lee "), { kind: "command", name: "nick", argument: "Ann Lee" });
  assert.deepEqual(readEntered("/HELP"), { kind: "command", name: "help", argument: "" });
  assert.deepEqual(readEntered("/shrug it"), { kind: "unknown", word: "shrug" });
  assert.deepEqual(readEntered("/안녕"), { kind: "unknown", word: "안녕" });
});

Deno.test("paths, lone slashes and /me are text, and two slashes send one", () => {
  for (const text of ["/etc/hosts", "/r/room is nice", "/", "/ nick", "//", "a /nick", "/me waves", "/me", "/:)"]) {
    assert.deepEqual(readEntered(text), { kind: "message", text });
  }
  assert.deepEqual(readEntered("//shrug it"), { kind: "message", text: "/shrug it" });
  assert.deepEqual(readEntered("//nick"), { kind: "message", text: "/nick" });
  assert.deepEqual(readEntered("// a comment"), { kind: "message", text: "// a comment" });
});

Deno.test("commands are found by their beginning", () => {
  assert.deepEqual([matchingCommands("m"), matchingCommands("NI"), matchingCommands("x")], [
    ["me", "mute"],
    ["nick"],
    [],
  ]);
});
