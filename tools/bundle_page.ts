/**
 * Makes few files of the page's many, for those who serve one file: one script of the first screen, one for each part
 * that is loaded later, and one style sheet, minified.
 */
import { type Asset, PAGE } from "../web/routes/assets.ts";

const SCRIPT = { source: "static/client.ts", bundle: "static/client.js" };
const STYLE = "static/style.css";

/**
 * The assets of a page with few scripts and one style sheet.
 * @param assets those of the source
 * @param workshop a folder for files that nobody needs later
 */
export async function bundlePage(assets: ReadonlyMap<string, Asset>, workshop: URL): Promise<Map<string, Asset>> {
  for (const [path, { body }] of withFirstScreen(assets)) {
    const file = new URL(`.${path}`, workshop);
    await Deno.mkdir(new URL(".", file), { recursive: true });
    await Deno.writeTextFile(file, body);
  }
  const [scripts, sheets] = await Promise.all([SCRIPT.source, STYLE].map((path) => bundle(path, workshop)));
  const page = assets.get(PAGE)!;
  const { type } = assets.get(`/${SCRIPT.source}`)!;
  const body = page.body
    .replaceAll(/^ *(<!--[^]*?-->|<link rel="modulepreload"[^>]*>)\n/gm, "")
    .replace(SCRIPT.source, SCRIPT.bundle);
  return new Map([
    ...assets,
    [PAGE, { ...page, body }],
    ...[...inOneFirst(scripts)].map(([name, body]) => [`/static/${name}`, { type, body }] as const),
    [`/${STYLE}`, { ...assets.get(`/${STYLE}`)!, body: sheets.get("style.css")! }],
  ]);
}

/**
 * The assets, with an import of the first screen in every module that is loaded later. The bundler makes a chunk of the
 * modules that the same entries need: so all of the first screen is one chunk, whatever else uses parts of it. Each of
 * its modules runs once all the same.
 */
function withFirstScreen(assets: ReadonlyMap<string, Asset>): Map<string, Asset> {
  const first = `/${SCRIPT.source}`;
  const changed = new Map(assets);
  for (const [path, { body }] of assets) {
    for (const [, specifier] of body.matchAll(/\bimport\("(\.{1,2}\/[^"]+)"\)/g)) {
      const later = new URL(specifier, `file://${path}`).pathname;
      const asset = assets.get(later);
      if (!asset) throw new Error(`${path} imports ${later}, which is not served.`);
      const up = "../".repeat(later.split("/").length - first.split("/").length) || "./";
      changed.set(later, { ...asset, body: `import "${up}${first.slice("/static/".length)}";\n${asset.body}` });
    }
  }
  return changed;
}

/** The scripts, with the chunk of the first screen under the name of the entry, which does nothing but import it. */
function inOneFirst(scripts: ReadonlyMap<string, string>): Map<string, string> {
  const entry = SCRIPT.bundle.slice("static/".length);
  const [, chunk] = /^import"\.\/([^"]+)";\s*$/.exec(scripts.get(entry)!) ?? [];
  // Without a part that is loaded later, there is one script anyway.
  if (!chunk && scripts.size > 1) throw new Error("The first screen is in more than one script.");
  return new Map(
    [...scripts].filter(([name]) => !chunk || name !== entry).map(([name, body]) => [
      name === chunk ? entry : name,
      chunk ? body.replaceAll(`"./${chunk}"`, `"./${entry}"`) : body,
    ]),
  );
}

/** Bundles a file in the workshop. @returns the text of each file that comes of it, by its name */
async function bundle(path: string, workshop: URL): Promise<Map<string, string>> {
  const output = new URL(`bundled/${path.replaceAll("/", ".")}/`, workshop);
  const args = [
    "bundle",
    "--no-config",
    "--no-lock",
    "--quiet",
    "--minify",
    "--platform",
    "browser",
    "--code-splitting",
    "--outdir",
    output.pathname,
    path,
  ];
  const bundler = new Deno.Command(Deno.execPath(), { args, cwd: workshop });
  if (!(await bundler.spawn().status).success) throw new Error(`${path} could not be bundled.`);
  const files = new Map<string, string>();
  for await (const { name } of Deno.readDir(output)) {
    files.set(name, await Deno.readTextFile(new URL(name, output)));
  }
  return files;
}
