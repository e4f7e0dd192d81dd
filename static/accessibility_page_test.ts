/** The page for everyone: what axe finds, how large targets are, what fits small windows, what is said, where Tab stops. */
import assert from "node:assert/strict";
import type { BrowserContextOptions, Page } from "playwright-core";
import { expectAccessible, rename, shows, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

/** How each dialog is opened, in a room with someone else. Escape closes them all. */
const DIALOGS: Record<string, (page: Page) => Promise<void>> = {
  room: (page) => page.locator("#room").click(),
  name: (page) => page.locator("#me").click(),
  "one room": async (page) => {
    await showRooms(page);
    await page.locator(".rooms-panel .more").first().click();
  },
  date: async (page) => {
    await DIALOGS["one room"](page);
    await page.locator("dialog[open] .actions button:visible").first().click();
  },
  share: (page) => page.locator("#share").click(),
  "new room": async (page) => {
    await showRooms(page);
    await page.locator("#rooms-foot button").first().click();
  },
  notifications: (page) => page.locator("#bell").click(),
  settings: async (page) => {
    await showRooms(page);
    await page.locator("#open-settings").click();
  },
  keys: async (page) => {
    await DIALOGS.settings(page);
    await page.locator("dialog[open] .buttons .quiet").click();
  },
  person: async (page) => {
    await showPeople(page);
    await page.locator(".panel .person").nth(1).click();
  },
  moderate: async (page) => {
    await showPeople(page);
    await page.locator(".panel > .quiet").click();
  },
};

async function showRooms(page: Page): Promise<void> {
  const opener = page.locator("#show-rooms");
  if (await opener.isVisible()) await opener.click();
}

async function showPeople(page: Page): Promise<void> {
  const opener = page.locator("#show-people");
  if (await opener.isVisible()) await opener.click();
}

/** Everything that one can look at in a room: does `look` at each of them. */
async function lookAtAll(page: Page, look: (where: string) => Promise<void>): Promise<void> {
  await look("messages");
  await page.locator(".message").first().click();
  await look("the buttons of someone else's message");
  // Elsewhere the way to the newest message may stand before it.
  await page.locator("#log").evaluate((log) => log.scrollTop = log.scrollHeight);
  await page.locator("#to-latest").waitFor({ state: "hidden" });
  await page.locator(".mine .content").last().click();
  await look("the buttons of one's own message");
  await page.locator(".mine .tools button:visible").last().click();
  await look("a message about to be deleted");
  await page.keyboard.press("Escape");
  await page.locator("#text").press("ArrowUp");
  await look("a message being edited");
  await page.keyboard.press("Escape");
  for (const opener of ["#show-people", "#show-rooms"]) {
    if (!await page.locator(opener).isVisible()) continue;
    await page.locator(opener).click();
    await look(`what ${opener} opens`);
    await page.keyboard.press("Escape");
  }
  for (const [name, openIt] of Object.entries(DIALOGS)) {
    await openIt(page);
    await page.locator("dialog[open]").last().waitFor().catch(() => assert.fail(`no dialog "${name}"`));
    await look(`the dialog "${name}"`);
    // Some are over another one.
    while (await page.locator("dialog[open]").count() > 0) await page.keyboard.press("Escape");
  }
}

/** Opens the search, and a result in it, where that does not cover the results. */
async function search(page: Page): Promise<void> {
  await page.locator("#open-search").click();
  await page.locator("#search-field").fill("hel");
  await page.locator("#search li > button").first().click();
  await page.locator(".linked").evaluate((message) => message.classList.remove("linked"));
  await page.locator("#search-steps .place").click();
  await page.locator("#search-from").fill("User");
  await page.locator("#search-people li").first().waitFor();
}

/** A room with a message of someone else, one of one's own with a link, and someone else who is there. */
async function inhabited(options: BrowserContextOptions, room: string) {
  const [ann, bob] = [await person(options), await person()];
  const other = await open(bob, room);
  await write(other, "hello");
  await shows(other, "hello");
  const page = await open(ann, room);
  await write(page, "see https://example.org/");
  await shows(page, "hello", "see https://example.org/");
  await page.locator(".text a").waitFor();
  await page.locator(".panel .person").nth(1).waitFor({ state: "attached" });
  return { page, close: () => Promise.all([ann.close(), bob.close()]) };
}

/** What a pointer can hit and is lower or narrower than that. Links in a text are as high as its lines. */
const tooSmall = (page: Page, least: number) =>
  page.evaluate((least) => {
    const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
    const targets = [...top.querySelectorAll("button, a[href], input, select, textarea, summary")];
    return targets.filter((target) => target.checkVisibility() && !target.closest(".text")).map((target) => {
      // The row of a checkbox belongs to it, and to some a place around them that is not seen.
      const { width, height, right } = (target.closest(".choice") ?? target).getBoundingClientRect();
      const around = getComputedStyle(target, "::after");
      const more = around.position === "absolute" ? [around.width, around.height].map(parseFloat) : [0, 0];
      const box = { right, width: Math.max(width, more[0]), height: Math.max(height, more[1]) };
      return { box, name: `${target.outerHTML.slice(0, 60)} ${box.width.toFixed(1)} × ${box.height.toFixed(1)}` };
    }).filter(({ box }) => box.right > 0 && (box.width < least - 0.1 || box.height < least - 0.1))
      .map(({ name }) => name);
  }, least);

/** What is wider than the window, or is cut off at its side. */
const tooWide = (page: Page) =>
  page.evaluate(() => {
    const top = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.querySelector("#page")!;
    const isScrolled = [document.documentElement, top, document.querySelector("#log")!]
      .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ tagName, id }) => `${tagName}#${id}`);
    const isOutside = [...top.querySelectorAll<HTMLElement>("*")].filter((element) => {
      const { left, right } = element.getBoundingClientRect();
      return element.checkVisibility() && right > 0 && (left < -0.5 || right > innerWidth + 0.5);
    }).map(({ outerHTML }) => outerHTML.slice(0, 60));
    return [...isScrolled, ...isOutside];
  });

