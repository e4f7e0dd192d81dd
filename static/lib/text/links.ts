/** Which addresses in a text lead somewhere, and whether what is shown of one tells where. */
import { find } from "../../vendor/linkify.js";

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
  const found: Segment[] = [];
  let end = 0;
  for (const match of find(text, "url")) {
    const href = webAddress(match.value);
    if (href === null) continue;
    if (match.start > end) found.push({ text: text.slice(end, match.start), href: null });
    found.push({ text: match.value, href });
    end = match.end;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

/** The address as a browser reads it; null if it is none with `http://` or `https://`. */
export function webAddress(text: string): string | null {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return null;
  return new URL(text).href;
}

/** What looks like a part of an address: `bank.example`, `https:`, `someone@`. */
const LIKE_ADDRESS = /[\p{L}\p{N}]\.\p{L}{2,}|\p{L}:\/|[\p{L}\p{N}]@|\bwww\b|[\p{L}\p{N}]\/[\p{L}\p{N}]/iu;
/** What makes a text look like another one: characters that nobody sees, or that change the direction. */
const UNSEEN = /[\p{Cf}\p{Cc}\u115f\u1160\u3164\uffa0]/u;
/** What looks like a dot, or like a slash. */
const DOTS = /[\u3002\uff61\u2024\ufe52\ua78f\u00b7\u0387\u2027\u2219\u22c5\u30fb]/g;
const SLASHES = /[\u2044\u2215\u29f8\u2571]/g;

/** The host to show beside a link of which the text looks like an address, unless it is that of the same host. */
export function hostToShow(text: string, href: string): string | null {
  const { host } = new URL(href);
  const seen = text.normalize("NFKC").replaceAll(DOTS, ".").replaceAll(SLASHES, "/").trim();
  if (!UNSEEN.test(text) && !LIKE_ADDRESS.test(seen)) return null;
  const claimed = /^[a-z]+:\/\//i.test(text) ? text : `https://${text}`;
  const isSame = !/[\s@]/.test(text) && URL.canParse(claimed) && new URL(claimed).host === host;
  return isSame ? null : host;
}
