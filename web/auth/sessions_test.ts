import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { sign, verify } from "hono/jwt";
import { systemClock } from "../../chat/clock.ts";
import { RateLimiter } from "../../chat/limits/rate_limiter.ts";
import { NO_LIMITS } from "../../testing/limits.ts";
import { SessionCookies } from "./cookies.ts";
import { Sessions } from "./sessions.ts";

const { plain: COOKIE } = new SessionCookies();
const SECRET = "a secret of the tests";
const rateLimiter = new RateLimiter(NO_LIMITS, systemClock);
const ask = (headers: Record<string, string>) => new Request("http://x/", { headers });
const encode = (part: object) =>
  new TextEncoder().encode(JSON.stringify(part)).toBase64({ alphabet: "base64url", omitPadding: true });

/** A token of another program that has the secret, and any body. */
function signed(body: string): string {
  const head = `${encode({ alg: "HS256", typ: "JWT" })}.${Buffer.from(body).toString("base64url")}`;
  return `${head}.${createHmac("sha256", SECRET).update(head).digest("base64url")}`;
}

Deno.test("a header counts before a sub-protocol, and that before the cookie", async () => {
  const identities = new Sessions(SECRET, rateLimiter);
  const [one, two, three] = await Promise.all(["one", "two", "three"].map((user) => identities.token({ user })));
  const authorization = `Bearer ${one}`;
  const protocols = `chat.v1, bearer.${two}`;
  const cookie = `other=1; ${COOKIE}=${three}`;
  const user = async (headers: Record<string, string>) => {
    const identity = await identities.identify(ask(headers));
    return typeof identity === "object" ? identity.user : identity;
  };
  assert.equal(await user({ authorization, "sec-websocket-protocol": protocols, cookie }), "one");
  assert.equal(await user({ "sec-websocket-protocol": protocols, cookie }), "two");
  assert.equal(await user({ cookie }), "three");
  assert.equal(await user({}), undefined);
  assert.equal(await user({ authorization: "Basic dXNlcjpwYXNz" }), undefined, "a proxy's own password");
});

Deno.test("a client that came with a cookie is not shown the token", async () => {
  const identities = new Sessions(SECRET, rateLimiter);
  const token = await identities.token({ user: "one" });
  assert.deepEqual(await identities.identify(ask({ cookie: `${COOKIE}=${token}` })), { user: "one" });
  assert.deepEqual(await identities.identify(ask({ authorization: `bearer ${token}` })), { user: "one", token });
});

Deno.test("a given token that is no good is told, a cookie that is no good counts as none", async () => {
  const identities = new Sessions(SECRET, rateLimiter);
  const other = new Sessions("another secret", rateLimiter);
  const good = await identities.token({ user: "one" });
  const [header, , signature] = good.split(".");
  const past = Math.floor(Date.now() / 1000) - 10;
  const bad = {
    empty: "",
    "alg none": `${encode({ alg: "none", typ: "JWT" })}.${encode({ sub: "one" })}.`,
    altered: [header, encode({ sub: "admin" }), signature].join("."),
    "other secret": await other.token({ user: "one" }),
    expired: await sign({ sub: "one", exp: past }, SECRET),
    "no user": await sign({ exp: past + 1_000 }, SECRET),
    "other algorithm": await sign({ sub: "one", exp: past + 1_000 }, SECRET, "HS512"),
    junk: "x".repeat(5_000),
    "no claims": signed("null"),
    "no JSON": signed("{"),
    "no number": signed('{"sub":"one","exp":"never"}'),
    "long junk": `${"x".repeat(3_000)}.${"y".repeat(3_000)}.z`,
  };
  for (const [what, token] of Object.entries(bad)) {
    assert.equal(await identities.identify(ask({ authorization: `Bearer ${token}` })), "bad token", what);
    if (token) assert.equal(await identities.identify(ask({ cookie: `${COOKIE}=${token}` })), undefined, what);
  }
});

Deno.test("a token is a JWT that other programs can read, and no other form of the same token is accepted", async () => {
  const sessions = new Sessions(SECRET, rateLimiter);
  const token = sessions.token({ user: "one" });
  assert.equal((await verify(token, SECRET, "HS256")).sub, "one");
  assert.equal((await sessions.identifyToken(await sign({ sub: "two", exp: 2e9 }, SECRET)))?.user, "two");
  const [header, body, signature] = token.split(".");
  for (const other of [`${token}.`, `${token}=`, `${header}.${body}=.${signature}`, `${header}.${body}`, ` ${token}`]) {
    assert.equal(await sessions.identifyToken(other), undefined, other);
  }
});
