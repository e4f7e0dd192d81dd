/** Reactions to messages: giving them, taking them back, and who gave them, on a real page. */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { until } from "../testing/until.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";
const server = servePage({ ADMIN_TOKEN, NEWCOMERS_PER_MINUTE: "0" });
const { person, open } = server;

/** The chips of the last message: what a screen reader says of each, and whether it is pressed. */
function chips(page: Page): Promise<string[]> {
  return page.locator(".message").last().locator(".chip").evaluateAll((all) =>
    all.map((chip) => `${chip.ariaLabel}${chip.ariaPressed === "true" ? " *" : ""}`)
  );
}

async function haveChips(expected: string[], ...pages: Page[]): Promise<void> {
  for (const page of pages) {
    await until(async () => JSON.stringify(await chips(page)) === JSON.stringify(expected))
      .catch(async () => assert.deepEqual(await chips(page), expected));
  }
}

/** What its browser sends as its person. */
async function act(context: BrowserContext, frame: Record<string, unknown>): Promise<void> {
  const response = await context.request.post(`${server.url}/api/actions`, { data: frame });
  assert.ok(response.ok(), await response.text());
}

const focused = (page: Page) =>
  page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.className ?? "");

Deno.test("a reaction is given and taken back by mouse and by keyboard, in all tabs, and goes with its message", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other, tab] = [await open(ann, "given"), await open(bob, "given"), await open(ann, "given")];
  await write(one, "shall we?");
  await shows(one, "shall we?");
  await shows(other, "shall we?");
  await haveChips([], one, other);
  await other.locator(".message").hover();
  await other.getByRole("button", { name: "React" }).click();
  await other.locator(".offer").getByText("🎉").click();
  assert.equal(await other.locator(".offer").count(), 0);
  await haveChips(["🎉, 1 person"], one, tab);
  await haveChips(["🎉, 1 person, you *"], other);
  // By keyboard: the message, its chips, those at hand.
  await one.bringToFront();
  await one.keyboard.press("Shift+Tab");
  await one.keyboard.press("Shift+Tab");
  await one.keyboard.press("ArrowRight");
  await one.keyboard.press("ArrowRight");
  assert.equal(await focused(one), "🎉, 1 person");
  await one.keyboard.press("Enter");
  await haveChips(["🎉, 2 people, you are one of them *"], one, tab);
  await haveChips(["🎉, 2 people, you are one of them *"], other);
  await one.keyboard.press("ArrowLeft");
  await one.keyboard.press("ArrowLeft");
  await one.keyboard.press("+");
  await one.locator(".offer button").first().waitFor();
  await one.keyboard.press("ArrowRight");
  await one.keyboard.press("Enter");
  await haveChips(["🎉, 2 people, you are one of them *", "❤️, 1 person, you *"], one, tab);
  assert.match(await focused(one), /^message/, "the message has the focus again");
  await expectAccessible(one, "reactions");
  // The other tab of the same person takes one back.
  await tab.bringToFront();
  await tab.locator(".chip").first().click();
  await haveChips(["🎉, 1 person", "❤️, 1 person, you *"], one, tab);
  await tab.reload();
  await haveChips(["🎉, 1 person", "❤️, 1 person, you *"], tab);
  // A focused chip that goes leaves the focus with its message.
  await one.bringToFront();
  await one.locator(".chip").last().focus();
  await one.keyboard.press("Enter");
  await haveChips(["🎉, 1 person"], one, tab);
  assert.match(await focused(one), /^message/);
  await one.keyboard.press("+");
  await one.keyboard.press("Escape");
  assert.match(await focused(one), /^message/);
  await one.locator(".message").hover();
  await one.getByRole("button", { name: "Delete" }).click();
  await one.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await shows(other, "Message deleted");
  assert.equal(await other.locator(".chip:visible").count(), 0);
  await other.locator(".message").hover();
  assert.equal(await other.getByRole("button", { name: "React" }).count(), 0);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a refused reaction is undone with a reason, and of several taps the last one holds", async () => {
  const ann = await person();
  let refusing = true;
  const asked: boolean[] = [];
  await ann.routeWebSocket(/\/connect/, (socket) => {
    const real = socket.connectToServer();
    socket.onMessage((data) => {
      const { action, room, id, on } = JSON.parse(String(data));
      if (action === "react") asked.push(on);
      if (!refusing || action !== "react") return real.send(data);
      socket.send(JSON.stringify({ action: "error", code: "too_many_reactions", message: "No.", room, id }));
    });
  });
  const page = await open(ann, "refused");
  await write(page, "hello");
  await shows(page, "hello");
  await page.locator(".message").hover();
  await page.getByRole("button", { name: "React" }).click();
  await page.locator(".offer button").first().click();
  await page.getByText("Your reaction was not kept. This message has enough different reactions.").waitFor();
  await haveChips([], page);
  refusing = false;
  await page.locator(".message").hover();
  await page.getByRole("button", { name: "React" }).click();
  await page.locator(".offer button").first().click();
  await haveChips(["👍, 1 person, you *"], page);
  await page.evaluate(() => {
    const tap = () => document.querySelector<HTMLElement>(".chip")?.click();
    for (let count = 0; count < 6; count++) tap();
  });
  await until(() => asked.at(-1) === false || asked.length > 2);
  await page.reload();
  await page.locator(".message").waitFor();
  await haveChips(asked.at(-1) ? ["👍, 1 person, you *"] : [], page);
  await ann.close();
});

