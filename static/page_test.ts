/** The page as people use it: a real browser and a real server. */
import assert from "node:assert/strict";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { WebSocket as NodeWebSocket } from "ws";
import { launchChromium } from "../testing/chromium.ts";
import { connected, expectAccessible, newPerson, openRoom, rename, shows, texts, write } from "../testing/page.ts";
import { type RunningServer, startServer } from "../testing/server.ts";

const SECRET = "a secret of the tests, long enough";

let browser: Browser;
let server: RunningServer;

Deno.test.beforeAll(async () => {
  [browser, server] = await Promise.all([launchChromium(), start()]);
});

Deno.test.afterAll(async () => {
  await browser.close();
  await server.stop();
});

function start(options: { port?: number; cwd?: string; env?: Record<string, string> } = {}): Promise<RunningServer> {
  return startServer({ ...options, env: { SECRET, MESSAGE_RATE: "0", ...options.env } });
}

const person = (options?: BrowserContextOptions) => newPerson(browser, options);
const open = (context: BrowserContext, room: string, url = server.url) => openRoom(context, url, room);
const nameOf = (page: Page) => page.locator("#me").innerText();

/** Sends `count` short messages to a room. */
async function fill(room: string, count: number): Promise<void> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/connect?room=${room}`);
  const { promise, resolve } = Promise.withResolvers<void>();
  let kept = 0;
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.action === "receive_message") kept++;
    if (frame.action !== "receive_message" && frame.action !== "room_joined") return;
    if (kept === count) resolve();
    else socket.send(JSON.stringify({ action: "send_message", room, text: `line ${kept + 1}` }));
  };
  await promise;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
}

/** A script with another WebSocket client (npm:ws), which reconnects whenever its connection is lost. */
class ReturningScript {
  readonly #address: string;
  readonly #heard: string[] = [];
  #socket: NodeWebSocket;
  #joined = Promise.withResolvers<void>();
  #changed = () => {};
  #closing = false;

  constructor(url: string, room: string) {
    this.#address = `${url.replace("http", "ws")}/connect?room=${room}`;
    this.#socket = this.#connect();
  }

  /** Resolves once it is in its room again after a lost connection. */
  back(): Promise<void> {
    return this.#joined.promise;
  }

  say(text: string): void {
    const room = new URL(this.#address).searchParams.get("room");
    this.#socket.send(JSON.stringify({ action: "send_message", room, text }));
  }

  heard(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => this.#heard.includes(text) && resolve();
      this.#changed();
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => this.#socket.on("close", () => resolve()).close());
  }

  #connect(): NodeWebSocket {
    const socket = new NodeWebSocket(this.#address);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#closing) return;
      this.#joined = Promise.withResolvers();
      setTimeout(() => this.#socket = this.#connect(), 100);
    });
    socket.on("message", (data: Uint8Array) => {
      const frame = JSON.parse(String(data));
      if (frame.action === "receive_message") this.#heard.push(frame.text);
      if (frame.action === "room_joined") this.#joined.resolve();
      this.#changed();
    });
    return socket;
  }
}

Deno.test("every module that the page loads is preloaded", async () => {
  const ann = await person();
  const page = await ann.newPage();
  const loaded: string[] = [];
  page.on("request", (request) => request.resourceType() === "script" && loaded.push(new URL(request.url()).pathname));
  await page.goto(server.url);
  await connected(page);
  const announced = await page.locator("head script, head [rel=modulepreload]").evaluateAll((elements) =>
    elements.map((element) => element.getAttribute("src") ?? element.getAttribute("href"))
  );
  const imported = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => new URL(name).pathname).filter((path) =>
      /\.(ts|js)$/.test(path)
    )
  );
  assert.deepEqual(announced.toSorted(), [...new Set([...loaded, ...imported])].sort());
  await ann.close();
});

Deno.test("two people see each other's messages", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "hear"), open(bob, "hear")]);
  await write(one, "hello");
  await shows(other, "hello");
  await write(other, "hello yourself");
  await shows(one, "hello", "hello yourself");
  assert.equal(await one.locator(".mine").count(), 1);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("after a reload one's name and messages are still one's own", async () => {
  const ann = await person();
  const page = await open(ann, "reload");
  await rename(page, "Ann of reload");
  await page.locator("#me", { hasText: "Ann of reload" }).waitFor();
  await write(page, "mine");
  await shows(page, "mine");
  await page.reload();
  await shows(page, "mine");
  assert.equal(await nameOf(page), "Ann of reload");
  assert.equal(await page.locator(".mine").count(), 1);
  await ann.close();
});

Deno.test("two tabs are one person with one name", async () => {
  const ann = await person();
  const [one, other] = [await open(ann, "tabs"), await open(ann, "tabs")];
  await rename(one, "Ann of tabs");
  await other.locator("#me", { hasText: "Ann of tabs" }).waitFor();
  assert.equal(await one.locator("#people li").count(), 1);
  await write(one, "from one");
  await shows(other, "from one");
  assert.equal(await other.locator(".mine").count(), 1);
  await ann.close();
});

Deno.test("after a crash and restart of the server people go on without a reload, and no message is missing", async () => {
  const cwd = await Deno.makeTempDir();
  let own = await start({ cwd });
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "killed", own.url), open(bob, "killed", own.url)]);
  const script = new ReturningScript(own.url, "killed");
  await rename(one, "Ann of killed");
  await one.locator("#me", { hasText: "Ann of killed" }).waitFor();
  await write(one, "before");
  await shows(other, "before");
  await own.stop("SIGKILL");
  await one.locator("#status", { hasText: "Reconnecting" }).waitFor();
  own = await start({ cwd, port: own.port });
  await Promise.all([connected(one), connected(other), script.back()]);
  await write(other, "after");
  await shows(one, "before", "after");
  script.say("me too");
  await shows(one, "before", "after", "me too");
  await write(one, "yes");
  await shows(other, "before", "after", "me too", "yes");
  await script.heard("yes");
  assert.equal(await one.locator(".missing").count(), 0);
  assert.equal(await nameOf(one), "Ann of killed");
  await Promise.all([ann.close(), bob.close(), script.close()]);
  await own.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("a server that lost everything is used under the old name, and the page says that messages may be missing", async () => {
  const env = { DATABASE_URL: "memory:" };
  let own = await start({ env });
  const ann = await person();
  const page = await open(ann, "forgot", own.url);
  await rename(page, "Ann of forgot");
  await page.locator("#me", { hasText: "Ann of forgot" }).waitFor();
  await write(page, "before");
  await shows(page, "before");
  await own.stop("SIGKILL");
  own = await start({ env, port: own.port });
  await page.locator(".missing", { hasText: "may be missing" }).waitFor();
  await write(page, "after");
  await shows(page, "after");
  assert.equal(await nameOf(page), "Ann of forgot");
  await ann.close();
  await own.stop();
});

Deno.test("messages written while the server is down arrive once, in order, in both browsers, also after a reload", async () => {
  const cwd = await Deno.makeTempDir();
  let own = await start({ cwd });
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "away", own.url), open(bob, "away", own.url)]);
  await own.stop("SIGKILL");
  await Promise.all([one, other].map((page) => page.locator("#connection:not([data-kind=connected])").waitFor()));
  await write(one, "first");
  await write(one, "second");
  await one.locator("#hint", { hasText: "2 messages waiting" }).waitFor();
  // The page reloads before it can connect, so the messages that it shows must have survived the reload.
  await ann.route("**/api/session", (route) => route.abort());
  own = await start({ cwd, port: own.port });
  await one.reload();
  assert.deepEqual(await texts(one), ["first", "second"]);
  await write(one, "third");
  await ann.unroute("**/api/session");
  await shows(one, "first", "second", "third");
  await shows(other, "first", "second", "third");
  await own.stop("SIGKILL");
  await other.locator("#connection:not([data-kind=connected])").waitFor();
  await write(other, "fourth");
  own = await start({ cwd, port: own.port });
  await shows(one, "first", "second", "third", "fourth");
  await one.reload();
  await shows(one, "first", "second", "third", "fourth");
  await Promise.all([ann.close(), bob.close()]);
  await own.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("Enter sends, Shift+Enter breaks the line", async () => {
  const ann = await person();
  const page = await open(ann, "enter");
  await page.locator("#text").pressSequentially("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await shows(page, "one\ntwo");
  assert.equal(await page.locator("#text").inputValue(), "");
  await ann.close();
});

Deno.test("Enter inside an IME composition never sends", async () => {
  const ann = await person();
  const page = await open(ann, "composition");
  const devtools = await ann.newCDPSession(page);
  const enter = (windowsVirtualKeyCode: number) =>
    devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode });
  await page.locator("#text").focus();
  await devtools.send("Input.imeSetComposition", { text: "안녕", selectionStart: 2, selectionEnd: 2 });
  await enter(13);
  await devtools.send("Input.insertText", { text: "안녕" });
  // Safari reports the Enter that ended a composition after its end; only the key code tells.
  await enter(229);
  assert.equal(await page.locator("#text").inputValue(), "안녕");
  assert.deepEqual(await texts(page), []);
  await page.keyboard.press("Enter");
  await shows(page, "안녕");
  await ann.close();
});

Deno.test("only http and https become links, and they reveal nothing to the other site", async () => {
  const ann = await person();
  const page = await open(ann, "links");
  await write(page, "https://example.org/a main.ts javascript:alert(1)");
  await shows(page, "https://example.org/a main.ts javascript:alert(1)");
  const links = page.locator(".message a");
  assert.equal(await links.count(), 1);
  assert.equal(await links.getAttribute("href"), "https://example.org/a");
  assert.equal(await links.getAttribute("target"), "_blank");
  assert.match(await links.getAttribute("rel") ?? "", /noopener.*noreferrer/);
  await ann.close();
});

Deno.test("HTML in a message or a name is shown, never run", async () => {
  const html = "<img src=x onerror=alert(1)>";
  const ann = await person();
  const page = await open(ann, "html");
  page.on("dialog", () => assert.fail("it ran"));
  await rename(page, html);
  await page.locator("#me", { hasText: html }).waitFor();
  await write(page, `${html}<script>alert(2)</script>`);
  await shows(page, `${html}<script>alert(2)</script>`);
  assert.equal(await page.locator(".byline bdi").innerText(), html);
  assert.equal(await page.locator("img").count(), 0);
  await ann.close();
});

Deno.test("everyone sees an edit and a deletion, also after a reload", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "edit"), open(bob, "edit")]);
  await write(one, "frist");
  await write(one, "oops");
  await shows(other, "frist", "oops");
  await one.locator(".message").last().hover();
  await one.locator(".message").last().getByRole("button", { name: "Delete" }).click();
  await one.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await shows(other, "frist", "Message deleted");
  // With the keyboard only: arrow up in an empty field edits one's last message.
  await one.locator("#text").press("ArrowUp");
  await one.keyboard.press("ControlOrMeta+A");
  await one.keyboard.type("first");
  await one.keyboard.press("Enter");
  await shows(other, "first (edited)", "Message deleted");
  assert.equal(await one.evaluate(() => document.activeElement?.id), "text");
  await other.reload();
  await shows(other, "first (edited)", "Message deleted");
  const tools = await other.locator(".tools:not([hidden]) button").allInnerTexts();
  assert.deepEqual([...new Set(tools)], ["Mute"], "nobody can change someone else's message");
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("every message can be reached by keyboard, and one's own can be changed", async () => {
  const ann = await person();
  const page = await open(ann, "keyboard");
  await write(page, "older");
  await write(page, "newer");
  await shows(page, "older", "newer");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "log");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep it");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await shows(page, "Message deleted", "newer");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "text");
  await ann.close();
});

Deno.test("Escape cancels an edit", async () => {
  const ann = await person();
  const page = await open(ann, "escape");
  await write(page, "as it was");
  await shows(page, "as it was");
  await page.locator("#text").press("ArrowUp");
  await page.keyboard.type(" not");
  await page.keyboard.press("Escape");
  await shows(page, "as it was");
  await ann.close();
});

Deno.test("a refused message stays, says why, and is sent when its author tries again", async () => {
  const ann = await person();
  const page = await ann.newPage();
  let refusing = true;
  await page.routeWebSocket(/\/connect/, (socket) => {
    const real = socket.connectToServer();
    socket.onMessage((data) => {
      const { action, room, id } = JSON.parse(String(data));
      if (!refusing || action !== "send_message") return real.send(data);
      socket.send(JSON.stringify({ action: "error", code: "forbidden", message: "No.", room, id }));
    });
  });
  await page.goto(`${server.url}/r/refused`);
  await write(page, "let me in");
  await page.locator(".trouble", { hasText: "Not sent." }).waitFor();
  refusing = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await shows(page, "let me in");
  await page.reload();
  await shows(page, "let me in");
  await ann.close();
});

Deno.test("scrolling up loads older messages and keeps the place", async () => {
  await fill("history", 120);
  const ann = await person({ viewport: { width: 900, height: 600 } });
  const page = await open(ann, "history");
  await page.getByText("line 120", { exact: true }).waitFor();
  assert.equal(await page.locator(".message").count(), 50);
  const first = page.getByText("line 71", { exact: true });
  await page.locator("#log").evaluate((log) => log.scrollTop = 300);
  const before = await first.evaluate((line) => line.getBoundingClientRect().top);
  await page.getByText("line 21", { exact: true }).waitFor({ state: "attached" });
  const after = await first.evaluate((line) => line.getBoundingClientRect().top);
  assert.ok(Math.abs(after - before) < 2, `moved from ${before} to ${after}`);
  await page.locator("#log").evaluate((log) => log.scrollTop = 0);
  await page.getByText("line 1", { exact: true }).waitFor({ state: "attached" });
  await page.getByText("The beginning of history").waitFor({ state: "attached" });
  const numbers = (await texts(page)).map((text) => Number(text.slice("line ".length)));
  assert.deepEqual(numbers, Array.from({ length: 120 }, (_, index) => index + 1));
  await ann.close();
});

Deno.test("older messages that failed to load can be loaded again by hand", async () => {
  await fill("stubborn", 60);
  const ann = await person({ viewport: { width: 900, height: 600 } });
  await ann.route("**/messages?*", (route) => route.abort());
  const page = await open(ann, "stubborn");
  await page.locator("#log").evaluate((log) => log.scrollTop = 0);
  await page.getByText("could not be loaded").waitFor();
  await ann.unroute("**/messages?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByText("line 1", { exact: true }).waitFor({ state: "attached" });
  await ann.close();
});

Deno.test("a reader further up stays there, and sees how many messages are new", async () => {
  await fill("reading", 40);
  const [ann, bob] = await Promise.all([person({ viewport: { width: 900, height: 500 } }), person()]);
  const [one, other] = await Promise.all([open(ann, "reading"), open(bob, "reading")]);
  await one.getByText("line 40", { exact: true }).waitFor();
  await one.locator("#log").evaluate((log) => log.scrollTop = 100);
  await one.locator("#to-latest").waitFor();
  const place = await one.locator("#log").evaluate((log) => log.scrollTop);
  await write(other, "news");
  await one.getByRole("button", { name: "1 new message" }).click();
  assert.ok(place < await one.locator("#log").evaluate((log) => log.scrollTop));
  assert.ok(await one.getByText("news").isVisible());
  await one.locator("#to-latest").waitFor({ state: "hidden" });
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("people change rooms by name, and back and forward work", async () => {
  const ann = await person();
  const page = await open(ann, "first-room");
  await write(page, "in the first");
  await shows(page, "in the first");
  await page.locator("#room").click();
  await page.locator("dialog[open] input").fill("no such room!");
  await page.keyboard.press("Enter");
  await page.locator("dialog[open] [role=alert]", { hasText: "1 to 64" }).waitFor();
  await page.locator("dialog[open] input").fill("Second Room");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/r/second-room");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "text", "and one can write at once");
  await write(page, "in the second");
  await shows(page, "in the second");
  // Within the same event: text typed into a field of the other room would be lost.
  const shownAtOnce = await page.evaluate(() => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    addEventListener("popstate", () => resolve(document.querySelector<HTMLElement>("#room bdi")?.innerText), {
      once: true,
    });
    history.back();
    return promise;
  });
  assert.equal(shownAtOnce, "first-room");
  await shows(page, "in the first");
  await page.goForward();
  await shows(page, "in the second");
  assert.match(await page.title(), /^second-room/);
  await ann.close();
});

Deno.test("a message's buttons never cover its text", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "cover"), open(bob, "cover")]);
  await write(one, "w".repeat(300));
  await shows(other, "w".repeat(300));
  for (const page of [one, other]) {
    await page.locator(".message .text").hover();
    const [text, tools] = await Promise.all([
      page.locator(".message .text").boundingBox(),
      page.locator(".message .tools").boundingBox(),
    ]);
    assert.ok(text && tools && tools.x >= text.x + text.width);
  }
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("on a phone the longest names of rooms and people push nothing off the screen", async () => {
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "x".repeat(64));
  await rename(page, "W".repeat(32));
  await page.locator("#me", { hasText: "W" }).waitFor();
  await write(page, "hello");
  await page.locator("#top p").waitFor();
  const wide = await page.locator("header *, #top *, #rows *, #composer *").evaluateAll((elements) =>
    elements.filter((element) => element.getBoundingClientRect().right > innerWidth).map(({ outerHTML }) => outerHTML)
  );
  assert.deepEqual(wide, []);
  await ann.close();
});

Deno.test("an address with an impossible room name says so, and shows no room and no link to copy", async () => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${server.url}/r/no%20room`);
  await page.locator("#problem h1").waitFor();
  assert.deepEqual(await page.locator("header").innerText(), "Parley");
  await page.getByRole("button", { name: "Go to general" }).click();
  await connected(page);
  assert.equal(await page.locator("#room").innerText(), "general");
  await ann.close();
});

