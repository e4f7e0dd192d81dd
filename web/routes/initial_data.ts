/** What a page brings with it, so that it shows the room before anything else is asked for. */
import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { withTimeout } from "../../chat/async.ts";
import { ChatError } from "../../chat/errors.ts";
import { type HistoryPage, type InitialData, PAGE_SIZE } from "../../chat/protocol.ts";
import { pageFor } from "../../chat/reading/reactions.ts";
import type { MessageLog } from "../../chat/storage.ts";
import type { AppServices } from "../services.ts";

/** How long a page waits for its data, milliseconds. What takes longer comes over the socket. */
const TIMEOUT = 300;

/**
 * Whether a browser asks for a page that a person is about to see: not a script, a preview, or a guess where that person
 * might go next. "unsaid": an old browser may, but so may a program.
 * @param isSecure whether the request came over TLS
 */
export function isNavigation(c: Context, isSecure: boolean): boolean | "unsaid" {
  const { method, headers } = c.req.raw;
  const purpose = headers.get("sec-purpose") ?? headers.get("purpose") ?? headers.get("x-moz") ?? "";
  if (method !== "GET" || /prefetch|preview/i.test(purpose)) return false;
  const mode = headers.get("sec-fetch-mode");
  // No frame may show the page.
  if (mode !== null) return mode === "navigate" && (headers.get("sec-fetch-dest") ?? "document") === "document";
  // Over TLS every browser says it (Safari from 16.4 on). Crawlers don't, and some of them ask for HTML.
  const wantsHtml = accepts(c, { header: "Accept", supports: ["text/html"], default: "" }) !== "";
  return !isSecure && wantsHtml || "unsaid";
}

/**
 * Who one is, and the newest messages of the room with the reactions that one gave.
 * @param room as `roomName` gives it; undefined: none can have the name in the address
 * @returns undefined if the store did not even say who one is: then the page asks for everything itself
 */
export async function initialData(
  { chat, log }: Pick<AppServices, "chat" | "log">,
  user: string,
  room: string | undefined,
): Promise<InitialData | undefined> {
  const { clock, limits, users } = chat.services;
  const soon = <Result>(work: Promise<Result>) =>
    withTimeout<Result | undefined>(clock, TIMEOUT, work, () => undefined).catch((error) => {
      if (!(error instanceof ChatError)) console.error("a page goes without its data:", error);
      return undefined;
    });
  const [held, history] = await Promise.all([
    soon(users.resolveName(user)),
    room === undefined ? undefined : soon(newestPage(log, room, user)),
  ]);
  if (!held) return undefined;
  const session = { user, name: held.name, limits };
  if (room === undefined || !history) return { session };
  return { session, history: { room, ...history } };
}

async function newestPage(log: MessageLog, room: string, user: string): Promise<HistoryPage> {
  return await pageFor(log, room, await log.history(room, { limit: PAGE_SIZE }), user);
}
