import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { GivenNames } from "./given_names.ts";

const digits = (name: string) => name.replace(/^User /, "").length;

/** People who arrive and stay, and how many names were offered to the storage until each had one. */
function setUp(known: boolean) {
  const clock = new FakeClock();
  const held = new Set<string>();
  const names = new GivenNames(clock, Math.random, (name) => known && held.has(name));
  let offered = 0;
  const arrive = (user: string) => {
    for (let round = 0;; round++) {
      const candidates = names.candidates(user, round);
      const free = candidates.findIndex(({ name }) => !held.has(name));
      names.learn(candidates, candidates[free]?.name);
      offered += free === -1 ? candidates.length : free + 1;
      if (free === -1) continue;
      held.add(candidates[free].name);
      return candidates[free].name;
    }
  };
  return { clock, held, names, arrive, offered: () => offered };
}

Deno.test("names have three digits while most of these are free, and the storage is seldom asked twice", () => {
  for (const known of [true, false]) {
    const { clock, arrive, offered, held } = setUp(known);
    const first = Array.from({ length: 300 }, (_, at) => arrive(`early ${at}`));
    assert.ok(first.filter((name) => digits(name) === 3).length > 250, "few people have short names");
    for (let at = 0; at < 10_000; at++) arrive(`user ${at}`);
    assert.ok(offered() < (known ? 1.2 : 2.7) * 10_300, `${offered()} names were tried`);
    assert.ok(Math.max(...[...held].map(digits)) <= 8);
    held.clear();
    clock.set(clock.now() + 20 * 60 * 1000);
    assert.equal(digits(arrive("late")), 3, "when they have gone, names are short again");
  }
});

Deno.test("how many long names were taken says nothing about short ones", () => {
  const { clock, names } = setUp(false);
  const learnTaken = (name: string, times: number) => {
    for (let time = 0; time < times; time++) names.learn([{ name, key: name }], undefined);
  };
  const length = () => digits(names.candidates("some-user")[0].name);
  learnTaken("User 123", 40);
  assert.equal(length(), 4);
  learnTaken("User 1234", 20);
  clock.set(clock.now() + 20 * 60 * 1000);
  assert.equal(length(), 3);
  learnTaken("User 123", 20);
  assert.equal(length(), 3);
  learnTaken("User 123", 20);
  assert.equal(length(), 4);
});

Deno.test("someone who comes back to a storage that forgot them is likely given the same name", () => {
  const again = () => setUp(true).names.candidates("some-user")[0];
  assert.deepEqual(again(), again());
  assert.match(again().name, /^User \d{3}$/);
  assert.equal(again().key, again().name.toLowerCase());
});

Deno.test("whoever finds all names taken is offered longer ones", () => {
  const { names } = setUp(false);
  for (let round = 0; round < 8; round++) {
    const lengths = names.candidates("some-user", round).map(({ name }) => digits(name));
    assert.deepEqual(lengths, [0, 0, 1, 2].map((more) => Math.min(16, 3 + 3 * round + more)));
  }
});
