import { exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";

/** A small real issuer of tokens, as a team's accounts have one: it signs with RS256, and its keys rotate. */
export class Issuer {
  readonly url: string;
  readonly jwksUrl: string;
  /** The chat to which its login page sends people. */
  chat = "";
  /** How often its keys were fetched. */
  fetches = 0;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  #keys: JWK[] = [];
  #signer: { key: CryptoKey; kid: string } | undefined;

  private constructor() {
    this.#server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/login") return await this.#login(searchParams.get("room") ?? "");
      this.fetches++;
      return Response.json({ keys: this.#keys });
    });
    this.url = `http://127.0.0.1:${this.#server.addr.port}`;
    this.jwksUrl = `${this.url}/jwks.json`;
  }

  static async open(): Promise<Issuer> {
    const issuer = new Issuer();
    await issuer.rotate();
    return issuer;
  }

  /** From now on another key signs; the ones before are still published, unless they are forgotten. */
  async rotate({ forget = false } = {}): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair("RS256");
    const kid = crypto.randomUUID();
    if (forget) this.#keys = [];
    this.#keys.unshift({ ...await exportJWK(publicKey), kid, alg: "RS256", use: "sig" });
    this.#signer = { key: privateKey, kid };
  }

  /** A token for this server's audience, good for an hour, unless the claims say otherwise. */
  token(claims: Record<string, unknown>): Promise<string> {
    const { key, kid } = this.#signer!;
    const now = Math.floor(Date.now() / 1000);
    return new SignJWT({ iss: this.url, aud: "parley", iat: now, exp: now + 3_600, ...claims })
      .setProtectedHeader({ alg: "RS256", kid })
      .sign(key);
  }

  /** What a server's environment needs to take its people. */
  get env(): Record<string, string> {
    return { AUTH_JWKS_URL: this.jwksUrl, AUTH_ISSUER: this.url, AUTH_AUDIENCE: "parley" };
  }

  /** Everyone who comes here is Ada. */
  async #login(room: string): Promise<Response> {
    const token = await this.token({ sub: "ada@example.com", name: "Ada" });
    const page = `<!doctype html><title>Accounts</title><form method="post" action="${this.chat}/api/session">
      <input type="hidden" name="token" value="${token}"><input type="hidden" name="room" value="${encodeURI(room)}">
      <button>I am Ada</button></form>`;
    return new Response(page, { headers: { "content-type": "text/html" } });
  }

  async close(): Promise<void> {
    await this.#server.shutdown();
  }
}
