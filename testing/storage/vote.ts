import type { AnyKind, CommandBase, Document, Kind } from "../../chat/entries/kind.ts";
import { KINDS } from "../../chat/entries/kinds.ts";
import type { Command } from "../../chat/storage.ts";

export interface Vote extends CommandBase {
  choice: string;
}
/** A choice at which the kind fails, as one with a mistake in it would. */
export const BROKEN_CHOICE = "broken";

type Voted = Document & { votes?: Record<string, number> };

/**
 * A kind of entry that exists in tests alone: anybody votes once on a message that is not their own. No store knows of
 * it, so whatever holds for it holds for the kinds to come.
 */
export const vote: Kind<Vote, { action: string; choice: string }> = {
  asks: "cast_test_vote",
  tells: "test_vote_cast",
  countsAs: "messages",
  who: "anyone",
  whileLocked: false,
  erasable: ["choice"],
  keys: ({ user }) => [user],
  decide({ user, choice }, { target, key }) {
    if (choice === BROKEN_CHOICE) throw new Error("a mistake");
    if (target!.user === user) return { refused: "forbidden", message: "Nobody votes on their own message." };
    if (key(user) !== undefined) return { refused: "forbidden", message: "You have voted." };
    return { fields: { choice }, keys: { [user]: choice } };
  },
  apply(document, { choice }) {
    const { votes = {} }: Voted = document;
    return { ...document, votes: { ...votes, [choice]: (votes[choice] ?? 0) + 1 } } as Document;
  },
};

export const KINDS_WITH_VOTE: AnyKind[] = [...Object.values(KINDS), vote];

/**
 * Another one: anybody takes all votes on a message back, but nobody twice without somebody else between. It erases its
 * message, and writes a key in the same entry.
 */
const reset: Kind = {
  asks: "reset_test_votes",
  tells: "test_votes_reset",
  countsAs: "messages",
  who: "anyone",
  whileLocked: false,
  erases: true,
  keys: ({ user }) => [user],
  decide({ user }, { key }) {
    if (key(user) !== undefined) return { refused: "forbidden", message: "You were the last to do it." };
    return { fields: {}, keys: { [user]: true } };
  },
  apply: ({ text }) => ({ text }) as Document,
};

export const KINDS_WITH_RESET: AnyKind[] = [...KINDS_WITH_VOTE, reset];

/** Somebody's vote on the message with this place. */
export function castVote(
  user: string,
  target: number,
  choice: string,
  more: { id?: string; room?: string } = {},
): Command {
  return { action: "cast_test_vote", room: "r", user, target, choice, ...more } as unknown as Command;
}
