import { type Answer, problemIn, type Visitor } from "./visitor.ts";

/** What a browser sends when somebody types the address. */
const NAVIGATION = {
  "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};
const SCRIPT = /<script type="module" src="([^"]+)">/;

/** What is the matter with the page. */
export type PageTrouble =
  | { refused: Answer }
  /** Somebody else's page, or none. */
  | { foreign: Answer }
  /** The page names a file that is not where it says, and whether that is outside of the chat's own path. */
  | { lost: URL; answer: Answer; outside: boolean };

/** Opens the page as a browser does, and gets the script that it begins with. */
export async function openPage(visitor: Visitor): Promise<PageTrouble | undefined> {
  const page = await visitor.ask("", { headers: NAVIGATION });
  if (problemIn(page.body)) return { refused: page };
  const [, name] = SCRIPT.exec(page.body) ?? [];
  if (page.status !== 200 || !isOf(page, "text/html") || name === undefined) return { foreign: page };
  const file = new URL(name, visitor.base);
  const script = await visitor.ask(file.href, { headers: { "sec-fetch-dest": "script" } });
  if (script.status === 200 && isOf(script, "text/javascript")) return undefined;
  return { lost: file, answer: script, outside: !file.href.startsWith(visitor.base.href) };
}

function isOf({ headers }: Answer, type: string): boolean {
  return headers.get("content-type")?.startsWith(type) ?? false;
}
