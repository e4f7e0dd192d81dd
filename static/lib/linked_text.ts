import { find } from "../vendor/linkify.js";
import { element } from "./dom.ts";

export interface Segment {
  text: string;
  /** Where it leads; null for plain text. */
  href: string | null;
}

/**
 * Splits a message into text and links. Only what its author wrote as `http://…` or `https://…` is a link: `main.ts` is
 * more often a file than a domain, and no other scheme is safe to click.
 */
export function segments(text: string): Segment[] {
  if (!/https?:\/\//i.test(text)) return [{ text, href: null }];
  const found: Segment[] = [];
  let end = 0;
  for (const match of find(text, "url")) {
    if (!/^https?:\/\//i.test(match.value) || !URL.canParse(match.value)) continue;
    if (match.start > end) found.push({ text: text.slice(end, match.start), href: null });
    found.push({ text: match.value, href: new URL(match.value).href });
    end = match.end;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

/** The nodes that show a message's text. */
export function linkedText(text: string): (Node | string)[] {
  return segments(text).map(({ text, href }) =>
    href === null ? text : element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text)
  );
}
