import type { Context } from "hono";
import { accepts } from "hono/accepts";
import { getPath } from "hono/utils/url";
import * as v from "valibot";
import { isRoomName, roomName } from "../../chat/rooms/room_name.ts";
import { ChatError } from "../../chat/errors.ts";
import { DEFAULT_ROOM, type InitialData } from "../../chat/protocol.ts";
import { describe, UNCHANGED } from "../schema/describe.ts";
import type { Identity } from "../auth/sessions.ts";
import type { App, AppServices } from "../services.ts";
import { initialData, isNavigation } from "./initial_data.ts";
import { WORKER } from "./page_files.ts";

type PageContext = Context<{ Bindings: Deno.ServeHandlerInfo }>;

/** What somebody gets who opens the page. */
interface Visit {
  /** Lines for `Set-Cookie`. */
  cookies: string[];
  /** Undefined: the page asks for it itself. */
  data: InitialData | undefined;
}

/** The page, in any room, and its files. To be added last: it answers at every address that is left. */
export function addPage(app: App, services: AppServices): void {
  const { basePath, files, identities, proxies, chat } = services;

  /** @param room undefined: no room can have the name in the address */
  const servePage = async (c: PageContext, room: string | undefined) => {
    const status = room === undefined ? 404 : 200;
    const visit = await visitOf(c, room);
    const answer = visit?.data ? c.html(files.pageWith(visit.data), status) : files.page.serve(c, { status });
    answer.headers.set("x-robots-tag", "noindex");
    if (!visit) return answer;
    for (const line of visit.cookies) answer.headers.append("set-cookie", line);
    // A shared cache would give one person's cookie to others.
    answer.headers.set("cache-control", "private, no-cache");
    return answer;
  };

  /** @returns undefined if there is no cookie to set: for a program, a stranger without an account, one too many */
  async function visitOf(c: PageContext, room: string | undefined): Promise<Visit | undefined> {
    const request = c.req.raw;
    const { cookies } = identities;
    const address = proxies.addressKey(request, c.env.remoteAddr);
    const isSecure = proxies.isSecure(request);
    const navigation = isNavigation(c, isSecure);
    const opens = navigation === true && !identities.outside && !chat.draining;
    const known = identities.identifyCookie(request);
    // Where the browser would not send the cookie again, the page asks for its session where it would.
    const comesBack = isSecure || basePath.has(getPath(request));
    // A cookie that is no good is replaced by that of a new person.
    const isNew = !known && (opens && comesBack || navigation && cookies.of(request).length > 0);
    const identity: Identity | undefined = isNew
      ? await withinLimits(() => identities.newcomer(address))
      : known?.identity;
    // One of a time without TLS is replaced.
    const isOutdated = known?.name === cookies.plain && isSecure;
    if (!identity || !(opens || isNew || isOutdated)) return undefined;
    const data = opens
      ? withinLimits(() => {
        chat.services.rateLimiter.admit(identity.user, address, "reads");
        return initialData(services, identity.user, room);
      })
      : undefined;
    const token = identities.token(identity);
    const lines = cookies.linesFor(request, token, isSecure, identity.identity);
    return { cookies: lines, data: await data };
  }

  const aPage = (description: string) => ({ description, schema: v.string(), type: "text/html" });
  const about = {
    tag: "Pages",
    description: "Who opens it in a browser becomes a person, and finds the newest messages in the page.",
    who: "anyone",
  } as const;
  const aboutPage = describe({
    ...about,
    id: "getPage",
    summary: "The page, in the room general",
    answers: { 200: aPage("The page."), ...UNCHANGED },
  });
  app.get("/", aboutPage, (c) => servePage(c, DEFAULT_ROOM));
  const aboutRoom = describe({
    ...about,
    id: "getRoomPage",
    summary: "The page, in this room",
    answers: { 200: aPage("The page."), ...UNCHANGED, 404: aPage("The page: it says that no room has such a name.") },
  });
  app.get("/r/:room", aboutRoom, (c) => {
    const asked = c.req.param("room");
    return servePage(c, isRoomName(asked) ? roomName(asked) : undefined);
  });
  app.get("/favicon.ico", (c) => files.serve("/static/favicon.svg", c) ?? c.notFound());
  app.get(WORKER, (c) => files.worker.serve(c));
  app.get("*", async (c) => {
    const file = files.serve(c.req.path, c);
    if (file) return file;
    // A person who mistypes an address gets the page, which says so; a program gets a problem. Only programs ask below
    // /api, where nothing may show whether there are calls for moderators.
    const type = c.req.path.startsWith("/api/") ? "" : accepts(c, {
      header: "Accept",
      supports: ["application/problem+json", "application/json", "text/html"],
      default: "",
    });
    const answer = type === "text/html" ? await servePage(c, undefined) : await c.notFound();
    answer.headers.append("vary", "accept");
    return answer;
  });
}

/** What comes of the work; undefined if somebody has done it too often. */
async function withinLimits<Result>(work: () => Result | Promise<Result>): Promise<Result | undefined> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ChatError)) throw error;
    return undefined;
  }
}
