/** Moderating and muting: clicks in a real browser, on a real server. */
import assert from "node:assert/strict";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import { connected, expectAccessible, newPerson, openRoom, shows, write } from "../testing/browser/page.ts";
import { talk } from "../testing/browser/talk.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";

let browser: Browser;
let server: RunningServer;

Deno.test.beforeAll(async () => {
  const env = { SECRET: "a secret of the tests, long enough", ADMIN_TOKEN };
  [browser, server] = await Promise.all([launchChromium(), startServer({ env })]);
});

Deno.test.afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** A person with their own browser, in a room. */
async function enter(room: string, options: BrowserContextOptions = {}): Promise<Page> {
  return await openRoom(await newPerson(browser, options), server.url, room);
}

const leave = (...pages: Page[]) => Promise.all(pages.map((page) => page.context().close()));
const message = (page: Page, text: string) => page.locator(".message", { hasText: text });
const dialog = (page: Page) => page.locator("dialog[open]");

async function moderate(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Moderate", exact: true }).click();
  await dialog(page).getByLabel("Moderator token").fill(ADMIN_TOKEN);
  await page.keyboard.press("Enter");
  await dialog(page).getByText("Between two messages").waitFor();
}

Deno.test("only the right token makes a moderator, in this tab and until they stop; a room of one's own they can't list", async () => {
  const page = await enter("token-00000000000000000");
  await page.getByRole("button", { name: "Moderate", exact: true }).click();
  await dialog(page).getByLabel("Moderator token").fill("guessed");
  await page.keyboard.press("Enter");
  await dialog(page).getByText("does not take this token").waitFor();
  await page.keyboard.press("Escape");
  await moderate(page);
  await dialog(page).getByRole("heading", { name: "Moderate token", exact: true }).waitFor();
  await dialog(page).getByText("It is never listed.").waitFor();
  assert.ok(await dialog(page).getByLabel("Listed").isDisabled());
  await page.keyboard.press("Escape");
  await page.reload();
  await connected(page);
  await page.getByRole("button", { name: "Moderating" }).click();
  await dialog(page).getByRole("button", { name: "Stop moderating" }).click();
  await page.getByRole("button", { name: "Moderate", exact: true }).waitFor();
  assert.equal(await page.evaluate(() => sessionStorage.getItem("parley.moderator")), null);
  assert.equal(await page.evaluate(() => Object.keys(localStorage).some((key) => key.includes("moderator"))), false);
  await leave(page);
});

Deno.test("a moderator deletes someone else's message with a click", async () => {
  const [ann, eve] = [await enter("delete"), await enter("delete")];
  await write(eve, "bad words");
  await message(ann, "bad words").hover();
  assert.equal(await message(ann, "bad words").getByRole("button", { name: "Delete" }).count(), 0);
  await moderate(ann);
  await ann.keyboard.press("Escape");
  await message(ann, "bad words").hover();
  await message(ann, "bad words").getByRole("button", { name: "Delete" }).click();
  await ann.locator(".question").getByRole("button", { name: "Delete" }).click();
  await eve.getByText("Message deleted").waitFor();
  await ann.getByText("Message deleted").waitFor();
  await leave(ann, eve);
});

Deno.test("a locked room says so and takes no messages until it is unlocked; a slow one says how slow", async () => {
  const [ann, bob] = [await enter("locked"), await enter("locked")];
  await moderate(ann);
  await dialog(ann).getByLabel("Locked").check();
  await bob.locator("#hint", { hasText: "This room is locked" }).waitFor();
  assert.equal(await bob.locator("#text").isDisabled(), true);
  assert.equal(await bob.locator("#send").isDisabled(), true);
  await dialog(ann).getByLabel("Locked").uncheck();
  await dialog(ann).getByLabel("Between two messages").selectOption({ label: "5 minutes" });
  await bob.locator("#hint", { hasText: "5 minutes between your messages" }).waitFor();
  await write(bob, "my turn");
  await message(ann, "my turn").waitFor();
  await leave(ann, bob);
});

