/** How one writes: completion, commands, pasting, the focus, why a message waits, and all of it on a phone. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { connected, expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";
import { lines, talk } from "../testing/browser/talk.ts";

const server = servePage();
const { person, open } = server;

const value = (page: Page) => page.locator("#text").inputValue();
const focused = (page: Page) => page.evaluate(() => document.activeElement?.id);
const choices = (page: Page) => page.locator("#completion [role=option] bdi").allInnerTexts();

/** Types into an empty field, and waits for what the list begins with. */
async function complete(page: Page, text: string, first: string): Promise<void> {
  await page.locator("#text").fill("");
  await page.locator("#text").pressSequentially(text);
  await page.locator("#completion [aria-selected=true]", { hasText: first }).waitFor();
}

Deno.test("names and emoji are completed by key and by click, and undo takes it back", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [page, other] = [await open(ann, "complete"), await open(bob, "complete")];
  await rename(other, "Minsu of Seoul");
  await page.locator("#people", { hasText: "Minsu of Seoul" }).waitFor();
  await complete(page, "hi @seo", "Minsu of Seoul");
  // HTML gives a textarea no other role, and without it nothing may say that the list is open.
  await expectAccessible(page, "names to choose", { except: ["aria-allowed-role"] });
  const field = page.locator("#text");
  const [name, frame] = await Promise.all([page.locator("#me").boundingBox(), page.locator("#field").boundingBox()]);
  assert.ok(name!.y + name!.height > frame!.y, "one's name stands beside the field");
  assert.equal(await field.getAttribute("aria-expanded"), "true");
  assert.equal(await field.getAttribute("aria-controls"), await page.getByRole("listbox").getAttribute("id"));
  const marked = await field.getAttribute("aria-activedescendant");
  assert.equal(await page.locator(`#${marked}`).getAttribute("aria-selected"), "true");
  await page.keyboard.press("Tab");
  assert.equal(await value(page), "hi @Minsu of Seoul ");
  assert.equal(await page.getByRole("listbox").count(), 0, "and it is over");
  assert.equal(await field.getAttribute("role"), null);

  await complete(page, "so :hear", "heart");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await value(page), "so ♥️ ");
  await page.keyboard.press("ControlOrMeta+Z");
  assert.match(await value(page), /^so :h/);
  await complete(page, ":하트", "heart");
  assert.ok((await choices(page)).length > 3);
  await page.getByRole("option").nth(1).click();
  assert.match(await value(page), /^\p{Extended_Pictographic}\ufe0f? $/u);
  assert.equal(await focused(page), "text");
  await complete(page, ":hear", "heart");
  await page.keyboard.press("Escape");
  assert.deepEqual([await value(page), await choices(page)], [":hear", []]);

  await field.fill("");
  await field.pressSequentially(":+1: at 10:30: `:smile:` http://example.org:80:");
  assert.equal(await value(page), "👍 at 10:30: `:smile:` http://example.org:80:");

  // While an input method composes, its keys are its own.
  await field.fill("");
  const devtools = await ann.newCDPSession(page);
  await field.pressSequentially("@");
  await devtools.send("Input.imeSetComposition", { text: "m", selectionStart: 1, selectionEnd: 1 });
  await page.getByRole("option", { name: "Minsu of Seoul" }).waitFor();
  const key = { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode: 229 } as const;
  await devtools.send("Input.dispatchKeyEvent", key);
  assert.equal(await value(page), "@m");
  await devtools.send("Input.insertText", { text: "m" });
  await page.keyboard.press("Enter");
  assert.equal(await value(page), "@Minsu of Seoul ");
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("commands do what they say, and what is none is not sent unless one says so", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [page, other] = [await open(ann, "commands"), await open(bob, "commands")];
  await rename(other, "Loud");
  await page.locator("#people", { hasText: "Loud" }).waitFor();
  await write(other, "loud words");
  await shows(page, "loud words");
  const advice = page.locator("#advice");
  await complete(page, "/", "/nick NAME");
  await expectAccessible(page, "commands to choose", { except: ["aria-allowed-role"] });
  await page.keyboard.press("Tab");
  await page.keyboard.type("User 12345");
  await page.keyboard.press("Enter");
  await advice.getByText("A name has 1 to 32 visible characters").waitFor();
  assert.equal(await value(page), "/nick User 12345");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("/nick Ann of commands\n");
  await advice.getByText("You are Ann of commands now.").waitFor();
  await page.locator("#me", { hasText: "Ann of commands" }).waitFor();
  assert.equal(await value(page), "");

  await page.keyboard.type("/shrug it\n");
  await advice.getByText("There is no command /shrug.").waitFor();
  await expectAccessible(page, "an unknown command");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Enter");
  await shows(page, "loud words", "/shrug it");
  assert.equal(await advice.innerText(), "");
  for (const text of ["//nick", "/etc/hosts", "/me waves"]) await page.keyboard.type(`${text}\n`);
  await page.locator(".message", { hasText: "waves" }).waitFor();
  await page.locator(".message .text", { hasText: /^\/nick$/ }).waitFor();
  await page.locator(".message .text", { hasText: "/etc/hosts" }).waitFor();

  await page.keyboard.type("/mute nobody\n");
  await advice.getByText("Nobody here is called nobody.").waitFor();
  await complete(page, "/mute l", "Loud");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter");
  await page.locator("#rows .muted").waitFor();
  await page.keyboard.type("/room a b/c\n");
  await advice.getByText("can’t be in a room’s name").waitFor();
  await page.locator("#text").fill("");
  await page.keyboard.type("/room commands two\n");
  await page.locator("#room", { hasText: "commands-two" }).waitFor();
  await page.keyboard.type("/help\n");
  await page.locator("dialog[open] kbd", { hasText: "/nick NAME" }).waitFor();
  await page.keyboard.press("Escape");
  await page.locator("#room").click();
  await page.locator("dialog[open] input").fill("commands");
  await page.keyboard.press("Enter");
  await page.locator("#room", { hasText: /^commands$/ }).waitFor();
  assert.equal(await value(page), "", "a command is no draft");
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("typing and pasting anywhere go to the composer, code is offered to be a block, and dialogs give the focus back", async () => {
  const ann = await person();
  await ann.grantPermissions(["clipboard-read", "clipboard-write"]);
  const page = await open(ann, "anywhere");
  await page.locator("#share").focus();
  await page.keyboard.type("/h");
  assert.deepEqual([await value(page), await focused(page)], ["/h", "text"]);
  await page.locator("#text").fill("");
  await page.locator("#share").focus();
  for (const key of ["ControlOrMeta+C", "Shift", "ArrowDown"]) await page.keyboard.press(key);
  assert.deepEqual([await value(page), await focused(page)], ["", "share"]);
  await page.keyboard.press("Space");
  await page.locator("dialog[open]").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await value(page), "", "a button's own key is not typed");

  const code = "if (one) {\n  ```\n  two();\n}\n\nthree();\nfour();";
  await page.evaluate((code) => navigator.clipboard.writeText(code), code);
  await page.locator("#log").focus();
  await page.keyboard.press("ControlOrMeta+V");
  await page.locator("#advice button").first().waitFor();
  assert.equal(await value(page), code);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.press("Backspace");
  await page.keyboard.type("see: ");
  await page.keyboard.press("ControlOrMeta+V");
  await page.getByRole("button", { name: "Format as a code block" }).waitFor();
  await expectAccessible(page, "an offer");
  await page.keyboard.press("ControlOrMeta+E");
  assert.equal(await value(page), `see: \n\`\`\`\`\n${code}\n\`\`\`\`\n`);
  assert.equal(await page.locator("#advice").innerText(), "");
  await page.keyboard.press("ControlOrMeta+Z");
  assert.equal(await value(page), `see: ${code}`);
  await page.locator("#text").fill("");

  for (const opener of ["#room", "#me"]) {
    await page.locator(opener).click();
    await page.locator("dialog[open] input").waitFor();
    await page.keyboard.type("x");
    await page.keyboard.press("Escape");
    await page.locator("#text:focus").waitFor();
  }
  assert.equal(await value(page), "");
  await ann.close();
});