const LOOKS: Record<string, { options: BrowserContextOptions; least: number }> = {
  "on a computer": { options: {}, least: 24 },
  "on a phone, in Korean": {
    options: { locale: "ko-KR", viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true },
    least: 44,
  },
};

for (const [look, { options, least }] of Object.entries(LOOKS)) {
  Deno.test(`the page and its dialogs are accessible in light and dark, and all targets are ${least} px: ${look}`, async () => {
    const { page, close } = await inhabited(options, `axe-${least}`);
    await lookAtAll(page, async (where) => {
      await expectAccessible(page, where);
      await page.emulateMedia({ colorScheme: "dark" });
      await expectAccessible(page, `${where}, in the dark`, { only: ["color-contrast"] });
      await page.emulateMedia({ colorScheme: "light" });
      assert.deepEqual(await tooSmall(page, least), [], where);
    });
    await search(page);
    // On a phone it hides what it covers from screen readers too, as a dialog does.
    const except = options.isMobile ? ["landmark-one-main", "page-has-heading-one"] : [];
    await expectAccessible(page, "a search", { except });
    await page.emulateMedia({ colorScheme: "dark" });
    await expectAccessible(page, "a search, in the dark", { only: ["color-contrast"] });
    assert.deepEqual(await tooSmall(page, least), [], "a search");
    await close();
  });
}

Deno.test("an empty room is accessible", async () => {
  const ann = await person();
  const page = await open(ann, "axe-empty");
  await expectAccessible(page, "an empty room");
  await ann.close();
});

