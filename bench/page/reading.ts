/** What it takes of a reader's browser when a room is very busy. */
import { pause } from "../client.ts";
import { Browser } from "./browser.ts";
import { People } from "./people.ts";
import { type Conditions, Tab } from "./tab.ts";

/** Messages a second, and for how long, seconds. */
export const RATE = 200;
export const SECONDS = 10;
/** How far up somebody reads who does not follow, pixels. */
export const UP = 2_000;

export interface Reading {
  /** Tasks of 50 ms and more, and the longest of them, milliseconds. */
  longTasks: number;
  longestTask: number;
  /** The share of the time, of 1, in which the page's thread had something to do. */
  busy: number;
  /** Elements of the page at the end. */
  elements: number;
}

/** How many times slower than this machine's the processor may be. */
export const PROCESSORS = [1, 4];
/** A desk with a fast network. */
const DESK: Omit<Conditions, "cpu"> = { width: 1280, height: 800, scale: 1, phone: false };
/** Milliseconds in which a page becomes quiet, before and after. */
const SETTLE = 2_000;
/** Pixels of a turn of the wheel, milliseconds between two, and how often it is turned at most. */
const WHEEL = 400;
const WHEEL_PAUSE = 150;
const TURNS = 100;
/** Pixels from the end within which somebody follows. */
const AT_END = 100;

/**
 * @param follows whether the reader is at the newest message, or `UP` pixels up in the history
 * @param cpu how many times slower than this machine's the processor is
 */
export async function read(url: string, room: string, follows: boolean, cpu: number): Promise<Reading> {
  const browser = await Browser.launch();
  const people = await People.enter(url, room);
  try {
    const tab = await Tab.open(browser, { ...DESK, cpu }, () => {});
    await tab.send("Performance.enable");
    await tab.visit(`${url}/r/${room}`);
    await tab.until("parleyBench.firstMessage");
    await pause(SETTLE);
    if (!follows) await scrollUp(tab);
    const [start, taskTime, began] = [await tab.value<number>("performance.now()"), await taskTimeOf(tab), Date.now()];
    await people.talk(RATE, SECONDS);
    await people.arrived();
    const busy = (await taskTimeOf(tab) - taskTime) / ((Date.now() - began) / 1000);
    await pause(SETTLE);
    const tasks = (await tab.seen()).longTasks.filter(({ startTime }) => startTime >= start);
    const elements = await tab.value<number>("document.querySelectorAll('*').length");
    const fromEnd = await fromEndOf(tab);
    if (follows !== fromEnd < AT_END) throw new Error(`The reader was moved: ${fromEnd} px from the end.`);
    await tab.close();
    const longestTask = Math.max(0, ...tasks.map(({ duration }) => duration));
    return { longTasks: tasks.length, longestTask, busy, elements };
  } finally {
    await people.leave();
    await browser.close();
  }
}

/** With a wheel, as people do, so that the page loads what is older as it does for them. */
async function scrollUp(tab: Tab): Promise<void> {
  const place = { x: DESK.width / 3, y: DESK.height / 2 };
  for (let turns = 0; await fromEndOf(tab) < UP; turns++) {
    if (turns === TURNS) throw new Error(`The page could not be scrolled up ${UP} px.`);
    await tab.send("Input.dispatchMouseEvent", { type: "mouseWheel", ...place, deltaX: 0, deltaY: -WHEEL });
    await pause(WHEEL_PAUSE);
  }
  await pause(SETTLE);
}

function fromEndOf(tab: Tab): Promise<number> {
  return tab.value<number>("parleyBenchFromEnd()");
}

/** Seconds that all tasks of the page's thread have taken. */
async function taskTimeOf(tab: Tab): Promise<number> {
  const { metrics } = await tab.send("Performance.getMetrics");
  return (metrics as { name: string; value: number }[]).find(({ name }) => name === "TaskDuration")!.value;
}