Deno.test("a message that waits says why, and when it is sent again", async () => {
  const ann = await person();
  const page = await ann.newPage();
  let answer: object | null = { code: "rate_limited", message: "Too fast.", retry_after: 20 };
  await page.routeWebSocket(/\/connect/, (socket) => {
    const real = socket.connectToServer();
    socket.onMessage((data) => {
      const { action, room, id } = JSON.parse(String(data));
      if (answer === null || action !== "send_message") return real.send(data);
      socket.send(JSON.stringify({ action: "error", ...answer, room, id }));
    });
  });
  await page.clock.install();
  await page.goto(`${server.url}/r/waits`);
  await connected(page);
  await write(page, "one");
  const message = page.locator(".message").first();
  await message.locator("time", { hasText: /^in 2[01] s$/ }).waitFor();
  assert.equal(
    await message.locator(".trouble").innerText(),
    "You are writing very fast. This is sent again by itself.",
  );
  await write(page, "two");
  await page.locator(".message").nth(1).locator("time", { hasText: "Waiting…" }).waitFor();
  assert.equal(await page.locator(".message").nth(1).locator(".trouble").isVisible(), false);
  answer = { code: "unavailable", message: "The store is out.", retry_after: 5 };
  await page.clock.runFor(22_000);
  await message.getByText("The server can’t keep messages right now. This is sent again by itself.").waitFor();
  answer = null;
  await page.clock.runFor(7_000);
  await shows(page, "one", "two");
  await page.evaluate(() => dispatchEvent(new Event("offline")));
  answer = { code: "rate_limited", message: "Too fast." };
  await write(page, "three");
  await page.getByText("This waits for the connection.").waitFor();
  await ann.close();
});

