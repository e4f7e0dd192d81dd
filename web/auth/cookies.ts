import { createHash } from "node:crypto";
import { serialize } from "hono/utils/cookie";
import type { ExternalIdentity } from "../../chat/users/session_expiry.ts";
import { withoutBlanks } from "../transport/list_header.ts";

/** How long a token is valid, seconds: as long as browsers keep a cookie at most. Each visit renews it. */
export const TOKEN_LIFETIME = 400 * 24 * 60 * 60;
/**
 * Most session cookies that are checked per request. Without TLS a hostile site of the same domain can put its own
 * before ours; each check costs a signature, 70 µs.
 */
const COOKIES_CHECKED = 20;

interface SessionCookie {
  name: string;
  value: string;
}

/** The cookies by which browsers come back as the same person. */
export class SessionCookies {
  /** The name without TLS. */
  readonly plain: string;
  /**
   * The name behind TLS. Browsers accept a cookie with this prefix only over TLS, from this very host and for all of
   * it, so no other site of the same domain, and no attacker on the network, can add or replace one.
   */
  readonly secure: string;
  readonly #path: string;

  /** @param basePath empty, or as `/chat`: then the names differ from those of other chats on the same host */
  constructor(basePath = "") {
    this.#path = basePath || "/";
    this.plain = "parley_session";
    if (basePath) this.plain += `_${createHash("sha256").update(basePath).digest("hex").slice(0, 8)}`;
    this.secure = `__Host-${this.plain}`;
  }

  /**
   * The session cookies of a request, valid or not. A browser sends all that it has of a name, longer paths and older
   * ones first, without saying where they come from; here those come first that nobody else can have set.
   */
  of(request: Request): SessionCookie[] {
    const pairs = (request.headers.get("cookie") ?? "").split(";").map(withoutBlanks);
    const named = (wanted: string) =>
      pairs.filter((pair) => pair.startsWith(`${wanted}=`))
        .map((pair) => ({ name: wanted, value: pair.slice(wanted.length + 1).replace(/^"(.*)"$/, "$1") }));
    return [...named(this.secure), ...named(this.plain)].slice(0, COOKIES_CHECKED);
  }

  /**
   * The `Set-Cookie` lines that make a browser come back as the same person. They remove the cookie of a time without
   * TLS, which has been replaced.
   */
  linesFor(request: Request, token: string, isSecure: boolean, identity?: ExternalIdentity): string[] {
    const maxAge = identity ? Math.max(0, Math.floor((identity.until - Date.now()) / 1000)) : TOKEN_LIFETIME;
    const options = { httpOnly: true, sameSite: "Lax", secure: isSecure } as const;
    const plainOptions = { ...options, path: this.#path };
    if (!isSecure) return [serialize(this.plain, token, { ...plainOptions, maxAge })];
    // The prefix demands the path of the whole host.
    const lines = [serialize(this.secure, token, { ...options, path: "/", maxAge })];
    if (this.of(request).some(({ name }) => name === this.plain)) {
      lines.push(serialize(this.plain, "", { ...plainOptions, maxAge: 0 }));
    }
    return lines;
  }
}
