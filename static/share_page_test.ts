/** Giving others the link of a room, and making a room that only they can find, on a real page. */
import jsqr from "jsqr";
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { connected, expectAccessible, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

/** What a phone's camera reads in a part of a page. */
async function scanned(context: BrowserContext, page: Page, part: string): Promise<string | undefined> {
  const picture = (await page.locator(part).screenshot()).toString("base64");
  // A page without a policy, which may read its own canvas.
  const blank = await context.newPage();
  const { width, height, data } = await blank.evaluate(async (picture) => {
    // deno-lint-ignore no-explicit-any -- only the browser has them
    const { createImageBitmap, OffscreenCanvas } = globalThis as any;
    const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${picture}`)).blob());
    const canvas = new OffscreenCanvas(image.width, image.height).getContext("2d");
    canvas.drawImage(image, 0, 0);
    const { data } = canvas.getImageData(0, 0, image.width, image.height);
    return { width: image.width, height: image.height, data: Array.from(data as Uint8ClampedArray) };
  }, picture);
  await blank.close();
  return jsqr.default(Uint8ClampedArray.from(data), width, height, { inversionAttempts: "dontInvert" })?.data;
}

Deno.test("on the smallest phone, in the dark, a room is shared by link, by QR code and by the system's dialog", async () => {
  const ann = await person({
    viewport: { width: 320, height: 568 },
    isMobile: true,
    hasTouch: true,
    colorScheme: "dark",
    permissions: ["clipboard-read", "clipboard-write"],
  });
  await ann.addInitScript(() => {
    Object.defineProperty(navigator, "share", {
      value: (shared: ShareData) => {
        document.documentElement.dataset.shared = JSON.stringify(shared);
        return Promise.reject(new DOMException("changed my mind", "AbortError"));
      },
    });
  });
  const page = await open(ann, "섬여행-2");
  const share = page.getByRole("banner").getByRole("button", { name: "Share" });
  const box = (await share.boundingBox())!;
  assert.ok(box.width >= 44 && box.height >= 44 && box.x + box.width <= 320, JSON.stringify(box));
  await share.tap();
  const dialog = page.getByRole("dialog", { name: "Share" });
  const link = `${server.url}/r/${encodeURIComponent("섬여행-2")}`;
  assert.equal(await dialog.getByLabel("Link to this room").inputValue(), link);
  await dialog.getByRole("img", { name: /^QR code/ }).scrollIntoViewIfNeeded();
  assert.equal(await scanned(ann, page, ".qr"), link);
  await dialog.getByText("This link works on this computer only.").waitFor();
  await dialog.getByRole("button", { name: "Copy link" }).tap();
  await dialog.getByRole("status").filter({ hasText: "Link copied" }).waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
  await dialog.getByRole("button", { name: "Share…" }).tap();
  assert.equal(JSON.parse(await page.locator("html").getAttribute("data-shared") ?? "{}").url, link);
  const wide = await dialog.locator("*").evaluateAll((parts) =>
    parts.filter((part) => part.getBoundingClientRect().right > 320).map(({ outerHTML }) => outerHTML)
  );
  assert.deepEqual(wide, []);
  await expectAccessible(page, "the dialog");
  await ann.close();
});

Deno.test("where a page may not copy, the link is selected, to be copied by hand", async () => {
  const ann = await person();
  await ann.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  const page = await open(ann, "by-hand");
  await page.locator("#empty").getByRole("button", { name: "Share" }).click();
  const dialog = page.getByRole("dialog", { name: "Share" });
  await dialog.waitFor();
  assert.equal(await dialog.getByRole("button", { name: "Share…" }).count(), 0, "the system has no dialog here");
  await page.keyboard.press("Enter");
  await dialog.getByRole("status").filter({ hasText: "copy it by hand" }).waitFor();
  assert.equal(await page.evaluate(() => getSelection()?.toString()), `${server.url}/r/by-hand`);
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  await ann.close();
});

Deno.test("a room of one's own has an address that nobody guesses, a name that people can read, and is not listed", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const page = await open(ann, "before-it");
  await page.locator("#room").click();
  await page.getByRole("dialog", { name: "Find a room" }).getByRole("button", { name: "New room" }).click();
  const asking = page.getByRole("dialog", { name: "New room" });
  await asking.getByRole("textbox").fill("no such room!");
  await page.keyboard.press("Enter");
  await asking.getByRole("alert").filter({ hasText: "!" }).waitFor();
  await asking.getByRole("textbox").fill("Book Club");
  await expectAccessible(page, "asking for a name");
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/r\/book-club-[0-9a-hjkmnp-tv-z]{17}$/);
  const sharing = page.getByRole("dialog", { name: "Share" });
  await sharing.getByText("Only people with the link can find this room.").waitFor();
  assert.equal(await sharing.getByLabel("Link to this room").inputValue(), page.url());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#room").innerText(), "book-club");
  assert.match(await page.locator("#room").getAttribute("title") ?? "", /Only people with the link/);
  assert.match(await page.title(), /^book-club –/);
  assert.equal(await page.locator("#text").getAttribute("aria-label"), "Message to book-club");
  assert.ok(await page.locator("#room .unlisted").isVisible());
  assert.ok(await page.locator("#rooms [aria-current] .unlisted").isVisible(), "another room may be called the same");
  await expectAccessible(page, "a room of one's own");
  await connected(page);
  await write(page, "only us");
  const other = await bob.newPage();
  await other.goto(page.url());
  await shows(other, "only us");
  const listed: { room: string }[] = await (await fetch(`${server.url}/api/rooms`)).json();
  assert.deepEqual(listed.map(({ room }) => room), ["general"]);
  await other.getByRole("navigation").getByRole("button", { name: "New room" }).click();
  await other.getByRole("dialog", { name: "New room" }).waitFor();
  await other.keyboard.press("Enter");
  await other.waitForURL(/\/r\/room-[0-9a-hjkmnp-tv-z]{17}$/);
  await other.getByRole("dialog", { name: "Share" }).getByText("Only people with the link").waitFor();
  await Promise.all([ann.close(), bob.close()]);
});
