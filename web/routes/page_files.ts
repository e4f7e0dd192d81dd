import type { Context } from "hono";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import type { BasePath } from "../base_path.ts";
import { type Asset, PAGE } from "./assets.ts";
import { StaticFile } from "./static_file.ts";

/** The path of the service worker: a worker may serve what is below its own folder. */
export const WORKER = "/service-worker.js";
const WORKER_SOURCE = "/static/worker/service_worker.ts";
/** The page that the worker keeps: without data, and marked. */
const SHELL = "shell.html";
/** Where files stand for whoever knows only their names. */
const FOLDER = "/static/";
/** A version in an address; no folder of ours has such a name. */
const VERSION = /^[0-9a-f]{16}\//;
/** Behind everything else in the page, so that a browser finds what else to ask for first. */
const DATA_PLACE = "</body>";
/** A script of the page that is no module runs before the first paint: it becomes a part of the page. */
const INLINE = /<script src="([^"]+)"><\/script>/;

/**
 * The page and its files as they are served. The page names each file by an address with the version of all of them,
 * which follows from their content: a browser keeps a file for as long as it likes, and never mixes two versions. In a
 * folder of the version, modules find each other by relative paths, as on the disk.
 */
export class PageFiles {
  /** The page without data. */
  readonly page: StaticFile;
  /** The service worker, which knows this version's files: with any other content it is another worker. */
  readonly worker: StaticFile;
  /** The script in the page, as a content security policy names what may run. */
  readonly inlineScript: string;
  readonly #version: string;
  readonly #basePath: BasePath;
  readonly #files = new Map<string, StaticFile>();
  readonly #beforeData: string;
  readonly #afterData: string;

  constructor(assets: ReadonlyMap<string, Asset>, basePath: BasePath) {
    const hash = createHash("sha256");
    for (const path of [...assets.keys()].sort()) hash.update(`${path}\n${assets.get(path)!.body}\n`);
    this.#version = `${hash.digest("hex").slice(0, 16)}/`;
    this.#basePath = basePath;
    const { body, type } = assets.get(PAGE)!;
    const [tag, inlinePath] = INLINE.exec(body)!;
    const script = assets.get(inlinePath)!.body;
    this.inlineScript = `'sha256-${createHash("sha256").update(script).digest("base64")}'`;
    const whole = body.replace(tag, () => `<script data-base="${basePath.to("/")}">${script}</script>`);
    // Only the page has absolute paths: other files name each other by relative ones.
    const html = whole.replaceAll(/(?<= (?:href|src)=")\/static\/([^"]+)/g, (_, name) => this.address(name));
    const [before, after] = html.split(DATA_PLACE);
    // A script that is one file is there soon: the first paint waits for it, and shows the messages. Where the page has
    // many modules, the splash is painted first.
    this.#beforeData = before.replace(/<script type="module" src="[^"]+\.js"/, '$& blocking="render"');
    this.#afterData = after;
    this.page = new StaticFile(html, type);
    this.#files.set(SHELL, new StaticFile(html.replace("<html ", "<html data-shell "), type));
    const shell = {
      base: basePath.to("/"),
      version: this.#version.slice(0, -1),
      page: this.address(SHELL),
      files: neededBy(whole, assets).map((path) => this.address(path.slice(FOLDER.length))),
    };
    const source = assets.get(WORKER_SOURCE)?.body ?? "";
    this.worker = new StaticFile(
      `const SHELL = ${JSON.stringify(shell)};\n${source}`,
      "text/javascript; charset=utf-8",
    );
    for (const [path, { body, type, base64 }] of assets) {
      const content = base64 ? new Uint8Array(Buffer.from(body, "base64")) : body;
      if (path !== PAGE) this.#files.set(path.slice(FOLDER.length), new StaticFile(content, type));
    }
  }

  /** The address of a file, which changes with its content, by its path below `/static/`. */
  address(name: string): string {
    return this.#basePath.to(FOLDER + this.#version + name);
  }

  /**
   * The page with data for its client. No browser runs a script of this type, and no text in it can end it or begin
   * another one: that takes a "<".
   */
  pageWith(data: object): string {
    const json = JSON.stringify(data).replaceAll("<", "\\u003c");
    const element = `<script id="initial-data" type="application/json">${json}</script>`;
    return this.#beforeData + element + DATA_PLACE + this.#afterData;
  }

  /** The file at this path, with a version or without one; undefined if there is none. */
  serve(path: string, c: Context): Response | undefined {
    const name = path.startsWith(FOLDER) ? path.slice(FOLDER.length) : "";
    // While an update goes from machine to machine, one may be asked for a file of another version. It gives its own,
    // which is not kept: a page with files of two versions usually works, and one without its files does not.
    const immutable = name.startsWith(this.#version);
    return this.#files.get(name.replace(VERSION, ""))?.serve(c, { immutable });
  }
}

/** The files that a page names, and all that they import, at once or later. */
function neededBy(html: string, assets: ReadonlyMap<string, Asset>): string[] {
  const needed = new Set<string>();
  const need = (path: string) => {
    const asset = assets.get(path);
    if (!asset || needed.has(path)) return;
    needed.add(path);
    if (!asset.type.startsWith("text/javascript")) return;
    for (const [, specifier] of asset.body.matchAll(/\b(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)["']/g)) {
      need(new URL(specifier, `file://${path}`).pathname);
    }
  };
  for (const [, path] of html.matchAll(/ (?:href|src)="(\/static\/[^"]+)"/g)) need(path);
  return [...needed];
}
