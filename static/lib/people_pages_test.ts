import assert from "node:assert/strict";
import { knownPeople, nextPage, NO_PAGES, withName, withPage } from "./people_pages.ts";

const people = (...users: string[]) => users.map((user) => ({ user, name: user.toUpperCase() }));
const users = (known: readonly { user: string }[]) => known.map(({ user }) => user);

Deno.test("each page begins after the last one of the page before, and the last page completes them", () => {
  assert.equal(nextPage(NO_PAGES), "");
  const one = withPage(NO_PAGES, { people: people("a", "b/c"), more: true });
  assert.deepEqual([nextPage(one), one.complete], ["&after=b%2Fc", false]);
  const two = withPage(one, { people: people("d"), more: false });
  assert.deepEqual([users(two.people), two.complete], [["a", "b/c", "d"], true]);
  for (const junk of [null, { code: "rate_limited" }, { people: [{ user: 1 }], more: true }]) {
    assert.throws(() => withPage(one, junk), TypeError);
  }
});

Deno.test("everyone is there once and oneself first, also where the server did not list oneself", () => {
  const me = { user: "me", name: "Me" };
  assert.deepEqual(users(knownPeople(people("a", "b"), NO_PAGES, me)), ["me", "a", "b"]);
  const page = withPage(NO_PAGES, { people: people("b", "c"), more: true });
  assert.deepEqual(users(knownPeople(people("a", "b", "me"), page, me)), ["me", "a", "b", "c"]);
  assert.equal(knownPeople(people("me"), page, me)[0].name, "Me", "under the name that one has now");
});

Deno.test("once all pages are there, who is on none of them has gone", () => {
  const all = withPage(NO_PAGES, { people: people("b", "c"), more: false });
  assert.deepEqual(users(knownPeople(people("a", "b"), all, null)), ["b", "c"]);
});

Deno.test("people are found by a part of their name, in any case", () => {
  const known = [{ user: "1", name: "Mina" }, { user: "2", name: "김민수" }, { user: "3", name: "ＡＢＣ" }];
  const found: Record<string, string[]> = { "": ["1", "2", "3"], " MIN ": ["1"], "민수": ["2"], "abc": ["3"], "x": [] };
  for (const [wanted, expected] of Object.entries(found)) assert.deepEqual(users(withName(known, wanted)), expected);
});
