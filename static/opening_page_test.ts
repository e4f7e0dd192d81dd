/** Opening the page: what it has with it is a beginning, from which the room goes on without a hole and without a double. */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { RESUME_LIMIT } from "../chat/protocol.ts";
import { launchChromium } from "../testing/browser/chromium.ts";
import { connected, newPerson, openRoom, rename, shows, write } from "../testing/browser/page.ts";
import { lines, talk } from "../testing/browser/talk.ts";
import { Proxy } from "../testing/servers/proxy.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

const UNLIMITED = { MESSAGE_RATE: "0", NEWCOMERS_PER_MINUTE: "0", READS_PER_MINUTE: "0", CONNECTIONS_PER_IP: "0" };

let browser: Browser;
let server: RunningServer;

Deno.test.beforeAll(async () => {
  [browser, server] = await Promise.all([
    launchChromium(),
    startServer({ env: { DATABASE_URL: "memory:", ...UNLIMITED } }),
  ]);
});

Deno.test.afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Has somebody say `line 1` and so on in a room. @returns the texts */
async function fill(room: string, count: number, from = 1): Promise<string[]> {
  const texts = lines(from, from + count - 1);
  await talk(server.url, room, texts);
  return texts;
}

/** Keeps the sockets of a page from the server until they are let through. */
async function holdSockets(context: BrowserContext): Promise<() => void> {
  const { promise: isOpen, resolve: letThrough } = Promise.withResolvers<void>();
  await context.routeWebSocket("**/connect*", (socket) => isOpen.then(() => void socket.connectToServer()));
  return letThrough;
}

/** Opens a room without waiting for its connection. */
async function arrive(context: BrowserContext, room: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(`${server.url}/r/${room}`);
  return page;
}

Deno.test("the messages are there before anything but the page's own files was asked for", async () => {
  const said = await fill("early", 3);
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const asked: string[] = [];
  ann.on("request", (request) => asked.push(new URL(request.url()).pathname));
  const page = await arrive(ann, "early");
  await shows(page, ...said);
  assert.match(await page.locator("#me").innerText(), /^User \d+$/);
  assert.deepEqual(asked.filter((path) => !path.startsWith("/static/")), ["/r/early"]);
  assert.equal(await page.locator("#connection").getAttribute("data-kind"), "connecting");
  letThrough();
  await connected(page);
  await shows(page, ...said);
  await ann.close();
});

Deno.test("where the page's script is one file, the first paint shows the messages", async () => {
  await fill("paint", 3);
  const ann = await newPerson(browser);
  await ann.addInitScript(() => {
    // deno-lint-ignore no-explicit-any -- only the browser has them
    const { document, PerformanceObserver: Observer, seen } = Object.assign(globalThis as any, { seen: [] });
    new Observer(() => seen.push(document.querySelectorAll(".message .text").length)).observe({
      type: "paint",
      buffered: true,
    });
  });
  const page = await openRoom(ann, server.url, "paint");
  await page.waitForFunction("seen.length > 0");
  const isBuilt = Deno.env.has("BUILT_FILE");
  assert.equal(await page.locator("script[blocking=render]").count(), isBuilt ? 1 : 0);
  if (isBuilt) assert.deepEqual(await page.evaluate("[...new Set(seen)]"), [3]);
  await ann.close();
});

Deno.test("an empty room says so at once, and goes on saying so when the page connects", async () => {
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const page = await arrive(ann, "nobody-yet");
  await page.getByText("Nothing has been said here yet").waitFor();
  await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- only the browser has them
    const { document, MutationObserver: Observer, changes } = Object.assign(globalThis as any, { changes: [] });
    new Observer((list: unknown[]) => changes.push(...list)).observe(document.getElementById("empty"), {
      attributes: true,
    });
  });
  letThrough();
  await connected(page);
  assert.equal(await page.evaluate("changes.length"), 0);
  await write(page, "now something is");
  await page.locator("#empty").waitFor({ state: "hidden" });
  await ann.close();
});

Deno.test("nothing that is read moves when the page connects", async () => {
  await fill("still", 40);
  for (const options of [{}, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }]) {
    const ann = await newPerson(browser, options);
    const letThrough = await holdSockets(ann);
    const page = await arrive(ann, "still");
    await page.getByText("line 40", { exact: true }).waitFor();
    const places = () =>
      page.locator("#room bdi, .message:nth-last-child(-n + 5), #composer, #text").evaluateAll((elements) =>
        elements.map((element) => JSON.stringify(element.getBoundingClientRect()))
      );
    const before = await places();
    letThrough();
    await connected(page);
    assert.deepEqual(await places(), before);
    await ann.close();
  }
});

Deno.test("what is said between the page and its socket is shown once, and in its place", async () => {
  const before = await fill("between", 10);
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const page = await arrive(ann, "between");
  await shows(page, ...before);
  const meanwhile = await fill("between", 30, 11);
  letThrough();
  await shows(page, ...before, ...meanwhile);
  await ann.close();
});

