/**
 * `deno task build`: server, page and client in one file, `dist/chat.js`, which needs Deno and nothing else. The page's
 * files, bundled and minified, take the place of the module that reads them from the disk, Redis' client that of the
 * one which downloads it, and the worker that searches, as text, that of the one which says where its module is.
 */
import config from "../deno.json" with { type: "json" };
import { loadAssets, PAGE } from "../web/routes/assets.ts";
import { bundlePage } from "./bundle_page.ts";

const HELP = `Makes dist/chat.js: server, page and client in one file, which needs Deno and nothing else.

  deno task build

It takes no arguments. Run the file with

  deno run --allow-net --allow-env --allow-read=. --allow-write=. dist/chat.js`;

const [argument] = Deno.args;
if (argument === "--help" || argument === "-h") {
  console.log(HELP);
  Deno.exit(0);
}
if (argument !== undefined) {
  console.error(`deno task build takes no argument ${argument}.`);
  Deno.exit(1);
}

const root = new URL("../", import.meta.url);
const result = new URL("dist/chat.js", root);
const redisPackage = new URL("storage/redis/package.ts", root);
const searchWorker = new URL("storage/sqlite/search/worker.ts", root);
const searchWorkerUrl = new URL("storage/sqlite/search/worker_url.ts", root);

const workshop = new URL(`file://${await Deno.makeTempDir()}/`);
try {
  const bundled = await bundlePage(await loadAssets(root), workshop);
  // In one order on every disk, so that the same source makes the same file.
  const assets = [...bundled].sort(([one], [other]) => one < other ? -1 : 1);
  const embedded = new URL("embedded.ts", workshop);
  await Deno.writeTextFile(
    embedded,
    `export const PAGE = ${JSON.stringify(PAGE)};
const assets = new Map(${JSON.stringify(assets)});
export const loadAssets = () => Promise.resolve(assets);
`,
  );
  const client = new URL("client.ts", workshop);
  const [redis] = /npm:redis@[^"]+/.exec(await Deno.readTextFile(redisPackage))!;
  await Deno.writeTextFile(client, `export { createClient } from "${redis}";\n`);
  const workerUrl = new URL("worker_url.ts", workshop);
  const worker = new URL("worker.js", workshop);
  await bundle(searchWorker, worker);
  const code = btoa(String.fromCharCode(...new TextEncoder().encode(await Deno.readTextFile(worker))));
  await Deno.writeTextFile(
    workerUrl,
    `export const WORKER_URL = "data:text/javascript;base64,${code}";\n`,
  );
  const packages = Object.entries(config.imports).filter(([name, from]) =>
    !name.startsWith(".") && from.startsWith("npm:")
  );
  const importMap = new URL("imports.json", workshop);
  const imports = {
    ...Object.fromEntries(packages),
    [new URL("web/routes/assets.ts", root).href]: embedded.href,
    [redisPackage.href]: client.href,
    [searchWorkerUrl.href]: workerUrl.href,
  };
  await Deno.writeTextFile(importMap, JSON.stringify({ imports }));
  await Deno.mkdir(new URL("./", result), { recursive: true });
  await bundle(new URL("main.ts", root), result, "--import-map", importMap.pathname);
} finally {
  await Deno.remove(workshop, { recursive: true });
}
const { size } = await Deno.stat(result);
console.log(`dist/chat.js: ${Math.round(size / 1024)} KiB`);

async function bundle(entrypoint: URL, output: URL, ...more: string[]): Promise<void> {
  const bundler = new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--lock=all.lock",
      "--quiet",
      "--minify",
      "--platform",
      "deno",
      ...more,
      "-o",
      output.pathname,
      entrypoint.pathname,
    ],
    cwd: root,
  });
  if (!(await bundler.spawn().status).success) Deno.exit(1);
}
