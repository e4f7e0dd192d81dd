import { sign, verify } from "hono/jwt";
import { parse as parseCookies, serialize } from "hono/utils/cookie";
import type { Doorkeeper } from "../chat/doorkeeper.ts";
import { BEARER_PREFIX } from "../chat/protocol.ts";

/** Name of the session cookie. */
export const COOKIE = "parley_session";
/** How long a token is good, seconds: as long as browsers keep a cookie at most. Each visit renews it. */
export const TOKEN_LIFETIME = 400 * 24 * 60 * 60;
/** Longer ones are not even decoded; ours have about 200 characters. */
const TOKEN_LENGTH = 4_096;
/** Random bytes of a user's id: 2^48 people before two are likely to get the same one. */
const USER_BYTES = 12;

/** Who asks. Without `token` the cookie told, and then the person's client must not see the token. */
export interface Identity {
  user: string;
  token?: string;
}

/** Knows people by signed tokens, which name the user and nothing else. */
export class Identities {
  readonly #key: CryptoKey;
  readonly #doorkeeper: Doorkeeper;

  private constructor(key: CryptoKey, doorkeeper: Doorkeeper) {
    this.#key = key;
    this.#doorkeeper = doorkeeper;
  }

  static async create(secret: string, doorkeeper: Doorkeeper): Promise<Identities> {
    const bytes = new TextEncoder().encode(secret);
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return new Identities(
      await crypto.subtle.importKey("raw", bytes, algorithm, false, ["sign", "verify"]),
      doorkeeper,
    );
  }

  /**
   * Someone who was never here before.
   * @throws {Refusal} `rate_limited` when too many have come from their address
   */
  async newcomer(addressKey: string): Promise<Required<Identity>> {
    this.#doorkeeper.admitNewcomer(addressKey);
    const bytes = crypto.getRandomValues(new Uint8Array(USER_BYTES));
    const user = bytes.toBase64({ alphabet: "base64url" });
    return { user, token: await this.token(user) };
  }

  token(user: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    return sign({ sub: user, iat: now, exp: now + TOKEN_LIFETIME }, this.#key, "HS256");
  }

  /**
   * Who sent a request: by header, by sub-protocol, by cookie, in this order. A cookie that is no good counts as none.
   * @returns undefined for someone unknown, "bad token" where a token was given that is no good
   */
  async identify(request: Request): Promise<Identity | "bad token" | undefined> {
    const token = bearerToken(request);
    if (token !== undefined) {
      const user = await this.#user(token);
      return user === undefined ? "bad token" : { user, token };
    }
    const cookie = sessionCookie(request);
    const user = cookie === undefined ? undefined : await this.#user(cookie);
    return user === undefined ? undefined : { user };
  }

  async #user(token: string): Promise<string | undefined> {
    if (token.length > TOKEN_LENGTH) return undefined;
    try {
      // Another machine's clock may be ahead, and a clock may be set back: when a token was made proves nothing.
      const { sub } = await verify(token, this.#key, { alg: "HS256", iat: false });
      return typeof sub === "string" && sub !== "" ? sub : undefined;
    } catch {
      return undefined;
    }
  }
}

/** Whether the request brings a session cookie, good or not. */
export function sessionCookie(request: Request): string | undefined {
  const header = request.headers.get("cookie");
  return header === null ? undefined : parseCookies(header, COOKIE)[COOKIE];
}

/** The `Set-Cookie` that makes a browser come back as the same person. */
export function cookieFor(token: string, secure: boolean): string {
  return serialize(COOKIE, token, { path: "/", httpOnly: true, sameSite: "Lax", secure, maxAge: TOKEN_LIFETIME });
}

function bearerToken(request: Request): string | undefined {
  // Other schemes are not ours: a proxy in front may ask for a password of its own.
  const [scheme, token] = request.headers.get("authorization")?.split(" ") ?? [];
  if (scheme?.toLowerCase() === "bearer") return token ?? "";
  return subprotocols(request).find((offered) => offered.startsWith(BEARER_PREFIX))?.slice(BEARER_PREFIX.length);
}

/** The sub-protocols that a socket's client offers. */
export function subprotocols(request: Request): string[] {
  const header = request.headers.get("sec-websocket-protocol");
  return header === null ? [] : header.split(",").map((name) => name.trim());
}
