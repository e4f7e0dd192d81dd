import assert from "node:assert/strict";
import { english } from "../i18n/english.ts";
import { korean } from "../i18n/korean.ts";
import { keyNames, KEYS } from "./keys.ts";

Deno.test("every key and every group of keys has words in each language, and no words are left over", () => {
  const actions = KEYS.flatMap(({ keys }) => keys.map(([action]) => action));
  for (const [language, { keyGroups, keyActions }] of Object.entries({ english, korean })) {
    assert.deepEqual(KEYS.map(({ name }) => name).sort(), Object.keys(keyGroups).sort(), language);
    assert.deepEqual(actions.toSorted(), Object.keys(keyActions).sort(), language);
    const said = [...Object.values(keyGroups), ...Object.values(keyActions)];
    assert.ok(said.every((words) => words.trim() !== ""));
    assert.equal(new Set(said).size, said.length, "no two have the same words");
  }
});

Deno.test("no group has a key twice", () => {
  for (const { name, keys } of KEYS) {
    const combinations = keys.flatMap(([, ...combinations]) => combinations.map((keys) => keys.join("+")));
    assert.equal(new Set(combinations).size, combinations.length, name);
  }
});

Deno.test("keys have the names that stand on the reader's keyboard", () => {
  assert.deepEqual(keyNames(["Mod", "K"], false), ["Ctrl", "K"]);
  assert.deepEqual(keyNames(["Mod", "K"], true), ["⌘", "K"]);
  assert.deepEqual(keyNames(["Alt", "Shift", "↑"], true), ["⌥", "⇧", "↑"]);
});
