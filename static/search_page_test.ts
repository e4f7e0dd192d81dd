/** Searching a room, on a real page. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connected, expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { talk } from "../testing/browser/talk.ts";
import { until } from "../testing/until.ts";

const server = servePage();
const { person, open } = server;

const field = (page: Page) => page.locator("#search-field");
const said = (page: Page) => page.locator("#search-status p");
const results = (page: Page) => page.locator("#search ol > li");
/** What is marked in each result that is shown. */
const marks = (page: Page) =>
  results(page).evaluateAll((items) =>
    items.map((item) => [...item.querySelectorAll("mark")].map(({ textContent }) => textContent).join("|"))
  );
/** Waits until the results are these texts, and no others. */
async function finds(page: Page, ...texts: string[]): Promise<void> {
  const shown = () => page.locator("#search ol[aria-busy=false] > li .words").allInnerTexts();
  await until(async () => JSON.stringify(await shown()) === JSON.stringify(texts)).catch(async () =>
    assert.deepEqual(await shown(), texts)
  );
}
const focused = (page: Page) => page.evaluate(() => document.activeElement?.id);

Deno.test("one searches by key, goes to what is found and on to the next, and comes back to where one was", async () => {
  const ann = await person();
  await talk(server.url, "far", ["the first coffee", "커피한잔 할까요?", "say “hello, world”"]);
  await talk(server.url, "far", Array.from({ length: 140 }, (_, at) => `filler ${at}`));
  await talk(server.url, "far", ["hello to the world", "Coffee again"]);
  const page = await open(ann, "far");
  await page.locator("#text").fill("a draft");
  await page.keyboard.press("Control+f");
  await page.locator("#search:visible").waitFor();
  assert.equal(await focused(page), "search-field");
  const isLeft = await field(page).evaluate((field) =>
    field.dispatchEvent(new KeyboardEvent("keydown", { key: "f", ctrlKey: true, bubbles: true, cancelable: true }))
  );
  assert.ok(isLeft, "the second time the browser searches the page");

  await page.keyboard.type("coff");
  await finds(page, "Coffee again", "the first coffee");
  assert.deepEqual(await marks(page), ["Coff", "coff"]);
  assert.equal(await said(page).innerText(), "2 messages");
  await expectAccessible(page, "what was found");
  await page.keyboard.press("Enter");
  await page.locator(".linked", { hasText: "Coffee again" }).waitFor();
  await page.keyboard.press("Enter");
  await page.locator(".linked", { hasText: "the first coffee" }).waitFor();
  assert.equal(await page.locator("#search-steps .place").innerText(), "2 of 2");
  assert.equal(await focused(page), "search-field", "and one can search on");

  await field(page).fill("커피");
  await finds(page, "커피한잔 할까요?");
  assert.deepEqual(await marks(page), ["커피"]);
  await field(page).fill('"hello world"');
  await finds(page, "say “hello, world”");
  await field(page).fill("hel wor");
  await finds(page, "hello to the world", "say “hello, world”");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.locator(".linked", { hasText: "say “hello" }).waitFor();
  await page.locator("#search [aria-current=true]", { hasText: "say “hello" }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.keyboard.press("ArrowUp");
  assert.equal(await focused(page), "search-field");

  await page.keyboard.press("Escape");
  await page.locator(".message", { hasText: "Coffee again" }).waitFor();
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  assert.deepEqual([await page.locator("#search").isVisible(), await focused(page)], [false, "text"]);
  assert.equal(await page.locator("#text").inputValue(), "a draft");
  // Whoever closes it by its button stays where they are.
  await page.locator("#open-search").click();
  await finds(page, "hello to the world", "say “hello, world”");
  await results(page).last().locator("button").click();
  await page.locator(".linked").waitFor();
  await page.getByRole("button", { name: "Close search" }).click();
  assert.ok(await page.locator("#to-latest").isVisible());
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Find a room" }).waitFor();
  await page.keyboard.press("Escape");
  // It gives the focus back once it has gone.
  await page.getByRole("dialog", { name: "Find a room" }).waitFor({ state: "hidden" });
  await page.locator("#text").click();
  await page.locator("#text").fill("/search again");
  await page.keyboard.press("Enter");
  await finds(page, "Coffee again");
  assert.deepEqual([await field(page).inputValue(), await focused(page)], ["again", "search-field"]);
  await ann.close();
});

Deno.test("a person and a day narrow a search, and what is found changes as its messages do", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [page, other] = await Promise.all([open(ann, "narrow"), open(bob, "narrow")]);
  await rename(other, "Bob Narrow");
  await write(other, "tea by Bob");
  await write(page, "tea by me");
  await write(page, "tea too");
  await shows(other, "tea by Bob", "tea by me", "tea too");
  await page.locator("#open-search").click();
  await field(page).fill("tea");
  await finds(page, "tea too", "tea by me", "tea by Bob");
  await page.keyboard.type(" from:bo");
  assert.equal(await focused(page), "search-from");
  await page.getByRole("option", { name: "Bob Narrow", selected: true }).waitFor();
  await expectAccessible(page, "the people of a search");
  await page.keyboard.press("Enter");
  await finds(page, "tea by Bob");
  assert.deepEqual([await field(page).inputValue(), await page.locator("#search .chosen").innerText()], [
    "tea",
    "Bob Narrow",
  ]);
  await page.getByRole("button", { name: "Not only from Bob Narrow" }).click();
  await finds(page, "tea too", "tea by me", "tea by Bob");
  const day = (ago: number) => new Date(Date.now() - ago * 86_400_000).toLocaleDateString("sv");
  await page.locator("#search-until").fill(day(1));
  await said(page).getByText("Nothing was found.").waitFor();
  await page.locator("#search-until").fill(day(0));
  await finds(page, "tea too", "tea by me", "tea by Bob");

  await other.locator("#text").press("ArrowUp");
  await other.locator(".editor textarea").fill("tea, changed by Bob");
  await other.keyboard.press("Enter");
  await finds(page, "tea too", "tea by me", "tea, changed by Bob");
  await other.locator(".message", { hasText: "changed" }).hover();
  await other.locator(".message", { hasText: "changed" }).getByRole("button", { name: "Delete", exact: true }).click();
  await other.locator(".question button").first().click();
  await finds(page, "tea too", "tea by me", "Message deleted");
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("older ones follow, nothing found is told with how far it was searched, and so is what can't be done", async () => {
  const ann = await person();
  await talk(server.url, "many", Array.from({ length: 60 }, (_, at) => `word ${at}`));
  const page = await open(ann, "many");
  const searches: string[] = [];
  page.on("request", (request) => {
    const { pathname, searchParams } = new URL(request.url());
    if (pathname.endsWith("/search")) searches.push(searchParams.get("q")!);
  });
  await page.keyboard.press("Control+f");
  await page.keyboard.type("w");
  await page.keyboard.press("Backspace");
  assert.equal(await said(page).innerText(), "", "one letter is no mistake yet");
  await page.keyboard.type("w");
  await page.keyboard.press("Enter");
  await said(page).getByText("can’t be searched for").waitFor();
  await page.keyboard.type("ord");
  await said(page).getByText("25 messages so far").waitFor();
  await page.getByRole("button", { name: "Find older ones" }).click();
  await said(page).getByText("50 messages so far").waitFor();
  for (let at = 0; at < 50; at++) await page.keyboard.press("ArrowDown");
  await results(page).last().locator("button").focus();
  await page.keyboard.press("Enter");
  await field(page).focus();
  await page.keyboard.press("Enter");
  await page.locator("#search [aria-current=true]", { hasText: "word 9" }).waitFor();
  assert.equal(await said(page).innerText(), "60 messages", "beyond the last one it finds older ones by itself");
  assert.deepEqual([...new Set(searches)], ["word"]);

  // As a server without an index answers that has looked at a long stretch.
  const body = JSON.stringify({ room: "many", epoch: "e", seq: 60, messages: [], more: true, before: 5 });
  await page.route("**/search?*", (route) => route.fulfill({ body, contentType: "application/json" }));
  const before = searches.length;
  await field(page).fill("nowhere");
  await said(page).getByText(/^Nothing was found back to .+ 20\d\d\.$/).waitFor();
  assert.equal(searches.length, before + 5);
  await page.getByRole("button", { name: "Search further back" }).click();
  await said(page).getByText(/^Nothing was found back to/).waitFor();
  await page.unroute("**/search?*");
  const problem = { code: "rate_limited", detail: "…", retry_after: 60, status: 429, title: "", type: "" };
  await page.route("**/search?*", (route) => route.fulfill({ status: 429, json: problem }));
  await field(page).fill("fast");
  await said(page).getByText("That was a little fast.").waitFor();
  await page.unroute("**/search?*");
  await page.route("**/search?*", (route) => route.abort());
  await field(page).fill("word 59");
  await said(page).getByText("There is no connection right now.").waitFor();
  await page.unroute("**/search?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await finds(page, "word 59");

  // Nothing is searched for that an input method is still making words of, but syllables of Hangul are words already.
  const devtools = await ann.newCDPSession(page);
  const compose = (text: string) =>
    devtools.send("Input.imeSetComposition", { text, selectionStart: text.length, selectionEnd: text.length });
  await field(page).fill("");
  await compose("nihao");
  await page.keyboard.press("Enter");
  await devtools.send("Input.insertText", { text: "你好" });
  await said(page).getByText("Nothing was found.").waitFor();
  await field(page).fill("회");
  await compose("ㅇ");
  await compose("의");
  await until(() => searches.at(-1) === "회의");
  assert.deepEqual(searches.slice(-2), ["你好", "회의"]);
  await page.evaluate(() =>
    document.activeElement!.dispatchEvent(
      new KeyboardEvent("keydown", { key: "Escape", isComposing: true, bubbles: true, cancelable: true }),
    )
  );
  assert.ok(await page.locator("#search").isVisible(), "Escape belongs to the input method");
  await ann.close();
});

Deno.test("on a phone the search covers the page, and is a bar above the message to which one goes", async () => {
  const ann = await person({ viewport: { width: 320, height: 640 }, isMobile: true, hasTouch: true });
  await talk(server.url, "phone", [
    "tea at five",
    ...Array.from({ length: 80 }, (_, at) => `filler ${at}`),
    "more tea",
  ]);
  const page = await open(ann, "phone");
  await page.locator("#open-search").tap();
  await field(page).fill("tea");
  await finds(page, "more tea", "tea at five");
  const box = (id: string) => page.locator(id).evaluate((element) => element.getBoundingClientRect().toJSON());
  const { top, left, width, height } = await box("#search");
  assert.deepEqual([top, left, width, height], [0, 0, 320, 640]);
  assert.equal(await page.locator("#text").isVisible(), false);
  // It hides what it covers from screen readers too, as a dialog does.
  const covered = { except: ["landmark-one-main", "page-has-heading-one"] };
  await expectAccessible(page, "a search on a phone", covered);
  await results(page).last().locator("button").tap();
  await page.locator(".linked", { hasText: "tea at five" }).waitFor();
  assert.ok((await box("#search")).height < 80);
  assert.ok(await page.locator(".linked").isVisible());
  await expectAccessible(page, "the bar of a search", covered);
  await page.getByRole("button", { name: "Newer one" }).tap();
  await page.locator(".linked", { hasText: "more tea" }).waitFor();
  await page.locator("#search-steps .place").tap();
  await page.locator("#search [aria-current=true]", { hasText: "more tea" }).waitFor();
  const small = await page.locator("#search :is(button, input):visible").evaluateAll((targets) =>
    targets.map((target) => target.getBoundingClientRect().height).filter((height) => height < 44)
  );
  assert.deepEqual(small, []);
  await page.getByRole("button", { name: "Close search" }).tap();
  await page.locator("#text").waitFor();
  await page.goto(`${server.url}/r/elsewhere`);
  await connected(page);
  assert.equal(await page.locator("#search").isVisible(), false);
  await ann.close();
});
