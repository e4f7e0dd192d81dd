import * as v from "valibot";
import { isRoomName } from "../chat/names.ts";
import { Refusal } from "../chat/refusal.ts";
import { PAGE } from "./assets.ts";
import { COOKIE, cookiesFor, sessionCookies } from "./cookies.ts";
import { describe } from "./describe.ts";
import type { App, House } from "./house.ts";
import type { Identity } from "./identity.ts";
import { serveFile, type StaticFile, staticFile } from "./static_file.ts";

/** The page, in whatever room, and its files. To be added last: it takes every address that is left. */
export function addPage(app: App, { assets, identities, proxies }: House): void {
  const files = new Map<string, StaticFile>();
  const serve = (path: string, request: Request, status?: number) => {
    const asset = assets.get(path);
    if (!asset) return undefined;
    if (!files.has(path)) files.set(path, staticFile(asset.body, asset.type));
    return serveFile(files.get(path)!, request, status);
  };
  const servePage = async (request: Request, { remoteAddr }: Deno.ServeHandlerInfo, status?: number) => {
    const response = serve(PAGE, request, status)!;
    const identity = await newCookieFor(request, remoteAddr);
    if (identity) {
      const token = await identities.token(identity);
      const lines = cookiesFor(request, token, proxies.isSecure(request), identity.voucher);
      for (const line of lines) response.headers.append("set-cookie", line);
      // A cache that several people share would hand the cookie to all of them.
      response.headers.set("cache-control", "private, no-cache");
    }
    return response;
  };
  /** Who gets another cookie with the page: no page is ever stuck with one that is no good, or not as safe as it can be. */
  const newCookieFor = async (request: Request, remoteAddr: Deno.Addr): Promise<Identity | undefined> => {
    const cookies = sessionCookies(request);
    if (cookies.length === 0) return undefined;
    const known = await identities.identifyCookie(request);
    if (known) return proxies.isSecure(request) && known.name === COOKIE ? known.identity : undefined;
    return await identities.newcomer(proxies.addressKey(request, remoteAddr)).catch((error) => {
      // Too many have come from there for now: the page is served all the same, and asks for a session by itself.
      if (!(error instanceof Refusal)) throw error;
      return undefined;
    });
  };
  const about = (summary: string) =>
    describe({ summary, answers: { 200: { description: "The page.", schema: v.string(), type: "text/html" } } });
  app.get("/", about("The page, in the room general"), (c) => servePage(c.req.raw, c.env));
  app.get("/r/:room", about("The page, in this room"), (c) => {
    // Where there can be no such room the page says so, and shows a way out.
    return servePage(c.req.raw, c.env, isRoomName(c.req.param("room")) ? 200 : 404);
  });
  app.get("/favicon.ico", (c) => serve("/static/favicon.svg", c.req.raw) ?? c.notFound());
  app.get("*", (c) => serve(new URL(c.req.url).pathname, c.req.raw) ?? c.notFound());
}