Deno.test("on a phone Enter breaks the line, and the conversation stays in sight above the keyboard", async () => {
  const ann = await person({ viewport: { width: 640, height: 360 }, isMobile: true, hasTouch: true });
  await talk(server.url, "low", lines(1, 30));
  const page = await open(ann, "low");
  const last = page.getByText("line 30", { exact: true });
  const isInSight = async () => {
    const [box, log] = await Promise.all([last.boundingBox(), page.locator("#log").boundingBox()]);
    return box !== null && log !== null && box.y + box.height <= log.y + log.height && log.height >= 48;
  };
  await page.locator("#text").tap();
  await page.setViewportSize({ width: 640, height: 180 });
  await page.keyboard.type("one\ntwo\nthree\nfour");
  assert.equal(await value(page), "one\ntwo\nthree\nfour");
  assert.equal(await page.locator("#text").getAttribute("enterkeyhint"), "enter");
  await page.waitForFunction(() => document.querySelector("#log")!.clientHeight < 180);
  assert.ok(await isInSight(), "above a composer that has grown");
  await page.locator("#send").tap();
  await page.locator(".message .text", { hasText: "four" }).waitFor();
  assert.equal(await page.locator("#text").inputValue(), "");
  await complete(page, ":hea", "heart");
  await page.getByRole("option").first().tap();
  assert.match(await value(page), /^❤️ $/u);
  assert.equal(await focused(page), "text");
  // Where the keyboard only covers the window, as in Safari, the page becomes lower too.
  await page.evaluate(() => {
    const viewport = visualViewport!;
    for (const [name, value] of Object.entries({ height: 90, scale: 1 })) {
      Object.defineProperty(viewport, name, { value });
    }
    viewport.dispatchEvent(new Event("resize"));
  });
  await page.waitForFunction(() => document.getElementById("page")!.offsetHeight === 90);
  await ann.close();
});
