import assert from "node:assert/strict";
import { FakeClock } from "../testing/clock.ts";
import { castVote, KINDS_WITH_VOTE, vote } from "../testing/vote.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { AnyKind, CommandBase } from "./entries/kind.ts";
import { Rulebook } from "./rulebook.ts";
import type { Command } from "./storage.ts";

const FOREVER = { messages: 0, days: 0 };

function storageOf(kinds: Iterable<AnyKind>): MemoryStorage {
  return new MemoryStorage({ clock: new FakeClock(), secret: "", retention: FOREVER, kinds });
}

function say(user: string, text = "tea?"): Command {
  return { action: "send_message", room: "r", user, from: user, text };
}

Deno.test("two kinds that name a key of one message the same don't see each other's", async () => {
  const other = { ...vote, asks: "cast_other_vote", tells: "other_vote_cast" };
  const kinds = [...KINDS_WITH_VOTE, other as AnyKind];
  const storage = storageOf(kinds);
  const castOther = { ...castVote("bob", 1, "milk"), action: other.asks } as unknown as Command;
  const results = await storage.append([say("ann"), castVote("bob", 1, "tea"), castOther, castOther]);
  assert.deepEqual(results.map((result) => "entry" in result), [true, true, true, false]);
  const rules = new Rulebook(FOREVER, kinds);
  const keys = [castVote("bob", 1, "tea"), castOther].map((command: CommandBase) => rules.documentKeys(command));
  assert.deepEqual(keys, [["test_vote_cast:bob"], ["other_vote_cast:bob"]]);
});