Deno.test("what a moderator chooses stays chosen while the room does not have it, and goes back when it was refused", async () => {
  const page = await enter("slow-answers");
  await moderate(page);
  const answer = Promise.withResolvers<void>();
  await page.route("**/api/rooms/slow-answers", async (route) => {
    await answer.promise;
    await route.fulfill({ status: 503, json: { code: "unavailable", detail: "The store is out." } });
  });
  const locked = dialog(page).getByLabel("Locked");
  await locked.click();
  await talk(server.url, "slow-answers", ["the page is drawn again"]);
  await message(page, "the page is drawn again").waitFor({ state: "attached" });
  assert.ok(await locked.isChecked());
  answer.resolve();
  await dialog(page).locator("[role=alert]:not(:empty)").waitFor();
  assert.ok(!await locked.isChecked());
  await leave(page);
});

Deno.test("a banned person reads why, does not reconnect automatically, and can come back when the ban is lifted", async () => {
  const [ann, eve] = [await enter("banned"), await enter("banned")];
  await write(eve, "spam");
  await moderate(ann);
  await ann.keyboard.press("Escape");
  await message(ann, "spam").locator(".author").click();
  await dialog(ann).getByLabel("For how long").selectOption({ label: "1 day" });
  await dialog(ann).getByLabel("Reason").fill("sold watches");
  await dialog(ann).getByRole("button", { name: "Ban", exact: true }).click();
  await dialog(ann).waitFor({ state: "hidden" });
  await eve.locator("#connection[data-kind=stopped]", { hasText: "A moderator keeps you out" }).waitFor();
  assert.equal(await eve.locator("#text").isDisabled(), true);
  await eve.getByRole("button", { name: "Try again" }).click();
  await eve.locator("#connection[data-kind=stopped]").waitFor();
  assert.ok(await message(eve, "spam").isVisible(), "messages already on the screen stay");
  await eve.reload();
  await eve.locator("#connection[data-kind=stopped]").waitFor();
  assert.ok(await message(eve, "spam").isVisible(), "anyone may read");
  await eve.goto(`${server.url}/r/nothing-said`);
  await eve.locator("#sent-away").getByText("You can come back when the ban is over").waitFor();
  await expectAccessible(eve, "the page of a banned person");

  await ann.getByRole("button", { name: "Moderating" }).click();
  await dialog(ann).getByText("sold watches").waitFor();
  const ban = await dialog(ann).locator(".bans li > span").innerText();
  assert.match(ban, /^User \d+\s+until [^·]+ · sold watches$/, "the name is shown once");
  await dialog(ann).getByRole("button", { name: "Lift" }).click();
  await dialog(ann).getByText("Nobody is banned").waitFor();
  await eve.locator("#sent-away").getByRole("button", { name: "Try again" }).click();
  await connected(eve);
  await leave(ann, eve);
});

Deno.test("a ban and a lock are also shown where sockets don't open", async () => {
  const context = await newPerson(browser);
  await context.addInitScript(() => Reflect.deleteProperty(globalThis, "WebSocket"));
  const eve = await openRoom(context, server.url, "bare");
  const ask = (method: string, path: string, body: unknown) =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      body: JSON.stringify(body),
    }).then((answer) => answer.json());
  await write(eve, "spam");
  await shows(eve, "spam");
  await ask("PATCH", "/api/rooms/bare", { locked: true });
  await eve.locator("#hint", { hasText: "This room is locked" }).waitFor();
  const { messages } = await (await fetch(`${server.url}/api/rooms/bare/messages`)).json();
  await ask("POST", "/api/bans", { user: messages[0].user, minutes: 5 });
  const stopped = eve.locator("#connection[data-kind=stopped]", { hasText: "A moderator keeps you out" });
  await stopped.waitFor();
  await eve.reload();
  await stopped.waitFor();
  await leave(eve);
});

