import type { find as findLinks } from "../vendor/linkify.js";
import { element, painted } from "./dom.ts";

type Find = typeof findLinks;

export interface Segment {
  text: string;
  /** Where it leads; null for plain text. */
  href: string | null;
}

/** Texts without this have no link: then the code that finds links is not asked, nor loaded. */
const BEGINNING = /https?:\/\//i;

/**
 * Splits a message into text and links. Only what its author wrote as `http://…` or `https://…` is a link: `main.ts` is
 * more often a file than a domain, and no other scheme is safe to click.
 */
export function segments(text: string, find: Find): Segment[] {
  const found: Segment[] = [];
  let end = 0;
  for (const match of find(text, "url")) {
    if (BEGINNING.exec(match.value)?.index !== 0 || !URL.canParse(match.value)) continue;
    if (match.start > end) found.push({ text: text.slice(end, match.start), href: null });
    found.push({ text: match.value, href: new URL(match.value).href });
    end = match.end;
  }
  if (end < text.length) found.push({ text: text.slice(end), href: null });
  return found;
}

let find: Find | null = null;
let loading: Promise<void> | null = null;

/** Loads what finds links, after the text has been painted. If it does not come, the next link tries again. */
function load(): Promise<void> {
  return loading ??= painted().then(() => import("../vendor/linkify.js")).then(
    (linkify) => void (find = linkify.find),
    () => void (loading = null),
  );
}

/** The nodes that show a message's text. Its links become links as soon as the code that finds them is there. */
export function linkedText(text: string): Node[] {
  if (find && BEGINNING.test(text)) return nodes(text, find);
  const plain = new Text(text);
  if (BEGINNING.test(text)) load().then(() => find && plain.replaceWith(...nodes(text, find)));
  return [plain];
}

function nodes(text: string, find: Find): Node[] {
  return segments(text, find).map(({ text, href }) =>
    href === null ? new Text(text) : element("a", { href, target: "_blank", rel: "noopener noreferrer nofollow" }, text)
  );
}
