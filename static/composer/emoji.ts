/** The emoji that can be written by a word, and how they are found. */
import type { KeyValueStorage } from "../../client/storage.ts";
import type { Language } from "../i18n/format.ts";
import { begins, fold, wordsOf } from "./matching.ts";

/** Emoji that are remembered as used, the latest first. */
const RECENT_LIMIT = 32;
const RECENT_KEY = "parley.emoji";
/** UTF-16 units that an emoji may have. */
const EMOJI_SIZE = 40;

export interface Emoji {
  readonly emoji: string;
  /** What one types between colons; the first is the best known. */
  readonly codes: readonly string[];
  /** What it is called. */
  readonly labels: Readonly<Record<Language, string>>;
  /** Its Korean name, the words of its names, and what else it is called. */
  readonly names: readonly string[];
  readonly tags: readonly string[];
}

/** @param table what `tools/emoji_table.ts` made: columns, each a line for an emoji */
export function parseEmoji(table: string): Emoji[] {
  const [, ...columns] = table.trimEnd().split("\n--\n").map((column) => column.split("\n"));
  const [characters, codes, english, tags, korean, koreanTags, countries] = columns;
  const all = characters.map((emoji, index): Emoji => {
    const labels = { en: english[index], ko: korean[index] };
    return {
      emoji,
      codes: [...list(codes[index]), wordsOf(fold(labels.en)).join("_")],
      labels,
      names: namesOf(labels),
      tags: list(`${tags[index]} ${koreanTags[index]}`).map(fold),
    };
  });
  return [...all, ...flags(countries)];
}

/** The flags of countries, whose names every browser knows. */
function flags(countries: readonly string[]): Emoji[] {
  const english = new Intl.DisplayNames("en", { type: "region" });
  const korean = new Intl.DisplayNames("ko", { type: "region" });
  return countries.map((code) => {
    const labels = { en: english.of(code) ?? code, ko: korean.of(code) ?? code };
    return {
      emoji: String.fromCodePoint(...[...code].map((letter) => 0x1f1e6 - 65 + letter.charCodeAt(0))),
      codes: [`flag_${code.toLowerCase()}`, wordsOf(fold(labels.en)).join("_")],
      labels,
      names: namesOf(labels),
      tags: ["flag", fold("깃발"), fold("국기")],
    };
  });
}

/**
 * Those that someone may mean: who typed a name in full means that one; then the ones used lately, and those whose code,
 * whose name, or any other word begins with it.
 */
export function matchingEmoji(all: readonly Emoji[], typed: string, recent: readonly string[], limit: number): Emoji[] {
  const query = fold(typed);
  const found: { emoji: Emoji; rank: number }[] = [];
  for (const emoji of all) {
    const rank = rankOf(emoji, query);
    if (rank === null) continue;
    const used = rank === 0 ? -1 : recent.indexOf(emoji.emoji);
    found.push({ emoji, rank: used === -1 ? rank : used / RECENT_LIMIT });
  }
  return found.sort((one, other) => one.rank - other.rank).slice(0, limit).map(({ emoji }) => emoji);
}

/** Those that several words mean together: the names that all of them are, then what has something of each. */
export function searchEmoji(all: readonly Emoji[], typed: string, recent: readonly string[], limit: number): Emoji[] {
  const words = typed.split(/\s+/).filter((word) => word !== "");
  if (words.length < 2) return matchingEmoji(all, words[0] ?? "", recent, limit);
  const found = ["_", ""].flatMap((between) => matchingEmoji(all, words.join(between), recent, limit));
  for (const word of words) all = matchingEmoji(all, word, recent, all.length);
  return [...new Set([...found, ...all])].slice(0, limit);
}

/** The lower the better; null where nothing begins with it. */
function rankOf({ codes, names, tags }: Emoji, query: string): number | null {
  const [whole] = names;
  if (codes.includes(query)) return 0;
  if (whole === query) return 1;
  if (codes[0].startsWith(query)) return 2 + codes[0].length / 100;
  // Of a short name the word says more: "red heart" before "smiling face with hearts".
  const share = names.length / 100;
  if (names.includes(query)) return 3 + share;
  if (names.some((name) => begins(name, query)) || codes.some((code) => code.startsWith(query))) return 4 + share;
  return tags.some((tag) => begins(tag, query)) ? 5 + share : null;
}

export function emojiWithCode(all: readonly Emoji[], code: string): Emoji | undefined {
  return all.find(({ codes }) => codes.includes(code));
}

/** The emoji used lately, the latest first. Another version of the page may have stored anything. */
export function recentEmoji(storage: KeyValueStorage): readonly string[] {
  try {
    const stored: unknown = JSON.parse(storage.read(RECENT_KEY) ?? "[]");
    if (!Array.isArray(stored)) return [];
    return stored.filter((one) => typeof one === "string" && one.length <= EMOJI_SIZE).slice(0, RECENT_LIMIT);
  } catch {
    return []; // not JSON: something else wrote it
  }
}

export function noteUse(storage: KeyValueStorage, emoji: string): void {
  const others = recentEmoji(storage).filter((other) => other !== emoji);
  storage.write(RECENT_KEY, JSON.stringify([emoji, ...others].slice(0, RECENT_LIMIT)));
}

/** The Korean name first, as one word, since it is often typed as one. The whole English one is a code. */
function namesOf({ en, ko }: Record<Language, string>): string[] {
  return [fold(ko).replaceAll(/\s/g, ""), ...wordsOf(fold(ko)), ...wordsOf(fold(en))];
}

function list(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}