/** What someone has to use and something else covers, or what is cut off at the window's edge. */
const covered = (page: Page) =>
  page.evaluate(() => {
    const top = [...document.querySelectorAll("dialog[open]")].at(-1);
    const all = top?.querySelectorAll("*") ?? document.querySelectorAll("header > *, #room, #composer *");
    const controls = [...all]
      .filter((control) => control.matches("button, input, select, textarea, h1, h2") && control.checkVisibility());
    return controls.filter((control) => {
      if (top) control.scrollIntoView({ block: "nearest" });
      const { left, top: above, width, height } = control.getBoundingClientRect();
      const hit = document.elementFromPoint(left + width / 2, above + height / 2);
      return !hit || !control.contains(hit) && !hit.closest(".choice")?.contains(control);
    }).map(({ outerHTML }) => outerHTML.slice(0, 60));
  });

Deno.test("at 320 px, at 200 % and with wide spacing nothing is cut off or covered, and the room's name keeps its place", async () => {
  const { page, close } = await inhabited({ viewport: { width: 320, height: 256 } }, "r".repeat(64));
  await rename(page, "W".repeat(32));
  await page.locator("#me", { hasText: "W" }).waitFor();
  const fits = async (where: string) => {
    assert.deepEqual(await tooWide(page), [], where);
    assert.deepEqual(await covered(page), [], where);
    const name = await page.locator("#room bdi").boundingBox();
    assert.ok(name && name.width >= 64 && name.y >= 0, `${where}: ${JSON.stringify(name)}`);
  };
  await lookAtAll(page, fits);
  await page.setViewportSize({ width: 640, height: 360 });
  await lookAtAll(page, fits);
  // WCAG 1.4.12, on a narrow and a wide window.
  await page.evaluate(() => {
    const spacing = new CSSStyleSheet();
    spacing.replaceSync(
      "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important }" +
        "p { margin-bottom: 2em !important }",
    );
    document.adoptedStyleSheets.push(spacing);
  });
  await page.setViewportSize({ width: 1_000, height: 640 });
  await fits("a wide window with wide spacing");
  await page.setViewportSize({ width: 360, height: 640 });
  await lookAtAll(page, fits);
  await search(page);
  for (const [width, height] of [[320, 256], [640, 360], [360, 640], [1_300, 640]]) {
    await page.setViewportSize({ width, height });
    assert.deepEqual(await tooWide(page), [], `a search, ${width} × ${height}`);
  }
  await page.getByRole("button", { name: "Close search" }).click();
  await page.setViewportSize({ width: 320, height: 480 });
  for (let line = 1; line <= 9; line++) await write(page, `line ${line}`);
  await page.locator(".message:not(.waiting)", { hasText: "line 9" }).waitFor();
  await page.locator(".message").last().focus();
  for (const key of ["Home", ...Array.from({ length: 6 }, () => "ArrowDown")]) {
    await page.keyboard.press(key);
    const hidden = await page.locator(".message:focus").evaluate((message) => {
      const [latest, log, box] = ["#to-latest", "#log", ".message:focus"].map((selector) =>
        document.querySelector(selector)!.getBoundingClientRect()
      );
      const end = latest.height > 0 ? latest.top : log.bottom;
      return message !== document.activeElement || box.top < log.top - 1 || box.bottom > end + 1
        ? [message.textContent, box.top, box.bottom, log.top, latest.top]
        : null;
    });
    assert.equal(hidden, null, "the focus is never behind the way to the newest message");
  }
  await close();
});

