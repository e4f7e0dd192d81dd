/** Only the messages near the reader have elements, and nobody notices: on a real page, in rooms with many of them. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { line, rowCount, ROWS, scrollTo, scrollToEnd, scrollToOldest, settled, until } from "../testing/browser/log.ts";
import { texts } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { open } = server;
const person = (more = {}) => server.person({ viewport: { width: 900, height: 600 }, ...more });

const topOf = (page: Page, number: number) => line(page, number).evaluate((text) => text.getBoundingClientRect().top);

Deno.test("from the newest message to the oldest and back a reader sees each one once, in order", async () => {
  await talk(server.url, "whole", lines(1, 1_000));
  const ann = await person();
  const page = await open(ann, "whole");
  await line(page, 1_000).waitFor();
  const up = await scrollToOldest(page, "whole");
  assert.deepEqual(up.slice(0, -1), lines(1, 1_000).reverse());
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
  const down = await scrollTo(page, 0.8, "line 1000");
  assert.deepEqual(down.slice(1), lines(1, 1_000));
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
  await scrollToEnd(page);
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  await ann.close();
});

Deno.test("no way of scrolling ends before the oldest message, nor before the newest", async () => {
  await talk(server.url, "ways", lines(1, 250));
  const ann = await person();
  const page = await open(ann, "ways");
  await line(page, 250).waitFor();
  await page.locator("#log").focus();
  const beginning = page.getByText("The beginning of ways");
  await until(page, beginning, () => page.keyboard.press("PageUp"));
  await until(page, line(page, 250), () => page.keyboard.press("PageDown"));
  await page.reload();
  await line(page, 250).waitFor();
  // Dragged to the end of the scrollbar.
  await until(page, beginning, () => page.locator("#log").evaluate((log) => log.scrollTop = 0));
  await until(page, line(page, 250), () => scrollToEnd(page));
  await ann.close();
});

Deno.test("a reader further up is not moved, and nothing there is touched, however many messages come", async () => {
  await talk(server.url, "busy", lines(1, 300));
  const ann = await person();
  const page = await open(ann, "busy");
  await line(page, 300).waitFor();
  await scrollTo(page, -0.8, "line 200");
  await settled(page);
  const rows = await rowCount(page);
  await page.evaluate(() => {
    const touched: string[] = [];
    const observer = new MutationObserver((changes) => touched.push(...changes.map(({ type }) => type)));
    const everything = { childList: true, subtree: true, attributes: true, characterData: true };
    observer.observe(document.getElementById("column")!, everything);
    Object.assign(globalThis, { touched });
  });
  const before = await topOf(page, 200);
  await talk(server.url, "busy", lines(301, 800));
  await page.getByRole("button", { name: "500 new" }).waitFor();
  assert.ok(Math.abs(await topOf(page, 200) - before) < 2);
  assert.equal(await rowCount(page), rows);
  assert.deepEqual(await page.evaluate(() => (globalThis as unknown as { touched: string[] }).touched), []);

  await page.locator("#to-latest").click();
  await until(page, line(page, 301), () => Promise.resolve());
  assert.equal(await page.locator(".new + .message .text").innerText(), "line 301", "the first of them");
  await page.locator("#to-latest").click();
  await line(page, 800).waitFor();
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  assert.ok(await line(page, 800).isVisible());
  const shown = (await texts(page)).map((text) => Number(text.slice("line ".length)));
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
  await page.getByRole("button", { name: "440 new" }).waitFor();
  assert.ok(Math.abs(await topOf(page, 50) - before) < 2);
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
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
  assert.ok(await rowCount(page) < ROWS, `${await rowCount(page)} rows`);
  assert.ok(await page.locator("#to-latest").isHidden());
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
  const up = await scrollToOldest(page, "runs");
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
  await page.getByRole("button", { name: "200 new" }).waitFor();
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
  await scrollToOldest(page, "size");
  await page.locator("#to-latest").click();
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  await settled(page);
  assert.ok(await rowCount(page) < 120, `${await rowCount(page)} rows`);
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
        const texts = [...addedNodes].map((row) => (row as Element).querySelector(".text")?.textContent);
        announced.push(...texts.filter((text) => text !== undefined));
      }
    }).observe(document.getElementById("rows")!, { childList: true });
    Object.assign(globalThis, { announced });
  });
  const announced = () => page.evaluate(() => (globalThis as unknown as { announced: string[] }).announced);
  await talk(server.url, "aloud", ["news"]);
  await page.getByText("news", { exact: true }).waitFor();
  assert.deepEqual(await announced(), ["news"]);
  await page.locator("#log").evaluate((log) => log.scrollTop -= 100);
  await page.locator("#to-latest").waitFor();
  await talk(server.url, "aloud", ["a little further down"]);
  await page.getByText("a little further down", { exact: true }).waitFor({ state: "attached" });
  assert.deepEqual(await announced(), ["news", "a little further down"]);
  await page.locator("#log").evaluate((log) => log.scrollTop -= 2_400);
  await page.locator("#to-latest").waitFor();
  await talk(server.url, "aloud", ["more", "and more"]);
  await page.getByRole("button", { name: "3 new" }).waitFor();
  await scrollTo(page, 0.8, "and more");
  await scrollToOldest(page, "aloud");
  await scrollTo(page, 0.8, "and more");
  assert.deepEqual(await announced(), ["news", "a little further down"]);
  await ann.close();
});
