/** What the reader holds or asks for, by key, in rooms where not all messages have elements: on a real page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { line, rowCount, ROWS, scrollTo, scrollToEnd, scrollToOldest, settled } from "../testing/browser/log.ts";
import { shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { open } = server;
const person = (more = {}) => server.person({ viewport: { width: 900, height: 600 }, ...more });

const focused = (page: Page) => page.evaluate(() => document.activeElement?.querySelector(".text")?.textContent);

Deno.test("who touched a message and follows the others has the focus in the log when that one goes", async () => {
  await talk(server.url, "touched", lines(1, 30));
  const ann = await person();
  const page = await open(ann, "touched");
  await line(page, 30).click();
  assert.equal(await focused(page), "line 30");
  await talk(server.url, "touched", lines(31, 330));
  await line(page, 330).waitFor();
  await settled(page);
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
  assert.equal(await page.evaluate(() => document.activeElement?.id), "log");
  await ann.close();
});

Deno.test("an open editor, its text and a selection stay, whatever comes and wherever one scrolls", async () => {
  await talk(server.url, "held", lines(1, 200));
  const ann = await person();
  const page = await open(ann, "held");
  await write(page, "mine");
  await page.locator(".message:not(.waiting)", { hasText: "mine" }).waitFor();
  await page.locator("#text").press("ArrowUp");
  await page.keyboard.type(", not done");
  await page.locator("#text").focus();
  await talk(server.url, "held", lines(201, 400));
  await line(page, 400).waitFor({ state: "attached" });
  assert.equal(await page.locator(".editor textarea").inputValue(), "mine, not done");
  await scrollToOldest(page, "held");
  assert.equal(await page.locator(".editor textarea").inputValue(), "mine, not done");
  await line(page, 1).selectText();
  await scrollTo(page, 2, "line 400");
  assert.equal(await page.evaluate(() => getSelection()?.toString()), "line 1");
  await page.locator(".editor").getByRole("button", { name: "Cancel" }).click();
  await page.evaluate(() => getSelection()?.empty());
  await scrollToEnd(page);
  await settled(page);
  await write(page, "done"); // for who is at the end, what is far away goes with what comes
  await page.waitForFunction((rows) => document.querySelectorAll("#rows > *").length < rows, ROWS);
  await ann.close();
});

Deno.test("keys lead to every loaded message, also to those far away", async () => {
  await talk(server.url, "keys", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "keys");
  await line(page, 300).waitFor();
  await scrollToOldest(page, "keys");
  await page.locator("#log").focus();
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "line 300");
  await page.keyboard.press("Home");
  assert.equal(await focused(page), "line 1");
  assert.ok(await line(page, 1).isVisible());
  for (let at = 2; at <= 90; at++) await page.keyboard.press("ArrowDown");
  assert.equal(await focused(page), "line 90");
  await page.keyboard.press("End");
  assert.equal(await focused(page), "line 300");
  for (let at = 299; at >= 210; at--) await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "line 210");
  assert.ok(await line(page, 210).isVisible());
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
  await ann.close();
});

Deno.test("one's last message can be edited from the composer, however far up it is", async () => {
  const ann = await person();
  const page = await open(ann, "last");
  await write(page, "mine");
  await shows(page, "mine");
  await talk(server.url, "last", lines(1, 400));
  await line(page, 400).waitFor();
  assert.equal(await page.getByText("mine", { exact: true }).count(), 0);
  await page.locator("#text").press("ArrowUp");
  await page.locator(".editor textarea:focus").waitFor();
  const box = await page.locator(".editor").boundingBox();
  const log = await page.locator("#log").boundingBox();
  assert.ok(box && log && box.y >= log.y && box.y + box.height <= log.y + log.height);
  await page.keyboard.type("!");
  await page.keyboard.press("Enter");
  await page.getByText("mine! (edited)").waitFor();
  await ann.close();
});
