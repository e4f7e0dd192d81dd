import { Buffer } from "node:buffer";
import nodeModule from "node:module";
import { VENDORED } from "./vendored.ts";

/** A file of the page as it is served. */
export interface Asset {
  /** The file's text, or its bytes as Base64: `tools/build.ts` embeds assets as JSON. */
  body: string;
  type: string;
  base64?: true;
}

const TYPES: Record<string, string> = {
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
  png: "image/png",
  svg: "image/svg+xml",
  ts: "text/javascript; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  webmanifest: "application/manifest+json",
};

/** Blanks types out. Deno has this function of Node since 2.9; older versions load the package that Node uses. */
const stripTypes = nodeModule.stripTypeScriptTypes ?? await olderStripTypes();

/** The path of the page itself. */
export const PAGE = "/static/index.html";

/** What browsers load: the page, the client without a page, and what both sides know: the wire, and what a search finds. */
const SERVED = ["static/", "client/", "chat/entries/", "chat/search/", "chat/protocol.ts", "chat/errors.ts"];
/** They come as one, in the style sheet that imports them. */
const SHEETS = "static/styles/";

/**
 * The page's files by the path under which they are served, all below `/static/`, since other paths of the host may
 * belong to somebody else: `client/outbox.ts` as `/static/client/outbox.ts`. TypeScript is served as JavaScript, with
 * its types blanked out and its line numbers kept.
 * @param root the folder that holds `static/`, `client/` and `chat/`
 */
export async function loadAssets(root: URL): Promise<Map<string, Asset>> {
  const assets = new Map<string, Asset>();
  for (const path of SERVED) await load(path);
  for (const [name, body] of VENDORED) assets.set(`/static/vendor/${name}`, { body, type: TYPES.ts });
  return assets;

  async function load(path: string): Promise<void> {
    if (path.endsWith("/")) {
      if (path === SHEETS) return;
      for await (const { name, isDirectory } of Deno.readDir(new URL(path, root))) {
        await load(isDirectory ? `${path}${name}/` : `${path}${name}`);
      }
      return;
    }
    const type = TYPES[path.slice(path.lastIndexOf(".") + 1)];
    if (type === undefined || path.endsWith("_test.ts")) return;
    if (type === TYPES.png) {
      const body = Buffer.from(await Deno.readFile(new URL(path, root))).toString("base64");
      return void assets.set(`/static/${servedPath(path)}`, { type, body, base64: true });
    }
    const text = await Deno.readTextFile(new URL(path, root));
    const body = path.endsWith(".ts")
      ? withoutComments(importsAsServed(stripTypes(text), path))
      : path.endsWith(".css")
      ? withoutComments(await withImports(text, path))
      : text;
    assets.set(`/static/${servedPath(path)}`, { type, body });
  }

  /** A style sheet with those that it imports. */
  async function withImports(sheet: string, path: string): Promise<string> {
    const parts = sheet.split(/^@import "(.+)";\n/m);
    for (let at = 1; at < parts.length; at += 2) {
      parts[at] = await Deno.readTextFile(new URL(parts[at], new URL(path, root)));
    }
    return parts.join("");
  }
}

/** The path of a file of the source below `/static/`. */
function servedPath(path: string): string {
  return path.startsWith("static/") ? path.slice("static/".length) : path;
}

/** Changes a module's imports to the paths under which the other files are served, without leaving their folder. */
function importsAsServed(script: string, path: string): string {
  return script.replaceAll(/((?:from|import) ?\(?")(\.{1,2}\/[^"]+)"/g, (_, before, specifier) => {
    const imported = servedPath(new URL(specifier, `file:///${path}`).pathname.slice(1));
    const up = "../".repeat(servedPath(path).split("/").length - 1) || "./";
    return `${before}${up}${imported}"`;
  });
}

/**
 * The text of a file without comments that stand on lines of their own: a quarter of what the first screen would weigh.
 * The lines stay, empty, so that a place in an error is the same as in the source. No template of the page's has a line
 * that looks like a comment.
 */
export function withoutComments(text: string): string {
  const ofOwnLines = /^[ \t]*(?:\/\*(?:(?!\*\/)[^])*\*\/[ \t]*|\/\/.*)$/gm;
  return text.replace(ofOwnLines, (comment) => "\n".repeat(comment.split("\n").length - 1));
}

async function olderStripTypes(): Promise<(text: string) => string> {
  // With a literal in the import Deno would download the package before anything runs.
  const name = "npm:amaro@^1.2";
  const { transformSync }: typeof import("npm:amaro@^1.2") = await import(name);
  return (text) => transformSync(text, { mode: "strip-only" }).code;
}
