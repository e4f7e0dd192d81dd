/** One visit of the page: what it takes until a reader sees the conversation. */
import { pause } from "../client.ts";
import type { Browser } from "./browser.ts";
import { type Conditions, Tab } from "./tab.ts";
import { Traffic } from "./traffic.ts";

/** Milliseconds after the navigation began, bytes on the wire with their headers, and numbers. */
export interface Visit {
  firstPaint: number;
  firstContentfulPaint: number;
  firstMessage: number;
  load: number;
  requestsToMessage: number;
  requestsToLoad: number;
  requests: number;
  /** The page's document. */
  document: number;
  /** Every other file and call, until the first message and in all. */
  filesToMessage: number;
  files: number;
  /** What the socket brought until the first message. */
  socket: number;
  longTasks: number;
  longestTask: number;
}

/**
 * A page has come when nothing has gone over the wire for so long, milliseconds; it is not waited for longer than that.
 */
const QUIET = 2_000;
const LONGEST_WAIT = 20_000;

/** @param browser one that has never been there, or one that has and whose tab was closed since */
export async function visit(browser: Browser, url: string, conditions: Conditions): Promise<Visit> {
  const traffic = new Traffic();
  const tab = await Tab.open(browser, conditions, (event) => traffic.take(event));
  await tab.visit(url);
  await tab.until("parleyBench.firstMessage && performance.getEntriesByType('navigation')[0].loadEventEnd");
  for (const start = performance.now(); performance.now() - start < LONGEST_WAIT;) {
    if (performance.now() - traffic.last > QUIET) break;
    await pause(100);
  }
  const { firstMessage: laidOut, longTasks } = await tab.seen();
  const { origin, load, paints } = await tab.value<{ origin: number; load: number; paints: Record<string, number> }>(`({
    origin: performance.timeOrigin,
    load: performance.getEntriesByType("navigation")[0].loadEventStart,
    paints: Object.fromEntries(performance.getEntriesByType("paint").map(({ name, startTime }) => [name, startTime])),
  })`);
  await tab.close();
  // The first paint may come a frame later than the page itself can tell.
  const firstMessage = Math.max(laidOut!, paints["first-contentful-paint"]);
  const [toMessage, toLoad, all] = [firstMessage, load, Infinity].map((time) => traffic.until(origin + time));
  return {
    firstPaint: paints["first-paint"],
    firstContentfulPaint: paints["first-contentful-paint"],
    firstMessage,
    load,
    requestsToMessage: toMessage.requests,
    requestsToLoad: toLoad.requests,
    requests: all.requests,
    document: all.bytes.document,
    filesToMessage: toMessage.bytes.files,
    files: all.bytes.files,
    socket: toMessage.bytes.socket,
    longTasks: longTasks.length,
    longestTask: Math.max(0, ...longTasks.map(({ duration }) => duration)),
  };
}