Deno.test("a taken name is explained beside the field", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "taken"), open(bob, "taken")]);
  await rename(one, "Only One");
  await one.locator("#me", { hasText: "Only One" }).waitFor();
  await rename(other, "only one");
  await other.locator("dialog[open] [role=alert]", { hasText: "Someone else has this name" }).waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("others see that someone is typing", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "writing"), open(bob, "writing")]);
  await one.locator("#text").pressSequentially("hm");
  await other.locator("#hint", { hasText: `${await nameOf(one)} is typing…` }).waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a Korean browser shows the page in Korean", async () => {
  const ann = await person({ locale: "ko-KR" });
  const page = await open(ann, "섬여행");
  assert.equal(await page.locator("html").getAttribute("lang"), "ko");
  assert.equal(await page.locator("#status").innerText(), "연결됨");
  assert.equal(await page.locator("#text").getAttribute("placeholder"), "메시지를 입력하세요");
  assert.match(await page.title(), /^섬여행/);
  await ann.close();
});

Deno.test("the page fits a phone", async () => {
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "phone");
  await write(page, "w".repeat(300));
  await page.locator("#send").tap();
  await shows(page, "w".repeat(300));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  for (const id of ["send", "room", "me", "show-people"]) {
    const box = await page.locator(`#${id}`).boundingBox();
    assert.ok(box && box.height >= 44, `#${id} is too low for a finger`);
  }
  await ann.close();
});

for (
  const [look, options] of Object.entries<BrowserContextOptions>({
    "in light": { colorScheme: "light" },
    "in dark": { colorScheme: "dark" },
    "on a phone": { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true },
  })
) {
  Deno.test(`the page, its dialogs and its messages are accessible, ${look}`, async () => {
    const ann = await person(options);
    const page = await open(ann, `axe-${look.replaceAll(" ", "-")}`);
    await expectAccessible(page, "an empty room");
    await write(page, "hello https://example.org/");
    await shows(page, "hello https://example.org/");
    await expectAccessible(page, "a message");
    for (const opener of ["#room", "#me", "#show-people"]) {
      if (!await page.locator(opener).isVisible()) continue;
      await page.locator(opener).click();
      await expectAccessible(page, `the dialog of ${opener}`);
      await page.keyboard.press("Escape");
    }
    await page.locator("#text").press("ArrowUp");
    await expectAccessible(page, "a message being edited");
    await page.keyboard.press("Escape");
    await page.locator(".message .content").click();
    await page.locator(".tools").getByRole("button", { name: "Delete" }).click();
    await expectAccessible(page, "a message about to be deleted");
    await ann.close();
  });
}
