/** Answering messages, and finding one's way between an answer and what it answers, on a real page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { settled, until } from "../testing/browser/log.ts";
import { connected, expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { person, open } = server;

/** The message itself, and none that quotes it. */
const line = (page: Page, number: number) =>
  page.locator(".message .text", { hasText: new RegExp(`^line ${number}$`) });

const message = (page: Page, text: string | RegExp) =>
  page.locator(".message", { has: page.locator(".content > .text", { hasText: text }) }).last();
const quote = (page: Page, text: string) => message(page, text).locator(".content > .quote");
const count = (page: Page, text: string | RegExp) => message(page, text).locator(".count");
const bar = (page: Page) => page.locator("#answering");
const quotes = (page: Page, text: string, expected: RegExp) =>
  quote(page, text).and(page.getByRole("button", { name: expected })).waitFor();

/** Has someone without a page answer a message with each of these. */
async function answer(room: string, reply_to: number, texts: readonly string[]): Promise<void> {
  const headers = { "content-type": "application/json" };
  for (const text of texts) {
    const body = JSON.stringify({ action: "send_message", room, text, reply_to });
    const response = await fetch(`${server.url}/api/actions`, { method: "POST", headers, body });
    assert.equal(response.status, 200, await response.text());
  }
}

Deno.test("one answers with the mouse or by keyboard, and everyone sees what, as it is now", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "answers"), open(bob, "answers")]);
  await rename(one, "Ann");
  await write(one, "**Shall** we\ngo?");
  await message(other, "go?").hover();
  await message(other, "go?").getByRole("button", { name: "Answer" }).click();
  await bar(other).getByRole("button", { name: /^Answer to Ann.*Shall we go\?$/ }).waitFor();
  assert.equal(await other.evaluate(() => document.activeElement?.id), "text");
  // Escape leaves the words and answers nothing.
  await other.keyboard.type("I am in");
  await other.keyboard.press("Escape");
  assert.equal(await bar(other).isVisible(), false);
  assert.equal(await other.locator("#text").inputValue(), "I am in");
  await other.locator("#text").fill("");
  await other.keyboard.press("Shift+Tab");
  await other.keyboard.press("Shift+Tab");
  await other.keyboard.press("Enter");
  await bar(other).waitFor();
  await other.keyboard.type("I am in");
  // It is a draft of its room, also over a reload.
  await other.goto(`${server.url}/r/elsewhere`);
  await connected(other);
  assert.equal(await bar(other).isVisible(), false);
  await other.goBack();
  await connected(other);
  await other.reload();
  await connected(other);
  assert.match(await bar(other).innerText(), /Shall we go\?$/);
  await other.locator("#text").press("Enter");
  await quotes(one, "I am in", /^In answer to Ann: Shall we go\?$/);
  assert.equal(await bar(other).isVisible(), false);
  assert.equal(await count(one, "go?").innerText(), "1 answer");
  assert.equal(await one.locator(".mentions-me .text").innerText(), "I am in", "who is answered is mentioned");
  await one.locator("#text").press("ArrowUp");
  await one.keyboard.press("ControlOrMeta+A");
  await one.keyboard.type("Shall we stay?");
  await one.keyboard.press("Enter");
  await quotes(other, "I am in", /: Shall we stay\?$/);
  await message(one, "stay?").hover();
  await message(one, "stay?").getByRole("button", { name: "Delete" }).click();
  await one.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await quotes(other, "I am in", /^In answer to Ann: a deleted message$/);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("an answer whose message was deleted meanwhile stays with its author, who can send it plain", async () => {
  const ann = await person();
  const page = await open(ann, "lost");
  await write(page, "first");
  await shows(page, "first");
  await message(page, "first").focus();
  await page.keyboard.press("Enter");
  await page.keyboard.type("second");
  const { url } = server;
  const gone = await page.evaluate(async (url) => {
    const body = JSON.stringify({ action: "delete_message", room: "lost", target: 1, id: "gone" });
    const headers = { "content-type": "application/json" };
    return (await fetch(`${url}/api/actions`, { method: "POST", headers, body })).status;
  }, url);
  assert.equal(gone, 200);
  await page.locator(".deleted").waitFor();
  assert.match(await bar(page).innerText(), /a deleted message$/);
  await page.keyboard.press("Enter");
  await page.locator(".trouble", { hasText: "Not sent. The message that it answers has been deleted." }).waitFor();
  await page.getByRole("button", { name: "Send without the quote" }).click();
  await shows(page, "Message deleted", "second");
  await quote(page, "second").waitFor({ state: "hidden" });
  await page.reload();
  await shows(page, "Message deleted", "second");
  await ann.close();
});

