import assert from "node:assert/strict";
import { FakeClock } from "../testing/clock.ts";
import { castVote, KINDS_WITH_VOTE, vote } from "../testing/storage/vote.ts";
import { MemoryStorage } from "../storage/memory.ts";
import type { AnyKind, CommandBase, Document, Kind } from "./entries/kind.ts";
import { KINDS } from "./entries/kinds.ts";
import { NEW_ROOM, Rulebook, type StoredEntry } from "./rulebook.ts";
import type { Command } from "./storage.ts";

const FOREVER = { messages: 0, days: 0 };

function storageOf(kinds: Iterable<AnyKind>): MemoryStorage {
  return new MemoryStorage({ clock: new FakeClock(), secret: "", retention: FOREVER, kinds });
}

function say(user: string, text = "tea?"): Command {
  return { action: "send_message", room: "r", user, from: user, text };
}

Deno.test("two kinds may use the same key of a message, and don't see each other's value", async () => {
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

Deno.test("a kind that contradicts itself stops the server from starting", () => {
  const refused = (change: object) => assert.throws(() => new Rulebook(FOREVER, [{ ...vote, ...change } as AnyKind]));
  refused({ erases: true });
  refused({ begin: () => ({}) });
  refused({ merge: () => ({}), who: undefined });
});

/** What asks for an entry of each kind: the compiler refuses a kind that is missing. The message is Ann's. */
const ASKING: Record<keyof typeof KINDS | "test_vote_cast", object> = {
  receive_message: { action: "send_message", text: "coffee?" },
  message_edited: { action: "edit_message", target: 1, text: "Tea?" },
  message_deleted: { action: "delete_message", target: 1 },
  message_reacted: { action: "react", target: 1, emoji: "🍵", on: true, user: "bob", id: undefined },
  test_vote_cast: { action: "cast_test_vote", target: 1, choice: "tea", user: "bob" },
};

/** Fails unless the entry that a command was answered is what the log has, read a moment later. */
async function assertToldAsKept(kinds: AnyKind[], asking: object): Promise<void> {
  const storage = storageOf(kinds);
  const [, result] = await storage.append([say("ann"), { ...say("ann"), ...asking, id: "k" } as unknown as Command]);
  assert.ok("entry" in result, JSON.stringify(result));
  const { entries } = await storage.read("r", result.entry.seq - 1);
  assert.deepEqual(entries, [result.entry], "a field is in none of fixed, erasable and present");
}

/** Fails unless what `apply` makes of an entry's place can be written over with another place. */
function assertPlaceCanBeFilledIn({ apply }: Kind, entry: object): void {
  const changedAt = (seq: number, date: number) =>
    JSON.stringify(apply?.({ text: "tea?" }, { ...entry, seq, date } as never) ?? null);
  const filledIn = changedAt(1_111, 2_222).replace(/":1111\b/g, '":3333').replace(/":2222\b/g, '":4444');
  assert.equal(filledIn, changedAt(3_333, 4_444), "seq and date are only kept, each under a key of its own");
}

for (const kind of KINDS_WITH_VOTE) {
  const asking = ASKING[kind.tells as keyof typeof ASKING];

  Deno.test(`${kind.tells}: everyone is sent the same entry live and later`, () =>
    assertToldAsKept(KINDS_WITH_VOTE, asking));

  Deno.test(`${kind.tells}: its message shows the right place and date, also where the store learns them last`, () =>
    assertPlaceCanBeFilledIn(kind as Kind, asking));
}

Deno.test("the tests above find a kind that stores a field nowhere, or computes with its place", async () => {
  const { erasable: _, ...forgetful } = vote;
  await assert.rejects(assertToldAsKept([...Object.values(KINDS), forgetful as AnyKind], ASKING.test_vote_cast), {
    message: /a field is in none of/,
  });
  for (
    const how of [({ date }: { date: number }) => ({ day: date % 7 }), ({ seq }: { seq: number }) => ({ by: [seq] })]
  ) {
    const apply = (document: Document, entry: never) => ({ ...document, ...how(entry) });
    assert.throws(() => assertPlaceCanBeFilledIn({ ...vote, apply } as unknown as Kind, ASKING.test_vote_cast), {
      message: /seq and date are only kept/,
    });
  }
});

const RULES = new Rulebook({ messages: 2, days: 0 }, KINDS_WITH_VOTE);
const VOTE: StoredEntry = {
  seq: 2,
  date: 0,
  ordinal: 1,
  action: "test_vote_cast",
  user: "bob",
  target: 1,
  erasable: { choice: "tea" },
};

Deno.test("a repeated command whose entry has expired is answered without what is erasable", () => {
  const answer = (messages: number) => {
    const room = { record: { ...NEW_ROOM, head: 9, messages }, document: () => ({ text: "tea?" }) };
    return (RULES.repeated(castVote("bob", 1, "tea"), VOTE, room, 0) as { choice?: string }).choice;
  };
  assert.deepEqual([answer(2), answer(3)], ["tea", undefined]);
});

Deno.test("an entry about a deleted message is shown without what is erasable", () => {
  const shown = (document: Document) => (RULES.present(VOTE, document, "r") as { choice?: string }).choice;
  assert.deepEqual([shown({ text: "tea?" }), shown({ deleted: true })], ["tea", undefined]);
});

Deno.test("in a locked room a lookup of an unknown id is not_found, not locked", () => {
  const record = { ...NEW_ROOM, locked: true };
  const none = () => undefined;
  const room = { record, first: none, at: none, document: none, key: none, list: () => [] };
  const command = { ...say("ann"), id: "k" };
  assert.deepEqual(RULES.append(command, room, 0).result, { refused: "locked" });
  assert.deepEqual(RULES.append({ ...command, lookupOnly: true }, room, 0).result, { refused: "not_found" });
});
