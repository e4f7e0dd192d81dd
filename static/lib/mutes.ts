/** People whose words this browser does not show. Nobody else learns of it. Pure, but for the two that remember. */
import type { Member } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";

/** So many are remembered; past that the one muted the longest ago is heard again. */
export const MUTED_LIMIT = 500;
/** Where they are kept, by the name under which each was muted. */
export const MUTED_KEY = "parley.muted";

export function isMuted(muted: readonly Member[], user: string): boolean {
  return muted.some((other) => other.user === user);
}

/** With one more; who was muted already comes last, under their present name. */
export function mute(muted: readonly Member[], { user, name }: Member): readonly Member[] {
  return [...unmute(muted, user), { user, name }].slice(-MUTED_LIMIT);
}

export function unmute(muted: readonly Member[], user: string): readonly Member[] {
  return muted.filter((other) => other.user !== user);
}

export function saveMuted(storage: KeyValueStorage, muted: readonly Member[]): void {
  storage.write(MUTED_KEY, muted.length === 0 ? null : JSON.stringify(muted));
}

/** What an earlier life of the page, or another tab, has written. */
export function loadMuted(storage: KeyValueStorage): readonly Member[] {
  try {
    const value: unknown = JSON.parse(storage.read(MUTED_KEY) ?? "[]");
    return Array.isArray(value) ? value.filter(isMember).slice(-MUTED_LIMIT) : [];
  } catch {
    return []; // not JSON: written by someone else
  }
}

function isMember(value: unknown): value is Member {
  const { user, name } = (value ?? {}) as Partial<Member>;
  return typeof user === "string" && typeof name === "string";
}
