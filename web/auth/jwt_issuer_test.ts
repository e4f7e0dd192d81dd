import assert from "node:assert/strict";
import { mock } from "node:test";
import { SignJWT } from "jose";
import { TestClient } from "../../testing/clients/client.ts";
import { Issuer } from "../../testing/servers/issuer.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";
import { JwtIssuer } from "./jwt_issuer.ts";

const SECRET = "a secret of this server";
const LOGIN = "https://accounts.example/login";
const inAnHour = () => Math.floor(Date.now() / 1000) + 3_600;

/** A test with an issuer and a server that takes only its people. */
function outsideTest(title: string, check: (server: RunningServer, issuer: Issuer) => Promise<void>, env = {}) {
  Deno.test(title, async () => {
    const issuer = await Issuer.open();
    const server = await startServer({ env: { ...issuer.env, AUTH_LOGIN_URL: LOGIN, ...env } });
    try {
      await check(server, issuer);
    } finally {
      await server.stop();
      await issuer.close();
    }
  });
}

const open = (server: RunningServer, token: string) =>
  TestClient.open(server.url, { protocols: ["chat.v1", `bearer.${token}`] });

Deno.test("keys that rotate are followed, and those that are gone hold no longer", async () => {
  const issuer = await Issuer.open();
  const key = { jwksUrl: issuer.jwksUrl };
  const outside = new JwtIssuer({ key, issuer: issuer.url, audience: "parley", loginUrl: undefined }, SECRET);
  const ada = (await outside.identify(await issuer.token({ sub: "ada@example.com" })))!;
  const before = await issuer.token({ sub: "bob" });
  mock.timers.enable({ apis: ["Date"], now: Date.now() });
  try {
    await issuer.rotate();
    mock.timers.tick(6_000);
    assert.equal((await outside.identify(await issuer.token({ sub: "ada@example.com" })))?.user, ada.user);
    assert.ok(await outside.identify(before), "the key before is still published");
    await issuer.rotate({ forget: true });
    mock.timers.tick(6_000);
    assert.ok(await outside.identify(await issuer.token({ sub: "eve" })));
    assert.equal(await outside.identify(before), undefined);
  } finally {
    mock.timers.reset();
  }
  await issuer.close();
});

Deno.test("junk does not make us ask the issuer again and again", async () => {
  const issuer = await Issuer.open();
  const key = { jwksUrl: issuer.jwksUrl };
  const outside = new JwtIssuer({ key, issuer: issuer.url, audience: "parley", loginUrl: undefined }, SECRET);
  await outside.identify(await issuer.token({ sub: "ada" }));
  const stranger = await Issuer.open();
  for (let at = 0; at < 50; at++) {
    assert.equal(await outside.identify(await stranger.token({ sub: `x${at}` })), undefined);
  }
  assert.ok(issuer.fetches <= 2, `${issuer.fetches} fetches`);
  await Promise.all([issuer.close(), stranger.close()]);
});

Deno.test("an issuer that can't be reached makes a token neither good nor bad", async () => {
  const issuer = await Issuer.open();
  const token = await issuer.token({ sub: "ada" });
  await issuer.close();
  const settings = { key: { jwksUrl: issuer.jwksUrl }, issuer: issuer.url, audience: "parley", loginUrl: undefined };
  await assert.rejects(new JwtIssuer(settings, SECRET).identify(token), { code: "unavailable" });
});

Deno.test("while the issuer can't be reached, a stranger's token does not keep out whose key is known", async () => {
  const [issuer, stranger] = [await Issuer.open(), await Issuer.open()];
  const key = { jwksUrl: issuer.jwksUrl };
  const outside = new JwtIssuer({ key, issuer: issuer.url, audience: "parley", loginUrl: undefined }, SECRET);
  const ada = await issuer.token({ sub: "ada" });
  const unknown = await stranger.token({ sub: "ada" });
  assert.ok(await outside.identify(ada));
  await Promise.all([issuer.close(), stranger.close()]);
  // So much later that an unknown key has the issuer asked again, and it does not answer.
  mock.timers.enable({ apis: ["Date"], now: Date.now() + 6_000 });
  try {
    await assert.rejects(outside.identify(unknown), { code: "unavailable" });
    assert.ok(await outside.identify(ada));
    await assert.rejects(outside.identify(unknown), { code: "unavailable" });
  } finally {
    mock.timers.reset();
  }
});

