/** The measuring itself is right: what is counted is what a made-up server has served. */
import assert from "node:assert/strict";
import { startServer } from "../../testing/servers/server.ts";
import { Browser } from "./browser.ts";
import { verdict } from "./lighthouse.ts";
import { NO_LIMITS, People } from "./people.ts";
import { medians } from "./report.ts";
import type { Conditions } from "./tab.ts";
import { visit } from "./visit.ts";

const FAST: Conditions = { width: 800, height: 600, scale: 1, phone: false, cpu: 1 };
const LATENCY = 300;
const SLOW: Conditions = { ...FAST, network: { latency: LATENCY, download: 1_000_000, upload: 1_000_000 } };

/** Whether it is that or a little more: bytes of heads are counted too. */
function assertAbout(bytes: number, expected: number): void {
  assert.ok(bytes >= expected && bytes < expected + 1_500, `${bytes} in place of ${expected}`);
}

Deno.test("a visit is over when a message is seen, and says what came over the wire", async () => {
  const server = await startServer({ env: NO_LIMITS });
  const people = await People.enter(server.url, "islands");
  await people.fill(20);
  await people.leave();
  const browser = await Browser.launch();
  try {
    const { firstPaint, firstMessage, requestsToMessage, document, filesToMessage } = await visit(
      browser,
      `${server.url}/r/islands`,
      FAST,
    );
    const headers = { accept: "text/html", "accept-encoding": "br" };
    const response = await fetch(`${server.url}/r/islands`, { headers });
    await response.body?.cancel();
    assertAbout(document, Number(response.headers.get("content-length")));
    assert.ok(firstPaint > 0 && firstMessage >= firstPaint, `${firstPaint} ${firstMessage}`);
    assert.ok(requestsToMessage > 2 && filesToMessage > 10_000, `${requestsToMessage} ${filesToMessage}`);
  } finally {
    await browser.close();
    await server.stop();
  }
});

/** A page that shows its message when its service worker has brought a file, from the network or its cache. */
const MADE_UP: Record<string, [type: string, body: string]> = {
  "/": [
    "text/html",
    `<!doctype html><div id=log><p class=message><span class=text></span></div><script>
      new Worker("/worker.js");
      navigator.serviceWorker.register("/service.js");
      addEventListener("load", async () => {
        await navigator.serviceWorker.ready;
        if (!navigator.serviceWorker.controller) await new Promise((go) => navigator.serviceWorker.oncontrollerchange = go);
        document.querySelector(".text").textContent = (await (await fetch("/file")).text()).slice(0, 5);
      });
    </script>`,
  ],
  "/worker.js": ["text/javascript", `fetch("/data");`],
  "/service.js": [
    "text/javascript",
    `oninstall = (event) => event.waitUntil(caches.open("1").then((cache) => cache.add("/file")));
    onactivate = (event) => event.waitUntil(clients.claim());
    onfetch = (event) => {
      if (event.request.url.endsWith("/file")) event.respondWith(caches.match("/file"));
    };`,
  ],
  "/file": ["text/plain", "words".repeat(10_000)],
  "/data": ["text/plain", "x".repeat(3_000)],
};

Deno.test("what workers load is counted and slowed down, and what a cache answers is not", async () => {
  const served: string[] = [];
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, ({ url }) => {
    const { pathname } = new URL(url);
    served.push(pathname);
    const [type, body] = MADE_UP[pathname];
    return new Response(body, { headers: { "content-type": type, "cache-control": "no-store" } });
  });
  const browser = await Browser.launch();
  try {
    const url = `http://127.0.0.1:${server.addr.port}/`;
    const first = await visit(browser, url, SLOW);
    assert.deepEqual(served.toSorted(), Object.keys(MADE_UP).toSorted());
    assert.equal(first.requests, served.length);
    const [page, worker, service, file, data] = Object.values(MADE_UP).map(([, body]) => body.length);
    assertAbout(first.document, page);
    assertAbout(first.files, worker + service + file + data);
    // The page, the service worker, and the file, one after the other.
    assert.ok(first.firstMessage > 2 * LATENCY, `${first.firstMessage} ms`);
    served.length = 0;
    const second = await visit(browser, url, SLOW);
    // Chromium tells nobody that it asks whether the service worker's own file has changed.
    assert.deepEqual(served.filter((path) => path !== "/service.js").toSorted(), ["/", "/data", "/worker.js"]);
    assert.equal(second.requests, 3);
    assert.ok(second.firstMessage > LATENCY && second.firstMessage < first.firstMessage);
  } finally {
    await browser.close();
    await server.shutdown();
  }
});

Deno.test("each figure is the median of its own, and Lighthouse's costs are what has weight and lacks points", () => {
  assert.deepEqual(medians([{ a: 1, b: 9 }, { a: 3, b: 7 }, { a: 2, b: 8 }]), { a: 2, b: 8 });
  const none = { score: 1, auditRefs: [] };
  const audit = (score: number | null) => ({ score, title: `scores ${score}`, displayValue: "3.7\u00a0s" });
  const { scores, metrics, costs } = verdict({
    categories: {
      performance: {
        score: 0.799,
        auditRefs: [
          { id: "first-contentful-paint", weight: 10 },
          { id: "speed-index", weight: 10 },
          { id: "total-blocking-time", weight: 0 },
        ],
      },
      accessibility: none,
      "best-practices": none,
      seo: none,
    },
    audits: {
      "first-contentful-paint": audit(0.5),
      "largest-contentful-paint": audit(null),
      "speed-index": audit(1),
      "total-blocking-time": audit(0),
      "cumulative-layout-shift": audit(1),
    },
  });
  assert.deepEqual([scores.performance, scores.seo, metrics["speed-index"]], [80, 100, "3.7 s"]);
  assert.deepEqual(costs, ["scores 0.5 (performance: 50 of 100)"]);
});
