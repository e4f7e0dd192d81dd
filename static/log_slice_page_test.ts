/** Only the messages near the reader are in the document. Nobody notices: on a real page, in rooms with many of them. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { shows, texts, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

/** Rows that the document may hold, far fewer than are loaded. */
const ROWS = 250;
/** Steps in which any of these rooms is read from end to end. */
const STEPS = 500;

const server = servePage();
const { open } = server;
const person = (more = {}) => server.person({ viewport: { width: 900, height: 600 }, ...more });

/** Two frames of the screen: what the page does about the first one is done. */
const settled = (page: Page) =>
  page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));

const count = (page: Page) => page.locator("#rows > *").count();
const numbers = async (page: Page) => (await texts(page)).map((text) => Number(text.slice("line ".length)));
const focused = (page: Page) => page.evaluate(() => document.activeElement?.querySelector(".text")?.textContent);
const line = (page: Page, number: number) => page.getByText(`line ${number}`, { exact: true });
const topOf = (page: Page, number: number) => line(page, number).evaluate((text) => text.getBoundingClientRect().top);

/** Scrolls by screens until this is visible. @returns all messages that could be seen on the way, in their order */
async function scrollTo(page: Page, screens: number, goal: string): Promise<string[]> {
  const seen: string[] = [];
  for (let step = 0; step < STEPS; step++) {
    const visible = await page.locator("#log").evaluate((log) => {
      const { top, bottom } = log.getBoundingClientRect();
      return [...log.querySelectorAll<HTMLElement>(".text, #top p, .new span")].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
      }).map(({ innerText }) => innerText);
    });
    if (screens < 0) visible.reverse();
    for (const text of visible) if (!seen.includes(text)) seen.push(text);
    if (seen.some((text) => text.startsWith(goal))) return seen;
    await page.locator("#log").evaluate((log, screens) => log.scrollTop += screens * log.clientHeight, screens);
    await settled(page);
  }
  throw new Error(`"${goal}" was not seen`);
}
const toEnd = (page: Page) => page.locator("#log").evaluate((log) => log.scrollTop = log.scrollHeight);
const toOldest = (page: Page, room: string) => scrollTo(page, -0.8, `The beginning of ${room}`);

Deno.test("from the newest message to the oldest and back a reader sees each one once, in order", async () => {
  await talk(server.url, "whole", lines(1, 1_000));
  const ann = await person();
  const page = await open(ann, "whole");
  await line(page, 1_000).waitFor();
  const up = await toOldest(page, "whole");
  assert.deepEqual(up.slice(0, -1), lines(1, 1_000).reverse());
  assert.ok(await count(page) < ROWS, `${await count(page)} rows`);
  const down = await scrollTo(page, 0.8, "line 1000");
  assert.deepEqual(down.slice(1), lines(1, 1_000));
  assert.ok(await count(page) < ROWS, `${await count(page)} rows`);
  await toEnd(page);
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  await ann.close();
});

Deno.test("a reader further up is not moved, and nothing there is touched, however many messages come", async () => {
  await talk(server.url, "busy", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "busy");
  await line(page, 300).waitFor();
  await scrollTo(page, -0.8, "line 200");
  await settled(page);
  const rows = await count(page);
  await page.evaluate(() => {
    const touched: string[] = [];
    const observer = new MutationObserver((changes) => touched.push(...changes.map(({ type }) => type)));
    const everything = { childList: true, subtree: true, attributes: true, characterData: true };
    observer.observe(document.getElementById("column")!, everything);
    Object.assign(globalThis, { touched });
  });
  const before = await topOf(page, 200);
  await talk(server.url, "busy", lines(301, 800));
  await page.getByRole("button", { name: "500 new messages" }).waitFor();
  assert.ok(Math.abs(await topOf(page, 200) - before) < 2);
  assert.equal(await count(page), rows);
  assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { touched: string[] }).touched), []);

  await page.locator("#to-latest").click();
  await line(page, 800).waitFor();
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  assert.ok(await line(page, 800).isVisible());
  const shown = await numbers(page);
  assert.deepEqual(shown, Array.from(shown, (_, index) => 801 - shown.length + index), "without a hole");
  await ann.close();
});

Deno.test("a reader near the newest message is not moved, and reads on as far as one wants", async () => {
  await talk(server.url, "near", lines(1, 60));
  const ann = await person();
  const page = await open(ann, "near");
  await line(page, 60).waitFor();
  await page.locator("#log").evaluate((log) => log.scrollTop -= 60);
  await page.locator("#to-latest").waitFor();
  const before = await topOf(page, 50);
  await talk(server.url, "near", lines(61, 500));
  await page.getByRole("button", { name: "440 new messages" }).waitFor();
  assert.ok(Math.abs(await topOf(page, 50) - before) < 2);
  assert.ok(await count(page) < ROWS, `${await count(page)} rows`);
  const seen = await scrollTo(page, 0.8, "line 500");
  assert.deepEqual(seen.slice(-440).filter((text) => text.startsWith("line")).slice(-439), lines(62, 500));
  await ann.close();
});

