import {
  type MessageReacted,
  type React,
  type ReactedFrame,
  type Reaction,
  REACTION_USERS,
  type ReactionChange,
  REACTIONS_LIMIT,
} from "../protocol.ts";
import type { Change, CommandBase, Kind, Refused, View } from "./kind.ts";

/** One person's reaction, or those of several at once in `changes`. */
type ReactCommand = React & CommandBase & { changes?: readonly ReactionChange[] };

/**
 * Users that a document keeps of each reaction: more than are shown, so that a person who goes and comes back does not
 * make the store look for the next one each time, among thousands.
 */
const KEPT_USERS = 10;

/** What stands under the document key of a reaction: its number, and its person's name at that time. */
export type Given = [number: number, from: string];

/** Gives a message a reaction, or takes it back. Each person gives an emoji once. */
export const reaction: Kind<ReactCommand, MessageReacted> = {
  asks: "react",
  tells: "message_reacted",
  countsAs: "messages",
  who: "anyone",
  // Only what was given may be taken back there.
  whileLocked: true,
  erasable: ["changes"],
  whenErased: { changes: [] },
  keys: (command) => changesOf(command).map(keyOf),
  lists: (command, { reactions = [] }) =>
    reactions.filter((each) => mayLackUsers(each, changesOf(command)))
      .map(({ emoji }) => keyOf({ emoji, user: "" })),
  merge: ([first, ...others]) => ({ ...first, changes: [first, ...others].flatMap(changesOf) }),
  decide: (command, view) => decide(changesOf(command), view),
  apply(document, { changes = [] }) {
    const reactions = changes.reduce<Reaction[]>(
      (before, change) => withChange(before, change, REACTION_USERS),
      document.reactions ?? [],
    );
    return withReactions(document, reactions);
  },
  answer: ({ room, target, emoji, on }): ReactedFrame => ({ action: "reacted", room, target, emoji, on }),
};

/** The document key of somebody's reaction. Those of one emoji begin with the key of nobody. */
export function keyOf({ emoji, user }: Pick<ReactionChange, "emoji" | "user">): string {
  return `${emoji} ${user}`;
}

function changesOf({ changes, user, from, emoji, on }: ReactCommand): readonly ReactionChange[] {
  return changes ?? [{ user, from, emoji, on }];
}

/** Whether the first users may be fewer after these changes than are shown, though others gave it too. */
function mayLackUsers({ emoji, count, users }: Reaction, changes: readonly ReactionChange[]): boolean {
  const own = changes.filter((each) => each.emoji === emoji);
  const given = own.filter(({ on }) => on).map(({ user }) => user);
  const leaving = own.filter(({ user, on }) => !on && (users.includes(user) || given.includes(user))).length;
  return leaving > 0 && users.length - leaving < REACTION_USERS && count + given.length > REACTION_USERS;
}

function decide(asked: readonly ReactionChange[], view: View): Change {
  const { document } = view.target!;
  let reactions: readonly Reaction[] = document.reactions ?? [];
  let { given = 0 } = document;
  const keys: Record<string, Given | null> = {};
  const valueOf = (name: string) => Object.hasOwn(keys, name) ? keys[name] : view.key(name) as Given | undefined;
  const changes: ReactionChange[] = [];
  const refusals = asked.map((change): Refused | undefined => {
    const { emoji, on, from } = change;
    if (on && view.locked) return { refused: "locked" };
    if (on === Boolean(valueOf(keyOf(change)))) return undefined;
    const isNew = !reactions.some((each) => each.emoji === emoji);
    if (isNew && reactions.length >= REACTIONS_LIMIT) {
      const message = `A message has at most ${REACTIONS_LIMIT} different reactions. Choose one of those it has.`;
      return { refused: "too_many_reactions", message };
    }
    keys[keyOf(change)] = on ? [given++, from] : null;
    reactions = withChange(reactions, change, KEPT_USERS);
    changes.push(change);
    return undefined;
  });
  if (changes.length === 0) return { fields: undefined, refusals };
  // Once for each emoji, however many take theirs back: thousands may have given it.
  for (const emoji of new Set(changes.map((each) => each.emoji))) {
    reactions = withFirstUsers(reactions, emoji, view, keys);
  }
  return { fields: { changes }, keys, document: { ...withReactions(document, reactions), given }, refusals };
}

/**
 * The reactions after one more change. Whoever comes after the first users, if one of them has gone, is not known.
 * @param most users of each that are named
 */
function withChange(reactions: readonly Reaction[], { emoji, user, on }: ReactionChange, most: number): Reaction[] {
  const at = reactions.findIndex((each) => each.emoji === emoji);
  if (at < 0) return on ? [...reactions, { emoji, count: 1, users: [user] }] : [...reactions];
  const { count, users } = reactions[at];
  if (!on && count === 1) return reactions.toSpliced(at, 1);
  const isAmongFirst = on && users.length === count && count < most;
  return reactions.with(at, {
    emoji,
    count: on ? count + 1 : count - 1,
    users: isAmongFirst ? [...users, user] : on ? users : users.filter((each) => each !== user),
  });
}

/** The same reactions, where those of one emoji have enough first users to be shown. */
function withFirstUsers(
  reactions: readonly Reaction[],
  emoji: string,
  { list }: View,
  keys: Readonly<Record<string, Given | null>>,
): readonly Reaction[] {
  const at = reactions.findIndex((each) => each.emoji === emoji);
  const { count, users } = reactions[at] ?? { count: 0, users: [] };
  if (users.length >= Math.min(count, REACTION_USERS)) return reactions;
  const prefix = keyOf({ emoji, user: "" });
  const own = Object.entries(keys).filter(([name]) => name.startsWith(prefix));
  const numbers = new Map<string, number>();
  for (const [name, value] of [...list(prefix), ...own] as [string, Given | null][]) {
    if (value) numbers.set(name.slice(prefix.length), value[0]);
    else numbers.delete(name.slice(prefix.length));
  }
  const inOrder = [...numbers].sort(([, one], [, other]) => one - other).map(([user]) => user);
  return reactions.with(at, { emoji, count, users: inOrder.slice(0, KEPT_USERS) });
}

function withReactions<Shown extends { reactions?: Reaction[] }>(
  { reactions: _, ...shown }: Shown,
  reactions: readonly Reaction[],
): Omit<Shown, "reactions"> & { reactions?: Reaction[] } {
  return reactions.length === 0 ? shown : { ...shown, reactions: [...reactions] };
}

/** Reactions as users see them: of each, no more users than may be shown. */
export function shownReactions(reactions: readonly Reaction[]): Reaction[] {
  return reactions.map((each) => ({ ...each, users: each.users.slice(0, REACTION_USERS) }));
}
