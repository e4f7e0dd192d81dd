/** What people do with the page, for tests. */
import assert from "node:assert/strict";
import axe from "axe-core";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";

/** Milliseconds that any step may take; generous, because two cores run the server, the browser and the tests. */
const STEP_TIMEOUT = 30_000;

/**
 * A person with their own browser. It has no service worker unless `serviceWorkers` is "allow": each would load all the
 * page's files once more, and what it asks for is hidden from tests that look at requests.
 */
export async function newPerson(browser: Browser, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const quiet: BrowserContextOptions = { locale: "en-US", reducedMotion: "reduce", serviceWorkers: "block" };
  const context = await browser.newContext({ ...quiet, ...options });
  context.setDefaultTimeout(STEP_TIMEOUT);
  return context;
}

/**
 * Opens a room and waits until one can write in it. An error in the page, or a breach of its policy, fails the test.
 */
export async function openRoom(context: BrowserContext, url: string, room: string): Promise<Page> {
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) throw new Error(message.text());
  });
  await page.goto(`${url}/r/${encodeURIComponent(room)}`);
  await connected(page);
  return page;
}

export async function connected(page: Page): Promise<void> {
  await page.locator("#connection[data-kind=connected]").waitFor({ state: "attached" });
  await page.locator("#people li").first().waitFor({ state: "attached" });
}

/** With Ctrl, Enter sends on a phone too. */
export async function write(page: Page, text: string): Promise<void> {
  await page.locator("#text").fill(text);
  await page.locator("#text").press("ControlOrMeta+Enter");
}

/** The messages on the page, also those that wait to be sent. */
export function texts(page: Page): Promise<string[]> {
  return page.locator(".message .text").allInnerTexts();
}

/** Waits until the page shows these messages, and no others. */
export async function shows(page: Page, ...expected: string[]): Promise<void> {
  await page.waitForFunction((expected) => {
    // deno-lint-ignore no-explicit-any -- only the browser has a document
    const { document } = globalThis as any;
    const shown = [...document.querySelectorAll(".message .text")].map((text) => text.innerText);
    return JSON.stringify(shown) === JSON.stringify(expected) && !document.querySelector(".waiting");
  }, expected).catch(async () => assert.deepEqual(await texts(page), expected));
}

/** Asks for a name, and waits until the dialog has closed or says why it stays. */
export async function rename(page: Page, name: string): Promise<void> {
  await page.locator("#me").click();
  await page.locator("dialog[open] input").fill(name);
  await page.locator("dialog[open] input").press("Enter");
  await page.locator("dialog[open]:not(:has([role=alert]:not(:empty)))").waitFor({ state: "detached" });
}

/**
 * Fails if axe finds any problem of accessibility on the page as it is now.
 * @param except rules of axe that do not hold there
 * @param only no other rules than these
 */
export async function expectAccessible(
  page: Page,
  where: string,
  { except = [], only }: { except?: string[]; only?: string[] } = {},
): Promise<void> {
  // The page's policy allows no other script, so axe is injected by the debugger.
  if (!await page.evaluate("Boolean(globalThis.axe)")) await page.evaluate(axe.source);
  const found = await page.evaluate(async ({ except, only }) => {
    const rules = Object.fromEntries(except.map((rule) => [rule, { enabled: false }]));
    // deno-lint-ignore no-explicit-any -- axe defines it there
    const { violations } = await (globalThis as any).axe.run({
      ...(only ? { runOnly: only } : { rules }),
      // Half of the time goes into what is not asked for, and into style sheets that no rule of these needs.
      resultTypes: ["violations"],
      preload: false,
    });
    return violations.map((
      { id, nodes }: { id: string; nodes: { html: string }[] },
    ) => [id, nodes.map((node) => node.html)]);
  }, { except, only });
  assert.deepEqual(found, [], where);
}