Deno.test("a picker finds every emoji in English and in Korean, and remembers what was given", async () => {
  const [ann, minsu] = await Promise.all([person(), person({ locale: "ko-KR" })]);
  const [one, other] = await Promise.all([open(ann, "picker"), open(minsu, "picker")]);
  await write(one, "hungry?");
  await Promise.all([shows(one, "hungry?"), shows(other, "hungry?")]);
  for (
    const [page, react, more, word] of [[one, "React", "More emoji", "pizza"], [
      other,
      "반응하기",
      "이모지 더 보기",
      "ㅍㅈ",
    ]] as const
  ) {
    await page.bringToFront();
    await page.locator(".message").hover();
    await page.getByRole("button", { name: react }).click();
    await page.getByRole("button", { name: more }).click();
    await page.locator(".grid button").nth(100).waitFor();
    await page.keyboard.type(word);
    await page.locator(".grid button:first-child", { hasText: "🍕" }).waitFor();
    await expectAccessible(page, "picker");
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
  }
  await haveChips(["🍕, 2 people, you are one of them *"], one);
  await haveChips(["🍕, 2명, 나도 눌렀어요 *"], other);
  // Arrow keys over all of them, a skin tone, and Escape.
  await one.bringToFront();
  await one.locator(".message").hover();
  await one.getByRole("button", { name: "React" }).click();
  assert.equal(await one.locator(".offer button").first().innerText(), "🍕");
  await one.getByRole("button", { name: "More emoji" }).click();
  await one.getByRole("button", { name: "Medium-dark" }).click();
  await one.getByRole("searchbox").fill("waving hand");
  await one.keyboard.press("ArrowDown");
  assert.equal(await focused(one), "waving hand");
  await one.keyboard.press("Enter");
  await haveChips(["🍕, 2 people, you are one of them *", "👋🏾, 1 person, you *"], one);
  await Promise.all([ann.close(), minsu.close()]);
});

Deno.test("who gave a reaction is told beside it, and everybody in a list, oneself first", async () => {
  const [ann, bob, eve] = await Promise.all([person(), person(), person()]);
  const [one, other] = await Promise.all([open(ann, "who"), open(bob, "who")]);
  await rename(one, "Ann of who");
  await rename(other, "Bob of who");
  const away = await open(eve, "who");
  await rename(away, "Eve of who");
  await write(one, "who?");
  await shows(other, "who?");
  await act(eve, { action: "react", room: "who", target: 1, emoji: "👍", on: true });
  await away.close();
  await one.locator(".chip").waitFor();
  await act(bob, { action: "react", room: "who", target: 1, emoji: "👍", on: true });
  await one.locator(".chip").click();
  await haveChips(["👍, 3 people, you are one of them *"], one);
  await one.mouse.move(5, 5);
  await one.locator(".chip").hover();
  const hint = one.getByRole("tooltip");
  await hint.waitFor();
  await until(async () => /^👍 You, .* of who and .* of who$/.test(await hint.innerText()));
  await one.mouse.move(5, 5);
  await hint.waitFor({ state: "detached" });
  await one.locator(".chip").click({ button: "right" });
  await until(async () => (await one.locator(".reacted li").count()) === 3);
  assert.equal(await one.locator(".reacted li").first().innerText(), "You");
  await expectAccessible(one, "who");
  await Promise.all([ann.close(), bob.close(), eve.close()]);
});

Deno.test("a long press offers reactions, or lists who gave one; on words it selects them as ever", async () => {
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "press");
  await write(page, "short");
  await shows(page, "short");
  await page.waitForFunction(() =>
    performance.getEntriesByType("resource").some(({ name }) => /long_press/.test(name))
  );
  const devtools = await ann.newCDPSession(page);
  const press = async (x: number, y: number) => {
    await devtools.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [{ x, y }] });
    return () => devtools.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
  };
  const text = (await page.locator(".message .text").boundingBox())!;
  const lift = await press(text.x + text.width - 20, text.y + text.height / 2);
  await page.locator(".offer").waitFor();
  await lift();
  await page.locator(".offer button").first().tap();
  await haveChips(["👍, 1 person, you *"], page);
  const chip = (await page.locator(".chip").boundingBox())!;
  const liftChip = await press(chip.x + chip.width / 2, chip.y + chip.height / 2);
  await page.locator(".reacted li").waitFor();
  await liftChip();
  await page.getByRole("button", { name: "Close" }).tap();
  await haveChips(["👍, 1 person, you *"], page);
  // A phone's browser selects a word, which headless Chromium does not do by itself.
  const liftText = await press(text.x + 10, text.y + text.height / 2);
  await page.evaluate(async () => {
    getSelection()!.selectAllChildren(document.querySelector(".message .text")!);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
  });
  assert.equal(await page.locator(".offer").count(), 0);
  await liftText();
  await ann.close();
});

