/** The people whom one may mean in a room. */
import type { Member } from "../../chat/protocol.ts";
import type { State } from "../state.ts";
import { begins, fold, wordsOf } from "./matching.ts";

/** Everyone else in the room and the authors of the loaded messages: who wrote last comes first, then by name. */
export function peopleIn({ room, me }: Pick<State, "room" | "me">): Member[] {
  const people = new Map<string, Member>();
  for (const { user, from } of room.messages.toReversed()) {
    if (user !== me?.user && !people.has(user)) people.set(user, { user, name: from });
  }
  const collator = new Intl.Collator(undefined, { numeric: true });
  for (const member of room.members.toSorted((one, other) => collator.compare(one.name, other.name))) {
    // The name that someone has now counts, not the one under which they wrote.
    if (member.user !== me?.user) people.set(member.user, member);
  }
  return [...people.values()];
}

/**
 * Those of whose name any word begins with what is typed, or whose whole name does; these come first. Once there is a
 * space in it, only the whole name counts, and a name that is complete is none to be completed.
 */
export function matchingPeople(people: readonly Member[], typed: string): Member[] {
  const query = fold(typed);
  const whole = people.filter(({ name }) => begins(fold(name), query));
  if (/\s/.test(query)) return whole;
  const others = people.filter((person) => !whole.includes(person));
  return [...whole, ...others.filter(({ name }) => wordsOf(fold(name)).some((word) => begins(word, query)))];
}

/** The person with this name, in any case and width. */
export function personNamed(people: readonly Member[], name: string): Member | undefined {
  const sought = fold(name);
  return people.find((person) => person.name === name) ?? people.find((person) => fold(person.name) === sought);
}
