/** Pages of others, in a real browser that has been to the chat: they learn nothing and make nobody a member. */
import assert from "node:assert/strict";
import { launchChromium } from "../testing/browser/chromium.ts";
import { TestClient } from "../testing/clients/client.ts";
import { newPerson, openRoom } from "../testing/browser/page.ts";
import { startServer } from "../testing/servers/server.ts";
import { until } from "../testing/until.ts";

/** What a page can do with an address of another site without asking that site. */
const TRICKS: Record<string, (address: string) => string> = {
  "shows it as an image": (address) => `<img src="${address}">`,
  "puts it into a frame": (address) => `<iframe src="${address}"></iframe>`,
  "plays it": (address) => `<video src="${address}" autoplay muted></video>`,
  "takes it for a script": (address) => `<script src="${address}"></script>`,
  "takes it for a style": (address) => `<link rel="stylesheet" href="${address}">`,
  "fetches it blindly": (address) =>
    `<script>fetch("${address}", { mode: "no-cors", credentials: "include" }).catch(() => {})</script>`,
  "listens to it": (address) => `<script>new EventSource("${address}", { withCredentials: true })</script>`,
  "goes there": (address) => `<script>location = "${address}"</script>`,
  "opens it": (address) => `<script>open("${address}")</script><a href="${address}" target="_blank" id="link">link</a>`,
};

for (const site of ["localhost", "127.0.0.1"]) {
  Deno.test(`a page at another port of ${site} makes no member of who looks at it, whatever it does`, async () => {
    const [browser, server] = await Promise.all([
      launchChromium(),
      startServer({ env: { METRICS_TOKEN: "m".repeat(16) } }),
    ]);
    let html = "";
    const foreign = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => new Response(`<!doctype html>${html}`, { headers: { "content-type": "text/html" } }),
    );
    const witness = await TestClient.open(server.url, { query: "?room=trap" });
    const visitor = await newPerson(browser);
    await (await openRoom(visitor, server.url, "elsewhere")).close();
    const refused = async () => {
      const headers = { authorization: `Bearer ${"m".repeat(16)}` };
      const text = await (await fetch(`${server.url}/metrics`, { headers })).text();
      return Number(/^parley_refusals_total\{code="forbidden"\} (\d+)$/m.exec(text)?.[1] ?? 0);
    };
    for (const [trick, page] of Object.entries(TRICKS)) {
      const before = await refused();
      html = page(`${server.url}/api/rooms/trap/events`);
      const tab = await visitor.newPage();
      await tab.goto(`http://${site}:${foreign.addr.port}/`, { waitUntil: "commit" });
      await until(async () => await refused() > before).catch(() =>
        assert.fail(`a page that ${trick} was not refused`)
      );
      await tab.close();
    }
    assert.deepEqual((await witness.soFar()).map(({ action }) => action), ["welcome", "room_joined"]);
    await witness.close();
    await browser.close();
    await Promise.all([server.stop(), foreign.shutdown()]);
  });
}
