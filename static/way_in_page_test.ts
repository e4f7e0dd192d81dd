/** Reaching the page, and what people see when they can't: a real browser, a real server, proxies between them. */
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import {
  connected,
  expectAccessible,
  newPerson,
  openRoom,
  rename,
  shows,
  texts,
  write,
} from "../testing/browser/page.ts";
import { type Meddling, Proxy } from "../testing/servers/proxy.ts";
import { proxyTest, RealProxy } from "../testing/servers/real_proxy.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

let browser: Browser;
let server: RunningServer;
/** A server at /chat on its host. */
let below: RunningServer;

Deno.test.beforeAll(async () => {
  [browser, server, below] = await Promise.all([
    launchChromium(),
    startServer({ env: { DATABASE_URL: "memory:" } }),
    startServer({ env: { DATABASE_URL: "memory:", BASE_PATH: "/chat" } }),
  ]);
});

Deno.test.afterAll(async () => {
  await browser.close();
  await Promise.all([server.stop(), below.stop()]);
});

const person = (options: BrowserContextOptions = {}) => newPerson(browser, options);

const withoutUpgrades = (head: string) => head.replace(/^(upgrade|connection): .*\r\n/gim, "");
const stripped = (head: string) => head.replace(/^([A-Z]+) \/chat(?=[/ ])/, "$1 ").replace(/^([A-Z]+) {2}/, "$1 / ");

for (
  const [way, request] of Object.entries<Meddling["request"]>({
    "leaves the path": undefined,
    "takes the path away": stripped,
    "leaves the path and lets no sockets through": withoutUpgrades,
    "takes the path away and lets no sockets through": (head) => withoutUpgrades(stripped(head)),
  })
) {
  const isStream = way.endsWith("no sockets through");
  Deno.test(`below a path everything works as at the top, where a proxy ${way}`, async () => {
    const proxy = new Proxy(below.port, { request });
    const ann = await person();
    await ann.grantPermissions(["clipboard-read", "clipboard-write"]);
    const room = `islands-${isStream}-${request === undefined || request === withoutUpgrades}`;
    const page = await openRoom(ann, `${proxy.url}/chat`, room);
    const asked: string[] = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    page.on("websocket", (socket) => asked.push(new URL(socket.url()).pathname));
    await write(page, "hello");
    await shows(page, "hello");
    await page.locator("#share").click();
    await page.getByRole("button", { name: "Copy link" }).click();
    await page.getByRole("status").filter({ hasText: "Link copied" }).waitFor();
    const link = await page.evaluate(() => navigator.clipboard.readText());
    assert.equal(link, `${proxy.url}/chat/r/${room}`);
    await page.keyboard.press("Escape");
    await page.locator("#room").click();
    await page.locator("dialog[open] input").fill("general");
    await page.keyboard.press("Enter");
    await page.waitForURL(`${proxy.url}/chat/`);
    await connected(page);
    await page.goto(link);
    await shows(page, "hello");
    const name = await page.locator("#me").innerText();
    await page.reload();
    await connected(page);
    assert.equal(await page.locator("#me").innerText(), name, "the cookie was sent");
    await page.goto(`${proxy.url}/chat/docs`);
    await page.getByRole("link", { name: "The same for programs" }).click();
    await page.waitForURL(`${proxy.url}/chat/openapi.json`);
    assert.deepEqual(asked.filter((path) => !/^\/chat(\/|$)/.test(path)), []);
    assert.ok(asked.includes(isStream ? "/chat/api/actions" : "/chat/connect"));
    await ann.close();
    await proxy.stop();
  });
}