Deno.test("only good tokens of this issuer, for this audience, are taken", async () => {
  const issuer = await Issuer.open();
  const [key, loginUrl] = [{ jwksUrl: issuer.jwksUrl }, undefined];
  const outside = new JwtIssuer({ key, issuer: issuer.url, audience: "parley", loginUrl }, SECRET);
  const good = await issuer.token({ sub: "ada" });
  const [header, payload, signature] = good.split(".");
  const encode = (part: object) =>
    new TextEncoder().encode(JSON.stringify(part)).toBase64({ alphabet: "base64url", omitPadding: true });
  const stranger = await Issuer.open();
  const claims = { sub: "ada", iss: issuer.url, aud: "parley", exp: inAnHour() };
  // The public key is public: whoever took it for a secret could be fooled with it.
  const { keys: [publicKey] } = await (await fetch(issuer.jwksUrl)).json();
  const signWithPublicKey = new SignJWT(claims).setProtectedHeader({ alg: "HS256", kid: publicKey.kid })
    .sign(new TextEncoder().encode(JSON.stringify(publicKey)));
  const bad: Record<string, string> = {
    "alg none": `${encode({ alg: "none" })}.${encode(claims)}.`,
    "alg none with the key's name": `${encode({ alg: "none", kid: publicKey.kid })}.${encode(claims)}.${signature}`,
    "altered payload": `${header}.${encode({ ...claims, sub: "root" })}.${signature}`,
    "another issuer's key": await stranger.token({ sub: "ada", iss: issuer.url }),
    "the public key as a secret": await signWithPublicKey,
    "another issuer": await issuer.token({ sub: "ada", iss: "https://evil.example" }),
    "another audience": await issuer.token({ sub: "ada", aud: "payroll" }),
    expired: await issuer.token({ sub: "ada", exp: inAnHour() - 7_200 }),
    "not yet": await issuer.token({ sub: "ada", nbf: inAnHour() }),
    "no end": await issuer.token({ sub: "ada", exp: undefined }),
    "no sub": await issuer.token({}),
    "an empty sub": await issuer.token({ sub: "" }),
    "5 KB of junk": "x".repeat(5_000),
    "junk in three parts": `${"x".repeat(3_000)}.${"y".repeat(3_000)}.z`,
    "too long": await issuer.token({ sub: "ada", groups: "g".repeat(10_000) }),
    empty: "",
  };
  for (const [what, token] of Object.entries(bad)) assert.equal(await outside.identify(token), undefined, what);
  assert.ok(await outside.identify(good));
  assert.ok(payload);
  await Promise.all([issuer.close(), stranger.close()]);
});

Deno.test("a secret that both sides know will do in place of keys", async () => {
  const secret = "a secret of at least thirty-two characters";
  const settings = { key: { secret }, issuer: "https://accounts.example", audience: "parley", loginUrl: undefined };
  const sign = (claims: Record<string, unknown>, key = secret) =>
    new SignJWT({ iss: settings.issuer, aud: "parley", exp: inAnHour(), ...claims }).setProtectedHeader({
      alg: "HS256",
    })
      .sign(new TextEncoder().encode(key));
  const outside = new JwtIssuer(settings, SECRET);
  const { user, identity } = (await outside.identify(await sign({ sub: "ada@example.com", name: "Ada" })))!;
  assert.equal(identity.name, "Ada");
  assert.match(user, /^[\w-]{22}$/);
  assert.equal((await outside.identify(await sign({ sub: "ada@example.com" })))!.user, user, "the same person again");
  assert.notEqual((await outside.identify(await sign({ sub: "bob@example.com" })))!.user, user);
  const remotePresence = new JwtIssuer(settings, "another server's secret");
  assert.notEqual((await remotePresence.identify(await sign({ sub: "ada@example.com" })))!.user, user, "keyed");
  assert.equal(
    await outside.identify(await sign({ sub: "ada" }, "another secret of thirty-two characters")),
    undefined,
  );
});

outsideTest("nobody comes in, and nobody reads, without a token of the issuer", async ({ url }) => {
  const stranger = new TestClient(url);
  assert.equal((await stranger.closed).code, 4401);
  assert.deepEqual(stranger.frames, []);
  const message = { method: "POST", body: '{"text":"hi"}', headers: { "content-type": "application/json" } };
  const ping = { ...message, body: '{"action":"ping"}' };
  for (
    const [path, init] of [
      ["/api/session", { method: "POST" }],
      ["/api/session", { method: "POST", headers: { cookie: "parley_session=junk" } }],
      ["/api/rooms", {}],
      ["/api/rooms/general/messages", {}],
      ["/api/rooms/general/messages/1", {}],
      ["/api/rooms/general/messages/1/reactions", {}],
      ["/api/rooms/general/people", {}],
      ["/api/rooms/general/events", {}],
      ["/api/rooms/general/messages", message],
      ["/api/actions", ping],
    ] as [string, RequestInit][]
  ) {
    const response = await fetch(url + path, init);
    const { code, login_url } = await response.json();
    assert.deepEqual([response.status, code, login_url], [401, "forbidden", LOGIN], path);
    assert.equal(response.headers.get("set-cookie"), null);
  }
  for (const path of ["/", "/r/general", "/healthz", "/static/client.ts"]) {
    const response = await fetch(url + path);
    await response.body?.cancel();
    assert.equal(response.status, 200, path);
  }
});

