import type { HeldName, NameOffer, Storage } from "../../chat/storage.ts";

/** Names of which a user may get one. */
export function offer(user: string, ...names: string[]): NameOffer {
  return { user, candidates: names.map((name) => ({ name, key: name.toLowerCase() })) };
}

/** Gives one user the first of these names that is free. */
export async function giveOne(
  { names }: Storage,
  wanted: NameOffer,
  until: number,
  now: number,
): Promise<HeldName | undefined> {
  return (await names.give([wanted], until, now))[0];
}
