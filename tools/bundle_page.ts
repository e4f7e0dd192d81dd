/** Makes few files of the page's many, for those who serve one file: one script and one style sheet, minified. */
import { type Asset, PAGE } from "../web/routes/assets.ts";

const SCRIPT = { source: "static/client.ts", bundle: "static/client.js" };
const STYLE = "static/style.css";

/**
 * The assets of a page with one script and one style sheet.
 * @param assets those of the source
 * @param root the folder that holds `static/`
 * @param workshop a folder for files that nobody needs later
 */
export async function bundlePage(
  assets: ReadonlyMap<string, Asset>,
  root: URL,
  workshop: URL,
): Promise<Map<string, Asset>> {
  const [script, style] = await Promise.all([SCRIPT.source, STYLE].map((path) => bundle(path, root, workshop)));
  const page = assets.get(PAGE)!;
  const { type } = assets.get(`/${SCRIPT.source}`)!;
  const body = page.body
    .replaceAll(/^ *(<!--[^]*?-->|<link rel="modulepreload"[^>]*>)\n/gm, "")
    .replace(SCRIPT.source, SCRIPT.bundle);
  return new Map([
    ...assets,
    [PAGE, { ...page, body }],
    [`/${SCRIPT.bundle}`, { type, body: script }],
    [`/${STYLE}`, { ...assets.get(`/${STYLE}`)!, body: style }],
  ]);
}

async function bundle(path: string, root: URL, workshop: URL): Promise<string> {
  const output = new URL(path.replaceAll("/", "."), workshop);
  const args = [
    "bundle",
    "--lock=all.lock",
    "--quiet",
    "--minify",
    "--platform",
    "browser",
    "-o",
    output.pathname,
    path,
  ];
  const bundler = new Deno.Command(Deno.execPath(), { args, cwd: root });
  if (!(await bundler.spawn().status).success) throw new Error(`${path} could not be bundled.`);
  return await Deno.readTextFile(output);
}
