/** How people read on a page, for tests. */
import type { Page } from "playwright-core";

/** Steps in which any of the tests' rooms is read from end to end. */
const STEPS = 500;

/** Rows that the page may hold, far fewer than messages are loaded. */
export const ROWS = 250;

export type Locator = ReturnType<Page["locator"]>;

export const rowCount = (page: Page): Promise<number> => page.locator("#rows > *").count();

/** The message that says `line 7`, say. */
export const line = (page: Page, number: number): Locator => page.getByText(`line ${number}`, { exact: true });

/** Waits for two frames of the screen: what the page does about the first one is done. */
export async function settled(page: Page): Promise<void> {
  await page.evaluate(() => {
    // deno-lint-ignore no-explicit-any -- only the browser has frames
    const frame = (globalThis as any).requestAnimationFrame;
    return new Promise((resolve) => frame(() => frame(resolve)));
  });
}

/** Does this until something can be seen in the log. */
export async function until(page: Page, goal: Locator, step: () => Promise<unknown>): Promise<void> {
  for (let steps = 0; !await isInView(page, goal); steps++) {
    if (steps === STEPS) throw new Error(`${goal} was not seen`);
    await step();
    await settled(page);
  }
}

async function isInView(page: Page, goal: Locator): Promise<boolean> {
  if (await goal.count() === 0) return false;
  const [box, view] = await Promise.all([goal.boundingBox(), page.locator("#log").boundingBox()]);
  return box !== null && view !== null && box.y + box.height > view.y && box.y < view.y + view.height;
}

/** Scrolls by screens until something can be seen. @returns all that could be seen on the way, in its order */
export async function scrollTo(page: Page, screens: number, goal: string): Promise<string[]> {
  const seen = new Set<string>();
  for (let step = 0; step < STEPS; step++) {
    const visible = await page.locator("#log").evaluate((log) => {
      const { top, bottom } = log.getBoundingClientRect();
      return [...log.querySelectorAll(".text, #top[data-kind^=beginning] p, .new span")].filter((text) => {
        const box = text.getBoundingClientRect();
        return box.bottom > top && box.top < bottom;
      }).map(({ textContent }) => textContent ?? "");
    });
    for (const text of screens < 0 ? visible.reverse() : visible) seen.add(text);
    if ([...seen].some((text) => text.startsWith(goal))) return [...seen];
    await page.locator("#log").evaluate((log, screens) => log.scrollTop += screens * log.clientHeight, screens);
    await settled(page);
  }
  throw new Error(`"${goal}" was not seen`);
}

export async function scrollToOldest(page: Page, room: string): Promise<string[]> {
  return await scrollTo(page, -0.8, `The beginning of ${room}`);
}

export async function scrollToEnd(page: Page): Promise<void> {
  await page.locator("#log").evaluate((log) => log.scrollTop = log.scrollHeight);
}