Deno.test("in a locked room one takes one's own off, and nobody is offered to give one", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "locked"), open(bob, "locked")]);
  await write(one, "that was it");
  await Promise.all([shows(one, "that was it"), shows(other, "that was it")]);
  await act(ann, { action: "react", room: "locked", target: 1, emoji: "👍", on: true });
  await act(bob, { action: "react", room: "locked", target: 1, emoji: "🎉", on: true });
  await haveChips(["👍, 1 person, you *", "🎉, 1 person"], one);
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" };
  const patched = await fetch(`${server.url}/api/rooms/locked`, { method: "PATCH", headers, body: '{"locked":true}' });
  assert.equal(patched.status, 200, await patched.text());
  await one.locator("#text:disabled").waitFor();
  await one.locator(".message").hover();
  assert.equal(await one.locator(".react:visible").count(), 0);
  await one.locator(".message").focus();
  await one.keyboard.press("+");
  await one.locator(".chip").last().click({ force: true });
  await one.locator(".chip").first().click();
  await haveChips(["🎉, 1 person"], one);
  await haveChips(["🎉, 1 person, you *"], other);
  assert.equal(await one.locator(".chip").getAttribute("aria-disabled"), "true");
  assert.equal(await one.locator(".offer").count(), 0);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("while a crowd reacts nothing moves under a reader, and nothing but the chips changes", async () => {
  const ann = await person({ viewport: { width: 700, height: 500 } });
  const page = await open(ann, "crowd");
  for (let count = 1; count <= 30; count++) {
    await act(ann, { action: "send_message", room: "crowd", text: `line ${count}` });
  }
  await page.locator(".message .text", { hasText: "line 30" }).waitFor();
  const tokens = await Promise.all(Array.from({ length: 40 }, async () => {
    const response = await fetch(`${server.url}/api/session`, { method: "POST" });
    return (await response.json()).token as string;
  }));
  const crowdReacts = (target: number) =>
    Promise.all(tokens.map(async (token, at) => {
      const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
      const frame = { action: "react", room: "crowd", target, emoji: ["👍", "🎉", "🔥"][at % 3], on: true };
      const response = await fetch(`${server.url}/api/actions`, {
        method: "POST",
        headers,
        body: JSON.stringify(frame),
      });
      assert.ok(response.ok, await response.text());
    }));
  const told = (line: number) => page.locator(".message", { hasText: new RegExp(`line ${line}\\b`) }).locator(".chip");
  const left = () => page.locator("#log").evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  await crowdReacts(30);
  await told(30).getByText("13").last().waitFor();
  assert.ok(await left() < 2, "whoever is at the end stays there");
  await page.locator("#log").evaluate((log) => log.scrollBy(0, -250));
  await until(async () => await left() > 200);
  // A message above the reader grows.
  const seen = () =>
    page.locator(".message").evaluateAll((all) => {
      const { top, bottom } = document.getElementById("log")!.getBoundingClientRect();
      const shown = all.filter((row) =>
        row.getBoundingClientRect().bottom > top && row.getBoundingClientRect().top < bottom
      );
      return shown.map((row) => ({
        line: Number(row.querySelector(".text")!.textContent!.split(" ")[1]),
        top: Math.round(row.getBoundingClientRect().top),
      }));
    });
  const before = await seen();
  await page.evaluate(() => {
    const changed = ((globalThis as unknown as { changed: string[] }).changed = [] as string[]);
    new MutationObserver((all) => {
      for (const { target } of all) {
        const element = target instanceof Element ? target : target.parentElement;
        if (element && !element.closest(".reactions, .content")) changed.push(element.outerHTML.slice(0, 200));
      }
    }).observe(document.getElementById("rows")!, {
      subtree: true,
      childList: true,
      characterData: true,
      attributes: true,
    });
  });
  const above = before[0].line - 2;
  await crowdReacts(above);
  await told(above).getByText("13").last().waitFor();
  const after = await seen();
  const still = before.slice(1).map(({ line, top }) => [line, top, after.find((one) => one.line === line)?.top]);
  assert.deepEqual(still.map(([line, , top]) => [line, top]), still.map(([line, top]) => [line, top]));
  assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { changed: string[] }).changed), []);
  assert.equal(await page.locator(".reactions").first().getAttribute("aria-live"), "off");
  await ann.close();
});
