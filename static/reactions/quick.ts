/** The reactions at hand: those that the reader has given lately, and the usual ones. */
import type { KeyValueStorage } from "../../client/storage.ts";

const AT_HAND = 6;
const USUAL: readonly string[] = ["👍", "❤️", "😂", "🎉", "😮", "😢"];
const KEY = "parley.reactions";
/** UTF-16 units that an emoji may have. */
const EMOJI_SIZE = 64;

export function atHand(storage: KeyValueStorage): string[] {
  return [...new Set([...lately(storage), ...USUAL])].slice(0, AT_HAND);
}

export function noteGiven(storage: KeyValueStorage, emoji: string): void {
  storage.write(KEY, JSON.stringify([...new Set([emoji, ...lately(storage)])].slice(0, AT_HAND)));
}

/** The latest first. Another version of the page may have stored anything. */
function lately(storage: KeyValueStorage): string[] {
  try {
    const stored: unknown = JSON.parse(storage.read(KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.filter((one) => typeof one === "string" && one !== "" && one.length <= EMOJI_SIZE);
  } catch {
    return []; // not JSON: something else wrote it
  }
}
