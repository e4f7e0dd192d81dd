import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { launchChromium } from "./chromium.ts";
import { newPerson, openRoom } from "./page.ts";
import { type RunningServer, startServer } from "../servers/server.ts";

/** A browser and a server for all tests of a file. */
export interface PageServer {
  readonly url: string;
  person(options?: BrowserContextOptions): Promise<BrowserContext>;
  open(context: BrowserContext, room: string): Promise<Page>;
}

/**
 * Starts both before the first test of the file that calls this, and ends them after the last.
 * @param env settings of the server
 */
export function servePage(env: Record<string, string> = {}): PageServer {
  let browser: Browser;
  let server: RunningServer;
  Deno.test.beforeAll(async () => {
    [browser, server] = await Promise.all([launchChromium(), startServer({ env: { MESSAGE_RATE: "0", ...env } })]);
  });
  Deno.test.afterAll(async () => {
    await browser.close();
    await server.stop();
  });
  return {
    get url() {
      return server.url;
    },
    person: (options) => newPerson(browser, options),
    open: (context, room) => openRoom(context, server.url, room),
  };
}
