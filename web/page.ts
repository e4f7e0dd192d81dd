import { etag, RETAINED_304_HEADERS } from "hono/etag";
import * as v from "valibot";
import { isRoomName } from "../chat/names.ts";
import { Refusal } from "../chat/refusal.ts";
import { type Asset, PAGE } from "./assets.ts";
import { describe } from "./describe.ts";
import type { App, House } from "./house.ts";
import { cookieFor, sessionCookie } from "./identity.ts";

/** The page, in whatever room, and its files. To be added last: it takes every address that is left. */
export function addPage(app: App, { assets, identities, proxies }: House): void {
  app.use(etag({ retainedHeaders: [...RETAINED_304_HEADERS, "set-cookie"] }));
  const serve = (asset: Asset | undefined, status = 200) =>
    asset && new Response(asset.body, { status, headers: { "content-type": asset.type, "cache-control": "no-cache" } });
  const servePage = async (request: Request, { remoteAddr }: Deno.ServeHandlerInfo, status?: number) => {
    const response = serve(assets.get(PAGE), status)!;
    // A cookie that is no good is replaced here, so that no page is ever stuck with one.
    if (sessionCookie(request) !== undefined && await identities.identify(request) === undefined) {
      const addressKey = proxies.addressKey(request, remoteAddr);
      const newcomer = await identities.newcomer(addressKey).catch((error) => {
        if (!(error instanceof Refusal)) throw error;
      });
      // Too many have come from there for now: the page is served all the same, and asks for a session by itself.
      if (newcomer) {
        response.headers.set("set-cookie", cookieFor(newcomer.token, proxies.isSecure(request)));
        // A cache that several people share would hand the cookie to all of them.
        response.headers.set("cache-control", "private, no-cache");
      }
    }
    return response;
  };
  const about = (summary: string) =>
    describe({ summary, answers: { 200: { description: "The page.", schema: v.string(), type: "text/html" } } });
  app.get("/", about("The page, in the room general"), (c) => servePage(c.req.raw, c.env));
  app.get("/r/:room", about("The page, in this room"), (c) => {
    // Where there can be no such room the page says so, and shows a way out.
    return servePage(c.req.raw, c.env, isRoomName(c.req.param("room")) ? 200 : 404);
  });
  app.get("/favicon.ico", (c) => serve(assets.get("/static/favicon.svg")) ?? c.notFound());
  app.get("*", (c) => serve(assets.get(new URL(c.req.url).pathname)) ?? c.notFound());
}
