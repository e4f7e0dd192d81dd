import assert from "node:assert/strict";
import fc from "fast-check";
import { peoplePage } from "./people_page.ts";

const people = (users: Iterable<string>) => [...users].map((user) => ({ user, name: `name of ${user}` }));

/** All pages, one after the other, of those who are there when each is read. */
function read(users: () => Iterable<string>, limit: number): string[] {
  const got: string[] = [];
  for (let more = true; more;) {
    const page = peoplePage(people(users()), got.at(-1) ?? "", limit);
    assert.ok(page.people.length <= limit && (page.people.length > 0 || !page.more));
    got.push(...page.people.map(({ user }) => user));
    more = page.more;
  }
  return got;
}

Deno.test("pages of people have everyone once, in whatever order and however often they are known", () => {
  const users = fc.array(fc.string({ minLength: 1, maxLength: 3, unit: "binary-ascii" }), { maxLength: 60 });
  fc.assert(fc.property(users, fc.integer({ min: 1, max: 9 }), (users, limit) => {
    assert.deepEqual(read(() => users, limit), [...new Set(users)].sort());
  }));
});

Deno.test("whoever stays is on one page, though others come and go between two pages", () => {
  const staying = Array.from({ length: 40 }, (_, at) => `m${String(at).padStart(2, "0")}`);
  const passing = fc.array(fc.array(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 20 }), { minLength: 1 });
  fc.assert(fc.property(passing, (passing) => {
    let page = 0;
    const got = read(() => [...staying, ...passing[page++ % passing.length]], 7);
    assert.deepEqual(got.filter((user) => staying.includes(user)), staying);
    assert.equal(new Set(got).size, got.length);
  }));
});
