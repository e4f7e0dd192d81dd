import assert from "node:assert/strict";
import { systemClock } from "../../chat/clock.ts";
import { RateLimiter } from "../../chat/limits/rate_limiter.ts";
import { NO_LIMITS } from "../../testing/limits.ts";
import { launchChromium } from "../../testing/browser/chromium.ts";
import { connected, newPerson, openRoom } from "../../testing/browser/page.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";
import { SessionCookies } from "./cookies.ts";
import { Sessions } from "./sessions.ts";

const cookies = new SessionCookies();
const { plain: COOKIE, secure: SECURE_COOKIE } = cookies;

const bringing = (cookie?: string) => new Request("http://x/", { headers: cookie === undefined ? {} : { cookie } });

Deno.test("the cookie is out of reach for scripts and other sites, and behind TLS for other hosts and plain HTTP", () => {
  const rest = "Max-Age=34560000; Path=/; HttpOnly";
  assert.deepEqual(cookies.linesFor(bringing(), "t", false), [`parley_session=t; ${rest}; SameSite=Lax`]);
  assert.deepEqual(cookies.linesFor(bringing(), "t", true), [`__Host-parley_session=t; ${rest}; Secure; SameSite=Lax`]);
});

Deno.test("chats below paths of one host have cookies of their own", () => {
  const [chat, talk] = ["/chat", "/talk"].map((path) => new SessionCookies(path));
  assert.deepEqual([chat.plain, chat.secure], ["parley_session_6ea4b827", "__Host-parley_session_6ea4b827"]);
  assert.notEqual(chat.plain, talk.plain);
  const all = `${COOKIE}=top; ${chat.plain}=chat; ${talk.plain}=talk`;
  assert.deepEqual(chat.of(bringing(all)), [{ name: chat.plain, value: "chat" }]);
  assert.deepEqual(cookies.of(bringing(all)), [{ name: COOKIE, value: "top" }]);
});

Deno.test("the cookie from before there was TLS is taken back when another one is given", () => {
  const [given, taken, ...more] = cookies.linesFor(bringing("parley_session=old"), "t", true);
  assert.match(given, /^__Host-parley_session=t;/);
  assert.match(taken, /^parley_session=; Max-Age=0; Path=\/;/);
  assert.deepEqual(more, []);
});

Deno.test("every value that comes under the names is found, those that nobody else can have set first", () => {
  const found = (cookie: string) => cookies.of(bringing(cookie)).map(({ name, value }) => `${name}=${value}`);
  assert.deepEqual(found("a=1; parley_session=x;parley_session=y ; b=2; __Host-parley_session=z"), [
    `${SECURE_COOKIE}=z`,
    `${COOKIE}=x`,
    `${COOKIE}=y`,
  ]);
  assert.deepEqual(found('parley_session="x"; xparley_session=1; parley_sessio=2; parley_session2=3'), [`${COOKIE}=x`]);
  assert.deepEqual(found(`\t ${SECURE_COOKIE}=x \t`), [`${SECURE_COOKIE}=x`]);
  assert.deepEqual(found(`\xa0${SECURE_COOKIE}=x; \x85${COOKIE}=y`), [], "no name but these");
  assert.deepEqual(cookies.of(bringing()), []);
  assert.ok(found("parley_session=x;".repeat(3_000)).length <= 20, "each costs a signature");
});

Deno.test("of several cookies the first that is good counts, wherever it stands", async () => {
  const identities = new Sessions("a secret", new RateLimiter(NO_LIMITS, systemClock));
  const [one, two] = await Promise.all(["one", "two"].map((user) => identities.token({ user })));
  const user = async (cookie: string) => (await identities.identifyCookie(bringing(cookie)))?.identity.user;
  assert.equal(await user(`${COOKIE}=junk; ${COOKIE}=${one}`), "one");
  assert.equal(await user(`${COOKIE}=${one}; ${COOKIE}=junk`), "one");
  assert.equal(await user(`${COOKIE}=${two}; ${SECURE_COOKIE}=${one}`), "one", "whatever another site has set");
  assert.equal(await user(`${SECURE_COOKIE}=junk; ${COOKIE}=${two}`), "two");
  assert.equal(await user(`${COOKIE}=junk; ${COOKIE}=`), undefined);
});

let server: RunningServer;

