/** The page as something that is installed: its manifest, and its service worker, in a real browser. */
import assert from "node:assert/strict";
import type { Browser, Page } from "playwright-core";
import { launchChromium } from "../testing/browser/chromium.ts";
import { connected, newPerson, openRoom, shows, texts, write } from "../testing/browser/page.ts";
import { copyTree } from "../testing/files.ts";
import { builtArguments, startArguments, startServer } from "../testing/servers/server.ts";
import { until } from "../testing/until.ts";

const root = new URL("../", import.meta.url).pathname;
const SECRET = "a secret of the tests, long enough";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launchChromium();
});
Deno.test.afterAll(async () => {
  await browser.close();
});

const person = () => newPerson(browser, { serviceWorkers: "allow" });

/** Waits until the worker keeps the page. */
async function kept(page: Page): Promise<void> {
  await page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    if (active?.state === "activated") return;
    await new Promise<void>((resolve) => {
      active!.onstatechange = () => resolve();
    });
  });
}

/** The versions of which the page has files, and those that the worker keeps. */
function versions(page: Page): Promise<{ loaded: string[]; kept: string[] }> {
  return page.evaluate(async () => {
    const loaded = performance.getEntriesByType("resource").flatMap(({ name }) =>
      /\/static\/([0-9a-f]{16})\//.exec(name)?.[1] ?? []
    );
    return { loaded: [...new Set(loaded)], kept: (await caches.keys()).map((name) => name.split(" ").at(-1)!) };
  });
}

