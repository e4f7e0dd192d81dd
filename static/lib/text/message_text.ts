/**
 * How a message's text looks. What finds links, marks and blocks is loaded after the first screen, whose texts are plain
 * until then.
 */
import { element, painted } from "../dom.ts";
import type { RichText, TextWords } from "./text_nodes.ts";

/** A text without any of these has no link, no mark and no block: nearly all have none. */
const MARKUP = /[*`[\\]|~~|_|https?:\/\/|^ {0,3}(?:>|-[ \t]|\d{1,3}\.[ \t])/im;
/** `/me waves`, but not `/me` alone, or `//me`. */
const ACTION = /^\/me[ \t]+(?=\S)/i;
/** More marks on one letter than any language has. Fonts put them on top of each other, or one behind the other. */
const STACKED = /\p{M}{8}/u;
/** UTF-16 code units of the longest text that may be emoji alone: families of people have many. */
const EMOJI_LENGTH = 120;

/** Code points of a text that is shown on one line. */
const LINE = 200;

let onlyEmoji: RegExp | null = null;
try {
  // Browsers that don't know the flag would not even load this module with a literal.
  onlyEmoji = new RegExp("^\\s*(?:\\p{RGI_Emoji}\\s*){1,6}$", "v");
} catch { /* they show emoji as large as other text */ }

/** Whether the text is one to six emoji, and nothing else. */
export function isEmojiOnly(text: string): boolean {
  // Nearly every text begins with a letter.
  return text.length <= EMOJI_LENGTH && /^\s*[^\p{L}\p{P}]/u.test(text) && onlyEmoji?.test(text) === true;
}

/** Whether the text would reach beyond its own lines. */
export function isStacked(text: string): boolean {
  return STACKED.test(text);
}

/** What its author does, as in `/me waves`; null for any other text. */
export function actionIn(text: string): string | null {
  const [command] = ACTION.exec(text) ?? [];
  return command === undefined ? null : text.slice(command.length);
}

let rich: RichText | null = null;
/** What shows plain texts as they are meant; null once that is done, or can't be. */
let late: (() => void)[] | null = [];
let around = (change: () => void) => change();
let loading: Promise<void> | null = null;

/** @param keep does the change by which the plain texts of the first screen get their height */
export function onLateTexts(keep: (change: () => void) => void): void {
  around = keep;
}

/** Loads what shows more than plain text, after what is in the page has been painted. Without it texts stay plain. */
export function loadRichText(): Promise<void> {
  return loading ??= painted().then(() => import("./text_nodes.ts")).then(
    (loaded) => {
      rich = loaded;
      around(() => late?.forEach((change) => change()));
      late = null;
    },
    () => void (late = null), // until the page is loaded again, since most browsers remember that
  );
}

/**
 * Shows a message's text in an element, which gets the class `emoji`, `action` or `stacked` where the text is that. In the first
 * screen its marks become what they mean a moment later.
 */
export function showText(target: HTMLElement, text: string, author: string, words: TextWords): void {
  const action = actionIn(text);
  const nodes = shownNodes(action ?? text, action !== null, words);
  if (action === null) target.replaceChildren(...nodes);
  else target.replaceChildren(element("bdi", { textContent: author }), " ", ...nodes);
  target.classList.toggle("emoji", isEmojiOnly(text));
  target.classList.toggle("action", action !== null);
  target.classList.toggle("stacked", isStacked(text));
}

/**
 * The beginning of a text on one line, without its marks. Those of the first screen go a moment later.
 * @param changed is called when that has happened
 */
export function showLine(target: HTMLElement, text: string, changed?: () => void): void {
  const action = actionIn(text);
  const isPlain = !MARKUP.test(text);
  const line = new Text(oneLine(isPlain || !rich ? action ?? text : rich.plainText(action ?? text, action !== null)));
  target.replaceChildren(line);
  if (isPlain || rich) return;
  late?.push(() => {
    line.data = oneLine(rich!.plainText(action ?? text, action !== null));
    changed?.();
  });
  loadRichText();
}

/** As much as the widest screen shows of it. */
function oneLine(text: string): string {
  const all = [...text.slice(0, 4 * LINE).replace(/\s+/g, " ").trim()];
  return all.length <= LINE ? all.join("") : `${all.slice(0, LINE).join("")}…`;
}

function shownNodes(text: string, isAction: boolean, words: TextWords): Node[] {
  if (!MARKUP.test(text)) return [new Text(text)];
  if (rich) return rich.textNodes(text, isAction, words);
  const plain = new Text(text);
  late?.push(() => plain.replaceWith(...rich!.textNodes(text, isAction, words)));
  loadRichText();
  return [plain];
}