Deno.test.beforeAll(async () => {
  server = await startServer({ env: { DATABASE_URL: "memory:", TRUST_PROXY: "1" } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** Comes as a browser behind a proxy that ends TLS. @returns what it is told to keep, by name */
async function come(method: string, path: string, cookie?: string) {
  const headers = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.1", ...(cookie && { cookie }) };
  const answer = await fetch(server.url + path, { method, headers });
  const body = await answer.text();
  const kept = answer.headers.getSetCookie().map((line) => line.split(";")[0].split("="));
  return { answer, body, kept: Object.fromEntries(kept) as Record<string, string> };
}

Deno.test("behind TLS a person keeps who they are, whatever another site of the domain puts beside their cookie", async () => {
  const first = await come("POST", "/api/session");
  const { user } = JSON.parse(first.body);
  assert.deepEqual(Object.keys(first.kept), [SECURE_COOKIE]);
  const attacker = JSON.parse((await come("POST", "/api/session")).body);
  for (
    const cookie of [
      `${SECURE_COOKIE}=${first.kept[SECURE_COOKIE]}`,
      `${COOKIE}=${attacker.token}; ${SECURE_COOKIE}=${first.kept[SECURE_COOKIE]}`,
      `${COOKIE}=junk; ${COOKIE}=more; ${SECURE_COOKIE}=${first.kept[SECURE_COOKIE]}`,
    ]
  ) {
    assert.equal(JSON.parse((await come("POST", "/api/session", cookie)).body).user, user);
    assert.deepEqual((await come("GET", "/", cookie)).kept, {}, "the page leaves a good cookie alone");
  }
});

Deno.test("the cookie from before there was TLS is taken over, by the page and by the session, and then gone", async () => {
  const { token, user } = JSON.parse((await come("POST", "/api/session")).body);
  for (const [method, path] of [["GET", "/"], ["GET", "/r/islands"], ["POST", "/api/session"]]) {
    const { answer, kept } = await come(method, path, `${COOKIE}=junk; ${COOKIE}=${token}`);
    assert.deepEqual(Object.keys(kept).sort(), [SECURE_COOKIE, COOKIE].sort());
    assert.equal(kept[COOKIE], "");
    assert.match(answer.headers.get("cache-control")!, /private|no-store/);
    const again = await come("POST", "/api/session", `${SECURE_COOKIE}=${kept[SECURE_COOKIE]}`);
    assert.equal(JSON.parse(again.body).user, user);
    assert.deepEqual(Object.keys(again.kept), [SECURE_COOKIE]);
  }
});

Deno.test("a page without TLS leaves a good cookie alone, and sets none where there was none", async () => {
  const { token } = JSON.parse((await come("POST", "/api/session")).body);
  for (const headers of [{ cookie: `${COOKIE}=${token}` }, undefined]) {
    const answer = await fetch(server.url, { headers });
    await answer.body?.cancel();
    assert.deepEqual(answer.headers.getSetCookie(), []);
  }
});

Deno.test("a cookie that is no good is replaced behind TLS too", async () => {
  const { kept } = await come("GET", "/", `${COOKIE}=junk; ${SECURE_COOKIE}=junk`);
  assert.match(kept[SECURE_COOKIE], /^ey/);
  assert.equal(kept[COOKIE], "");
});

Deno.test("a real browser keeps that cookie, is the same person after a reload, and lets go of the old one", async () => {
  const browser = await launchChromium();
  const url = `http://localhost:${server.port}`;
  const person = await newPerson(browser, {
    extraHTTPHeaders: { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.2" },
  });
  const { token } = JSON.parse((await come("POST", "/api/session")).body);
  await person.addCookies([{ name: COOKIE, value: token, url, httpOnly: true, sameSite: "Lax" }]);
  const kept = async () => (await person.cookies()).map(({ name, secure }) => [name, secure]);
  const page = await openRoom(person, url, "islands");
  assert.deepEqual(await kept(), [[SECURE_COOKIE, true]]);
  const name = await page.locator("#me").innerText();
  const { name: known } = JSON.parse((await come("POST", "/api/session", `${COOKIE}=${token}`)).body);
  assert.equal(name, known);
  await page.reload();
  await connected(page);
  assert.equal(await page.locator("#me").innerText(), name);
  await browser.close();
});
