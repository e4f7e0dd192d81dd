import type { RateLimiter } from "../../chat/limits/rate_limiter.ts";
import { BATCH_PROTOCOL, BEARER_PREFIX, PLAIN_PROTOCOL } from "../../chat/protocol.ts";
import type { ExternalIdentity } from "../../chat/users/session_expiry.ts";
import { SessionCookies, TOKEN_LIFETIME } from "./cookies.ts";
import { listIn } from "../transport/list_header.ts";
import type { JwtIssuer } from "./jwt_issuer.ts";
import { SignInRefusal } from "../schema/problem.ts";
import { SignedTokens } from "./signed_tokens.ts";
import { bearerIn } from "./token.ts";

/** Random bytes of a user's id: 2^48 people before two are likely to have the same. */
const USER_BYTES = 12;

/** Who asks. Without `token` the cookie said so, and then scripts in the page must not see the token. */
export interface Identity {
  user: string;
  token?: string;
  /** What the token of the external issuer says, where there is one. */
  identity?: ExternalIdentity;
}

/** Identifies people by signed tokens. */
export class Sessions {
  /** The external issuer; undefined: anyone may come. */
  readonly outside: JwtIssuer | undefined;
  readonly cookies: SessionCookies;
  readonly #tokens: SignedTokens;
  readonly #rateLimiter: RateLimiter;

  /** @param outside the external issuer, where people need one of its tokens */
  constructor(secret: string, rateLimiter: RateLimiter, outside?: JwtIssuer, cookies = new SessionCookies()) {
    this.#tokens = new SignedTokens(secret);
    this.#rateLimiter = rateLimiter;
    this.outside = outside;
    this.cookies = cookies;
  }

  /**
   * Makes a new person.
   * @throws {ChatError} `rate_limited` if too many have come from their address
   * @throws {SignInRefusal} if people need a token of an external issuer
   */
  newcomer(addressKey: string): { user: string; token: string } {
    if (this.outside) throw new SignInRefusal(this.outside.loginUrl);
    this.#rateLimiter.admitNewcomer(addressKey);
    const bytes = crypto.getRandomValues(new Uint8Array(USER_BYTES));
    const user = bytes.toBase64({ alphabet: "base64url" });
    return { user, token: this.token({ user }) };
  }

  /** A token of this server. It expires no later than the token of the external issuer. */
  token({ user, identity }: Identity): string {
    const now = Math.floor(Date.now() / 1000);
    const from = identity && { issuer: this.outside?.issuer, name: identity.name };
    const exp = identity ? Math.floor(identity.until / 1000) : now + TOKEN_LIFETIME;
    return this.#tokens.sign({ sub: user, iat: now, exp, ...from });
  }

  /**
   * Who sent a request: by header, by sub-protocol, by cookie, in this order. An invalid cookie counts as none.
   * @returns undefined for someone unknown, "bad token" for an invalid token
   * @throws {ChatError} `unavailable` while the external issuer's keys can't be fetched
   */
  async identify(request: Request): Promise<Identity | "bad token" | undefined> {
    const token = bearerToken(request);
    if (token !== undefined) return await this.identifyToken(token) ?? "bad token";
    return this.identifyCookie(request)?.identity;
  }

  /** Who brings a valid cookie, and the name of that cookie. */
  identifyCookie(request: Request): { identity: Identity; name: string } | undefined {
    for (const { name, value } of this.cookies.of(request)) {
      const identity = this.#own(value);
      if (identity) return { identity, name };
    }
  }

  /** Whose token it is, of this server or of the external issuer; undefined if it is invalid. */
  async identifyToken(token: string): Promise<Identity | undefined> {
    const identity = this.#own(token) ?? await this.outside?.identify(token);
    return identity && { ...identity, token };
  }

  /**
   * The same for a request that only reads, which anyone may unless people need a token of an external issuer.
   * @throws {SignInRefusal}
   */
  async identifyReader(request: Request): Promise<Identity | undefined> {
    const identity = await this.identify(request);
    if (typeof identity === "object") return identity;
    if (this.outside) throw new SignInRefusal(this.outside.loginUrl);
    return undefined;
  }

  #own(token: string): Identity | undefined {
    // Another machine's clock may be ahead, and a clock may be set back, so the time of issue proves nothing.
    const { sub, exp, issuer, name } = this.#tokens.verify(token) ?? {};
    // A token that was made without the present issuer, or for another one, is invalid now.
    if (typeof sub !== "string" || sub === "" || issuer !== this.outside?.issuer) return undefined;
    if (!this.outside) return { user: sub };
    return { user: sub, identity: { until: exp! * 1000, name: typeof name === "string" ? name : undefined } };
  }
}

function bearerToken(request: Request): string | undefined {
  // Other schemes are not for us: a proxy in front may ask for a password of its own.
  const token = bearerIn(request);
  if (token !== undefined) return token;
  return subprotocols(request).find((offered) => offered.startsWith(BEARER_PREFIX))?.slice(BEARER_PREFIX.length);
}

/** The sub-protocols that a socket's client offers. */
export function subprotocols(request: Request): string[] {
  return listIn(request.headers.get("sec-websocket-protocol"));
}

/**
 * The offered sub-protocol that the server speaks. A client that offers only its token would hang up if the server
 * selected nothing: then the token is selected.
 */
export function selectSubprotocol(offered: readonly string[]): string | undefined {
  const known = [BATCH_PROTOCOL, PLAIN_PROTOCOL].find((name) => offered.includes(name));
  return known ?? (offered.every((name) => name.startsWith(BEARER_PREFIX)) ? offered[0] : undefined);
}
