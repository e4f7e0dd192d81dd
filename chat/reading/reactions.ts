/** Who gave which reactions, beyond the counts that every message of a page has. */
import { checkEmoji } from "../limits/emoji.ts";
import { type Given, keyOf, reaction } from "../entries/reaction.ts";
import { messageAt } from "./history.ts";
import type { Entry, Reacted, Reaction, ReactionPeople } from "../protocol.ts";
import { documentKey } from "../rulebook.ts";
import type { DocumentKey, MessageLog } from "../storage.ts";

/** People that one answer lists for each reaction. */
export const PEOPLE_LISTED = 50;

/**
 * The emoji that a user gave to messages of a page, by the messages' `seq`.
 * @returns undefined if none
 * @throws {ChatError} `unavailable`
 */
export async function reactedIn(
  log: MessageLog,
  room: string,
  messages: readonly Entry[],
  user: string,
): Promise<Reacted | undefined> {
  const all = messages.flatMap((message) =>
    "reactions" in message ? message.reactions!.map((each) => ({ seq: message.seq, ...each })) : []
  );
  const isAmongFirst = ({ users }: Reaction) => users.includes(user);
  // The page itself says it of the others.
  const unsaid = all.filter((each) => !isAmongFirst(each) && each.count > each.users.length);
  const wanted = unsaid.map(({ seq, emoji }): DocumentKey => [seq, nameOf(emoji, user)]);
  const values = wanted.length === 0 ? [] : await log.keys(room, wanted);
  const given = new Set(unsaid.filter((_, at) => values[at] !== undefined));
  const own = all.filter((each) => isAmongFirst(each) || given.has(each));
  if (own.length === 0) return undefined;
  const reacted: Reacted = {};
  for (const { seq, emoji } of own) (reacted[seq] ??= []).push(emoji);
  return reacted;
}

/**
 * A page of messages as one person gets it: with what that person gave to them.
 * @param user absent: nobody knows who asks
 * @throws {ChatError} `unavailable`
 */
export async function pageFor<Page extends { readonly messages: readonly Entry[] }>(
  log: MessageLog,
  room: string,
  page: Page,
  user: string | undefined,
): Promise<Page & { reacted?: Reacted }> {
  const reacted = user === undefined ? undefined : await reactedIn(log, room, page.messages, user);
  return reacted ? { ...page, reacted } : page;
}

/**
 * Who reacted to a message: of each reaction, or of the one with this emoji, the first `PEOPLE_LISTED` behind the user
 * `after`, in the order of their ids. `more`: one of them has more people.
 * @throws {ChatError} `bad_emoji`, `not_found` if the room does not have the message, `unavailable`
 */
export async function reactionPeople(
  log: MessageLog,
  room: string,
  seq: number,
  { emoji, after }: { emoji?: string; after?: string },
): Promise<{ reactions: ReactionPeople[]; more: boolean }> {
  if (emoji !== undefined) checkEmoji(emoji);
  const { message } = await messageAt(log, room, seq);
  let more = false;
  const asked = (message.reactions ?? []).filter((each) => emoji === undefined || each.emoji === emoji);
  const reactions = await Promise.all(asked.map(async ({ emoji, count }): Promise<ReactionPeople> => {
    const prefix = nameOf(emoji, "");
    const query = { seq, prefix, after: prefix + (after ?? ""), limit: PEOPLE_LISTED + 1 };
    const found = await log.listKeys(room, query) as [string, Given][];
    more ||= found.length > PEOPLE_LISTED;
    const people = found.slice(0, PEOPLE_LISTED).map(([name, [, from]]) => ({ user: name.slice(prefix.length), from }));
    return { emoji, count, people };
  }));
  return { reactions, more };
}

function nameOf(emoji: string, user: string): string {
  return documentKey(reaction.tells, keyOf({ emoji, user }));
}
