/**
 * A text area as in other chats: it grows with its text, Enter submits, Shift+Enter breaks the line. On a screen with a
 * keyboard on it, Enter breaks the line, and a button submits.
 */
import type { Strings } from "../i18n/locale.ts";

/**
 * The `keyCode` of a key that an input method handled. For the Enter that ends a composition some browsers report only
 * this.
 */
export const INPUT_METHOD_KEY_CODE = 229;

/**
 * Whether one writes with a keyboard on the screen: fingers are all that points at it. No browser tells of a keyboard,
 * but a tablet with one nearly always has a trackpad or a mouse too, which can hover. Where it has not, Ctrl+Enter
 * submits.
 */
export function hasScreenKeyboard(): boolean {
  return matchMedia("(pointer: coarse) and (hover: none)").matches && !matchMedia("(any-hover: hover)").matches;
}

/** @param hint what Enter does, shown on the key of a keyboard on the screen where it submits */
export function enterSubmits(field: HTMLTextAreaElement, hint: "send" | "done", submit: () => void): void {
  const setHint = () => field.enterKeyHint = hasScreenKeyboard() ? "enter" : hint;
  setHint();
  // A trackpad may come or go.
  field.addEventListener("focus", setHint);
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    if (event.isComposing || event.keyCode === INPUT_METHOD_KEY_CODE) return;
    if (hasScreenKeyboard() && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    submit();
  });
}

/** Makes the field as high as its text, in browsers without CSS `field-sizing`. */
export function grow(field: HTMLTextAreaElement): void {
  if (CSS.supports("field-sizing", "content")) return;
  field.style.height = "auto";
  // What it scrolls has no borders, but its height has.
  field.style.height = `${field.scrollHeight + field.offsetHeight - field.clientHeight}px`;
}

/** Code points, as the server counts them. */
export function length(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** Code points before the limit at which it is said that little is left. */
const FEW_LEFT = 20;

/**
 * Returns what is called with how many code points are left: it has that announced when few are left and when it is too
 * much, and not with every character.
 */
export function countAnnouncer(strings: Strings, announce: (text: string) => void): (left: number) => void {
  let level = 0;
  return (left) => {
    const before = level;
    level = left < 0 ? 2 : left <= FEW_LEFT ? 1 : 0;
    if (level > 0 && level !== before) announce(left < 0 ? strings.over(-left) : strings.left(left));
  };
}

/** The text without NUL and halves of characters, which no frame may contain and only a broken paste brings. */
export function sendable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "");
}