Deno.test("installed, the page opens without a network, keeps what is written, and goes on when the network is back", async () => {
  const server = await startServer({ env: { BASE_PATH: "/chat" } });
  const ann = await person();
  const page = await openRoom(ann, `${server.url}/chat`, "offline");
  const devtools = await ann.newCDPSession(page);
  const { data, errors } = await devtools.send("Page.getAppManifest");
  const manifest = JSON.parse(data!);
  assert.deepEqual([errors, manifest.display, manifest.icons.length], [[], "standalone", 4]);
  const { installabilityErrors } = await devtools.send("Page.getInstallabilityErrors");
  assert.deepEqual(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito"), []);
  await devtools.detach(); // beside it, the page would not be told that there is no network
  const [place, scope] = await page.locator("link[rel=manifest]").evaluate(
    (link: HTMLLinkElement, manifest) =>
      [manifest.start_url, manifest.scope].map((path) => new URL(path, link.href).pathname),
    manifest,
  );
  assert.deepEqual([place, scope], ["/chat/", "/chat/"]);
  await write(page, "private words");
  await shows(page, "private words");
  await kept(page);
  const cookies = await ann.cookies();

  page.removeAllListeners("console"); // What is tried here is a breach of the policy, and said to be one.
  const distrusted = await page.evaluate(async () => {
    // deno-lint-ignore no-explicit-any -- TypeScript doesn't know them
    const { trustedTypes } = globalThis as any;
    const refused = [
      () => trustedTypes.createPolicy("parley", {}),
      () => trustedTypes.createPolicy("other", {}),
      () => navigator.serviceWorker.register("/chat/static/client.ts"),
      () => Object.assign(document.createElement("script"), { src: "/chat/static/client.ts" }),
    ];
    return await Promise.all(refused.map(async (attempt) => {
      try {
        await attempt();
        return "allowed";
      } catch (error) {
        return (error as Error).name;
      }
    }));
  });
  assert.deepEqual(distrusted, ["TypeError", "TypeError", "TypeError", "TypeError"]);

  const stored = await page.evaluate(async () => {
    const cache = await caches.open((await caches.keys())[0]);
    return await Promise.all((await cache.keys()).map(async (request) => {
      const response = (await cache.match(request))!;
      return {
        path: new URL(request.url).pathname,
        text: await response.text(),
        cookie: response.headers.has("set-cookie"),
      };
    }));
  });
  assert.ok(stored.length > 5);
  for (const { path, text, cookie } of stored) {
    assert.match(path, /^\/chat\/static\/[0-9a-f]{16}\//);
    assert.ok(!cookie && !text.includes("private words") && !/id="initial-data"/.test(text), path);
  }

  await ann.setOffline(true);
  await page.reload();
  await page.locator("#status", { hasText: "Offline – your messages wait here" }).waitFor();
  assert.equal(await page.locator("#room").innerText(), "offline");
  await write(page, "written without a network");
  await page.locator(".waiting", { hasText: "written without a network" }).waitFor();
  await page.locator("#share").click();
  await page.locator("dialog[open] .qr").waitFor();
  await page.keyboard.press("Escape");
  await ann.setOffline(false);
  await connected(page);
  await shows(page, "private words", "written without a network");
  assert.equal(await page.locator(".mine").count(), 2);
  assert.deepEqual((await ann.cookies()).map(({ name }) => name), cookies.map(({ name }) => name));

  const [worker] = ann.serviceWorkers();
  const click = () =>
    worker.evaluate(() => {
      // deno-lint-ignore no-explicit-any -- TypeScript has no types of a worker here
      const { WindowClient, dispatchEvent } = globalThis as any;
      // Only a person's click may focus a window, and this browser shows no notification to click on.
      WindowClient.prototype.focus = () => Promise.resolve();
      const notification = { data: { path: "/chat/r/elsewhere" }, close() {} };
      dispatchEvent(Object.assign(new Event("notificationclick"), { notification, waitUntil() {} }));
    });
  // The page listens from a moment after its first screen on.
  await until(async () => {
    await click();
    return new URL(page.url()).pathname === "/chat/r/elsewhere";
  });
  assert.equal(await page.locator("#room").innerText(), "elsewhere");
  await ann.close();
  await server.stop();
});

/** Another version of what is tested: where the page says that it is connected, it says this. */
async function otherVersion(folder: string, word: string): Promise<string[]> {
  const builtFile = Deno.env.get("BUILT_FILE");
  if (builtFile) {
    const built = await Deno.readTextFile(builtFile);
    await Deno.writeTextFile(`${folder}/other.js`, built.replaceAll(/\bConnected\b/g, word));
    return (await builtArguments(false)).map((part) => part === "chat.js" ? `${folder}/other.js` : part);
  }
  const { deploy } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  for (const path of deploy.include) await copyTree(root + path, `${folder}/${path}`);
  const strings = `${folder}/static/i18n/english.ts`;
  await Deno.writeTextFile(strings, (await Deno.readTextFile(strings)).replace('"Connected"', JSON.stringify(word)));
  return startArguments.map((part) => part.replace(root, `${folder}/`));
}

Deno.test("after an update nobody sees the old page beside the new server, not even who opened it while no server was there", async () => {
  const [cwd, folder] = [await Deno.makeTempDir(), await Deno.makeTempDir()];
  const other = await otherVersion(folder, "Joined");
  let server = await startServer({ cwd, env: { SECRET } });
  const { port, url } = server;
  const ann = await person();
  const page = await openRoom(ann, url, "updated");
  await kept(page);
  const first = await versions(page);
  assert.deepEqual([first.loaded.length, first.kept], [1, first.loaded]);
  await server.stop();

  server = await startServer({ cwd, env: { SECRET }, port, args: other });
  await page.goto(`${url}/r/updated`);
  await page.locator("#status", { hasText: "Joined" }).waitFor();
  const second = await versions(page);
  assert.equal(second.loaded.length, 1);
  assert.notDeepEqual(second.loaded, first.loaded);
  await until(async () => JSON.stringify((await versions(page)).kept) === JSON.stringify(second.loaded));
  await server.stop();

  await page.reload();
  await page.locator("html[data-shell] #status", { hasText: "Reconnecting" }).waitFor();
  await write(page, "while nobody was there");
  await page.locator("#text").fill("a draft");
  server = await startServer({ cwd, env: { SECRET }, port });
  await page.locator("html:not([data-shell]) #status", { hasText: "Connected" }).waitFor();
  assert.deepEqual((await versions(page)).loaded, first.loaded);
  await shows(page, "while nobody was there");
  assert.deepEqual(await texts(page), ["while nobody was there"]);
  assert.equal(await page.locator("#text").inputValue(), "a draft");
  await ann.close();
  await server.stop();
  await Promise.all([cwd, folder].map((path) => Deno.remove(path, { recursive: true })));
});
