/**
 * Makes `static/composer/emoji.txt`, the emoji that the composer completes, with their words in English and Korean. To
 * be run when Unicode has new ones; the package is for this tool alone, and nothing that serves loads it:
 *
 *   deno run --no-lock --allow-read --allow-write --allow-net --allow-env tools/emoji_table.ts
 */
import { gzipSync } from "node:zlib";

/** MIT. Its words are those of Unicode CLDR. */
const PACKAGE = "npm:emojibase-data@17.0.0";
const TABLE = new URL("../static/composer/emoji.txt", import.meta.url);
/** Bytes that the table may have, gzipped. */
const SIZE_LIMIT = 42 * 1024;
/** Words that an emoji has besides its names, and that one of a face or a person has: those are found by moods. */
const [WORDS, WORDS_OF_PEOPLE] = [2, 5];
/** Emojibase's groups. Components, such as hair and skin tones, are no emoji by themselves. */
const [FACES, PEOPLE, COMPONENTS] = [0, 1, 2];
/**
 * Left out for size: one emoji for men and one for women of each that is there for everyone. Keyboards of phones and
 * computers have them.
 */
const GENDERED = /-200D-264[02]|^1F46[89]-/;
/** Flags of countries come from `Intl` in the browser, which knows every country's name. */
const FLAG = /^1F1[EF][0-9A-F]-/;

interface Emoji {
  hexcode: string;
  emoji: string;
  label: string;
  tags?: string[];
  /** 0 where it needs a variation selector to be shown as an emoji. */
  type: 0 | 1;
  group?: number;
  order: number;
}
type Shortcodes = Record<string, string | string[]>;

// With a literal in the import Deno would take the package into its lock.
const load = async (name: string) => (await import(`${PACKAGE}/${name}.json`, { with: { type: "json" } })).default;
const english: Emoji[] = await load("en/data");
const korean = new Map((await load("ko/data") as Emoji[]).map((emoji) => [emoji.hexcode, emoji]));
const shortcodes: Shortcodes[] = [await load("en/shortcodes/github"), await load("en/shortcodes/emojibase")];

/** What a server takes as a reaction: its Deno may be older than the newest emoji. */
const TAKEN = /^\p{RGI_Emoji}$/v;

const emoji = english
  .filter(({ group, hexcode }) => group !== undefined && group !== COMPONENTS && !GENDERED.test(hexcode))
  .filter((one) => TAKEN.test(characters(one)))
  .sort((one, other) => one.order - other.order);
const flags = emoji.filter(({ hexcode }) => FLAG.test(hexcode));
const rows = emoji.filter(({ hexcode }) => !FLAG.test(hexcode)).map((one) => {
  const codes = [...new Set(shortcodes.flatMap((codes) => codes[one.hexcode] ?? []))];
  const other = korean.get(one.hexcode)!;
  const names = wordsOf(`${one.label} ${codes.join(" ").replaceAll("_", " ")}`);
  return {
    one,
    label: one.label,
    // The name with underscores is understood without being listed.
    codes: codes.filter((code) => code !== wordsOf(one.label).join("_")),
    tags: (one.tags ?? []).flatMap(wordsOf).filter((tag) => !names.some((name) => name.startsWith(tag))),
    koreanLabel: other.label,
    // Tags of several words repeat the name in other words.
    koreanTags: (other.tags ?? []).filter((tag) => !/\s/.test(tag)).flatMap(wordsOf)
      .filter((tag) => !wordsOf(other.label).some((name) => name.startsWith(tag) || tag.startsWith(name))),
  };
});

/** The words that most emoji share come first: they are what people call a kind of emoji, such as `laugh`. */
function commonest(column: "tags" | "koreanTags"): string[] {
  const counts = new Map<string, number>();
  for (const tag of rows.flatMap((row) => row[column])) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  return rows.map(({ one, [column]: tags }) => {
    const byCount = [...new Set(tags)].sort((one, other) => counts.get(other)! - counts.get(one)!);
    return byCount.slice(0, one.group === FACES || one.group === PEOPLE ? WORDS_OF_PEOPLE : WORDS).join(" ");
  });
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().split(/[^\p{L}\p{M}\p{N}+]+/u).filter((word) => word !== "");
}

function characters({ type, hexcode, emoji }: Emoji): string {
  if (type === 0) return emoji;
  return String.fromCodePoint(...hexcode.split("-").map((code) => Number.parseInt(code, 16)));
}

/** AB for the flag of AB: the letters as regional indicators. */
function country({ emoji }: Emoji): string {
  return [...emoji].map((letter) => String.fromCharCode(letter.codePointAt(0)! - 0x1f1e6 + 65)).join("");
}

// A column after the other compresses better than rows do.
const columns = [
  rows.map(({ one }) => characters(one)),
  rows.map(({ codes }) => codes.join(" ")),
  rows.map(({ label }) => label),
  commonest("tags"),
  rows.map(({ koreanLabel }) => koreanLabel),
  commonest("koreanTags"),
  flags.map(country),
];
const table = [
  `${PACKAGE.replace("npm:", "")}, MIT; words from Unicode CLDR. Made by tools/emoji_table.ts.`,
  ...columns.map((column) => column.join("\n")),
].join("\n--\n");
const size = gzipSync(table).length;
if (size > SIZE_LIMIT) throw new Error(`The table has ${size} bytes gzipped, more than ${SIZE_LIMIT}.`);
await Deno.writeTextFile(TABLE, `${table}\n`);
console.log(`${rows.length} emoji and ${flags.length} flags: ${table.length} characters, ${size} bytes gzipped`);
