/** Coming back to where one was: unread messages, other rooms, links and days, on a real page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { line, scrollTo, scrollToOldest, settled, until } from "../testing/browser/log.ts";
import { connected, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { open } = server;
const person = (more = {}) => server.person({ viewport: { width: 1100, height: 600 }, ...more });

const topOf = (page: Page, number: number) =>
  line(page, number).evaluate((text) => Math.round(text.getBoundingClientRect().top));
const inView = (page: Page, number: number) => until(page, line(page, number), () => settled(page));
const room = (page: Page, name: string) => page.locator("#rooms li", { has: page.getByText(name, { exact: true }) });

Deno.test("rooms that one has been in stay at the side, with what is unread, and are there at once", async () => {
  await talk(server.url, "harbour", lines(1, 30));
  const ann = await person();
  const page = await open(ann, "harbour");
  await line(page, 30).waitFor();
  await page.goto(`${server.url}/r/market`);
  await connected(page);
  assert.deepEqual(await page.locator("#rooms li bdi").allInnerTexts(), ["harbour", "market"]);
  const name = await page.locator("#me").innerText();
  await talk(server.url, "harbour", [...lines(31, 129), `@${name} look`]);
  await room(page, "harbour").locator(".by", { hasText: /User \d+.* mentioned you/ }).waitFor();
  await page.getByRole("link", { name: /harbour.*, 1 mention of you, 100 unread/ }).waitFor();
  assert.equal(await page.title(), "(1) market – Parley");
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForURL("**/r/harbour");
  await inView(page, 30);
  assert.equal(await page.locator(".new + .message .text").innerText(), "line 31");
  const button = page.locator("#to-latest");
  assert.equal(await button.innerText(), "100 new");
  await button.click();
  await settled(page);
  assert.ok(await topOf(page, 31) < 200, "to the first of them, not past them");
  await button.click();
  await inView(page, 129);
  await button.waitFor({ state: "hidden" });
  await room(page, "harbour").locator("a:not([aria-label*=unread])").waitFor();
  assert.equal(await page.title(), "harbour – Parley");
  await ann.close();
});

Deno.test("after a day away one comes back to the first unread message, and the line New stays there", async () => {
  await talk(server.url, "away", lines(1, 40));
  const ann = await person();
  const page = await open(ann, "away");
  await line(page, 40).waitFor();
  await page.close();
  await talk(server.url, "away", lines(41, 260));
  const later = await open(ann, "away");
  await inView(later, 40);
  assert.equal(await later.locator(".new + .message .text").innerText(), "line 41");
  assert.equal(await later.locator("#to-latest").innerText(), "220 new");
  await talk(server.url, "away", lines(261, 262));
  await later.locator("#to-latest", { hasText: "222 new" }).waitFor();
  assert.equal(await later.locator(".new + .message .text").innerText(), "line 41", "the line is frozen");
  await later.locator("#log").focus();
  await later.keyboard.press("End");
  await inView(later, 262);
  // What came while nobody looked is above what one sees then.
  await later.locator("#to-latest.up", { hasText: "222 new" }).click();
  await inView(later, 41);
  await write(later, "read it all");
  await later.locator(".new").waitFor({ state: "detached" });
  await ann.close();
});

Deno.test("a reload, another room and the way back keep the place, also far up in the history", async () => {
  await talk(server.url, "kept", lines(1, 400));
  const ann = await person();
  const page = await open(ann, "kept");
  await line(page, 400).waitFor();
  await scrollTo(page, -0.8, "line 150");
  await settled(page);
  const before = await topOf(page, 150);
  const isThere = async (how: string) => {
    await inView(page, 150);
    assert.ok(Math.abs(await topOf(page, 150) - before) < 3, how);
  };
  await page.reload();
  await isThere("after a reload");
  await page.goto(`${server.url}/r/elsewhere`);
  await connected(page);
  await page.goBack();
  await isThere("on the way back");
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForURL("**/r/elsewhere");
  await page.keyboard.press("Alt+ArrowUp");
  await isThere("from another room");
  // On from there to the newest message, without a hole.
  const seen = await scrollTo(page, 0.8, "line 400");
  const down = seen.filter((text) => text.startsWith("line")).map((text) => Number(text.slice(5)));
  assert.deepEqual(down, Array.from(down, (_, index) => 401 - down.length + index));
  await ann.close();
});

Deno.test("a link leads to its message, which is shown as linked for a moment; one to a message that is gone says so", async () => {
  await talk(server.url, "linked", lines(1, 300));
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${server.url}/r/linked#120`);
  await page.locator(".linked", { hasText: "line 120" }).waitFor();
  await inView(page, 120);
  await page.locator(".linked").waitFor({ state: "detached" });
  assert.equal(new URL(page.url()).hash, "");
  await page.evaluate(() => location.hash = "#80");
  await page.locator(".linked", { hasText: "line 80" }).waitFor();
  await page.locator("#log").focus();
  await page.keyboard.press("End");
  await inView(page, 300);
  await page.evaluate(() => location.hash = "#9999");
  await page.locator("#notice", { hasText: "no such message" }).waitFor();
  // A day leads to its first message.
  await scrollToOldest(page, "linked");
  await page.locator("#to-latest").click();
  await inView(page, 300);
  await until(page, page.locator(".day"), () => page.locator("#log").evaluate((log) => log.scrollTop = 0));
  await page.getByRole("button", { name: "Today" }).click();
  await page.locator("dialog[open] input").press("Enter");
  await page.locator(".linked .text", { hasText: /^line 1$/ }).waitFor();
  await inView(page, 1);
  const [day, log] = await Promise.all([page.locator(".day").boundingBox(), page.locator("#log").boundingBox()]);
  assert.ok(day!.y >= log!.y, "and which day it is can be seen");
  await page.getByRole("button", { name: "Today" }).click();
  await page.locator("dialog[open] input").fill("2999-01-01");
  await page.locator("dialog[open] input").press("Enter");
  await page.locator("#notice", { hasText: "no such message" }).waitFor();
  await ann.close();
});
