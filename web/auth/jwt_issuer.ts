import { createHmac } from "node:crypto";
import { createRemoteJWKSet, customFetch, errors, jwtVerify, type JWTVerifyGetKey, type JWTVerifyOptions } from "jose";
import type { ExternalIdentity } from "../../chat/users/session_expiry.ts";
import { ChatError } from "../../chat/errors.ts";

/** Whose tokens are accepted. */
export interface OutsideSettings {
  /** What verifies them: a secret that both sides know, or the address of the public keys. */
  key: { secret: string } | { jwksUrl: string };
  issuer: string;
  audience: string;
  /** Where people get a token. */
  loginUrl: string | undefined;
}

/** Longer tokens are not even decoded; those with many groups in them have 4 KB. */
const TOKEN_LENGTH = 8_192;
/** With a secret only these, with public keys only those: or a public key could be used as a secret. */
const SECRET_ALGORITHMS = ["HS256", "HS384", "HS512"];
const PUBLIC_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** How much the clocks of two machines may differ, seconds. */
const CLOCK_TOLERANCE = 5;
/**
 * Keys are fetched again at this age, and when a token names an unknown key, but then at most once per interval,
 * milliseconds: a new key must soon be known, and junk must not make us flood the issuer.
 */
const KEYS_MAX_AGE = 10 * 60 * 1000;
const FETCH_INTERVAL = 5_000;
/** Seconds after which a client may try again if the issuer did not answer. */
const ISSUER_RETRY = 5;
/** Bytes of a user's id: no two accounts are likely to have the same. */
const USER_BYTES = 16;

/** Identifies people by the tokens of an external issuer. Where there is one, nobody else comes in. */
export class JwtIssuer {
  readonly issuer: string;
  readonly loginUrl: string | undefined;
  readonly #secret: string;
  readonly #keys: JWTVerifyGetKey;
  readonly #options: JWTVerifyOptions;
  /** When the keys could not be fetched, milliseconds since 1970. */
  #failedAt = -Infinity;

  /** @param secret of this server: without it nobody can tell a user's id from the account */
  constructor(settings: OutsideSettings, secret: string) {
    const { key, issuer, audience, loginUrl } = settings;
    this.issuer = issuer;
    this.loginUrl = loginUrl;
    this.#secret = secret;
    const algorithms = "secret" in key ? SECRET_ALGORITHMS : PUBLIC_ALGORITHMS;
    this.#options = { issuer, audience, requiredClaims: ["sub", "exp"], clockTolerance: CLOCK_TOLERANCE, algorithms };
    this.#keys = "secret" in key ? () => new TextEncoder().encode(key.secret) : this.#remoteKeys(key.jwksUrl);
  }

  /**
   * The person of a token of the issuer; undefined for every invalid token.
   * @throws {ChatError} `unavailable` while the issuer's keys can't be fetched
   */
  async identify(token: string): Promise<{ user: string; identity: ExternalIdentity } | undefined> {
    if (token.length > TOKEN_LENGTH) return undefined;
    try {
      const { sub, exp, name } = (await jwtVerify(token, this.#keys, this.#options)).payload;
      if (sub === undefined || sub === "") return undefined;
      const identity: ExternalIdentity = { until: exp! * 1000 };
      if (typeof name === "string") identity.name = name;
      return { user: this.#userOf(sub), identity };
    } catch (error) {
      if (isVerdict(error)) return undefined;
      if (!this.#hasJustFailed) {
        this.#failedAt = Date.now();
        console.error(`the issuer's keys can't be had: ${error}`);
      }
      throw unchecked();
    }
  }

  #remoteKeys(url: string): JWTVerifyGetKey {
    return createRemoteJWKSet(new URL(url), {
      cacheMaxAge: KEYS_MAX_AGE,
      cooldownDuration: FETCH_INTERVAL,
      [customFetch]: async (url, init) => {
        if (this.#hasJustFailed) throw unchecked();
        return await fetch(url, init);
      },
    });
  }

  /** Whether nothing is fetched for now. Tokens with a known key are still accepted. */
  get #hasJustFailed(): boolean {
    return Date.now() - this.#failedAt < FETCH_INTERVAL;
  }

  /** A hash of the account: everyone sees a user's id, and `sub` may be an e-mail address. */
  #userOf(sub: string): string {
    const hash = createHmac("sha256", this.#secret).update(`outside ${JSON.stringify([this.issuer, sub])}`).digest();
    return new Uint8Array(hash).subarray(0, USER_BYTES).toBase64({ alphabet: "base64url", omitPadding: true });
  }
}

function unchecked(): ChatError {
  return new ChatError("unavailable", "Your token can't be checked right now. Try again in a moment.", ISSUER_RETRY);
}

/** Whether the token is wrong, and not the way to the keys. */
function isVerdict(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return false;
  return !["ERR_JOSE_GENERIC", "ERR_JWKS_TIMEOUT", "ERR_JWKS_INVALID"].includes(error.code);
}