outsideTest("whoever came before is a stranger once people come from an issuer", async ({ url }) => {
  const secret = "shared by both";
  const openDoors = await startServer({ env: { SECRET: secret } });
  const { token } = await (await fetch(`${openDoors.url}/api/session`, { method: "POST" })).json();
  await openDoors.stop();
  const client = new TestClient(url, { protocols: ["chat.v1", `bearer.${token}`] });
  assert.equal((await client.closed).code, 4401);
}, { SECRET: "shared by both" });

outsideTest(
  "people have the name of their account, with a number where it is taken, and keep to it",
  async (server, issuer) => {
    const token = (sub: string, name?: string) => issuer.token({ sub, name });
    const first = await open(server, await token("ada@one.example", "Ada"));
    const second = await open(server, await token("ada@two.example", "Ada"));
    const laptop = await open(server, await token("ada@two.example", "Ada"));
    const nameless = await open(server, await token("bob@example.com"));
    const odd = await open(server, await token("odd@example.com", "a\u202eb"));
    const given = await open(server, await token("given@example.com", "User 482"));
    const welcomes = await Promise.all([first, second, laptop].map((client) => client.until("welcome")));
    assert.deepEqual(welcomes.map(({ name }) => name), ["Ada", "Ada 2", "Ada 2"]);
    assert.equal(welcomes[1].user, welcomes[2].user);
    for (const client of [nameless, odd, given]) assert.match((await client.until("welcome")).name, /^User \d+$/);
    second.send({ action: "set_name", name: "Boss" });
    assert.equal((await second.until("error")).code, "forbidden");
    nameless.send({ action: "set_name", name: "Bob" });
    await nameless.until("name_changed", ({ name }) => name === "Bob");
    second.say("hello");
    await first.until("receive_message");
    const told = JSON.stringify(
      [first.frames, second.frames, nameless.frames].flat().filter(({ action }) => action !== "welcome"),
    );
    assert.doesNotMatch(told, /example/, "no e-mail address in any frame");
    const renamed = await open(server, await token("ada@one.example", "Ada Lovelace"));
    await second.until("name_changed", ({ name, was }) => name === "Ada Lovelace" && was === "Ada");
    await renamed.until("room_joined");
    assert.deepEqual(renamed.frames.slice(0, 2).map(({ action }) => action), ["welcome", "room_joined"]);
    await Promise.all([first, second, laptop, nameless, odd, given, renamed].map((client) => client.close()));
  },
);

outsideTest(
  "the issuer's page sends a browser in by a form, and it lands on the page with a cookie",
  async (server, issuer) => {
    const post = (token: string, more: Record<string, string> = {}, origin = "https://accounts.example") =>
      fetch(`${server.url}/api/session`, {
        method: "POST",
        redirect: "manual",
        headers: { origin },
        body: new URLSearchParams({ token, ...more }),
      }).then(async (response) => {
        await response.body?.cancel();
        return response;
      });
    const exp = inAnHour();
    const token = await issuer.token({ sub: "ada@example.com", name: "Ada", exp });
    const answer = await post(token, { room: "islands" });
    assert.deepEqual([answer.status, answer.headers.get("location")], [303, "/r/islands"]);
    const [cookie, ...attributes] = answer.headers.get("set-cookie")!.split("; ");
    assert.ok(attributes.includes("HttpOnly") && attributes.includes("SameSite=Lax"));
    const age = Number(attributes.find((attribute) => attribute.startsWith("Max-Age="))!.slice(8));
    assert.ok(age > 3_000 && age <= 3_600, `${age} s`);
    const session = await fetch(`${server.url}/api/session`, { method: "POST", headers: { cookie } });
    assert.equal(session.status, 201);
    const { name, token: own } = await session.json();
    assert.equal(name, "Ada");
    assert.equal(JSON.parse(atob(own.split(".")[1])).exp, exp, "renewing does not make it last longer");
    const client = await TestClient.open(server.url, { headers: { cookie } });
    assert.equal((await client.until("welcome")).name, "Ada");
    await client.close();
    const history = await fetch(`${server.url}/api/rooms/general/messages`, { headers: { cookie } });
    await history.body?.cancel();
    assert.equal(history.status, 200);
    assert.equal((await post(token, { room: "no room" })).headers.get("location"), "/");
    assert.equal((await post(token, { room: "//evil.example" })).headers.get("location"), "/");
    assert.equal((await post("junk")).status, 401);
    assert.equal((await post(token, {}, "https://evil.example")).status, 403);
    assert.equal((await post(token, {}, "null")).status, 403);
    assert.equal((await post("x".repeat(20_000))).status, 413);
  },
  { ALLOWED_ORIGINS: "https://accounts.example" },
);

outsideTest("a socket is closed with 4001 when its token ends", async (server, issuer) => {
  const exp = Math.floor(Date.now() / 1000) + 2;
  const lasting = await open(server, await issuer.token({ sub: "lasting" }));
  const ending = await issuer.token({ sub: "brief", exp });
  const brief = new TestClient(server.url, { protocols: ["chat.v1", `bearer.${ending}`] });
  assert.equal((await brief.closed).code, 4001);
  assert.ok(Date.now() >= exp * 1000);
  await lasting.soFar();
  await lasting.close();
});
