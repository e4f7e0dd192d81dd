/** Reading the messages of a room: older ones, new ones, on a real page. */
import assert from "node:assert/strict";
import { scrollToOldest, settled } from "../testing/browser/log.ts";
import { shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { person, open } = server;

Deno.test("scrolling up loads older messages and keeps the place", async () => {
  await talk(server.url, "history", lines(1, 120));
  const ann = await person({ viewport: { width: 900, height: 600 } });
  const page = await open(ann, "history");
  await page.getByText("line 120", { exact: true }).waitFor();
  const first = page.getByText("line 80", { exact: true });
  const loaded = page.waitForResponse((answer) => answer.url().includes("/messages?before=71"));
  await page.locator("#log").evaluate((log) => log.scrollTop = 300);
  const before = await first.evaluate((line) => line.getBoundingClientRect().top);
  await loaded;
  await page.getByText("line 40", { exact: true }).waitFor({ state: "attached" });
  const after = await first.evaluate((line) => line.getBoundingClientRect().top);
  assert.ok(Math.abs(after - before) < 2, `moved from ${before} to ${after}`);
  const up = (await scrollToOldest(page, "history")).slice(0, -1);
  assert.deepEqual(up, lines(1, up.length).reverse(), "each one once, without a hole");
  await ann.close();
});

Deno.test("older messages that failed to load can be loaded again by hand", async () => {
  await talk(server.url, "stubborn", lines(1, 60));
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
  await talk(server.url, "reading", lines(1, 40));
  const [ann, bob] = await Promise.all([person({ viewport: { width: 900, height: 500 } }), person()]);
  const [one, other] = await Promise.all([open(ann, "reading"), open(bob, "reading")]);
  await one.getByText("line 40", { exact: true }).waitFor();
  await one.locator("#log").evaluate((log) => log.scrollTop = 100);
  await one.locator("#to-latest").waitFor();
  const place = await one.locator("#log").evaluate((log) => log.scrollTop);
  await write(other, "news");
  await one.getByRole("button", { name: "1 new" }).click();
  assert.ok(await one.getByText("news").isVisible());
  await one.locator("#to-latest").waitFor({ state: "hidden" });
  assert.ok(place < await one.locator("#log").evaluate((log) => log.scrollTop));
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a message's buttons never cover its text", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "cover"), open(bob, "cover")]);
  await write(one, "first");
  await write(one, "w".repeat(300));
  await shows(other, "first", "w".repeat(300));
  for (const page of [one, other]) {
    await page.locator(".message .text").last().hover();
    const [text, tools] = await Promise.all([
      page.locator(".message .text").last().boundingBox(),
      page.locator(".message .tools").last().boundingBox(),
    ]);
    assert.ok(text && tools && tools.x >= text.x + text.width);
  }
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a phone that is turned, its keyboard and a long text leave the reader at the newest message", async () => {
  await talk(server.url, "turned", lines(1, 40));
  const ann = await person({ viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "turned");
  await page.getByText("line 40", { exact: true }).waitFor();
  const isThere = async (after: string) => {
    await settled(page);
    const [last, log] = await Promise.all([
      page.getByText("line 40", { exact: true }).boundingBox(),
      page.locator("#log").boundingBox(),
    ]);
    assert.ok(last!.y + last!.height <= log!.y + log!.height, after);
    assert.ok(await page.locator("#to-latest").isHidden(), after);
  };
  for (const [width, height] of [[740, 160], [390, 420], [740, 360], [390, 780]]) {
    await page.setViewportSize({ width, height });
    await isThere(`${width} x ${height}`);
  }
  // A text in the place of another one: for a moment there is none, and the field is low.
  for (const text of [lines(1, 12), lines(2, 14), []]) {
    await page.locator("#text").fill(text.join("\n"));
    await isThere(`${text.length} lines`);
  }
  await ann.close();
});
