/** Who is who, and who is here: names, cards and crowds on a real page. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import { expectAccessible, newPerson, openRoom, rename } from "../testing/browser/page.ts";
import type { ServerFrame } from "../chat/protocol.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

let browser: Browser;
let server: RunningServer;

Deno.test.beforeAll(async () => {
  const env = { MESSAGE_RATE: "0", CONNECTIONS_PER_IP: "0" };
  [browser, server] = await Promise.all([launchChromium(), startServer({ env })]);
});

Deno.test.afterAll(async () => {
  await browser.close();
  await server.stop();
});

/** Someone without a page, in a room, who has said this there. */
async function guest(room: string, name?: string, ...texts: string[]) {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/connect?room=${room}`);
  const waiting: { action: string; resolve: () => void }[] = [];
  const guest = {
    send: (frame: object) => socket.send(JSON.stringify(frame)),
    until: (action: ServerFrame["action"]) => new Promise<void>((resolve) => waiting.push({ action, resolve })),
    async close() {
      const closed = new Promise((resolve) => socket.onclose = resolve);
      socket.close();
      await closed;
    },
  };
  socket.onmessage = ({ data }) => {
    for (const { action } of [JSON.parse(data)].flat() as ServerFrame[]) {
      for (const waiter of waiting) if (waiter.action === action) waiter.resolve();
    }
  };
  await guest.until("room_joined");
  if (name) guest.send({ action: "set_name", name });
  for (const text of texts) guest.send({ action: "send_message", room, text });
  guest.send({ action: "ping" });
  await guest.until("pong");
  return guest;
}

const dialog = (page: Page) => page.locator("dialog[open]");
const message = (page: Page, text: string) => page.locator(".message", { hasText: text });

Deno.test("a name of 32 characters moves no message, and is complete in its person's card", async () => {
  const long = "W".repeat(32);
  const guests: Awaited<ReturnType<typeof guest>>[] = [];
  for (const [at, name] of ["Mina", long, "가".repeat(32), "🦊".repeat(32)].entries()) {
    guests.push(await guest("names", name, `one of ${at}`, `two of ${at}`));
  }
  const context = await newPerson(browser, { permissions: ["clipboard-read", "clipboard-write"] });
  const page = await openRoom(context, server.url, "names");
  await message(page, "two of 3").waitFor();
  for (const width of [1_280, 360]) {
    await page.setViewportSize({ width, height: 700 });
    const rows = await page.locator(".message").evaluateAll((rows) => rows.map((row) => row.clientHeight));
    // Above their messages names take a line, so that the first ones are higher there.
    const same = width === 1_280 ? rows : rows.filter((_, at) => at % 2 === 0);
    assert.equal(new Set(same).size, 1, `${width}: ${rows}`);
    const overflow = await page.locator(".author bdi").evaluateAll((names) =>
      names.filter((name) => {
        const [inner, row] = [name.getBoundingClientRect(), name.closest(".message")!.getBoundingClientRect()];
        return inner.left < 0 || inner.right > row.right || inner.bottom > row.bottom + 10;
      }).length
    );
    assert.equal(overflow, 0);
  }
  await page.setViewportSize({ width: 1_280, height: 700 });

  // By keyboard, from a message that does not show its author: what is between is said once for each.
  await page.locator("#log").focus();
  await page.keyboard.press("End");
  for (const _ of [1, 2, 3, 4]) await page.keyboard.press("ArrowUp");
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute("aria-label"));
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "React");
  for (let right = 0; right < 4 && await focused() !== `About ${long}`; right++) {
    await page.keyboard.press("ArrowRight");
  }
  assert.equal(await focused(), `About ${long}`);
  await page.keyboard.press("Enter");
  assert.equal(await dialog(page).locator("h2 bdi").innerText(), long);
  await dialog(page).getByText("Here now").waitFor();
  await dialog(page).getByRole("button", { name: "Copy name" }).click();
  await dialog(page).getByText("Name copied").waitFor();
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), long);
  await expectAccessible(page, "a card");
  guests[1].send({ action: "leave_room", room: "names" });
  await dialog(page).getByText("Not here right now").waitFor();
  await page.keyboard.press("Escape");

  await page.locator("#text").fill("ask");
  await message(page, "one of 0").locator(".author").click();
  assert.equal(await dialog(page).locator(".avatar").innerText(), "Mi");
  await dialog(page).getByRole("button", { name: "Mention" }).click();
  await page.keyboard.type("please");
  assert.equal(await page.locator("#text").inputValue(), "ask @Mina please");
  await page.locator("#people .person").first().click();
  assert.equal(await dialog(page).getByRole("button", { name: "Mute" }).count(), 0, "nobody mutes themselves");
  await dialog(page).getByRole("button", { name: "Change your name" }).click();
  await dialog(page).getByLabel("Your name").waitFor();
  await Promise.all([context.close(), ...guests.map((client) => client.close())]);
});

Deno.test("above 100 people one finds oneself first, anyone by name, and the rest page by page", async () => {
  const guests = await Promise.all(Array.from({ length: 119 }, () => guest("crowd")));
  // The newest one is listed by nobody: the server lists those who came first.
  guests.push(await guest("crowd", "Zoe Last"));
  const context = await newPerson(browser);
  const page = await openRoom(context, server.url, "crowd");
  const people = page.locator("#people .person");
  await page.locator("#people").getByText("and 20 more").waitFor();
  assert.match(await people.first().innerText(), /\(you\)/);
  assert.equal(await people.count(), 101);
  await expectAccessible(page, "a crowd");

  const field = page.getByRole("searchbox", { name: "Find someone" });
  await field.fill("nobody at all");
  await page.locator("#people").getByText("Nobody here has this name").waitFor();
  await field.fill("zoe");
  await people.filter({ hasText: "Zoe Last" }).waitFor();
  assert.equal(await people.count(), 1);
  await field.press("Escape");
  assert.equal(await people.count(), 121, "to find out that there is no such name all were asked for");

  await page.reload();
  await page.getByRole("button", { name: "Show more" }).click();
  await people.nth(120).waitFor();
  assert.equal(await people.count(), 121);
  assert.equal(await page.getByRole("button", { name: "Show more" }).isVisible(), false);
  assert.match(await people.first().innerText(), /\(you\)/);
  await Promise.all([context.close(), ...guests.map((client) => client.close())]);
});

Deno.test("whoever has lost their cookie and asks for their name is told until when it is held", async () => {
  const lost = await guest("held", "Only One");
  await lost.close();
  const context = await newPerson(browser, { locale: "ko-KR" });
  const page = await openRoom(context, server.url, "held");
  await rename(page, "only one");
  await dialog(page).locator("[role=alert]", { hasText: /\d{4}년 \d+월 \d+일 .*까지 다른 사람/ }).waitFor();
  await context.close();
});
