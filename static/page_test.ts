/** The page as people use it: a real browser and a real server. */
import assert from "node:assert/strict";
import { rename, shows, texts, write } from "../testing/browser/page.ts";
import { servePage } from "../testing/browser/page_server.ts";

const server = servePage();
const { person, open } = server;

Deno.test("every module of the first screen is preloaded, and nothing else", async () => {
  const ann = await person();
  const page = await ann.newPage();
  await page.goto(server.url);
  const preloaded = await page.locator("head script[type=module], head [rel=modulepreload]").evaluateAll((elements) =>
    elements.map((element) => element.getAttribute("src") ?? element.getAttribute("href") ?? "")
  );
  const needed = new Set<string>();
  const need = async (url: URL): Promise<void> => {
    if (needed.has(url.pathname)) return;
    needed.add(url.pathname);
    const script = await (await fetch(url)).text();
    const imports = [...script.matchAll(/^(?:import|export|\} from)\b[^;(]*?"(\.{1,2}\/[^"]+)";/gms)];
    await Promise.all(imports.map(([, path]) => need(new URL(path, url))));
  };
  await need(new URL(preloaded.find((path) => /\/client\.[jt]s$/.test(path))!, server.url));
  assert.deepEqual(preloaded.toSorted(), [...needed].sort());
  await ann.close();
});

Deno.test("the page has every one of its style sheets", async () => {
  const all = await Deno.readTextFile(new URL("style.css", import.meta.url));
  for await (const { name } of Deno.readDir(new URL("styles", import.meta.url))) {
    assert.ok(all.includes(`@import "./styles/${name}";`), name);
  }
});

Deno.test("every colour follows the theme that the reader has chosen, whatever the system's is", async () => {
  const folder = new URL("styles/", import.meta.url);
  for await (const { name } of Deno.readDir(folder)) {
    const styles = await Deno.readTextFile(new URL(name, folder));
    assert.doesNotMatch(styles, /prefers-color-scheme/, `${name}: light-dark() asks for the chosen one`);
  }
});

Deno.test("two people see each other's messages", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "hear"), open(bob, "hear")]);
  await write(one, "hello");
  await shows(other, "hello");
  await write(other, "hello yourself");
  await shows(one, "hello", "hello yourself");
  assert.equal(await one.locator(".mine").count(), 1);
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("after a reload one's name and messages are still one's own", async () => {
  const ann = await person();
  const page = await open(ann, "reload");
  await rename(page, "Ann of reload");
  await page.locator("#me", { hasText: "Ann of reload" }).waitFor();
  await write(page, "mine");
  await shows(page, "mine");
  await page.reload();
  await shows(page, "mine");
  assert.equal(await page.locator("#me").innerText(), "Ann of reload");
  assert.equal(await page.locator(".mine").count(), 1);
  await ann.close();
});

Deno.test("two tabs are one person with one name", async () => {
  const ann = await person();
  const [one, other] = [await open(ann, "tabs"), await open(ann, "tabs")];
  await rename(one, "Ann of tabs");
  await other.locator("#me", { hasText: "Ann of tabs" }).waitFor();
  assert.equal(await one.locator("#people li").count(), 1);
  await write(one, "from one");
  await shows(other, "from one");
  assert.equal(await other.locator(".mine").count(), 1);
  await ann.close();
});

Deno.test("Enter sends, Shift+Enter breaks the line", async () => {
  const ann = await person();
  const page = await open(ann, "enter");
  await page.locator("#text").pressSequentially("one");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  await shows(page, "one\ntwo");
  assert.equal(await page.locator("#text").inputValue(), "");
  await ann.close();
});

Deno.test("Enter inside an IME composition never sends", async () => {
  const ann = await person();
  const page = await open(ann, "composition");
  const devtools = await ann.newCDPSession(page);
  const enter = (windowsVirtualKeyCode: number) =>
    devtools.send("Input.dispatchKeyEvent", { type: "rawKeyDown", key: "Enter", code: "Enter", windowsVirtualKeyCode });
  await page.locator("#text").focus();
  await devtools.send("Input.imeSetComposition", { text: "안녕", selectionStart: 2, selectionEnd: 2 });
  await enter(13);
  await devtools.send("Input.insertText", { text: "안녕" });
  // Safari reports the Enter that ended a composition after its end; only the key code tells.
  await enter(229);
  assert.equal(await page.locator("#text").inputValue(), "안녕");
  assert.deepEqual(await texts(page), []);
  await page.keyboard.press("Enter");
  await shows(page, "안녕");
  await ann.close();
});

Deno.test("only http and https become links, and they reveal nothing to the other site", async () => {
  const ann = await person();
  const page = await open(ann, "links");
  await write(page, "https://example.org/a main.ts javascript:alert(1)");
  await shows(page, "https://example.org/a main.ts javascript:alert(1)");
  const links = page.locator(".text a");
  await links.waitFor();
  assert.equal(await links.count(), 1);
  assert.equal(await links.getAttribute("href"), "https://example.org/a");
  assert.equal(await links.getAttribute("target"), "_blank");
  assert.match(await links.getAttribute("rel") ?? "", /noopener.*noreferrer/);
  await ann.close();
});

Deno.test("HTML in a message or a name is shown, never run", async () => {
  const html = "<img src=x onerror=alert(1)>";
  const ann = await person();
  const page = await open(ann, "html");
  page.on("dialog", () => assert.fail("it ran"));
  await rename(page, html);
  await page.locator("#me", { hasText: html }).waitFor();
  await write(page, `${html}<script>alert(2)</script>`);
  await shows(page, `${html}<script>alert(2)</script>`);
  assert.equal(await page.locator(".byline bdi").innerText(), html);
  assert.equal(await page.locator("img").count(), 0);
  await ann.close();
});

Deno.test("on a phone the longest names of rooms and people push nothing off the screen", async () => {
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "x".repeat(64));
  await rename(page, "W".repeat(32));
  await page.locator("#me", { hasText: "W" }).waitFor();
  await write(page, "hello");
  await page.locator("#top p").waitFor();
  const wide = await page.locator("header *, #top *, #rows *, #composer *").evaluateAll((elements) =>
    elements.filter((element) => element.getBoundingClientRect().right > innerWidth).map(({ outerHTML }) => outerHTML)
  );
  assert.deepEqual(wide, []);
  await ann.close();
});

Deno.test("others see that someone is typing", async () => {
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([open(ann, "writing"), open(bob, "writing")]);
  await one.locator("#text").pressSequentially("hm");
  await other.locator("#hint", { hasText: `${await one.locator("#me").innerText()} is typing…` }).waitFor();
  await Promise.all([ann.close(), bob.close()]);
});

Deno.test("a Korean browser shows the page in Korean", async () => {
  const ann = await person({ locale: "ko-KR" });
  const page = await open(ann, "섬여행");
  assert.equal(await page.locator("html").getAttribute("lang"), "ko");
  assert.equal(await page.locator("#status").innerText(), "연결됨");
  assert.equal(await page.locator("#text").getAttribute("placeholder"), "메시지를 입력하세요");
  assert.match(await page.title(), /^섬여행/);
  await ann.close();
});

Deno.test("the page fits a phone", async () => {
  const ann = await person({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true });
  const page = await open(ann, "phone");
  await write(page, "w".repeat(300));
  await page.locator("#send").tap();
  await shows(page, "w".repeat(300));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  for (const id of ["send", "room", "me", "show-people"]) {
    const box = await page.locator(`#${id}`).boundingBox();
    assert.ok(box && box.height >= 44, `#${id} is too low for a finger`);
  }
  await ann.close();
});
