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

/** What readers take for characters; some are made of many code points. */
function graphemes(text: string): string[] {
  if (!("Segmenter" in Intl)) return Array.from(text);
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
  if (emoji !== undefined && EMOJI.test(emoji)) return emoji;
  const [first, second] = name.split(/[^\p{L}\p{M}\p{N}]+/u).filter((word) => word !== "");
  if (first === undefined) return emoji ?? "";
  if (EAST_ASIAN.test(first)) return graphemes(first).slice(-2).join("");
  if (second === undefined) return graphemes(first).slice(0, 2).join("");
  if (/^\p{Nd}{3,}$/u.test(second)) return graphemes(second).slice(-2).join("");
  return [first, second].map((word) => graphemes(word)[0].toUpperCase()).join("");
}

/** Whether a name needs more than one line of the margin, about: to measure it would lay out the page. */
export function isLongName(name: string): boolean {
  let width = 0;
  for (const character of name) {
    width += /[\p{Lo}\p{RGI_Emoji}MW@]/v.test(character) ? 1.75 : /\p{Lu}/u.test(character) ? 1.25 : 1;
  }
  return width > LINE_WIDTH;
}

/** The mark of a person. The name stands beside it, so that it tells a screen reader nothing. */
export function createAvatar({ user, name }: Member): HTMLElement {
  const initials = initialsOf(name);
  const avatar = element("span", { className: "avatar", textContent: initials, ariaHidden: "true" });
  avatar.dataset.colour = String(colourOf(user));
  avatar.classList.toggle("single", graphemes(initials).length === 1);
  return avatar;
}
