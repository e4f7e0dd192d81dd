/** People sign in with their accounts: a real browser, a real server and a small issuer of tokens. */
import axe from "axe-core";
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import { Issuer } from "../testing/servers/issuer.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

/** Milliseconds that any step may take; generous, because two cores run the server, the browser and the tests. */
const STEP_TIMEOUT = 10_000;

let browser: Browser;
let server: RunningServer;
let issuer: Issuer;

Deno.test.beforeAll(async () => {
  issuer = await Issuer.open();
  const env = { ...issuer.env, AUTH_LOGIN_URL: `${issuer.url}/login`, ALLOWED_ORIGINS: issuer.url };
  [browser, server] = await Promise.all([launchChromium(), startServer({ env })]);
  issuer.chat = server.url;
});

Deno.test.afterAll(async () => {
  await browser.close();
  await server.stop();
  await issuer.close();
});

/** Opens a room without having signed in. */
async function arrive(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ locale: "en-US", reducedMotion: "reduce", ...options });
  context.setDefaultTimeout(STEP_TIMEOUT);
  const page = await context.newPage();
  await page.goto(`${server.url}/r/islands`);
  await page.locator("#connection[data-kind=signed_out]").waitFor();
  return page;
}

Deno.test("a person who has to sign in gets there by a link, and comes back into the room under their name", async () => {
  const page = await arrive();
  assert.equal(await page.locator("#text").isDisabled(), true, "nobody has signed in yet");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "I am Ada" }).click();
  await page.locator("#connection[data-kind=connected]").waitFor();
  assert.equal(page.url(), `${server.url}/r/islands`);
  assert.equal(await page.locator("#me").innerText(), "Ada");
  await page.locator("#text").fill("I am in");
  await page.locator("#text").press("Enter");
  await page.locator(".message .text", { hasText: "I am in" }).waitFor();
  await page.reload();
  await page.locator("#connection[data-kind=connected]").waitFor();
  await page.context().close();
});

const LOOKS: Record<string, BrowserContextOptions> = {
  "in light": {},
  "in dark": { colorScheme: "dark" },
  "in Korean, on a phone": { locale: "ko-KR", viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
};

for (const [look, options] of Object.entries(LOOKS)) {
  Deno.test(`the page that asks for a sign-in is accessible, ${look}`, async () => {
    const page = await arrive(options);
    const words = look.includes("Korean") ? "대화하려면 로그인하세요." : "Sign in to talk here.";
    await page.locator("#status", { hasText: words }).waitFor();
    await page.evaluate(axe.source);
    const found = await page.evaluate(async () => {
      // deno-lint-ignore no-explicit-any -- axe defines it there
      const { violations } = await (globalThis as any).axe.run();
      return violations.map(({ id }: { id: string }) => id);
    });
    assert.deepEqual(found, []);
    const shots = Deno.env.get("SHOTS");
    if (shots) await page.screenshot({ path: `${shots}/sign-in-${look.replaceAll(/\W+/g, "-")}.png` });
    await page.context().close();
  });
}
