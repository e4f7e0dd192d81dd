import assert from "node:assert/strict";
import { colourOf, COLOURS, initialsOf, isLongName } from "./avatar.ts";

Deno.test("initials tell people apart in the ways in which their names differ", () => {
  const names: Record<string, string> = {
    "Kim Min-su": "KM",
    "ada lovelace": "AL",
    "jean-luc": "JL",
    "Hana": "Ha",
    "x": "x",
    "User 482": "82",
    "User 48213": "13",
    "Ada 2": "A2",
    "김민수": "민수",
    "남궁민수": "민수",
    "민수": "민수",
    "김": "김",
    "김민수 팀장": "민수",
    "山田太郎": "太郎",
    "Ólafur Ég": "ÓÉ",
    "🦊": "🦊",
    "👩🏽‍🚀 Ann": "👩🏽‍🚀",
    "Ann 🦊": "An",
    "!!!": "!",
    ["W".repeat(32)]: "WW",
    "नीला": "नीला",
    "": "",
  };
  for (const [name, initials] of Object.entries(names)) assert.equal(initialsOf(name), initials, name);
});

Deno.test("a colour follows from the id alone, and all of them are used about equally", () => {
  const used = Array.from({ length: COLOURS }, () => 0);
  for (let at = 0; at < 1_000; at++) used[colourOf(`pWmC2h3fKQ${at.toString(36)}`)]++;
  assert.ok(Math.min(...used) > 60 && Math.max(...used) < 140, String(used));
  assert.equal(colourOf("pWmC2h3fKQ0vT1aN"), colourOf("pWmC2h3fKQ0vT1aN"));
});

Deno.test("names that need a second line in the margin are known", () => {
  for (const name of ["Hana", "User 482", "User 10482", "김민수", "MINA"]) assert.equal(isLongName(name), false, name);
  for (const name of ["W".repeat(8), "가".repeat(8), "🦊".repeat(8), "Alexandra Lovelace", "a".repeat(32)]) {
    assert.equal(isLongName(name), true, name);
  }
});

type Colour = [red: number, green: number, blue: number];

const style = (file: string) => Deno.readTextFile(new URL(`../styles/${file}.css`, import.meta.url));

/** The light and the dark value of a custom property. */
function valuesOf(css: string, property: string): [Colour, Colour] {
  const [light, dark] = [...css.matchAll(new RegExp(`${property}:([^;]*);`, "g"))]
    .flatMap(([, value]) => value.match(/#[0-9a-f]+/g) ?? [])
    .map((hex): Colour => {
      const digits = hex.length === 4 ? hex.slice(1).replaceAll(/./g, "$&$&") : hex.slice(1);
      return [0, 2, 4].map((at) => parseInt(digits.slice(at, at + 2), 16) / 255) as Colour;
    });
  return [light, dark];
}

const mixed = (one: Colour, other: Colour, share: number) =>
  one.map((value, at) => share * value + (1 - share) * other[at]) as Colour;

function luminance(colour: Colour): number {
  const [red, green, blue] = colour.map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: Colour, other: Colour): number {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

Deno.test("every person's colour can be read on every ground, in light and in dark", async () => {
  const [base, avatars] = [await style("base"), await style("avatars")];
  // It covers what is below it.
  const tint = Number(/var\(--person\) (\d+)%, var\(--paper\)/.exec(avatars)![1]) / 100;
  const rules = [...avatars.matchAll(/\[data-colour="(\d+)"\] {([^}]*)}/g)];
  assert.deepEqual(rules.map(([, number]) => Number(number)), Array.from({ length: COLOURS }, (_, at) => at));
  for (const [, number, rule] of rules) {
    const person = valuesOf(rule, "--person");
    const paper = valuesOf(base, "--paper");
    for (const scheme of [0, 1]) {
      const where = `colour ${number}, ${scheme === 0 ? "light" : "dark"}`;
      assert.ok(contrast(person[scheme], mixed(person[scheme], paper[scheme], tint)) >= 4.5, where);
    }
  }
});
