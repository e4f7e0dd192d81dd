import assert from "node:assert/strict";
import fc from "fast-check";
import { type Reaction, REACTION_USERS, type ReactionChange } from "../protocol.ts";
import type { CommandBase, Document } from "./kind.ts";
import { type Given, keyOf, reaction, shownReactions } from "./reaction.ts";

const change = fc.record({
  user: fc.constantFrom(..."abcdefghijklmno"),
  from: fc.constant("Somebody"),
  emoji: fc.constantFrom("🍵", "🍵", "☕"),
  on: fc.constantFrom(true, true, false),
});
const together = (changes: ReactionChange[]) =>
  reaction.merge!(changes.map((each) => ({ action: "react", room: "r", target: 1, ...each })));

Deno.test("whatever is given and taken back, a message shows the first, by what the command has asked to see", () => {
  fc.assert(
    fc.property(fc.array(fc.array(change, { minLength: 1, maxLength: 20 }), { maxLength: 12 }), (story) => {
      let document: Document = { text: "tea?" };
      const keys = new Map<string, Given>();
      for (const changes of story) {
        const command = together(changes) as Parameters<typeof reaction.decide>[0] & CommandBase;
        const named = reaction.keys!(command);
        // What it has not asked for is not there: a store may keep it far away.
        const listed = reaction.lists!(command, document);
        const decision = reaction.decide(command, {
          target: { seq: 1, user: "ann", document },
          locked: false,
          key: (name) => named.includes(name) ? keys.get(name) : undefined,
          list: (prefix) => listed.includes(prefix) ? [...keys].filter(([name]) => name.startsWith(prefix)) : [],
        });
        assert.ok("fields" in decision);
        if (!decision.fields) continue;
        document = decision.document!;
        for (const [name, value] of Object.entries(decision.keys!)) {
          if (value === null) keys.delete(name);
          else keys.set(name, value as Given);
        }
        const expected = ["🍵", "☕"].map((emoji): Reaction => {
          const prefix = keyOf({ emoji, user: "" });
          const given = [...keys].filter(([name]) => name.startsWith(prefix)).sort(([, [one]], [, [two]]) => one - two);
          const users = given.map(([name]) => name.slice(prefix.length)).slice(0, REACTION_USERS);
          return { emoji, count: given.length, users };
        }).filter(({ count }) => count > 0);
        // In whichever order they were first given.
        const byEmoji = ({ emoji: one }: Reaction, { emoji: other }: Reaction) => one < other ? -1 : 1;
        assert.deepEqual(shownReactions(document.reactions ?? []).toSorted(byEmoji), expected.toSorted(byEmoji));
      }
    }),
    { numRuns: 500, seed: 20261128 },
  );
});

Deno.test("a person who goes and comes back again and again makes no store list thousands", () => {
  const users = Array.from({ length: 10 }, (_, at) => `u${at}`);
  let document: Document = { text: "tea?", reactions: [{ emoji: "🍵", count: 10_000, users }], given: 10_000 };
  const isOn = new Set(users);
  for (let toggle = 0; toggle < 20; toggle++) {
    const command = together([{ user: "u3", from: "U", emoji: "🍵", on: toggle % 2 === 1 }]) as Parameters<
      typeof reaction.decide
    >[0];
    assert.deepEqual(reaction.lists!(command, document), [], `toggle ${toggle}`);
    const decision = reaction.decide(command, {
      target: { seq: 1, user: "ann", document },
      locked: false,
      key: () => isOn.has("u3") ? [3, "U"] : undefined,
      list: () => assert.fail("nothing is listed"),
    });
    assert.ok("document" in decision && decision.document);
    document = decision.document;
    if (!isOn.delete("u3")) isOn.add("u3");
  }
  assert.deepEqual(shownReactions(document.reactions!), [{
    emoji: "🍵",
    count: 10_000,
    users: ["u0", "u1", "u2", "u4", "u5"],
  }]);
});
