/** Changing one's messages, by mouse and by keyboard, on a real page. */
import assert from "node:assert/strict";
import { shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

Deno.test("everyone sees an edit and a deletion, also after a reload", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "edit"), open(bob, "edit")]);
  await write(one, "frist");
  await write(one, "oops");
  await shows(other, "frist", "oops");
  await one.locator(".message").last().hover();
  await one.locator(".message").last().getByRole("button", { name: "Delete" }).click();
  await one.getByRole("group").getByRole("button", { name: "Delete" }).click();
  await shows(other, "frist", "Message deleted");
  // With the keyboard only: arrow up in an empty field edits one's last message.
  await one.locator("#text").press("ArrowUp");
  await one.keyboard.press("ControlOrMeta+A");
  await one.keyboard.type("first");
  await one.keyboard.press("Enter");
  await shows(other, "first (edited)", "Message deleted");
  assert.equal(await one.evaluate(() => document.activeElement?.id), "text");
  await other.reload();
  await shows(other, "first (edited)", "Message deleted");
  for (const message of await other.locator(".message").all()) await message.hover();
  const tools = other.locator(".tools:not([hidden]) button");
  const titles = await tools.evaluateAll((all) => all.map((tool) => tool.getAttribute("title") ?? ""));
  assert.deepEqual(
    titles.map((title) => title.split(" ")[0]).sort(),
    ["About", "Answer", "React"],
    "nobody can change someone else's message",
  );
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("every message can be reached by keyboard, and one's own can be changed", async () => {
  const ann = await person();
  const page = await open(ann, "keyboard");
  await write(page, "older");
  await write(page, "newer");
  await shows(page, "older", "newer");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await page.locator(".message:focus .text").innerText(), "newer");
  await page.keyboard.press("ArrowUp");
  for (const reached of ["User", "React", "Answer", "Edit", "Delete"]) {
    await page.keyboard.press("ArrowRight");
    const focused = await page.evaluate(() => document.activeElement?.ariaLabel ?? document.activeElement?.textContent);
    assert.ok(focused?.startsWith(reached), `${focused}`);
  }
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Keep it");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await shows(page, "Message deleted", "newer");
  assert.equal(await page.evaluate(() => document.activeElement?.id), "text");
  await ann.close();
});

Deno.test("Escape cancels an edit", async () => {
  const ann = await person();
  const page = await open(ann, "escape");
  await write(page, "as it was");
  await shows(page, "as it was");
  await page.locator("#text").press("ArrowUp");
  await page.keyboard.type(" not");
  await page.keyboard.press("Escape");
  await shows(page, "as it was");
  await ann.close();
});

Deno.test("a refused message stays, says why, and is sent when its author tries again", async () => {
  const ann = await person();
  const page = await ann.newPage();
  let refusing = true;
  await page.routeWebSocket(/\/connect/, (socket) => {
    const real = socket.connectToServer();
    socket.onMessage((data) => {
      const { action, room, id } = JSON.parse(String(data));
      if (!refusing || action !== "send_message") return real.send(data);
      socket.send(JSON.stringify({ action: "error", code: "forbidden", message: "No.", room, id }));
    });
  });
  await page.goto(`${server.url}/r/refused`);
  await write(page, "let me in");
  await page.locator(".trouble", { hasText: "Not sent." }).waitFor();
  refusing = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await shows(page, "let me in");
  await page.reload();
  await shows(page, "let me in");
  await ann.close();
});

Deno.test("an entry of a kind that the page doesn't know changes nothing, and the page goes on", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const joins: string[] = [];
  await ann.routeWebSocket(/\/connect/, (socket) => {
    const real = socket.connectToServer();
    socket.onMessage((data) => {
      joins.push(...String(data).match(/"join_room"/g) ?? []);
      real.send(data);
    });
    real.onMessage((data) => socket.send(String(data).replaceAll('"message_edited"', '"message_of_tomorrow"')));
  });
  const [one, other] = [await open(ann, "unknown"), await open(bob, "unknown")];
  await write(other, "before");
  await Promise.all([shows(one, "before"), shows(other, "before")]);
  await other.locator("#text").press("ArrowUp");
  await other.keyboard.type(" and after");
  await other.keyboard.press("Enter");
  await shows(other, "before and after (edited)");
  await write(other, "next");
  await shows(one, "before", "next");
  assert.equal(joins.length, 1, "no gap was seen");
  await Promise.all([ann.close(), bob.close()]);
});
