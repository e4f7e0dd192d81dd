/** What the reader chooses for this browser, and the list of keys: on a real page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connected, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

const background = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
const bars = (page: Page) =>
  page.locator("meta[name=theme-color]").evaluateAll((metas) =>
    metas.filter((meta) => matchMedia((meta as HTMLMetaElement).media).matches).map((meta) =>
      meta.getAttribute("content")
    )
  );
const [LIGHT, DARK] = ["rgb(250, 249, 246)", "rgb(23, 22, 20)"];

async function openSettings(page: Page) {
  if (await page.locator("#show-rooms").isVisible()) await page.locator("#show-rooms").click();
  await page.locator("#open-settings").click();
  return page.locator("dialog[open]");
}

Deno.test("a theme holds at once, in every tab, after a reload before anything is painted, and follows the system again", async () => {
  const ann = await person({ colorScheme: "light" });
  const [page, other] = [await open(ann, "theme"), await open(ann, "theme")];
  assert.deepEqual([await background(page), await bars(page)], [LIGHT, ["#faf9f6"]]);
  await (await openSettings(page)).getByLabel("Colours").selectOption("Dark");
  assert.deepEqual([await background(page), await bars(page)], [DARK, ["#171614"]]);
  await other.waitForFunction((dark) => getComputedStyle(document.documentElement).backgroundColor === dark, DARK);

  // Where the modules never come, only what is there before them has painted.
  await page.route(/client\.[jt]s$/, (route) => route.abort());
  await page.reload({ waitUntil: "domcontentloaded" });
  assert.deepEqual([await page.locator("#splash").isVisible(), await background(page), await bars(page)], [
    true,
    DARK,
    ["#171614"],
  ]);
  const asked = await page.evaluate(() => [...document.scripts].filter(({ src, type }) => src && !type).length);
  assert.equal(asked, 0);
  await page.unroute(/client\.[jt]s$/);
  await page.reload();
  await connected(page);
  const choice = (await openSettings(page)).getByLabel("Colours");
  assert.equal(await choice.inputValue(), "dark");
  await page.evaluate(() => localStorage.setItem("parley.theme", "purple"));
  await choice.selectOption("As on your system");
  assert.equal(await background(page), LIGHT);
  await page.emulateMedia({ colorScheme: "dark" });
  assert.deepEqual([await background(page), await bars(page)], [DARK, ["#171614"]]);
  await choice.selectOption("Light");
  assert.equal(await background(page), LIGHT);
  await page.evaluate(() => localStorage.setItem("parley.theme", "purple"));
  await page.reload();
  assert.equal(await background(page), DARK, "what the page did not store is no choice");
  await ann.close();
});

Deno.test("another language comes with nothing lost, in every tab, and an open edit is waited for", async () => {
  const ann = await person();
  const [page, other] = [await open(ann, "language"), await open(ann, "language")];
  await rename(page, "Ann of language");
  await page.locator("#me", { hasText: "Ann of language" }).waitFor();
  await write(page, "hello");
  await shows(other, "hello");
  await page.locator("#text").fill("not done");
  await other.locator("#text").press("ArrowUp");
  await other.keyboard.type(", all");
  await (await openSettings(page)).getByLabel("Language").selectOption("한국어");
  await page.locator("html[lang=ko] #status", { hasText: "연결됨" }).waitFor();
  assert.equal(await page.locator("#text").inputValue(), "not done");
  assert.match(page.url(), /\/r\/language$/);
  assert.equal(await page.locator("#me").innerText(), "Ann of language");
  assert.equal(await other.locator("html").getAttribute("lang"), "en");
  await other.keyboard.press("Enter");
  await other.locator("html[lang=ko]").waitFor();
  await shows(other, "hello, all (수정됨)");
  await ann.close();
});

Deno.test("? shows the keys, but not where one writes, and not for those who turn it off", async () => {
  const ann = await person();
  const page = await open(ann, "keys");
  const keys = page.locator("dialog[open] .keys");
  await page.keyboard.press("?");
  assert.equal(await page.locator("#text").inputValue(), "?");
  await page.locator("#text").fill("");
  await page.locator("#room").focus();
  await page.keyboard.press("?");
  await keys.getByText("New line").waitFor();
  assert.equal(await keys.locator("dl > div", { hasText: "New line" }).locator("dd").innerText(), "Shift+Enter");
  await page.keyboard.press("Escape");
  const settings = await openSettings(page);
  await settings.getByLabel("? shows the keys").uncheck();
  await settings.getByRole("button", { name: "Keys" }).click();
  await keys.waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#room").focus();
  await page.keyboard.press("?");
  assert.equal(await page.locator("#text").inputValue(), "?", "it is written as any other");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  await ann.close();
});
