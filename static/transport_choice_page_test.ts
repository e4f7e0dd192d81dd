/** The page where sockets don't open: a real browser, a real server, and obstacles between them. */
import axe from "axe-core";
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import { connected, newPerson, openRoom, rename, shows, write } from "../testing/browser/page.ts";
import { Proxy } from "../testing/servers/proxy.ts";
import { startServer } from "../testing/servers/server.ts";

const BAD_GATEWAY = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n";

let browser: Browser;

Deno.test.beforeAll(async () => {
  browser = await launchChromium();
});

Deno.test.afterAll(async () => {
  await browser.close();
});

/**
 * The paths that a page requests, and whether it sends frames through a socket: a socket that it only tries gets none.
 */
function watch(page: Page): { asked: string[]; talksBySocket: Promise<void> } {
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const { promise, resolve } = Promise.withResolvers<void>();
  page.on("websocket", (socket) => socket.on("framesent", () => resolve()));
  return { asked, talksBySocket: promise };
}

/** Tells the page that the network is back, so that it tries a socket. */
const backOnline = (page: Page) => page.evaluate(() => dispatchEvent(new Event("online")));

Deno.test("without WebSocket the page can do everything, and it changes to a socket when there is one", async () => {
  const cwd = await Deno.makeTempDir();
  let server = await startServer({ cwd });
  const [ann, bob] = await Promise.all([newPerson(browser), newPerson(browser)]);
  await ann.addInitScript(() => {
    Object.assign(globalThis, { HiddenWebSocket: WebSocket });
    Reflect.deleteProperty(globalThis, "WebSocket");
  });
  const [one, other] = [await openRoom(ann, server.url, "bare"), await openRoom(bob, server.url, "bare")];
  const { asked, talksBySocket } = watch(one);

  await one.locator("#text").pressSequentially("hm");
  await other.locator("#hint", { hasText: "is typing…" }).waitFor();
  await write(one, "posted");
  await shows(other, "posted");
  await write(other, "heard?");
  await shows(one, "posted", "heard?");
  await rename(one, "Bare Ann");
  await other.locator("#people li", { hasText: "Bare Ann" }).waitFor();
  await one.locator("#text").press("ArrowUp");
  await one.keyboard.type("!");
  await one.keyboard.press("Enter");
  await shows(other, "posted! (edited)", "heard?");
  await one.locator("#room").click();
  await one.locator("dialog[open] input").fill("other");
  await one.keyboard.press("Enter");
  await one.waitForURL("**/r/other");
  await other.locator("#people li", { hasText: "Bare Ann" }).waitFor({ state: "detached" });
  await one.goBack();
  await other.locator("#people li", { hasText: "Bare Ann" }).waitFor();
  await shows(one, "posted! (edited)", "heard?");

  await server.stop("SIGKILL");
  await Promise.all([one, other].map((page) => page.locator("#connection:not([data-kind=connected])").waitFor()));
  await write(one, "while away");
  await write(one, "and this");
  server = await startServer({ cwd, port: server.port });
  await shows(other, "posted! (edited)", "heard?", "while away", "and this");
  await shows(one, "posted! (edited)", "heard?", "while away", "and this");
  assert.equal(await one.locator(".missing").count(), 0);

  assert.equal(await other.locator("#people li").count(), 2);
  await one.evaluate(() => Object.assign(globalThis, { WebSocket: Reflect.get(globalThis, "HiddenWebSocket") }));
  await connected(one);
  await backOnline(one);
  await talksBySocket;
  await connected(one);
  asked.length = 0;
  await write(one, "by socket");
  await shows(one, "posted! (edited)", "heard?", "while away", "and this", "by socket");
  await shows(other, "posted! (edited)", "heard?", "while away", "and this", "by socket");
  assert.deepEqual(asked, []);
  await Promise.all([ann.close(), bob.close()]);
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("behind a proxy without upgrades the page works too, and it changes to a socket once the proxy has them", async () => {
  const cwd = await Deno.makeTempDir();
  let server = await startServer({ cwd });
  let upgrades = false;
  const proxy = new Proxy(server.port, {
    request: (head) => upgrades || !/^upgrade: websocket\r$/im.test(head) ? head : { answer: BAD_GATEWAY },
  });
  const [ann, bob] = await Promise.all([newPerson(browser), newPerson(browser)]);
  const [one, other] = [await openRoom(ann, proxy.url, "walled"), await openRoom(bob, server.url, "walled")];
  const { asked, talksBySocket } = watch(one);
  await write(one, "through");
  await shows(other, "through");
  await server.stop("SIGTERM");
  await other.locator("#connection:not([data-kind=connected])").waitFor();
  await write(one, "kept");
  server = await startServer({ cwd, port: server.port });
  await shows(one, "through", "kept");
  await write(other, "and back");
  await shows(one, "through", "kept", "and back");

  upgrades = true;
  await connected(one);
  await backOnline(one);
  await talksBySocket;
  await connected(one);
  asked.length = 0;
  await write(one, "by socket");
  await shows(other, "through", "kept", "and back", "by socket");
  assert.deepEqual(asked, []);
  await Promise.all([ann.close(), bob.close()]);
  await proxy.stop();
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("a browser's EventSource gets every message once, over a restart of the server", async () => {
  const cwd = await Deno.makeTempDir();
  let server = await startServer({ cwd });
  const ann = await newPerson(browser);
  const page = await ann.newPage();
  await page.goto(`${server.url}/docs`);
  await page.evaluate(() => {
    const heard: string[] = [];
    const source = new EventSource("/api/rooms/source/events");
    source.addEventListener("receive_message", ({ data }) => heard.push(JSON.parse(data).text));
    source.addEventListener("room_joined", ({ data }) => {
      const { recovered, messages } = JSON.parse(data);
      heard.push(recovered ? "recovered" : "joined", ...messages.map(({ text }: { text: string }) => text));
    });
    Object.assign(globalThis, { heard });
  });
  const heard = (...expected: string[]) =>
    page.waitForFunction(
      (expected) => JSON.stringify(Reflect.get(globalThis, "heard")) === JSON.stringify(expected),
      expected,
    ).catch(async () => assert.deepEqual(await page.evaluate(() => Reflect.get(globalThis, "heard")), expected));
  const say = async (text: string) => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ text });
    await (await fetch(`${server.url}/api/rooms/source/messages`, { method: "POST", headers, body })).text();
  };
  await heard("joined");
  await say("one");
  await heard("joined", "one");
  await server.stop();
  server = await startServer({ cwd, port: server.port });
  await say("two");
  await say("three");
  // It may reconnect before, between or after them. Each must come once and in order.
  await page.waitForFunction(() => Reflect.get(globalThis, "heard").includes("three"));
  const all: string[] = await page.evaluate(() => Reflect.get(globalThis, "heard"));
  assert.deepEqual(all.filter((text) => text !== "recovered"), ["joined", "one", "two", "three"]);
  assert.ok(all.includes("recovered"));
  await ann.close();
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("the page that describes the protocol is accessible, light or dark, wide or narrow", async () => {
  const server = await startServer();
  for (const options of [{}, { colorScheme: "dark", viewport: { width: 375, height: 700 } }] as const) {
    // The content security policy would block axe.
    const reader = await newPerson(browser, { ...options, bypassCSP: true });
    const page = await reader.newPage();
    await page.goto(`${server.url}/docs`);
    await page.addScriptTag({ content: axe.source });
    const violations = await page.evaluate(async () => (await Reflect.get(globalThis, "axe").run()).violations);
    assert.deepEqual(violations.map(({ id }: { id: string }) => id), []);
    await reader.close();
  }
  await server.stop();
});