Deno.test("nothing moves for those who want less motion, and their own colours show what ours do", async () => {
  const { page, close } = await inhabited({ forcedColors: "active" }, "forced");
  const moving = await page.evaluate(() => {
    const found: string[] = [];
    const read = (rules: CSSRuleList) => {
      for (const rule of rules) {
        if (rule instanceof CSSMediaRule && /prefers-reduced-motion: no-preference/.test(rule.conditionText)) continue;
        if (rule instanceof CSSGroupingRule) read(rule.cssRules);
        if (!(rule instanceof CSSStyleRule)) continue;
        const { animationDuration, transitionDuration, scrollBehavior } = rule.style;
        if (/[1-9]/.test(`${animationDuration} ${transitionDuration}`) || scrollBehavior === "smooth") {
          found.push(rule.selectorText);
        }
      }
    };
    for (const sheet of document.styleSheets) read(sheet.cssRules);
    return found;
  });
  assert.deepEqual(moving, []);
  const style = (selector: string, name: string, pseudo?: string) =>
    page.locator(selector).first().evaluate(
      (element, [name, pseudo]) => getComputedStyle(element, pseudo).getPropertyValue(name!),
      [name, pseudo],
    );
  const paper = await style("html", "background-color");
  assert.notEqual(await style(".mine .content", "background-color", "::before"), paper, "one's own messages");
  assert.equal(await style("#send", "border-top-style"), "solid", "a button");
  const disabled = await page.locator("#send").evaluate((send) => {
    (send as HTMLButtonElement).disabled = true; // until the page is drawn again
    return getComputedStyle(send).color;
  });
  assert.notEqual(disabled, await style("#text", "color"), "a disabled one");
  await page.keyboard.press("Shift+Tab");
  await page.keyboard.press("Shift+Tab");
  assert.equal(await style(".message:focus", "outline-style"), "solid", "where the focus is");
  await close();
});

Deno.test("the page's heading is the room's name, and the button in it says what it does", async () => {
  const ann = await person();
  const page = await open(ann, "섬여행");
  await page.getByRole("heading", { level: 1, name: "섬여행", exact: true }).waitFor();
  const devtools = await ann.newCDPSession(page);
  const { nodes } = await devtools.send("Accessibility.getFullAXTree");
  const button = nodes.find(({ role, name }) => role?.value === "button" && name?.value === "섬여행");
  assert.equal(button?.description?.value, "Change room");
  await ann.close();
});

Deno.test("a page whose rooms and gestures have not come has no button without a name, and no error", async () => {
  const ann = await person({ viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const page = await ann.newPage();
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  await page.route(/side_views|swipe|long_press|above_keyboard/, (route) => route.abort());
  const gestures = ["swipe", "long_press", "above_keyboard"].map((part) =>
    page.waitForEvent("requestfailed", (request) => request.url().includes(part))
  );
  await page.goto(`${server.url}/r/late`);
  await Promise.all([page.locator("#connection[data-kind=connected]").waitFor({ state: "attached" }), ...gestures]);
  await expectAccessible(page, "without the rooms", { only: ["button-name"] });
  assert.deepEqual(errors, []);
  await ann.close();
});

Deno.test("screen readers are told what others say, and no more than that", async () => {
  const { page, close } = await inhabited({}, "said");
  const eve = await person();
  const other = await open(eve, "said");
  // As they do it: what comes into a live region, unless the nearest one is off.
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    const isLive = (node: Node | null): boolean => {
      const element = node instanceof Element ? node : node?.parentElement;
      const region = element?.closest("[aria-live], [role=status], [role=alert], [role=log]");
      return region?.checkVisibility() === true && !element!.closest("[aria-hidden=true]") &&
        region.getAttribute("aria-live") !== "off";
    };
    const wordsOf = (node: Node): string =>
      !isLive(node) ? "" : node.hasChildNodes() ? [...node.childNodes].map(wordsOf).join(" ") : node.textContent ?? "";
    new MutationObserver((changes) => {
      for (const { addedNodes } of changes) {
        for (const node of addedNodes) {
          const words = node.isConnected ? wordsOf(node).replaceAll(/\s+/g, " ").trim() : "";
          if (words) said.push(words);
        }
      }
    }).observe(document.body, { childList: true, subtree: true });
  });
  const said = () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said.splice(0));
  const name = await other.locator("#me").innerText();
  await other.locator("#text").pressSequentially("good");
  await page.locator("#hint", { hasText: "is typing…" }).waitFor();
  assert.deepEqual(await said(), []);
  await write(other, "good morning");
  await page.getByText("good morning").waitFor();
  assert.deepEqual(await said(), [`${name} good morning`]);
  await write(page, "morning");
  await page.locator(".mine:not(.waiting)", { hasText: "morning" }).last().waitFor();
  assert.deepEqual(await said(), []);
  const limit = 4_000;
  for (
    const [length, expected] of [[limit - 100, []], [limit - 20, ["20 characters left"]], [limit - 19, []]] as const
  ) {
    await page.locator("#text").fill("x".repeat(length));
    assert.deepEqual(await said(), expected, `${length}`);
  }
  await page.locator("#text").fill("x".repeat(limit + 1));
  await page.locator("#text").fill("x".repeat(limit + 2));
  assert.deepEqual(await said(), ["1 character too many"]);
  await Promise.all([eve.close(), close()]);
});

