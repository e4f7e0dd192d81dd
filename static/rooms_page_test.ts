/** Changing rooms and names, on a real page. */
import assert from "node:assert/strict";
import { connected, expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { talk } from "../testing/browser/talk.ts";

const server = servePage();
const { person, open } = server;

Deno.test("people change rooms by name, and back and forward work", async () => {
  const ann = await person();
  const page = await open(ann, "first-room");
  await write(page, "in the first");
  await shows(page, "in the first");
  await page.locator("#room").click();
  await page.locator("dialog[open] input").fill("no such room!");
  await page.keyboard.press("Enter");
  await page.locator("dialog[open] [role=alert]", { hasText: "“!” can’t be in a room’s name" }).waitFor();
  await page.locator("dialog[open] input").fill("Second Room");
  await page.getByRole("option", { name: "second-room opens this room", selected: true }).waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL("**/r/second-room");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "text", "and one can write at once");
  await write(page, "in the second");
  await shows(page, "in the second");
  // Within the same event: text typed into a field of the other room would be lost.
  const shownAtOnce = await page.evaluate(() => {
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    addEventListener("popstate", () => resolve(document.querySelector<HTMLElement>("#room bdi")?.innerText), {
      once: true,
    });
    history.back();
    return promise;
  });
  assert.equal(shownAtOnce, "first-room");
  await shows(page, "in the first");
  await page.goForward();
  await shows(page, "in the second");
  assert.match(await page.title(), /^second-room/);
  await page.keyboard.press("Control+k");
  await page.keyboard.type("ro");
  // Not the options one by one: those that are asked for are replaced when the listed rooms come.
  assert.equal(await page.getByRole("listbox").innerText(), "first-room\nro\nopens this room");
  await expectAccessible(page, "the dialog that finds rooms");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/r/first-room");
  await shows(page, "in the first");
  await ann.close();
});

Deno.test("an address with an impossible room name says so, and shows no room and no link to copy", async () => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(`${server.url}/r/no%20room`);
  await page.locator("#problem h1").waitFor();
  assert.deepEqual(await page.locator("header").innerText(), "Parley");
  await page.getByRole("button", { name: "Go to general" }).click();
  await connected(page);
  assert.equal(await page.locator("#room").innerText(), "general");
  await ann.close();
});

Deno.test("a taken name is explained beside the field", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "taken"), open(bob, "taken")]);
  await rename(one, "Only One");
  await one.locator("#me", { hasText: "Only One" }).waitFor();
  await rename(other, "only one");
  await other.locator("dialog[open] [role=alert]", { hasText: "Someone else has this name" }).waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a long list of rooms shows the one that is read, and what is under the list", async () => {
  const ann = await person({ viewport: { width: 1_000, height: 500 } });
  const kept = Array.from(
    { length: 60 },
    (_, at) => ({ room: `a-room-${at}`, muted: false, read: null, date: 60 - at }),
  );
  await ann.addInitScript((kept) => localStorage.setItem("parley.rooms", kept), JSON.stringify(kept));
  const page = await open(ann, "z-room");
  const seen = async (inside: string) =>
    await page.locator("#rooms-foot").evaluate((foot, inside) => {
      const current = document.querySelector(`${inside} [aria-current]`)!.getBoundingClientRect();
      const { top, bottom } = foot.getBoundingClientRect();
      return current.top >= 0 && current.bottom <= top && bottom <= innerHeight;
    }, inside);
  assert.ok(await seen("#rooms"));
  await page.setViewportSize({ width: 390, height: 500 });
  await page.locator("#show-rooms").click();
  await page.locator(".drawer [aria-current]").waitFor();
  assert.ok(await seen(".drawer"), "in the drawer");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Find a room" }).waitFor();
  await page.keyboard.press("Control+k");
  assert.equal(await page.locator("dialog[open]").count(), 1, "no dialog covers another one");
  await ann.close();
});

Deno.test("rooms are put in order, muted and left, and keys lead to the next one with something new", async () => {
  const names = ["ant", "bee", "cat"];
  for (const room of [...names].reverse()) await talk(server.url, room, [`in ${room}`]);
  const ann = await person();
  const page = await open(ann, "ant");
  for (const room of ["bee", "cat"]) {
    await page.goto(`${server.url}/r/${room}`);
    await connected(page);
  }
  const list = page.locator("#rooms > div > ul");
  const inOrder = (...rooms: string[]) =>
    page.waitForFunction(
      (rooms) =>
        [...document.querySelectorAll("#rooms > div > ul bdi")].map(({ textContent }) => textContent).join() === rooms,
      rooms.join(),
    );
  await inOrder("ant", "bee", "cat");
  await page.locator("#rooms section bdi", { hasText: /^general$/ }).waitFor();

  await talk(server.url, "ant", ["news"]);
  await list.locator("li.unread", { hasText: "ant" }).waitFor();
  await page.locator("#text").fill("a draft");
  await page.keyboard.press("Alt+Shift+ArrowDown");
  await page.waitForURL("**/r/ant");
  assert.equal(await page.locator("#text").inputValue(), "", "each room has its own draft");
  await page.keyboard.press("Alt+Shift+ArrowDown");
  assert.match(page.url(), /ant$/, "there is nothing new elsewhere");
  await page.keyboard.press("Alt+ArrowUp");
  await page.waitForURL("**/r/cat");
  assert.equal(await page.locator("#text").inputValue(), "a draft");

  await page.locator("#open-settings").click();
  await page.getByLabel("Order of the rooms").selectOption("Newest message first");
  await inOrder("ant", "bee", "cat");
  await page.keyboard.press("Escape");
  await talk(server.url, "bee", ["news"]);
  await inOrder("bee", "ant", "cat");

  const moreAbout = async (room: string) => {
    await list.locator("li", { hasText: room }).hover();
    await page.getByRole("button", { name: `More about ${room}` }).click();
  };
  await moreAbout("bee");
  await page.getByRole("button", { name: "Mute this room" }).click();
  await list.locator("li.muted-room:not(.unread)", { hasText: "bee" }).waitFor();
  await moreAbout("ant");
  await page.getByRole("button", { name: "Leave this room" }).click();
  await inOrder("bee", "cat");
  await page.reload();
  await list.locator("li.muted-room", { hasText: "bee" }).waitFor();
  await inOrder("bee", "cat");
  // Whoever leaves the room that they read is in another one.
  await moreAbout("cat");
  await page.getByRole("button", { name: "Leave this room" }).click();
  await page.waitForURL("**/r/bee");
  await inOrder("bee");
  await ann.close();
});