Deno.test("a quote leads to its message, however far away, and back again", async () => {
  await talk(server.url, "far", lines(1, 400));
  await answer("far", 20, ["an old question"]);
  const ann = await person({ viewport: { width: 1100, height: 600 } });
  const page = await open(ann, "far");
  await quotes(page, "an old question", /: line 20$/);
  const inView = async (text: string) =>
    await until(page, message(page, text).locator(".content > .text"), () => settled(page));
  await quote(page, "an old question").click();
  await page.locator(".linked .text", { hasText: /^line 20$/ }).waitFor();
  await until(page, line(page, 20), () => settled(page));
  assert.equal(await page.locator(".message:focus .content > .text").innerText(), "line 20", "keys go on from there");
  await page.keyboard.press("ArrowDown");
  assert.equal(await page.locator(".message:focus .content > .text").innerText(), "line 21");
  await page.getByRole("button", { name: "Back to where you were" }).click();
  await page.locator(".linked", { hasText: "an old question" }).waitFor();
  await inView("an old question");
  assert.equal(await page.locator("#back-to-answer").isVisible(), false);
  // Whoever turns round before the place has come stays.
  const held = Promise.withResolvers<void>();
  await page.route(/messages\?before=45/, async (route) => {
    await held.promise;
    await route.continue();
  });
  const asked = page.waitForRequest(/messages\?before=45/);
  await page.goForward();
  await asked;
  await page.goBack();
  const came = page.waitForResponse(/messages\?before=45/);
  held.resolve();
  await came;
  await settled(page);
  await inView("an old question");
  await page.unroute(/messages\?before=45/);
  await page.goForward();
  await until(page, line(page, 20), () => settled(page));
  await page.goBack();
  await inView("an old question");
  assert.equal(new URL(page.url()).pathname, "/r/far");
  // What one sees anyway is only pointed at: nothing moves, and there is nothing to come back from.
  await answer("far", 400, ["a new question"]);
  await quote(page, "a new question").click();
  await page.locator(".linked", { hasText: "line 400" }).waitFor();
  assert.equal(await page.locator("#back-to-answer").isVisible(), false);
  await ann.close();
});

Deno.test("few answers unfold below their message, many have a view of their own; both go on as answers come", async () => {
  await talk(server.url, "threads", ["short", "long"]);
  await answer("threads", 1, ["one", "two"]);
  await answer("threads", 2, lines(1, 60));
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${server.url}/r/threads#1`);
  await connected(page);
  const short = message(page, /^short$/);
  assert.equal(await count(page, /^short$/).innerText(), "2 answers");
  await count(page, /^short$/).click();
  const unfolded = short.locator(".thread .line");
  await unfolded.nth(1).waitFor();
  assert.deepEqual(await unfolded.allInnerTexts(), ["one", "two"]);
  assert.equal(await short.locator(".count").getAttribute("aria-expanded"), "true");
  await answer("threads", 1, ["three"]);
  await unfolded.nth(2).waitFor();
  await short.locator(".count").click();
  await unfolded.first().waitFor({ state: "detached" });
  await short.locator(".count").click();
  await unfolded.nth(2).waitFor();
  await message(page, /^short$/).focus();
  await page.keyboard.press("Enter");
  await expectAccessible(page, "a thread, and an answer that is begun");
  await page.keyboard.press("Escape");
  const opener = message(page, /^long$/).locator(".count");
  assert.equal(await opener.innerText(), "60 answers");
  await opener.click();
  const dialog = page.locator("dialog[open]");
  const answers = dialog.locator(".thread .text");
  await answers.nth(49).waitFor();
  assert.equal(await dialog.locator(".answered .text").innerText(), "long");
  await expectAccessible(page, "all answers");
  await answers.nth(49).scrollIntoViewIfNeeded();
  await answers.nth(59).waitFor();
  await answer("threads", 2, ["line 61"]);
  await answers.nth(60).waitFor();
  assert.deepEqual(await answers.allInnerTexts(), lines(1, 61));
  assert.equal(await dialog.locator("h2").innerText(), "61 answers");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate(() => document.activeElement?.className), "count", "the focus comes back");
  await page.keyboard.press("Enter");
  await dialog.getByRole("button", { name: "Answer", exact: true }).click();
  await bar(page).getByText("long").waitFor();
  await page.keyboard.type("mine");
  await page.keyboard.press("Enter");
  await quotes(page, "mine", /: long$/);
  await ann.close();
});

