/** What reaches people who look at something else: notifications, a sound, the title and the icon of a tab. */
import assert from "node:assert/strict";
import type { BrowserContext, Page } from "playwright-core";
import { expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { until } from "../testing/until.ts";

const { person, open } = servePage();

/**
 * Runs in the browser before the page: notifications and sounds are noted instead of shown, since nothing shows them
 * without a screen. A tab can't be put behind another one there either, so the page is told that it was.
 */
function prepare([permission, hasWorker]: [NotificationPermission, boolean]) {
  // deno-lint-ignore no-explicit-any -- what the page finds is replaced
  const page = globalThis as any;
  page.noted = { asked: 0, sounds: 0, shown: [], badge: 0 };
  navigator.setAppBadge = (count = 0) => Promise.resolve(void (page.noted.badge = count));
  navigator.clearAppBadge = () => Promise.resolve(void (page.noted.badge = 0));
  page.Notification = class {
    static permission = permission;
    static requestPermission() {
      page.noted.asked++;
      return Promise.resolve(page.Notification.permission = "granted");
    }
    onclose?: () => void;
    constructor(title: string, { body, tag }: { body: string; tag: string }) {
      page.noted.shown = page.noted.shown.filter((other: { tag: string }) => other.tag !== tag);
      page.noted.shown.push({ title, body, tag, notification: this });
    }
    close() {
      page.noted.shown = page.noted.shown.filter(({ notification }: { notification: unknown }) =>
        notification !== this
      );
    }
  };
  const registration = {
    active: {},
    showNotification: (title: string, options: { body: string; tag: string }) =>
      Promise.resolve(void new page.Notification(title, options)),
    getNotifications: ({ tag }: { tag: string }) =>
      Promise.resolve(
        page.noted.shown.filter((other: { tag: string }) => other.tag === tag)
          .map(({ notification }: { notification: unknown }) => notification),
      ),
  };
  navigator.serviceWorker.getRegistration = () => Promise.resolve(hasWorker ? registration as never : undefined);
  page.OscillatorNode = class extends page.OscillatorNode {
    constructor(...given: unknown[]) {
      super(...given);
      page.noted.sounds++;
    }
  };
  page.look = (isHidden: boolean) => {
    Object.defineProperty(document, "hidden", { value: isHidden, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  };
}

/** Someone whose notifications are noted. @param hasWorker whether the page's service worker shows them */
async function away(permission: NotificationPermission, hasWorker = false): Promise<BrowserContext> {
  const context = await person();
  await context.addInitScript(prepare, [permission, hasWorker] as [NotificationPermission, boolean]);
  return context;
}

type Prepared = typeof globalThis & {
  noted: { asked: number; sounds: number; badge: number; shown: { body: string; notification: { onclick(): void } }[] };
  look: (isHidden: boolean) => void;
};
const noted = (page: Page) => page.evaluate(() => (globalThis as Prepared).noted);
const look = (page: Page, isHidden: boolean) =>
  page.evaluate((hidden) => (globalThis as Prepared).look(hidden), isHidden);
const bodies = async (...pages: Page[]) =>
  (await Promise.all(pages.map(noted))).flatMap(({ shown }) => shown.map(({ body }) => body));
const sounds = async (...pages: Page[]) =>
  (await Promise.all(pages.map(noted))).reduce((sum, { sounds }) => sum + sounds, 0);
/** Waits until the tab's title and icon are these. */
const tabShows = (page: Page, title: string, icon: string) =>
  page.waitForFunction(
    ([title, icon]) =>
      new RegExp(`^${title} – Parley$`).test(document.title) &&
      document.querySelector<HTMLLinkElement>("link[rel=icon]")?.href.endsWith(icon),
    [title, icon],
  );

async function turnOn(page: Page, level?: string): Promise<void> {
  await page.locator("#bell").click();
  if (level) await page.getByLabel(level).check();
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByText("They are on in this browser.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
}

Deno.test("the bell says what notifications are for, and only then the browser is asked", async () => {
  const ann = await away("default");
  const page = await open(ann, "bell");
  await page.getByRole("button", { name: "Notifications: off" }).click();
  await page.getByText("how the message begins").waitFor();
  assert.equal((await noted(page)).asked, 0);
  assert.ok(await page.getByLabel("Mentions of me").isChecked());
  assert.ok(!await page.getByLabel("Soft sound").isChecked());
  await expectAccessible(page, "the dialog about notifications");
  await page.getByRole("button", { name: "Turn on" }).click();
  await page.getByText("They are on in this browser.").waitFor();
  assert.equal((await noted(page)).asked, 1);
  await page.getByLabel("Everything").check();
  assert.equal(await sounds(page), 0);
  await page.getByLabel("Soft sound").check();
  await until(async () => await sounds(page) === 2);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Notifications in bell: everything" }).waitFor();
  const other = await open(ann, "bell");
  await other.locator("#bell").click();
  assert.ok(await other.getByLabel("Everything").isChecked() && await other.getByLabel("Soft sound").isChecked());
  await other.getByLabel("Nothing").check();
  await page.getByRole("button", { name: "Notifications: off" }).waitFor();
  await ann.close();
});

Deno.test("who has refused notifications, or storage too, is told how to allow them, and is not asked again", async () => {
  const ann = await away("denied");
  // As in Firefox, which then refuses all by which tabs know of each other.
  await ann.addInitScript(
    `BroadcastChannel = class { constructor() { throw new DOMException("", "SecurityError"); } }`,
  );
  const page = await open(ann, "denied");
  await page.locator("#bell").click();
  await page.getByText("Press the icon on the left of the address").waitFor();
  assert.ok(await page.getByRole("button", { name: "Turn on" }).isHidden());
  await ann.close();
});

Deno.test("two tabs that nobody sees show one notification, which goes when the room is read in either", async () => {
  const [ann, bob] = await Promise.all([away("granted"), person()]);
  const [one, other, bobs] = [await open(ann, "alerts"), await open(ann, "alerts"), await open(bob, "alerts")];
  await rename(bobs, "Bob");
  await bobs.locator("#me", { hasText: "Bob" }).waitFor();
  await turnOn(one, "Everything");
  await other.getByRole("button", { name: "Notifications in alerts: everything" }).waitFor();

  await look(one, true);
  await write(bobs, "while the other tab can be seen");
  for (const page of [one, other]) await shows(page, "while the other tab can be seen");
  await look(other, true);
  await write(bobs, "hello");
  await tabShows(one, "\\(\\d\\) alerts", "favicon-unread.svg");
  await tabShows(other, "\\(\\d\\) alerts", "favicon-unread.svg");
  await until(async () => (await bodies(one, other)).length > 0);
  assert.deepEqual(await bodies(one, other), ["Bob: hello"]);
  await write(bobs, "**once**\nmore");
  await write(bobs, `and @${await one.locator("#me").innerText()}`);
  await tabShows(other, "\\(\\d\\) alerts", "favicon-mention.svg");
  assert.equal((await noted(other)).badge, 1, "the app's badge has the number of the title");
  await until(async () => /^Bob: and @.+\n3 new messages$/.test((await bodies(one, other)).join()));
  assert.equal(await sounds(one, other), 0);

  // The other tab than the one that shows it.
  const reader = (await bodies(one)).length === 0 ? one : other;
  await look(reader, false);
  await tabShows(reader, "alerts", "favicon.svg");
  assert.equal((await noted(reader)).badge, 0);
  await until(async () => (await bodies(one, other)).length === 0);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a muted person makes neither notifications nor sounds; another makes one of each", async () => {
  const [ann, bob, mina] = await Promise.all([away("granted", true), person(), person()]);
  const pages = [await open(ann, "muted"), await open(ann, "muted")];
  const [bobs, minas] = [await open(bob, "muted"), await open(mina, "muted")];
  const bobsName = await bobs.locator("#me").innerText();
  await pages[0].locator("#people").getByRole("button", { name: bobsName }).click();
  await pages[0].getByRole("button", { name: "Mute", exact: true }).click();
  await turnOn(pages[0], "Everything");
  await pages[0].locator("#bell").click();
  await pages[0].getByLabel("Soft sound").check();
  await pages[0].keyboard.press("Escape");
  await pages[1].locator("#text").click(); // browsers are silent until someone has done something in the page
  await pages[1].getByRole("button", { name: "Notifications in muted: everything" }).waitFor();
  await pages[1].getByText("Muted by you").waitFor();
  const before = await sounds(...pages);
  for (const page of pages) await look(page, true);
  await write(bobs, "nobody hears this");
  await write(minas, "hello");
  for (const page of pages) await tabShows(page, "\\(1\\) muted", "favicon-unread.svg");
  await until(async () => await sounds(...pages) > before && (await bodies(...pages)).length > 0);
  assert.deepEqual(await bodies(...pages), [`${await minas.locator("#me").innerText()}: hello`]);
  assert.equal(await sounds(...pages), before + 2, "the two notes of one sound");
  await look(pages[0], false);
  await until(async () => (await bodies(...pages)).length === 0);
  await Promise.all([ann.close(), bob.close(), mina.close()]);
});

Deno.test("a click on a notification leads to the message, in its room", async () => {
  const [ann, bob] = await Promise.all([away("granted"), person()]);
  const [page, bobs] = [await open(ann, "first-of-two"), await open(bob, "first-of-two")];
  await turnOn(page, "Everything");
  await page.locator("#room").click();
  await page.locator("dialog[open] input").fill("second-of-two");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/r/second-of-two");
  await write(bobs, "while the page can be seen");
  await tabShows(page, "\\(1\\) second-of-two", "favicon-unread.svg");
  assert.deepEqual(await bodies(page), []);
  await look(page, true);
  await write(bobs, "come back");
  await until(async () => (await bodies(page)).length > 0);
  await page.evaluate(() => {
    (globalThis as Prepared).noted.shown[0].notification.onclick();
    (globalThis as Prepared).look(false);
  });
  await page.waitForURL("**/r/first-of-two");
  await shows(page, "while the page can be seen", "come back");
  await tabShows(page, "first-of-two", "favicon.svg");
  assert.deepEqual(await bodies(page), []);
  await Promise.all([ann.close(), bob.close()]);
});
