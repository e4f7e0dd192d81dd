/** What messages look like that are more than plain text. */
import assert from "node:assert/strict";
import { expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines } from "../testing/browser/talk.ts";

const server = servePage();
const { person, open } = server;

const LONG_LINE = `const names = [${"'ann', ".repeat(40)}];`;
const CODE = [
  "```ts",
  "// A comment",
  LONG_LINE,
  ...Array.from({ length: 40 }, (_, at) => `let a${at} = ${at};`),
  "```",
];
const LIST = "**Bold** and _italic_, ~~gone~~ and `inline code`:\n- one\n- two\n  1. inner\n\n> quoted *words*\nafter";

for (const colorScheme of ["light", "dark"] as const) {
  Deno.test(`messages look as their marks say, and are accessible, in ${colorScheme}`, async () => {
    const ann = await person({ colorScheme });
    const page = await open(ann, `looks-${colorScheme}`);
    const last = page.locator(".message .text").last();
    await write(page, LIST);
    await last.locator("blockquote em").waitFor();
    for (
      const [tag, text] of Object.entries({
        strong: "Bold",
        em: "italic",
        s: "gone",
        code: "inline code",
        "ol li": "inner",
      })
    ) {
      assert.equal(await last.locator(tag).first().innerText(), text);
    }
    assert.match(
      await last.innerText(),
      /^Bold and italic, gone and inline code:\s+one\s+two\s+inner\s+quoted words\s+after$/,
    );
    await write(page, "see [bank.example](https://evil.example/a) and https://a.example/b_c_d");
    assert.equal(await last.locator("a").first().innerText(), "bank.example (evil.example)");
    assert.equal(await last.locator("a").last().getAttribute("href"), "https://a.example/b_c_d");
    for (const rel of ["noopener", "noreferrer", "nofollow"]) await last.locator(`a[rel~=${rel}]`).first().waitFor();
    await write(page, CODE.join("\n"));
    const view = last.locator("pre[tabindex='0']");
    await view.locator(".token-comment", { hasText: "// A comment" }).waitFor();
    assert.equal(await view.innerText(), CODE.slice(1, -1).join("\n"));
    assert.ok((await view.boundingBox())!.height < 520);
    await write(page, "👍 🎉");
    await page.locator(".text.emoji", { hasText: "👍 🎉" }).waitFor();
    await write(page, "/me waves **once**");
    await page.locator(".text.action strong").waitFor();
    await expectAccessible(page, colorScheme);
    // Also where the reader has chosen what the system has not.
    const chosen = colorScheme === "light" ? "dark" : "light";
    await page.evaluate((theme) => document.documentElement.dataset.theme = theme, chosen);
    await expectAccessible(page, `${chosen}, not ${colorScheme}`, { only: ["color-contrast"] });
    // The newest is still what is seen, although texts have grown.
    await page.waitForFunction(() => {
      // deno-lint-ignore no-explicit-any -- only the browser has a document
      const log = (globalThis as any).document.getElementById("log");
      return log.scrollHeight - log.clientHeight - log.scrollTop < 2;
    });
    await ann.close();
  });
}

Deno.test("what was said before one comes is plain at once, and what its marks say a moment later", async () => {
  const [ann, bob] = [await person(), await person({ viewport: { width: 320, height: 640 } })];
  const page = await open(ann, "later");
  await rename(page, "Ann");
  await page.locator("#me", { hasText: "Ann" }).waitFor();
  await write(page, CODE.join("\n"));
  await write(page, "/me waves");
  await page.locator(".text.action").waitFor();
  await write(page, "as typed: snake_case, 2*3*4, a <b>");
  await write(page, lines(1, 40).join("\n"));
  let release = () => {};
  const held = new Promise<void>((resolve) => release = resolve);
  await bob.route(/text_nodes/, async (route) => {
    await held;
    await route.continue();
  });
  const other = await open(bob, "later");
  const texts = other.locator(".message .text");
  assert.equal(await texts.first().innerText(), CODE.join("\n"));
  assert.equal(await texts.nth(1).innerText(), "Ann waves");
  assert.equal(await texts.nth(2).innerText(), "as typed: snake_case, 2*3*4, a <b>");
  await texts.nth(1).evaluate((text) => text.scrollIntoView());
  await other.locator("#to-latest").waitFor(); // it is known that the newest is not what is read
  const above = (await texts.nth(1).boundingBox())!.y;
  release();
  await texts.first().locator("pre .token-comment").waitFor({ state: "attached" });
  assert.ok(Math.abs((await texts.nth(1).boundingBox())!.y - above) < 2, "what is read stays where it is");
  assert.ok(
    await other.evaluate("document.documentElement.scrollWidth <= innerWidth"),
    "code is no wider than a phone",
  );
  // Who does something is read once, and the next message has its author's name again.
  const messages = other.locator(".message");
  assert.deepEqual(await messages.locator(".byline").evaluateAll((lines) => lines.map((line) => line.ariaHidden)), [
    null,
    "true",
    null,
    null,
  ]);
  assert.ok(await messages.nth(2).evaluate((message) => message.classList.contains("first")));
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("code is copied with a click, also where there is no clipboard, and the button says so", async () => {
  for (const hasClipboard of [true, false]) {
    const ann = await person({ permissions: ["clipboard-read", "clipboard-write"] });
    if (!hasClipboard) await ann.addInitScript("delete Navigator.prototype.clipboard");
    const page = await open(ann, `copy-${hasClipboard}`);
    await write(page, "```\n<b>*one*</b>\n\n\ttwo\n```");
    await page.locator(".code").getByRole("button", { name: "Copy" }).click();
    await page.locator(".code").getByRole("button", { name: "Copied" }).waitFor();
    assert.equal(await page.locator("#announcer").textContent(), "Copied");
    await page.locator(".code").getByRole("button", { name: "Copy", exact: true }).waitFor();
    assert.equal(await page.locator("#announcer").textContent(), "");
    await page.locator("#text").focus();
    await page.keyboard.press("Control+v");
    assert.equal(await page.locator("#text").inputValue(), "<b>*one*</b>\n\n\ttwo");
    await ann.close();
  }
});

Deno.test("an edited message is shown anew, and its editor has it as it was typed", async () => {
  const ann = await person();
  const page = await open(ann, "edit-text");
  await write(page, "**one**");
  // What the server does not have yet can't be edited.
  await page.locator(".message:not(.waiting) .text strong").waitFor();
  await page.locator("#text").press("ArrowUp");
  const editor = page.locator(".editor textarea");
  assert.equal(await editor.inputValue(), "**one**");
  await editor.fill("/me is *here*");
  await editor.press("Enter");
  await page.locator(".message:not(.waiting) .text.action em", { hasText: "here" }).waitFor();
  await page.locator("#text").press("ArrowUp");
  await editor.fill("plain");
  await editor.press("Enter");
  await shows(page, "plain (edited)");
  assert.equal(await page.locator(".message .text").getAttribute("class"), "text");
  await ann.close();
});

Deno.test("marks piled on a letter stay within their message", async () => {
  const ann = await person();
  const page = await open(ann, "stacked");
  await write(page, "a" + "\u0325\u0301".repeat(1_900));
  await page.locator(".message:not(.waiting) .text").waitFor();
  const beyond = await page.locator("#log").evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(beyond, 0);
  await ann.close();
});