Deno.test("a muted person's messages are hidden until they are unmuted, also after a reload", async () => {
  const [ann, eve] = [await enter("mute"), await enter("mute")];
  await write(eve, "one");
  await write(eve, "two");
  await message(ann, "two").hover();
  assert.equal(await ann.getByRole("button", { name: "Mute", exact: true }).count(), 0, "not one click from muting");
  await message(ann, "two").getByRole("button", { name: "About User" }).click();
  await dialog(ann).getByRole("button", { name: "Mute" }).click();
  await ann.locator(".muted", { hasText: "2 messages from" }).waitFor();
  assert.equal(await ann.locator(".message").count(), 0);
  await write(eve, "three");
  await ann.locator(".muted", { hasText: "3 messages from" }).waitFor();
  await ann.reload();
  await ann.locator(".muted", { hasText: "3 messages from" }).waitFor();
  await ann.locator("#people section").getByRole("button", { name: "Unmute" }).click();
  await message(ann, "three").waitFor();

  // From the list of people, then in the log, using only the keyboard.
  await ann.locator("#people .person").last().focus();
  await ann.keyboard.press("Enter");
  await dialog(ann).getByRole("button", { name: "Mute" }).focus();
  await ann.keyboard.press("Enter");
  await ann.locator(".muted").waitFor();
  await ann.locator("#log").focus();
  await ann.keyboard.press("ArrowUp");
  await ann.keyboard.press("ArrowRight");
  await ann.keyboard.press("Enter");
  await message(ann, "one").waitFor();
  await leave(ann, eve);
});

Deno.test("the dialog to change rooms offers those that a moderator has listed", async () => {
  const page = await enter("listed");
  await moderate(page);
  const changed = page.waitForResponse((answer) => answer.request().method() === "PATCH");
  await dialog(page).getByLabel("Listed").check();
  await changed;
  await page.keyboard.press("Escape");
  const eve = await enter("visiting");
  await eve.locator("#room").click();
  await dialog(eve).locator(".room", { hasText: "general" }).waitFor();
  await dialog(eve).locator(".room", { hasText: "listed" }).click();
  await eve.waitForURL("**/r/listed");
  await leave(page, eve);
});

for (
  const [look, options] of Object.entries<BrowserContextOptions>({
    "in light": { colorScheme: "light" },
    "in dark, in Korean": { colorScheme: "dark", locale: "ko-KR" },
    "on a phone": { viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true },
  })
) {
  Deno.test(`moderating and muting are accessible, ${look}`, async () => {
    const room = `axe-${look.replaceAll(/\W+/g, "-")}`;
    const [page, eve] = [await enter(room, options), await enter(room)];
    await write(eve, "spam");
    await message(page, "spam").waitFor();
    await page.evaluate((token) => sessionStorage.setItem("parley.moderator", token), ADMIN_TOKEN);
    await page.reload();
    await connected(page);
    const panel = async () => {
      if (options.isMobile) await page.locator("#show-people").click();
    };
    await panel();
    if (options.isMobile) await expectAccessible(page, "the people");
    await page.locator(".panel .active").click();
    await dialog(page).locator("select").waitFor();
    await expectAccessible(page, "moderating the room");
    await page.keyboard.press("Escape");
    await panel();
    await page.locator(".panel .person").last().click();
    await dialog(page).locator("#ban-reason").waitFor();
    await expectAccessible(page, "a person");
    await dialog(page).locator("form .danger").click();
    await eve.locator("#connection[data-kind=stopped]").waitFor();
    await expectAccessible(eve, "banned");
    await panel();
    await page.locator(".panel .active").click();
    await dialog(page).locator(".bans li").first().waitFor();
    await expectAccessible(page, "the bans");
    await dialog(page).locator("input[type=checkbox]").first().check();
    await page.locator(".closed").waitFor({ state: "attached" });
    await page.keyboard.press("Escape");
    await message(page, "spam").click();
    await expectAccessible(page, "a locked room, and the buttons of a message");
    await leave(page, eve);
  });
}