await proxyTest("nginx", "a chat at the top of a host and one below a path share nothing in a browser", async () => {
  const proxy = await RealProxy.start(
    "nginx",
    (port) =>
      `daemon off; master_process off; pid pid; error_log stderr error; events {}
    http {
      access_log off;
      client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection upgrade;
      server {
        listen 127.0.0.1:${port};
        location / { proxy_pass http://127.0.0.1:${server.port}; }
        location /chat/ { proxy_pass http://127.0.0.1:${below.port}/; }
      }
    }`,
  );
  const ann = await person();
  const page = await openRoom(ann, proxy.url, "both");
  const name = await page.locator("#me").innerText();
  await rename(page, "Top Ann");
  await page.locator("#me", { hasText: "Top Ann" }).waitFor();
  await ann.setOffline(true);
  await write(page, "for the top only");
  await page.locator("#text").fill("a draft");
  await ann.setOffline(false);
  await page.route(/\/connect|\/api\//, (route) => route.abort());
  await page.goto(`${proxy.url}/chat/r/both`);
  await page.unroute(/\/connect|\/api\//);
  await page.reload();
  await connected(page);
  assert.equal(await page.locator("#text").inputValue(), "");
  assert.match(await page.locator("#me").innerText(), /^User \d+$/);
  assert.deepEqual(await texts(page), []);
  await page.goto(`${proxy.url}/r/both`);
  await shows(page, "for the top only");
  assert.equal(await page.locator("#text").inputValue(), "a draft");
  assert.notEqual(await page.locator("#me").innerText(), name);
  await ann.close();
  await proxy.stop();
});

Deno.test("when the page's files do not load, it says what the operator of the server can do", async () => {
  const nowhere = { answer: "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n" };
  // A path that the server does not know.
  const proxy = new Proxy(server.port, {
    request: (head) => /^[A-Z]+ \/chat[/ ]/.test(head) ? stripped(head) : nowhere,
  });
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${proxy.url}/chat/r/islands`);
  await page.getByText("set BASE_PATH to that path").waitFor();
  // A file that is late is waited for; one that never comes is not.
  const script = /\/client\.[jt]s$/;
  await page.route(script, (route) => route.abort());
  await page.goto(`${server.url}/r/islands`);
  assert.equal(await page.getByText("set BASE_PATH to that path").isVisible(), false);
  await page.locator("#unloaded").evaluate((words) => words.getAnimations().forEach((animation) => animation.finish()));
  await page.getByText("set BASE_PATH to that path").waitFor();
  await page.unroute(script);
  await page.route("**/style.css", (route) => route.abort());
  await page.goto(`${server.url}/r/islands`);
  await page.locator("#people li").first().waitFor({ state: "attached" });
  assert.equal(await page.getByText("set BASE_PATH to that path").count(), 0, "not needed when the script works");
  await ann.close();
  await proxy.stop();
});

Deno.test("an unknown address says so, and offers the room that may be meant", async () => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${server.url}/Islands`);
  await page.locator("#problem h1", { hasText: "There is nothing at this address." }).waitFor();
  await expectAccessible(page, "an unknown address");
  const height = (page: Page) => page.locator("header").evaluate((header) => header.getBoundingClientRect().height);
  const bare = await height(page);
  assert.deepEqual(await page.locator("#problem button").allInnerTexts(), [
    "Go to islands",
    "Go to general",
    "Change room",
  ]);
  await page.getByRole("button", { name: "Go to islands" }).click();
  await page.waitForURL(`${server.url}/r/islands`);
  await connected(page);
  assert.equal(await height(page), bare, "the header keeps its height");
  await page.goto(`${server.url}/general`);
  await page.locator("#problem button").first().waitFor();
  assert.deepEqual(await page.locator("#problem button").allInnerTexts(), ["Go to general", "Change room"]);
  await page.goto(`${server.url}/r`);
  await page.getByRole("button", { name: "Go to general" }).click();
  await page.waitForURL(`${server.url}/`);
  await connected(page);
  await ann.close();
});

Deno.test("a request for a session that is never answered is given up, so that the next one can succeed", async () => {
  const ann = await person();
  // Timeouts are a hundred times shorter.
  await ann.addInitScript(() => {
    const { timeout } = AbortSignal;
    AbortSignal.timeout = (milliseconds) => timeout.call(AbortSignal, milliseconds / 100);
  });
  const page = await ann.newPage();
  let isLost = true;
  await page.routeWebSocket("**/connect*", (socket) => isLost ? socket.close() : void socket.connectToServer());
  await page.route("**/api/session", (route) => isLost ? undefined : route.continue());
  const givenUp = page.waitForEvent("requestfailed", (request) => request.url().endsWith("/api/session"));
  await page.goto(`${server.url}/r/refused`);
  await givenUp;
  isLost = false;
  await connected(page);
  await ann.close();
});

Deno.test("while the store fails the page says so in place of Connected, and it sends waiting messages once the store works", async () => {
  const cwd = await Deno.makeTempDir();
  const failing = await startServer({ cwd });
  const ann = await person();
  const page = await openRoom(ann, failing.url, "store");
  await Deno.rename(`${cwd}/data/chat.db`, `${cwd}/data/elsewhere.db`);
  await write(page, "kept later");
  await page.locator("#status", { hasText: "The server can’t keep messages right now. Yours wait here." }).waitFor();
  assert.equal(await page.locator("#connection.store-fails").count(), 1, "the dot is hollow");
  await Deno.rename(`${cwd}/data/elsewhere.db`, `${cwd}/data/chat.db`);
  await shows(page, "kept later");
  await page.locator("#status", { hasText: /^Connected$/ }).waitFor();
  await ann.close();
  await failing.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("messages stay visible when the page is refused later, and its foot says why", async () => {
  let isRefused = false;
  const proxy = new Proxy(server.port, {
    request: (head) =>
      isRefused ? answering(withoutUpgrades(head), problem("503 Service Unavailable", "unavailable")) : head,
  });
  const ann = await person();
  const page = await openRoom(ann, proxy.url, "read");
  await write(page, "read this");
  await shows(page, "read this");
  isRefused = true;
  await page.evaluate(() => Object.assign(globalThis, { WebSocket: undefined }));
  proxy.cut();
  await page.locator("#status", { hasText: "The server is not ready." }).waitFor();
  assert.equal(await page.locator("#refused").isVisible(), false);
  await ann.setOffline(true);
  await page.locator("#status", { hasText: "Offline" }).waitFor();
  await ann.close();
  await proxy.stop();
});

/** Answers in the server's place whoever asks for a session or for a socket. */
const answering = (head: string, answer: string) =>
  /^(POST \/api\/session|GET \/connect)/.test(head) ? { answer } : head;
const answer = (status: string, type: string, body: string) =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`;
const problem = (status: string, code: string, more = "") =>
  answer(status, "application/problem+json", `{"code":"${code}","detail":"The server's words."${more}}`);

for (
  const [what, title, text, request] of [
    [
      "a proxy hides from the server by which name it was asked",
      "The server takes this page for another site’s",
      /the Host header on as it came, with its port, or ALLOWED_ORIGINS must have http:\/\/127\.0\.0\.1:\d+\./,
      (head) => head.replace(/^host: .*$/im, "host: inside"),
    ],
    [
      "too many come from one address",
      "Too much comes from you or from your network",
      /TRUST_PROXY/,
      (head) => answering(head, problem("429 Too Many Requests", "rate_limited", ',"retry_after":20')),
    ],
    [
      "the server is not ready",
      "The server can’t let anyone in right now",
      /tries again by itself/,
      (head) => answering(head, problem("503 Service Unavailable", "unavailable")),
    ],
    [
      "it has another reason",
      "The server does not let this page in",
      /The server's words\./,
      (head) => answering(head, problem("421 Misdirected Request", "forbidden")),
    ],
    [
      "a proxy asks for a password of its own",
      "Something else answers in the server’s place (401)",
      /what the proxy in front of it says/,
      (head) => answering(head, answer("401 Unauthorized", "text/html", "<p>Who are you?")),
    ],
  ] as [string, string, RegExp, Meddling["request"]][]
) {
  Deno.test(`a refused page says why, and connects once it is let in: ${what}`, async () => {
    let isRefused = true;
    const proxy = new Proxy(server.port, { request: (head) => isRefused ? request!(head) : head });
    const ann = await person();
    const page = await ann.newPage();
    // A room of its own: where something was said, that is shown.
    await page.goto(`${proxy.url}/r/${what.replaceAll(" ", "-")}`);
    await page.locator("#refused h2", { hasText: title }).waitFor();
    assert.match(await page.locator("#refused p").innerText(), text);
    assert.doesNotMatch(await page.locator("#connection").innerText(), /Reconnecting/);
    await page.locator("#countdown", { hasText: /^Trying again in \d+ s$/ }).waitFor();
    await expectAccessible(page, what);
    await write(page, `waits, ${what}`);
    await page.locator(".message .text").waitFor();
    assert.equal(await page.locator("#refused").isVisible(), false, "the waiting message is shown instead");
    isRefused = false;
    // The page may have connected by itself by now, and the button may be gone.
    await page.locator("#try-now").dispatchEvent("click");
    await connected(page);
    await page.locator(".message:not(.waiting) .text", { hasText: `waits, ${what}` }).waitFor();
    assert.equal(await page.locator("#refused").isVisible(), false);
    await ann.close();
    await proxy.stop();
  });
}