Deno.test("while one follows, what is far above goes", async () => {
  const ann = await person();
  const page = await open(ann, "follow");
  await talk(server.url, "follow", lines(1, 700));
  await line(page, 700).waitFor();
  await settled(page);
  assert.ok(await count(page) < ROWS, `${await count(page)} rows`);
  assert.ok(await page.locator("#to-latest").isHidden());
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
  await talk(server.url, "held", lines(201, 700));
  await line(page, 700).waitFor({ state: "attached" });
  assert.equal(await page.locator(".editor textarea").inputValue(), "mine, not done");
  await toOldest(page, "held");
  assert.equal(await page.locator(".editor textarea").inputValue(), "mine, not done");
  await line(page, 1).selectText();
  await scrollTo(page, 2, "line 700");
  assert.equal(await page.evaluate(() => getSelection()?.toString()), "line 1");
  await page.locator(".editor").getByRole("button", { name: "Cancel" }).click();
  await page.evaluate(() => getSelection()?.empty());
  await toEnd(page);
  await page.waitForFunction((rows) => document.querySelectorAll("#rows > *").length < rows, ROWS);
  await ann.close();
});

Deno.test("keys lead to every loaded message, also to those far away", async () => {
  await talk(server.url, "keys", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "keys");
  await line(page, 300).waitFor();
  await toOldest(page, "keys");
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
  assert.ok(await count(page) < ROWS, `${await count(page)} rows`);
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

Deno.test("a muted person's messages in a row are counted together, from above and from below", async () => {
  await talk(server.url, "runs", lines(1, 100));
  const user = await talk(server.url, "runs", lines(101, 400));
  await talk(server.url, "runs", lines(401, 500));
  const ann = await person();
  await ann.addInitScript(
    (muted) => localStorage.setItem("parley.muted", muted),
    JSON.stringify([{ user, name: "Eve" }]),
  );
  const page = await open(ann, "runs");
  await line(page, 500).waitFor();
  const up = await toOldest(page, "runs");
  assert.deepEqual(up.slice(0, -1).reverse(), [...lines(1, 100), ...lines(401, 500)]);
  const muted = page.locator(".muted", { hasText: "300 messages from" });
  await page.locator("#to-latest").click();
  await scrollTo(page, -0.25, "line 401");
  await muted.waitFor();
  await page.locator("#log").focus();
  await page.keyboard.press("Home");
  await scrollTo(page, 0.25, "line 100");
  await muted.waitFor();
  assert.equal(await page.locator(".muted").count(), 1);
  await ann.close();
});

Deno.test("the mark of new messages is where they begin, also when it comes into view later", async () => {
  await talk(server.url, "mark", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "mark");
  await line(page, 300).waitFor();
  await scrollTo(page, -0.8, "line 150");
  await talk(server.url, "mark", lines(301, 500));
  await page.getByRole("button", { name: "200 new messages" }).waitFor();
  assert.equal(await page.locator(".new").count(), 0);
  const seen = await scrollTo(page, 0.8, "line 320");
  const mark = await page.locator(".new").innerText();
  assert.equal(seen[seen.indexOf(mark) + 1], "line 301");
  assert.equal(seen[seen.indexOf(mark) - 1], "line 300");
  await ann.close();
});

Deno.test("a higher window is filled, and a lower one lets messages go", async () => {
  await talk(server.url, "size", lines(1, 400));
  const ann = await person({ viewport: { width: 900, height: 2_400 } });
  const page = await open(ann, "size");
  await line(page, 400).waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".message").length > 90);
  await page.setViewportSize({ width: 900, height: 400 });
  await toOldest(page, "size");
  await page.locator("#to-latest").click();
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  await settled(page);
  assert.ok(await count(page) < 120, `${await count(page)} rows`);
  await page.setViewportSize({ width: 900, height: 3_000 });
  await page.waitForFunction(() => document.querySelectorAll(".message").length > 130);
  const [height, column, above] = await page.locator("#log").evaluate((log) => [
    log.scrollHeight,
    log.firstElementChild!.clientHeight,
    log.scrollTop,
  ]);
  assert.equal(height, column, "nothing that can't be seen makes it longer");
  assert.ok(above > 0);
  assert.ok(await line(page, 400).isVisible());
  await ann.close();
});

Deno.test("a screen reader announces new messages, and none that come back while one scrolls", async () => {
  await talk(server.url, "aloud", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "aloud");
  await line(page, 300).waitFor();
  await page.evaluate(() => {
    const announced: string[] = [];
    new MutationObserver((changes) => {
      if (document.getElementById("log")!.ariaLive !== "polite") return;
      for (const { addedNodes } of changes) {
        for (const row of addedNodes) announced.push((row as Element).querySelector(".text")?.textContent ?? "");
      }
    }).observe(document.getElementById("rows")!, { childList: true });
    Object.assign(globalThis, { announced });
  });
  const announced = () => page.evaluate(() => (globalThis as unknown as { announced: string[] }).announced);
  await talk(server.url, "aloud", ["news"]);
  await page.getByText("news", { exact: true }).waitFor();
  assert.deepEqual(await announced(), ["news"]);
  await toOldest(page, "aloud");
  await scrollTo(page, 0.8, "news");
  assert.deepEqual(await announced(), ["news"]);
  await ann.close();
});
