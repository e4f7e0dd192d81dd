import assert from "node:assert/strict";
import { readSettings } from "../settings.ts";
import { RawClient } from "../testing/clients/raw.ts";
import { startServer } from "../testing/servers/server.ts";
import { createApp } from "./app.ts";
import { BasePath } from "./base_path.ts";
import { SessionCookies } from "./auth/cookies.ts";
import type { AppServices } from "./services.ts";

Deno.test("a path is taken with the base path before it and without, and with a slash behind it and without", () => {
  const chat = new BasePath("/chat");
  for (
    const [asked, path] of [
      ["/", "/"],
      ["/chat", "/"],
      ["/chat/", "/"],
      ["/connect/", "/connect"],
      ["/chat/connect", "/connect"],
      ["/chat/r/chat/", "/r/chat"],
      ["/r/islands", "/r/islands"],
      ["/chats", "/chats"],
      ["/chat/chat", "/chat"],
    ]
  ) assert.equal(chat.of(asked), path, asked);
  assert.equal(new BasePath().of("/chat/"), "/chat");
  assert.equal(chat.to("/r/islands"), "/chat/r/islands");
});

Deno.test("no base path may begin as a path of the chat's own does", () => {
  const files = { inlineScript: "'sha256-'" };
  const services = { adminToken: "for the moderators' routes", basePath: new BasePath(), files } as AppServices;
  const { routes } = createApp(services);
  const own = new Set(routes.map(({ path }) => path.split("/")[1]).filter((segment) => !/^[*:]?$/.test(segment)));
  assert.ok(own.has("api") && own.has("r") && own.has("connect"));
  for (const segment of own) {
    for (const path of [`/${segment}`, `/${segment}/below`]) {
      const read = () => readSettings((name) => name === "BASE_PATH" ? path : undefined);
      assert.throws(read, /^Error: BASE_PATH must be another path than those that the chat itself has, not "/);
    }
  }
});

Deno.test("links, cookies and the description carry the base path, asked for with it and without", async () => {
  const server = await startServer({
    env: { BASE_PATH: "/chat/", DATABASE_URL: "memory:", TRUST_PROXY: "1", HOSTS: "127.0.0.1" },
  });
  assert.match(server.output(), /open at http:\/\/127\.0\.0\.1:\d+\/chat"/);
  const { plain, secure } = new SessionCookies("/chat");
  const refusedType = async (path: string, headers: Record<string, string>) => {
    const raw = await RawClient.connect(server.port);
    const lines = Object.entries({ connection: "close", ...headers }).map((pair) => pair.join(": "));
    await raw.send(`GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    await raw.ended;
    await raw.close();
    return raw.body.match(/"type":"([^"]*)"/)?.[1];
  };
  for (const base of ["", "/chat"]) {
    assert.equal(await refusedType(`${base}/docs`, { host: "%%%" }), "/chat/docs#bad_frame");
    assert.equal(await refusedType(`${base}/r/x`, { host: "evil.example" }), "/chat/docs#forbidden");
    assert.equal(
      await refusedType(`${base}/healthz/`, { host: "evil.example" }),
      undefined,
      "monitors may use any name",
    );
    assert.equal(await refusedType(`${base}/api/rooms/a%20b/messages`, { host: "127.0.0.1" }), "/chat/docs#bad_room");
    const nothing = await (await fetch(`${server.url}${base}/nowhere`)).json();
    assert.equal(nothing.type, "/chat/docs#not_found");
    const page = await (await fetch(`${server.url}${base}/r/islands`)).text();
    const links = [...page.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link]) => link);
    assert.deepEqual(links.filter((link) => !link.startsWith("/chat/")), []);
    for (const link of [...links, "/chat/docs"]) {
      const answer = await fetch(server.url + link);
      assert.equal(answer.status, 200, link);
      const text = await answer.text();
      if (link !== "/chat/docs") continue;
      assert.deepEqual([...text.matchAll(/href="(\/[^"]*)"/g)].filter(([, to]) => !to.startsWith("/chat/")), []);
    }
    const { servers } = await (await fetch(`${server.url}${base}/openapi.json`)).json();
    assert.equal(servers[0].url, "/chat");
    const cookie = async (proto: string, brought = "") => {
      const headers = { "x-forwarded-proto": proto, "x-forwarded-for": "203.0.113.1", cookie: brought };
      const answer = await fetch(`${server.url}${base}/api/session`, { method: "POST", headers });
      await answer.body?.cancel();
      return answer.headers.getSetCookie().map((line) => line.replace(/=ey[^;]*/, "=TOKEN").split("; Max-Age"));
    };
    assert.deepEqual(await cookie("http"), [[`${plain}=TOKEN`, "=34560000; Path=/chat; HttpOnly; SameSite=Lax"]]);
    // With this prefix a browser takes none of another path than the whole host.
    const whole = [`${secure}=TOKEN`, "=34560000; Path=/; HttpOnly; Secure; SameSite=Lax"];
    assert.deepEqual(await cookie("https"), [whole]);
    const taken = [`${plain}=`, "=0; Path=/chat; HttpOnly; Secure; SameSite=Lax"];
    assert.deepEqual(await cookie("https", `${plain}=old; parley_session=of the chat at the top`), [whole, taken]);
  }
  await server.stop();
});
