/** Reading the messages of a room: older ones, new ones, on a real page. */
import assert from "node:assert/strict";
import { shows, texts, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

/** Sends `count` short messages to a room. */
async function fill(room: string, count: number): Promise<void> {
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/connect?room=${room}`);
  const { promise, resolve } = Promise.withResolvers<void>();
  let kept = 0;
  socket.onmessage = ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.action === "receive_message") kept++;
    if (frame.action !== "receive_message" && frame.action !== "room_joined") return;
    if (kept === count) resolve();
    else socket.send(JSON.stringify({ action: "send_message", room, text: `line ${kept + 1}` }));
  };
  await promise;
  const closed = new Promise((resolve) => socket.onclose = resolve);
  socket.close();
  await closed;
}

Deno.test("scrolling up loads older messages and keeps the place", async () => {
  await fill("history", 120);
  const ann = await person({ viewport: { width: 900, height: 600 } });
  const page = await open(ann, "history");
  await page.getByText("line 120", { exact: true }).waitFor();
  assert.equal(await page.locator(".message").count(), 50);
  const first = page.getByText("line 71", { exact: true });
  await page.locator("#log").evaluate((log) => log.scrollTop = 300);
  const before = await first.evaluate((line) => line.getBoundingClientRect().top);
  await page.getByText("line 21", { exact: true }).waitFor({ state: "attached" });
  const after = await first.evaluate((line) => line.getBoundingClientRect().top);
  assert.ok(Math.abs(after - before) < 2, `moved from ${before} to ${after}`);
  await page.locator("#log").evaluate((log) => log.scrollTop = 0);
  await page.getByText("line 1", { exact: true }).waitFor({ state: "attached" });
  await page.getByText("The beginning of history").waitFor({ state: "attached" });
  const numbers = (await texts(page)).map((text) => Number(text.slice("line ".length)));
  assert.deepEqual(numbers, Array.from({ length: 120 }, (_, index) => index + 1));
  await ann.close();
});

Deno.test("older messages that failed to load can be loaded again by hand", async () => {
  await fill("stubborn", 60);
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
  await fill("reading", 40);
  const [ann, bob] = await Promise.all([person({ viewport: { width: 900, height: 500 } }), person()]);
  const [one, other] = await Promise.all([open(ann, "reading"), open(bob, "reading")]);
  await one.getByText("line 40", { exact: true }).waitFor();
  await one.locator("#log").evaluate((log) => log.scrollTop = 100);
  await one.locator("#to-latest").waitFor();
  const place = await one.locator("#log").evaluate((log) => log.scrollTop);
  await write(other, "news");
  await one.getByRole("button", { name: "1 new message" }).click();
  assert.ok(place < await one.locator("#log").evaluate((log) => log.scrollTop));
  assert.ok(await one.getByText("news").isVisible());
  await one.locator("#to-latest").waitFor({ state: "hidden" });
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a message's buttons never cover its text", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "cover"), open(bob, "cover")]);
  await write(one, "w".repeat(300));
  await shows(other, "w".repeat(300));
  for (const page of [one, other]) {
    await page.locator(".message .text").hover();
    const [text, tools] = await Promise.all([
      page.locator(".message .text").boundingBox(),
      page.locator(".message .tools").boundingBox(),
    ]);
    assert.ok(text && tools && tools.x >= text.x + text.width);
  }
  await Promise.all([ann.close(), bob.close()]);
});
