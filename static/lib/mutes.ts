/** People whose messages this browser hides. Nobody else learns of it. */
import type { Member } from "../../chat/protocol.ts";
import type { KeyValueStorage } from "../../client/storage.ts";

/** People who may be muted; past that the one muted the longest ago is unmuted. */
export const MUTED_LIMIT = 500;
/** The key in the browser's storage. Each person is stored with the name that they had when they were muted. */
export const MUTED_KEY = "parley.muted";

export function isMuted(muted: readonly Member[], user: string): boolean {
  return muted.some((other) => other.user === user);
}

/** With one more person at the end. Someone already muted moves there, under their present name. */
export function mute(muted: readonly Member[], { user, name }: Member): readonly Member[] {
  return [...unmute(muted, user), { user, name }].slice(-MUTED_LIMIT);
}

export function unmute(muted: readonly Member[], user: string): readonly Member[] {
  return muted.filter((other) => other.user !== user);
}

export function saveMuted(storage: KeyValueStorage, muted: readonly Member[]): void {
  storage.write(MUTED_KEY, muted.length === 0 ? null : JSON.stringify(muted));
}

/** Reads what the page stored before, in this or in another tab. */
export function loadMuted(storage: KeyValueStorage): readonly Member[] {
  try {
    const value: unknown = JSON.parse(storage.read(MUTED_KEY) ?? "[]");
    return Array.isArray(value) ? value.filter(isMember).slice(-MUTED_LIMIT) : [];
  } catch {
    return []; // not JSON: something else wrote it
  }
}

function isMember(value: unknown): value is Member {
  const { user, name } = (value ?? {}) as Partial<Member>;
  return typeof user === "string" && typeof name === "string";
}
