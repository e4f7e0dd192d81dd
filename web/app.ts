import { Hono } from "hono";
import { etag, RETAINED_304_HEADERS } from "hono/etag";
import { secureHeaders } from "hono/secure-headers";
import type { Log } from "../chat/log.ts";
import { isRoomName, roomName } from "../chat/names.ts";
import type { People } from "../chat/people.ts";
import { PAGE_SIZE, PAGE_SIZE_LIMIT } from "../chat/protocol.ts";
import { Refusal } from "../chat/refusal.ts";
import { type Asset, PAGE } from "./assets.ts";
import { cookieFor, type Identities, sessionCookie } from "./identity.ts";
import { originAllowed } from "./origin.ts";
import { problem } from "./problem.ts";
import type { Sockets } from "./socket.ts";

/** What the doors lead to. */
export interface House {
  assets: ReadonlyMap<string, Asset>;
  identities: Identities;
  log: Log;
  people: People;
  sockets: Sockets;
  allowedOrigins: readonly string[];
  /** Proxies in front whose `X-Forwarded-Proto` may be believed. */
  trustProxy: number;
  /** Whether the store answers and nobody is being sent away. */
  ready(): Promise<boolean>;
}

/** All that is served over HTTP; the socket's upgrade too. */
export function createApp(house: House): Hono {
  const { identities } = house;
  const app = new Hono();

  // Before any middleware: the answer to an upgrade is the runtime's own and must not be touched.
  app.get("/connect", (c) => house.sockets.connect(c.req.raw));
  app.get("/healthz", (c) => c.text("alive\n"));
  app.get("/readyz", async (c) => await house.ready() ? c.text("ready\n") : c.text("not ready\n", 503));

  app.use(secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", "data:"],
      manifestSrc: ["'self'"],
      baseUri: ["'none'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      requireTrustedTypesFor: ["'script'"],
      trustedTypes: ["'none'"],
    },
    referrerPolicy: "same-origin",
    // Sub-domains are not ours to decide about.
    strictTransportSecurity: "max-age=15552000",
  }));
  app.use("/api/*", async (c, next) => {
    if (c.req.method === "GET" || originAllowed(c.req.raw, house.allowedOrigins)) return await next();
    return problem(new Refusal("forbidden", "This page may not call. Its origin belongs into ALLOWED_ORIGINS."));
  });

  app.post("/api/session", async (c) => {
    const known = await identities.identify(c.req.raw);
    if (known === "bad token") return problem(new Refusal("forbidden", "The token is no good. Ask without it."), 401);
    const { user } = known ?? await identities.newcomer();
    const { name } = await house.people.nameOf(user);
    const token = await identities.token(user);
    c.header("set-cookie", cookieFor(token, isSecure(c.req.raw, house.trustProxy)));
    c.header("cache-control", "no-store");
    return c.json({ user, name, token }, 201);
  });

  app.get("/api/rooms/:room/messages", async (c) => {
    const room = roomName(c.req.param("room"));
    const { before, after, limit = PAGE_SIZE } = {
      before: wholeNumber(c.req.query("before"), "before"),
      after: wholeNumber(c.req.query("after"), "after"),
      limit: wholeNumber(c.req.query("limit"), "limit"),
    };
    if (before !== undefined && after !== undefined) {
      throw new Refusal("bad_frame", "Ask for what is before a place or after it, not both.");
    }
    const page = await house.log.history(room, { before, after, limit: Math.min(Math.max(limit, 1), PAGE_SIZE_LIMIT) });
    c.header("cache-control", "no-store");
    return c.json({ room, epoch: page.epoch, seq: page.seq, messages: page.messages, more: page.more });
  });

  app.use(etag({ retainedHeaders: [...RETAINED_304_HEADERS, "set-cookie"] }));
  const serve = (asset: Asset | undefined, status = 200) =>
    asset && new Response(asset.body, { status, headers: { "content-type": asset.type, "cache-control": "no-cache" } });
  const servePage = async (request: Request, status?: number) => {
    const response = serve(house.assets.get(PAGE), status)!;
    // A cookie that is no good is replaced here, so that no page is ever stuck with one.
    if (sessionCookie(request) !== undefined && await identities.identify(request) === undefined) {
      const { token } = await identities.newcomer();
      response.headers.set("set-cookie", cookieFor(token, isSecure(request, house.trustProxy)));
    }
    return response;
  };
  app.get("/", (c) => servePage(c.req.raw));
  app.get("/r/:room", (c) => {
    // Where there can be no such room the page says so, and shows a way out.
    return servePage(c.req.raw, isRoomName(c.req.param("room")) ? 200 : 404);
  });
  app.get("/favicon.ico", (c) => serve(house.assets.get("/static/favicon.svg")) ?? c.notFound());
  app.get("*", (c) => serve(house.assets.get(new URL(c.req.url).pathname)) ?? c.notFound());

  app.notFound(() => problem(new Refusal("not_found", "There is nothing at this address.")));
  app.onError((error) => {
    if (error instanceof Refusal) return problem(error);
    console.error("a request could not be answered:", error);
    return problem(new Refusal("unavailable", "Something failed here. Try again in a moment.", 1));
  });
  return app;
}

/** @throws {Refusal} `bad_frame` */
function wholeNumber(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal("bad_frame", `"${name}" is a whole number.`);
  return Number(text);
}

function isSecure(request: Request, trustProxy: number): boolean {
  if (new URL(request.url).protocol === "https:") return true;
  return trustProxy > 0 && request.headers.get("x-forwarded-proto")?.split(",").at(-trustProxy)?.trim() === "https";
}