Deno.test("a room that has gone on by more than a resume shows its newest messages, and says that some are missing", async () => {
  await fill("far", 5);
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const page = await arrive(ann, "far");
  await shows(page, "line 1", "line 2", "line 3", "line 4", "line 5");
  const meanwhile = await fill("far", RESUME_LIMIT + 1, 6);
  letThrough();
  await shows(page, ...meanwhile.slice(-50));
  assert.equal(await page.locator("#rows .missing").count(), 1);
  await ann.close();
});

Deno.test("a message written before the page is connected is sent once, and in its place", async () => {
  const said = await fill("hasty", 2);
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const page = await arrive(ann, "hasty");
  await shows(page, ...said);
  await write(page, "me first");
  await page.locator(".message.waiting", { hasText: "me first" }).waitFor();
  letThrough();
  await shows(page, ...said, "me first");
  await page.reload();
  await shows(page, ...said, "me first");
  assert.equal(await page.locator(".message.mine").count(), 1);
  await ann.close();
});

Deno.test("a second visit asks for the page and a socket, and for nothing else", async () => {
  const heads: string[] = [];
  const proxy = new Proxy(server.port, { request: (head) => (heads.push(head.split(" ", 2).join(" ")), head) });
  const ann = await newPerson(browser);
  const page = await openRoom(ann, proxy.url, "again");
  const name = await page.locator("#me").innerText();
  assert.ok(heads.some((head) => /^GET \/static\/[0-9a-f]{16}\/style\.css$/.test(head)), heads.join("\n"));
  await page.close();
  heads.length = 0;
  const second = await openRoom(ann, proxy.url, "again");
  assert.deepEqual(heads, ["GET /r/again", "GET /connect?room="]);
  assert.equal(await second.locator("#me").innerText(), name);
  await ann.close();
  await proxy.stop();
});

Deno.test("two tabs that open at once become one person", async () => {
  const ann = await newPerson(browser);
  const [one, other] = await Promise.all([openRoom(ann, server.url, "twins"), openRoom(ann, server.url, "twins")]);
  await write(one, "from one");
  await shows(other, "from one");
  for (const page of [one, other]) {
    await page.reload();
    await connected(page);
    await shows(page, "from one");
  }
  assert.equal(await one.locator("#me").innerText(), await other.locator("#me").innerText());
  await ann.close();
});

Deno.test("back and forward, the room goes on where it is now", async () => {
  const said = await fill("back", 5);
  const ann = await newPerson(browser);
  const page = await openRoom(ann, server.url, "back");
  await shows(page, ...said);
  for (let from = 6; from < 16; from += 5) {
    await page.goto(`${server.url}/docs`);
    said.push(...await fill("back", 5, from));
    await page.goBack();
    await connected(page);
    await shows(page, ...said);
  }
  await ann.close();
});

Deno.test("a page that was set aside goes on where the room is now", async () => {
  const said = await fill("aside", 5);
  const ann = await newPerson(browser);
  const page = await openRoom(ann, server.url, "aside");
  await shows(page, ...said);
  // The Chromium of the tests sets no page aside: these are the events by which others tell a page.
  await page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))");
  said.push(...await fill("aside", 5, 6));
  await page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
  await shows(page, ...said);
  await connected(page);
  await ann.close();
});

Deno.test("a page whose session has ended meanwhile becomes somebody else, and loses no message", async () => {
  const ann = await newPerson(browser);
  const letThrough = await holdSockets(ann);
  const said = await fill("ended", 3);
  const page = await arrive(ann, "ended");
  await shows(page, ...said);
  const name = await page.locator("#me").innerText();
  await write(page, "still mine");
  await ann.clearCookies();
  letThrough();
  await connected(page);
  await shows(page, ...said, "still mine");
  assert.notEqual(await page.locator("#me").innerText(), name);
  assert.equal(await page.locator(".message.mine").count(), 1);
  await ann.close();
});

Deno.test("no text that somebody writes leaves the data of the page", async () => {
  const ann = await newPerson(browser);
  const nasty = `</script><img src=x onerror="alert(1)"><!--<script>alert(2)</script> \u2028 </body> $&`;
  const one = await openRoom(ann, server.url, "nasty");
  await rename(one, "</script><b>x");
  await one.locator("#me", { hasText: "</script>" }).waitFor();
  await write(one, nasty);
  await shows(one, nasty);
  const bob = await newPerson(browser);
  const page = await openRoom(bob, server.url, "nasty");
  page.on("dialog", () => assert.fail("it ran"));
  await shows(page, nasty);
  assert.equal(await page.locator("img, #rows b").count(), 0);
  assert.equal(await page.locator("body > :not(dialog)").count(), await one.locator("body > :not(dialog)").count());
  await Promise.all([ann.close(), bob.close()]);
});