Deno.test("at the end of a room a thread unfolds where it is, and a begun answer that comes back leaves the end in view", async () => {
  await talk(server.url, "end", lines(1, 40));
  await answer("end", 35, ["one", "two", "three"]);
  const ann = await person({ viewport: { width: 1100, height: 600 } });
  const page = await open(ann, "end");
  const left = () => page.locator("#log").evaluate((log) => log.scrollHeight - log.clientHeight - log.scrollTop);
  const opener = count(page, /^line 35$/);
  await opener.waitFor();
  await message(page, "three").focus();
  await page.keyboard.press("Enter");
  await bar(page).waitFor();
  await page.reload();
  await connected(page);
  await bar(page).getByText("three").waitFor();
  await settled(page);
  assert.ok(await left() < 2, "the end is in view");
  assert.equal(await page.locator("#to-latest").isVisible(), false);
  const before = (await opener.boundingBox())!.y;
  await opener.click();
  await message(page, /^line 35$/).locator(".thread .line").nth(2).waitFor();
  await settled(page);
  assert.equal((await opener.boundingBox())!.y, before);
  await opener.click();
  await message(page, /^line 35$/).locator(".thread").waitFor({ state: "detached" });
  await settled(page);
  assert.equal((await opener.boundingBox())!.y, before);
  await answer("end", 40, ["four"]);
  await quotes(page, "four", /: line 40$/);
  await settled(page);
  assert.ok(await left() < 2, "and new messages are followed again");
  await ann.close();
});

Deno.test("on a phone one answers by drawing a message aside; up and down still scrolls", async () => {
  await talk(server.url, "swipe", lines(1, 30));
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "swipe");
  await page.waitForFunction(() =>
    performance.getEntriesByName(new URL("static/views/swipe.ts", location.origin).href)
          .length + performance.getEntriesByType("resource").filter(({ name }) => name.includes("swipe")).length > 0
  );
  const devtools = await ann.newCDPSession(page);
  const touch = async (type: string, at: [number, number] | null) => {
    await devtools.send("Input.dispatchTouchEvent", {
      type: type as "touchStart",
      touchPoints: at ? [{ x: at[0], y: at[1] }] : [],
    });
  };
  const draw = async (right: number, down: number) => {
    const box = (await line(page, 28).boundingBox())!;
    const [x, y] = [box.x + 60, box.y + box.height / 2];
    await touch("touchStart", [x, y]);
    for (let step = 1; step <= 8; step++) {
      await touch("touchMove", [x + right * step / 8, y + down * step / 8]);
      await settled(page);
    }
  };
  await draw(30, 0);
  assert.equal(await page.locator(".swiped.far").count(), 0);
  await touch("touchEnd", null);
  assert.equal(await bar(page).isVisible(), false, "not far enough");
  const before = await page.locator("#log").evaluate((log) => log.scrollTop);
  await draw(20, 200);
  await touch("touchEnd", null);
  assert.equal(await bar(page).isVisible(), false);
  assert.ok(await page.locator("#log").evaluate((log) => log.scrollTop) < before, "it scrolls");
  // What the finger has pushed goes on for a while.
  for (let rests = 0; rests < 10; rests++) {
    const isThere = await page.locator("#log").evaluate((log) => {
      const left = log.scrollHeight - log.clientHeight - log.scrollTop;
      log.scrollTop = log.scrollHeight;
      return left < 1;
    });
    if (!isThere) rests = 0;
    await settled(page);
  }
  await draw(90, 6);
  assert.equal(await page.locator(".swiped.far .content > .text").innerText(), "line 28");
  await touch("touchEnd", null);
  await bar(page).getByText("line 28").waitFor();
  assert.equal(await page.locator(".swiped").count(), 0);
  await ann.close();
});
