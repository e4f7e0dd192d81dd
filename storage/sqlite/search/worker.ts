/// <reference no-default-lib="true" />
/// <reference lib="deno.worker" />
/** The thread that searches a database file, with a connection of its own that can't write. */
import { DatabaseSync } from "node:sqlite";
import { find, type Found, type Wanted } from "./find.ts";
import { isBroken } from "./terms_version.ts";

/** What it is told: first where the file is. */
export type Order = { kind: "open"; path: string } | { kind: "find"; wanted: Wanted } | { kind: "close" };
/** What it answers, in order; nothing to `open`. */
export type Report = { kind: "found"; found: Found } | { kind: "failed"; message: string; isBroken: boolean } | {
  kind: "closed";
};

/** How long it waits for a file that is locked, milliseconds: nobody but this thread stands still. */
const BUSY_TIMEOUT = 500;

/** Memory for pages of the file, KiB: searches come back to the same ones of the index. */
const CACHE = 32_768;

let path: string;
let file: DatabaseSync | undefined;

function answer(order: Order): Report | undefined {
  switch (order.kind) {
    case "open":
      ({ path } = order);
      return;
    case "find":
      file ??= open(path);
      return { kind: "found", found: find(file, order.wanted, () => performance.now()) };
    case "close":
      file?.close();
      return { kind: "closed" };
    default:
      order satisfies never;
  }
}

function open(path: string): DatabaseSync {
  const file = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT });
  file.exec(`PRAGMA cache_size = -${CACHE}`);
  return file;
}

globalThis.onmessage = ({ data }: MessageEvent<Order>) => {
  let report: Report | undefined;
  try {
    report = answer(data);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    report = { kind: "failed", message, isBroken: isBroken(error) };
  }
  if (report) self.postMessage(report);
};
