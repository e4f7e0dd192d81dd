// Not in deno.json's imports, all of which every `deno task start` would download.
export { chromium } from "npm:playwright-core@^1.65";
export type { Browser, BrowserContext, BrowserContextOptions, Page } from "npm:playwright-core@^1.65";
