import { accepts } from "hono/accepts";
import * as v from "valibot";
import { isRoomName } from "../../chat/rooms/room_name.ts";
import { ChatError } from "../../chat/errors.ts";
import { PAGE } from "./assets.ts";
import { describe, UNCHANGED } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import type { Identity } from "../auth/sessions.ts";
import { serveFile, type StaticFile, staticFile } from "./static_file.ts";

/** The page, in any room, and its files. To be added last: it answers at every address that is left. */
export function addPage(app: App, { assets, basePath, identities, proxies }: AppServices): void {
  const files = new Map<string, StaticFile>();
  const serve = (path: string, request: Request, status?: number) => {
    const asset = assets.get(path);
    if (!asset) return undefined;
    if (!files.has(path)) {
      // Only the page has absolute paths: other files name each other by relative ones.
      const body = path === PAGE ? asset.body.replaceAll(/(?<= (?:href|src)=")(?=\/)/g, basePath.path) : asset.body;
      files.set(path, staticFile(body, asset.type));
    }
    return serveFile(files.get(path)!, request, status);
  };
  const servePage = async (request: Request, { remoteAddr }: Deno.ServeHandlerInfo, status?: number) => {
    const response = serve(PAGE, request, status)!;
    const identity = await newCookieFor(request, remoteAddr);
    if (identity) {
      const token = await identities.token(identity);
      const lines = identities.cookies.linesFor(request, token, proxies.isSecure(request), identity.identity);
      for (const line of lines) response.headers.append("set-cookie", line);
      // A shared cache would give the cookie to several people.
      response.headers.set("cache-control", "private, no-cache");
    }
    return response;
  };
  /** Who gets a new cookie with the page: whoever brings an invalid one, or one of a time without TLS. */
  const newCookieFor = async (request: Request, remoteAddr: Deno.Addr): Promise<Identity | undefined> => {
    const { cookies } = identities;
    if (cookies.of(request).length === 0) return undefined;
    const known = await identities.identifyCookie(request);
    if (known) return proxies.isSecure(request) && known.name === cookies.plain ? known.identity : undefined;
    return await identities.newcomer(proxies.addressKey(request, remoteAddr)).catch((error) => {
      // Too many have come from that address: the page is served all the same, and asks for a session itself.
      if (!(error instanceof ChatError)) throw error;
      return undefined;
    });
  };
  const aPage = (description: string) => ({ description, schema: v.string(), type: "text/html" });
  const about = { tag: "Pages", who: "anyone" } as const;
  const aboutPage = describe({
    ...about,
    id: "getPage",
    summary: "The page, in the room general",
    answers: { 200: aPage("The page."), ...UNCHANGED },
  });
  app.get("/", aboutPage, (c) => servePage(c.req.raw, c.env));
  const aboutRoom = describe({
    ...about,
    id: "getRoomPage",
    summary: "The page, in this room",
    answers: { 200: aPage("The page."), ...UNCHANGED, 404: aPage("The page: it says that no room has such a name.") },
  });
  app.get("/r/:room", aboutRoom, (c) => {
    // If there can be no such room, the page says so.
    return servePage(c.req.raw, c.env, isRoomName(c.req.param("room")) ? 200 : 404);
  });
  app.get("/favicon.ico", (c) => serve("/static/favicon.svg", c.req.raw) ?? c.notFound());
  app.get("*", async (c) => {
    const file = serve(c.req.path, c.req.raw);
    if (file) return file;
    // A person who mistypes an address gets the page, which says so; a program gets a problem. Only programs ask below
    // /api, where nothing may show whether there are calls for moderators.
    const type = c.req.path.startsWith("/api/") ? "" : accepts(c, {
      header: "Accept",
      supports: ["application/problem+json", "application/json", "text/html"],
      default: "",
    });
    const answer = type === "text/html" ? await servePage(c.req.raw, c.env, 404) : await c.notFound();
    answer.headers.append("vary", "accept");
    return answer;
  });
}
