/** The small mark beside a person's name: a colour that stays theirs whatever they are called, and their initials. */
import type { Member } from "../../chat/protocol.ts";
import { element } from "./dom.ts";

/** How many colours `styles/avatars.css` has. */
export const COLOURS = 10;
/** Widths of a small letter beyond which a name does not fit into one line of the margin. */
const LINE_WIDTH = 12.5;

const EAST_ASIAN = /^[\p{Script=Hangul}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+$/u;
const EMOJI = /^\p{RGI_Emoji}$/v;

let segmenter: Intl.Segmenter | undefined;

/** Without letters of other scripts and emoji, whose expressions take long to make. Most pages need them for no name. */
const isPlain = (text: string) => /^[\x20-\x7e]*$/.test(text);

/** What readers take for characters; some are made of many code points. */
function graphemes(text: string): string[] {
  if (isPlain(text) || !("Segmenter" in Intl)) return Array.from(text);
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}

/** The number of a person's colour. It follows from the id, which never changes. */
export function colourOf(user: string): number {
  let hash = 0;
  for (let at = 0; at < user.length; at++) hash = Math.imul(hash ^ user.charCodeAt(at), 0x01000193) >>> 0;
  return ((hash ^ hash >>> 15) >>> 0) % COLOURS;
}

/**
 * Up to two characters that tell a name from others: the beginnings of two words, the end of a number, as all names
 * that the server gives begin alike, and of an East Asian name its end, where the given name stands.
 */
export function initialsOf(name: string): string {
  const [emoji] = graphemes(name.trim());
  if (emoji !== undefined && !isPlain(emoji) && EMOJI.test(emoji)) return emoji;
  const [first, second] = name.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== "");
  if (first === undefined) return emoji ?? "";
  if (EAST_ASIAN.test(first)) return graphemes(first).slice(-2).join("");
  if (second === undefined) return graphemes(first).slice(0, 2).join("");
  if (/^\p{Nd}{3,}$/u.test(second)) return graphemes(second).slice(-2).join("");
  return [first, second].map((word) => graphemes(word)[0].toUpperCase()).join("");
}

interface Look {
  readonly initials: string;
  readonly isSingle: boolean;
  readonly isLong: boolean;
}
/** Names whose looks are remembered; few people talk at a time, and each name is looked at for every message. */
const LOOKS_LIMIT = 500;
const looks = new Map<string, Look>();

function lookOf(name: string): Look {
  const known = looks.get(name);
  if (known) return known;
  if (looks.size >= LOOKS_LIMIT) looks.clear();
  const initials = initialsOf(name);
  const look = { initials, isSingle: graphemes(initials).length === 1, isLong: isWide(name) };
  looks.set(name, look);
  return look;
}

/** Whether a name needs more than one line of the margin, about: to measure it would lay out the page. */
export function isLongName(name: string): boolean {
  return lookOf(name).isLong;
}

function isWide(name: string): boolean {
  let width = 0;
  for (const character of name) {
    const isBroad = isPlain(character) ? "MW@".includes(character) : /[\p{Lo}\p{RGI_Emoji}]/v.test(character);
    width += isBroad ? 1.75 : /\p{Lu}/u.test(character) ? 1.25 : 1;
  }
  return width > LINE_WIDTH;
}

/** The mark of a person. The name stands beside it, so that it tells a screen reader nothing. */
export function createAvatar({ user, name }: Member): HTMLElement {
  const { initials, isSingle } = lookOf(name);
  const avatar = element("span", { className: "avatar", textContent: initials, ariaHidden: "true" });
  avatar.dataset.colour = String(colourOf(user));
  avatar.classList.toggle("single", isSingle);
  return avatar;
}
