import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { type Asset, loadAssets, PAGE } from "../web/routes/assets.ts";
import { bundlePage } from "./bundle_page.ts";

/** Compressed bytes that the first screen may have in all, without the messages in it. */
const BUDGET = 60_000;

Deno.test("the bundled first screen is one small script, and the others hold what is loaded later", async () => {
  const source = await loadAssets(new URL("../", import.meta.url));
  const workshop = await Deno.makeTempDir();
  const assets = await bundlePage(source, new URL(`file://${workshop}/`));
  await Deno.remove(workshop, { recursive: true });

  const page = assets.get(PAGE)!.body;
  const referred = [...page.matchAll(/(?:src|href)="(\/static\/[^"]+\.(?:css|[jt]s))"/g)].map(([, path]) => path);
  assert.deepEqual(referred.sort(), ["/static/client.js", "/static/style.css", "/static/theme.ts"]);
  const first = [PAGE, ...referred].map((path) => gzipSync(assets.get(path)!.body).length);
  assert.ok(first.reduce((sum, size) => sum + size) < BUDGET, `${first}`);

  const importsOf = ({ body }: Asset) => [...body.matchAll(/(\bfrom|\bimport|\bimport\()"(\.[^"]+)"/g)];
  const scripts = new Map([...assets].filter(([path]) => path.endsWith(".js") && !source.has(path)));
  const reached = new Set<string>();
  const reach = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    assert.ok(scripts.has(path), `${path} is missing`);
    for (const [, , specifier] of importsOf(scripts.get(path)!)) reach(new URL(specifier, `file://${path}`).pathname);
  };
  reach("/static/client.js");
  assert.deepEqual([...reached].sort(), [...scripts.keys()].sort(), "one script after the other loads all of them");
  assert.ok(importsOf(scripts.get("/static/client.js")!).every(([, how]) => how === "import("));
  assert.match([...reached].join(), /dialogs-/);
});
