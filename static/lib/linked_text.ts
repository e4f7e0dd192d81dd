import type { find } from "../vendor/linkify.js";
import { element, painted } from "./dom.ts";

type FindLinks = typeof find;

export interface Segment {
  text: string;
  /** Where it leads; null for plain text. */
  href: string | null;
}

/** A text without this has no link. */
const LINK_START = /https?:\/\//i;

/**
 * Splits a message into text and links. Only what its author wrote as `http://…` or `https://…` is a link: `main.ts` is
 * more often a file than a domain, and no other scheme is safe to click.
 */
export function segments(text: string, findLinks: FindLinks): Segment[] {
  const found: Segment[] = [];
  let end = 0;
  for (const match of findLinks(text, "url")) {
    if (!/^https?:\/\//i.test(match.value) || !URL.canParse(match.value)) continue;
    if (match.start > end) found.push({ text: text.slice(end, match.start), href: null });
    found.push({ text: match.value, href: new URL(match.value).href });
    end = match.end;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

let findLinks: FindLinks | null = null;
let loading: Promise<void> | null = null;

/** Loads what finds links, after what is in the page has been painted. Without it they stay plain text. */
export function loadLinks(): Promise<void> {
  return loading ??= painted().then(() => import("../vendor/linkify.js")).then(
    ({ find }) => void (findLinks = find),
    () => {/* until the page is loaded again, since most browsers remember that */},
  );
}

/** The nodes that show a message's text. In the first screen its links become links a moment later. */
export function linkedText(text: string): Node[] {
  if (!LINK_START.test(text)) return [new Text(text)];
  if (findLinks) return nodes(text, findLinks);
  const plain = new Text(text);
  loadLinks().then(() => findLinks && plain.replaceWith(...nodes(text, findLinks)));
  return [plain];
}

function nodes(text: string, findLinks: FindLinks): Node[] {
  return segments(text, findLinks).map(({ text, href }) =>
    href === null ? new Text(text) : element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text)
  );
}
