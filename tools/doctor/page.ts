import { type Answer, problemIn, type Visitor } from "./visitor.ts";

/** What a browser sends when somebody types the address. */
const NAVIGATION = {
  "accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "sec-fetch-site": "none",
  "sec-fetch-mode": "navigate",
  "sec-fetch-dest": "document",
};
const FILES = /<(?:script type="module" src|link rel="(?:stylesheet|modulepreload)" href)="([^"]+)"/g;

/** What is the matter with the page. */
export type PageTrouble =
  | { refused: Answer }
  /** Somebody else's page, or none. */
  | { foreign: Answer }
  /** The page names a file that is not where it says, and whether that is outside of the chat's own path. */
  | { lost: URL; answer: Answer; outside: boolean };

/** Opens the page as a browser does, and gets all the files that it names. */
export async function openPage(visitor: Visitor): Promise<PageTrouble | undefined> {
  const page = await visitor.ask("", { headers: NAVIGATION });
  if (problemIn(page.body)) return { refused: page };
  const files = Array.from(page.body.matchAll(FILES), ([, name]) => new URL(name, visitor.base));
  if (page.status !== 200 || !isOf(page, "text/html") || files.length === 0) return { foreign: page };
  const answers = await Promise.all(files.map(async (lost) => {
    const [dest, type] = lost.pathname.endsWith(".css") ? ["style", "text/css"] : ["script", "text/javascript"];
    const answer = await visitor.ask(lost.href, { headers: { "sec-fetch-dest": dest } });
    const isThere = answer.status === 200 && isOf(answer, type);
    return isThere ? undefined : { lost, answer, outside: !lost.href.startsWith(visitor.base.href) };
  }));
  return answers.findLast((trouble) => trouble !== undefined);
}

function isOf({ headers }: Answer, type: string): boolean {
  return headers.get("content-type")?.startsWith(type) ?? false;
}
