import { type Clock, systemClock } from "../../chat/clock.ts";
import type { Command } from "../../chat/storage.ts";
import type { FakeClock } from "../clock.ts";
import { castVote } from "./vote.ts";

/** More entries than any store lets go of in one step. */
const MANY = 1_200;

/** What `leftovers` finds: words that an edit or a deletion took back, and what goes when everything has expired. */
export type Leftover = "gone-word" | "kept-word" | "kept-person" | "kept-id";

/**
 * All that can happen to the messages of a room in which something has the place `head`, a kind that is made up
 * included.
 */
export function eventfulRoom(room: string, head: number): Command[] {
  let ids = 0;
  const mark = (person: string) => ({ room, user: `kept-person-${person}`, id: `kept-id-${++ids}` });
  const say = (person: string, text: string): Command => (
    { action: "send_message", from: `kept-person-${person}`, text, ...mark(person) }
  );
  const edit = (person: string, place: number, text: string): Command => (
    { action: "edit_message", from: "Ann", target: head + place, text, ...mark(person) }
  );
  const remove = (person: string, place: number, more: { moderator?: true } = {}): Command => (
    { action: "delete_message", from: "Ann", target: head + place, ...mark(person), ...more }
  );
  const react = (user: string, place: number): Command => (
    { action: "react", room, user, from: user, target: head + place, emoji: "🍵", on: true }
  );
  return [
    say("ann", "gone-word-1"),
    say("bob", "gone-word-2"),
    say("eve", "gone-word-3"),
    castVote("kept-person-voter", head + 1, "kept-word-vote", { room, id: "kept-id-vote" }),
    castVote("kept-person-voter", head + 2, "gone-word-vote", { room }),
    castVote("kept-person-voter", head + 3, "gone-word-vote", { room }),
    edit("ann", 1, "gone-word-4"),
    edit("ann", 1, "kept-word-1"),
    remove("bob", 2),
    edit("eve", 3, "gone-word-5"),
    remove("mod", 3, { moderator: true }),
    { action: "send_message", room, user: "kept-person-bob", from: "kept-person-bob", text: "kept-word without an id" },
    ...Array.from({ length: MANY }, (_, at) => say(`${at % 9}`, `kept-word-${at}`)),
    say("bob", "gone-word-6"),
    say("bob", "gone-word-7"),
    ...Array.from({ length: 100 }, (_, at) => say(`${at % 9}`, `kept-word-${at}`)),
    // Not let go of in one step with their messages.
    edit("bob", MANY + 13, "kept-word at the end"),
    remove("bob", MANY + 14),
    react("gone-word-reacting", 13),
    react("kept-person-reacting", 14),
    remove("mod", 13, { moderator: true }),
    { action: "send_message", room, user: "kept-person-bob", from: "Bob", text: "kept-word", reply_to: head + 14 },
  ];
}

/** What stands in a store and should be gone. */
export function leftovers(stored: string, ...kinds: Leftover[]): string[] {
  return kinds.flatMap((kind) => [...new Set(stored.match(new RegExp(`${kind}[-\\w]*`, "g")))].slice(0, 3));
}

/**
 * Real time for a store that takes some to answer; what the clock shows, and what is done once a minute, is a test's.
 */
export function sweptBy(clock: FakeClock): Clock {
  return {
    ...systemClock,
    now: () => clock.now(),
    after: (milliseconds, act) => (milliseconds < 60_000 ? systemClock : clock).after(milliseconds, act),
  };
}
