import type { Member } from "../protocol.ts";

/** People in a room, in the order of their ids. `more`: there are people after them. */
export interface PeoplePage {
  people: Member[];
  more: boolean;
}

/**
 * The first `limit` people whose id comes after `after`. Ids have an order that is the same on every isolate and does
 * not change, so that pages neither skip nor repeat anyone who stays, whoever comes and goes between them.
 * @param people in any order; someone may be among them more than once
 */
export function peoplePage(people: Iterable<Member>, after: string, limit: number): PeoplePage {
  let first: Member[] = [];
  let bound: string | undefined;
  // One pass for rooms of thousands: what can't be on the page is dropped on the way.
  const cut = () => {
    first.sort((one, other) => one.user < other.user ? -1 : Number(one.user > other.user));
    first = first.filter(({ user }, at) => user !== first[at - 1]?.user).slice(0, limit + 1);
    if (first.length > limit) bound = first[limit].user;
  };
  for (const { user, name } of people) {
    if (user <= after || bound !== undefined && user >= bound) continue;
    if (first.push({ user, name }) > 2 * limit + 2) cut();
  }
  cut();
  return { people: first.slice(0, limit), more: first.length > limit };
}
