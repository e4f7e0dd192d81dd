import { createHash } from "node:crypto";
import { serialize } from "hono/utils/cookie";
import type { ExternalIdentity } from "../../chat/users/session_expiry.ts";
import { withoutBlanks } from "../transport/list_header.ts";

/** How long a token is good, seconds: as long as browsers keep a cookie at most. Each visit renews it. */
export const TOKEN_LIFETIME = 400 * 24 * 60 * 60;
/**
 * Session cookies of one request that are looked at. A hostile site of the same domain can put its own before ours where
 * there is no TLS; each that is looked at costs a signature, 70 µs.
 */
const LOOKED_AT = 20;

export interface SessionCookie {
  name: string;
  value: string;
}

/** The cookies by which browsers come back as the same person. */
export class SessionCookies {
  /** The name where there is no TLS. */
  readonly plain: string;
  /**
   * The name behind TLS. Browsers take a cookie with this prefix only over TLS, from this very host and for all of it, so
   * no other site of the same domain, and nobody on the way, can put one beside it or in its place.
   */
  readonly secure: string;
  readonly #path: string;

  /** @param basePath empty, or as `/chat`: then the names tell it from other chats on the same host */
  constructor(basePath = "") {
    this.#path = basePath || "/";
    this.plain = "parley_session";
    if (basePath) this.plain += `_${createHash("sha256").update(basePath).digest("hex").slice(0, 8)}`;
    this.secure = `__Host-${this.plain}`;
  }

  /**
   * The session cookies that a request brings, good or not. A browser sends all that it has of a name, the ones of longer
   * paths and of older age first, and says of none where it is from; those that nobody else can have set come first here.
   */
  of(request: Request): SessionCookie[] {
    const pairs = (request.headers.get("cookie") ?? "").split(";").map(withoutBlanks);
    const named = (wanted: string) =>
      pairs.filter((pair) => pair.startsWith(`${wanted}=`))
        .map((pair) => ({ name: wanted, value: pair.slice(wanted.length + 1).replace(/^"(.*)"$/, "$1") }));
    return [...named(this.secure), ...named(this.plain)].slice(0, LOOKED_AT);
  }

  /**
   * The `Set-Cookie` lines that make a browser come back as the same person. Where it brought the cookie that there was
   * before there was TLS, that one is taken back: it has been taken over.
   */
  linesFor(request: Request, token: string, isSecure: boolean, identity?: ExternalIdentity): string[] {
    const maxAge = identity ? Math.max(0, Math.floor((identity.until - Date.now()) / 1000)) : TOKEN_LIFETIME;
    const options = { httpOnly: true, sameSite: "Lax", secure: isSecure } as const;
    const plainOptions = { ...options, path: this.#path };
    if (!isSecure) return [serialize(this.plain, token, { ...plainOptions, maxAge })];
    // The prefix asks for the path of the whole host.
    const lines = [serialize(this.secure, token, { ...options, path: "/", maxAge })];
    if (this.of(request).some(({ name }) => name === this.plain)) {
      lines.push(serialize(this.plain, "", { ...plainOptions, maxAge: 0 }));
    }
    return lines;
  }
}
