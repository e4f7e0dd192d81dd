import type { Context } from "hono";
import * as v from "valibot";
import { isRoomName } from "../../chat/rooms/room_name.ts";
import { ChatError } from "../../chat/errors.ts";
import { mediaType, readText } from "./body.ts";
import { describe } from "../schema/describe.ts";
import type { App, AppServices } from "../services.ts";
import type { Identity } from "../auth/sessions.ts";
import { HttpRefusal } from "../schema/problem.ts";
import { limits } from "../schema/server_frames.ts";

/** Most bytes of a body, which may be a form: the longest token, the longest room's name, and the field names. */
const FORM_LIMIT = 16 * 1024;

const session = v.object({ user: v.string(), name: v.string(), token: v.string(), limits });
const form = v.object({ token: v.string(), room: v.optional(v.string()) });

/** `POST /api/session`, which makes a person, recognises one, or signs one in with a token of an external issuer. */
export function addSession(app: App, { basePath, identities, chat, proxies }: AppServices): void {
  const about = describe({
    id: "startSession",
    tag: "Session",
    summary: "Become a person, or ask who you are",
    description: "Where people come from an outside issuer, it takes that issuer's token, also from a form.",
    form,
    answers: {
      201: { description: "Who you are.", schema: session, headers: { "Set-Cookie": "The session, for browsers." } },
      303: { description: "The answer to a form: it leads to the page.", headers: { Location: "The room's." } },
    },
    problems: [401, 413, 429],
    who: "person",
  });
  app.post("/api/session", about, async (c) => {
    c.header("cache-control", "no-store");
    const body = await readText(c.req.raw, FORM_LIMIT);
    // The issuer's page sends a browser here, which should arrive on ours, signed in.
    if (identities.outside && mediaType(c.req.raw) === "application/x-www-form-urlencoded") {
      const fields = new URLSearchParams(body);
      const identity = await identities.identifyToken(fields.get("token") ?? "");
      if (!identity) throw badToken();
      setCookies(c, identity);
      const room = fields.get("room") ?? "";
      return c.redirect(basePath.to(isRoomName(room) ? `/r/${encodeURIComponent(room)}` : "/"), 303);
    }
    const known = await identities.identify(c.req.raw);
    if (known === "bad token") throw badToken();
    const address = proxies.addressKey(c.req.raw, c.env.remoteAddr);
    // Each call asks the store for the name, and renews its hold.
    if (known) chat.services.rateLimiter.admit(known.user, address, "reads");
    const identity: Identity = known ?? identities.newcomer(address);
    const { name } = await chat.services.users.resolveName(identity.user, identity.identity?.name);
    const token = setCookies(c, identity);
    return c.json({ user: identity.user, name, token, limits: chat.services.limits }, 201);
  });

  /** @returns the token in them */
  function setCookies(c: Context, identity: Identity): string {
    const token = identities.token(identity);
    const lines = identities.cookies.linesFor(c.req.raw, token, proxies.isSecure(c.req.raw), identity.identity);
    for (const line of lines) c.header("set-cookie", line, { append: true });
    return token;
  }
}

function badToken(): ChatError {
  return new HttpRefusal(401, "forbidden", "The token is no good. Get another one, or ask without it.");
}
