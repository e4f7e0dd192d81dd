import nodeModule from "node:module";
import linkify from "linkifyjs/dist/linkify.mjs" with { type: "text" };

/** A file of the page as it is served. */
export interface Asset {
  body: string;
  type: string;
}

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  svg: "image/svg+xml",
  ts: "text/javascript; charset=utf-8",
  webmanifest: "application/manifest+json",
};

/** Blanks types out, as Node's and (since 2.9) Deno's own function does; older ones get it from where Node has it. */
const stripTypes = nodeModule.stripTypeScriptTypes ?? await olderStripTypes();

/** The page itself. */
export const PAGE = "/static/index.html";

/**
 * The page's files by the path under which they are served: the one that they have here, or below `static/` where they
 * lie elsewhere, so that the modules' own imports hold. TypeScript goes out as JavaScript, its types blanked out and its
 * line numbers kept.
 * @param root the folder that holds `static/` and `chat/`
 */
export async function loadAssets(root: URL): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  for await (const { name, isFile } of Deno.readDir(new URL("static/", root))) {
    if (isFile && !name.endsWith("_test.ts")) await load(`static/${name}`);
  }
  await load("chat/protocol.ts", "static/chat/protocol.ts");
  assets.set("/static/vendor/linkify.js", { body: linkify, type: TYPES.ts });
  return assets;

  async function load(path: string, served = path): Promise<void> {
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    if (type === undefined) return;
    const text = await Deno.readTextFile(new URL(path, root));
    // All of the page lies below one path, since another one of the host may lead to somebody else.
    const body = path.endsWith(".ts") ? stripTypes(text).replaceAll('"../chat/', '"./chat/') : text;
    assets.set(`/${served}`, { type, body });
  }
}

async function olderStripTypes(): Promise<(text: string) => string> {
  // Of a name in an import Deno would download the package before anything runs.
  const name = "npm:amaro@^1.2";
  const { transformSync }: typeof import("npm:amaro@^1.2") = await import(name);
  return (text) => transformSync(text, { mode: "strip-only" }).code;
}
