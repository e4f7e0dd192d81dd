/** The people of a room that has more of them than the server lists by itself: pages, which are asked for. */
import type { Member } from "../../chat/protocol.ts";

/**
 * Asks the server for a page of the people in a room.
 * @param after goes on where a page ended: nothing, or a parameter of the address
 */
export type ListPeople = (room: string, after: string) => Promise<unknown>;

/** What the pages had so far, by their order. */
export interface PeoplePages {
  readonly people: readonly Member[];
  /** There are no further pages. */
  readonly complete: boolean;
}

export const NO_PAGES: PeoplePages = { people: [], complete: false };

/** What the next page is asked for with: those after the last one that is there. */
export function nextPage({ people }: PeoplePages): string {
  const last = people.at(-1);
  return last ? `&after=${encodeURIComponent(last.user)}` : "";
}

/** With one more page. @throws {TypeError} if the answer is none */
export function withPage({ people }: PeoplePages, answer: unknown): PeoplePages {
  const { people: more, more: isMore } = Object(answer) as { people?: unknown; more?: unknown };
  if (!Array.isArray(more) || !more.every(isMember)) throw new TypeError("This is no page of people.");
  return { people: [...people, ...more], complete: isMore !== true || more.length === 0 };
}

/**
 * Everyone who is known to be here, once, oneself first. What the server listed by itself may be old by the time that
 * all pages are there: in a crowd it tells of nobody's coming and going.
 */
export function knownPeople(members: readonly Member[], pages: PeoplePages, me: Member | null): Member[] {
  const known = new Map<string, Member>();
  for (const { user, name } of [...me ? [me] : [], ...pages.complete ? [] : members, ...pages.people]) {
    if (!known.has(user)) known.set(user, { user, name });
  }
  return [...known.values()];
}

/** Those whose name has this in it, whatever the case. */
export function withName(people: readonly Member[], wanted: string): readonly Member[] {
  const fold = (text: string) => text.normalize("NFKC").toLowerCase();
  const part = fold(wanted.trim());
  return part === "" ? people : people.filter(({ name }) => fold(name).includes(part));
}

function isMember(value: unknown): value is Member {
  const { user, name } = Object(value) as Partial<Member>;
  return typeof user === "string" && typeof name === "string";
}