Deno.test("names and texts keep their own direction", async () => {
  const { page, close } = await inhabited({}, "direction");
  const eve = await person();
  const other = await open(eve, "direction");
  await rename(other, "דנה כהן");
  await other.locator("#me", { hasText: "דנה כהן" }).waitFor();
  await other.locator("#text").pressSequentially("שלום");
  await page.locator("#hint", { hasText: "\u2068דנה כהן\u2069 is typing…" }).waitFor();
  await other.keyboard.press("Enter");
  const text = page.locator(".text", { hasText: "שלום" });
  await text.waitFor();
  assert.equal(await text.evaluate((element) => getComputedStyle(element).direction), "rtl");
  await page.locator("#text").press("ArrowUp");
  for (const openIt of [() => Promise.resolve(), () => DIALOGS.room(page)]) {
    await openIt();
    const fields = await page.locator("textarea, input:not([type=checkbox], [type=radio], [readonly])").evaluateAll((
      fields,
    ) => fields.filter((field) => field.getAttribute("dir") !== "auto").map(({ outerHTML }) => outerHTML));
    assert.deepEqual(fields, []);
  }
  await Promise.all([eve.close(), close()]);
});

Deno.test("the log is one stop of Tab, and arrow keys lead to all that is in it", async () => {
  const { page, close } = await inhabited({}, "stops");
  const focus = () =>
    page.evaluate(() => {
      const at = document.activeElement!;
      return at.id || at.classList.contains("author") && "author" || at.querySelector(".text")?.textContent ||
        at.ariaLabel ||
        at.textContent;
    });
  const press = async (...keys: string[]) => {
    for (const key of keys) await page.keyboard.press(key);
    return await focus();
  };
  await page.locator("#open-settings").focus();
  assert.equal(await press("Tab"), "see https://example.org/");
  assert.equal(await press("Tab"), "me");
  assert.equal(await press("Shift+Tab"), "see https://example.org/");
  assert.equal(await press("ArrowRight"), "author");
  assert.equal(await press("ArrowRight"), "https://example.org/");
  assert.equal(await press("Tab"), "me", "from what is in a message too");
  assert.equal(await press("Shift+Tab"), "see https://example.org/");
  assert.equal(await press("ArrowRight", "ArrowRight", "ArrowRight"), "React");
  const end = await press(...Array.from({ length: 9 }, () => "ArrowRight"));
  assert.equal(await press("ArrowRight"), end, "the last one");
  assert.equal(await press("ArrowUp"), "hello", "the message before");
  assert.equal(await press("ArrowRight", "Escape"), "hello");
  assert.equal(await press("Shift+Tab", "Tab"), "hello", "where the focus was last");
  assert.equal(await press("Shift+Tab"), "open-settings");
  await page.evaluate(() => document.documentElement.dir = "rtl");
  assert.equal(await press("Tab", "End", "ArrowLeft"), "author");
  assert.equal(await press("ArrowRight"), "see https://example.org/");
  assert.equal(await press("Escape"), "text");
  await page.evaluate(() => document.documentElement.dir = "ltr");

  // What is open in a message is reached by Tab, and the arrow keys are its own.
  assert.equal(await press("ArrowUp", "Home", "ArrowRight", "ArrowUp", "Tab"), "Save");
  assert.equal(await press("Shift+Tab", "Escape"), "text");
  await close();
});
