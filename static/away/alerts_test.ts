import assert from "node:assert/strict";
import { FakeClock, settle } from "../../testing/clock.ts";
import { message } from "../../testing/clients/frames.ts";
import { CHIME_INTERVAL, COUNT_INTERVAL, createAlerts } from "./alerts.ts";
import type { AwaySettings, Level } from "./settings.ts";

/** What the tabs of one browser share. */
interface Browser {
  clock: FakeClock;
  owners: Map<string, object>;
  isVisible: boolean;
  done: string[];
}

const newBrowser = (): Browser => ({ clock: new FakeClock(), owners: new Map(), isVisible: false, done: [] });

/** A tab that is told of everything in `general`, and whose notifications and sounds are noted. */
function openTab(browser: Browser, { level = "everything", sound = false }: { level?: Level; sound?: boolean } = {}) {
  const { owners, done, clock } = browser;
  const me = {};
  const settings: AwaySettings = { on: true, sound, rooms: new Map([["general", level]]) };
  let seq = 0;
  const alerts = createAlerts({
    tabs: {
      isAnyVisible: () => Promise.resolve(browser.isVisible),
      claim(name) {
        if (!owners.has(name)) owners.set(name, me);
        return Promise.resolve(owners.get(name) === me);
      },
      release: (name) => owners.get(name) === me && owners.delete(name),
    },
    clock,
    settings: () => settings,
    isPermitted: () => true,
    state: () => ({ rooms: [], muted: [{ user: "u9", name: "Loud" }] }),
    show: ({ message, count, again }) => done.push(`${message.text}, ${count}${again ? ", again" : ""}`),
    close: (room) => done.push(`close ${room}`),
    chime: () => done.push("chime"),
  });
  return {
    alerts,
    async hears(text: string, more: { mention?: boolean; user?: string } = {}) {
      await alerts.arrived([{
        message: message(++seq, { text, user: more.user ?? "u2" }),
        mention: more.mention ?? false,
      }]);
      await settle();
    },
  };
}

Deno.test("of several messages the notification tells at once of the first, and a little later how many there are", async () => {
  const browser = newBrowser();
  const tab = openTab(browser);
  for (const text of ["one", "two", "three"]) await tab.hears(text);
  assert.deepEqual(browser.done, ["one, 1"]);
  await browser.clock.advance(COUNT_INTERVAL);
  assert.deepEqual(browser.done, ["one, 1", "three, 3"]);
  await browser.clock.advance(COUNT_INTERVAL);
  assert.equal(browser.done.length, 2, "nothing is said twice");
});

Deno.test("a mention does not wait, draws attention again, and is not pushed away by what follows", async () => {
  const browser = newBrowser();
  const tab = openTab(browser);
  await tab.hears("one");
  await tab.hears("@me", { mention: true });
  await tab.hears("three");
  await browser.clock.advance(COUNT_INTERVAL);
  assert.deepEqual(browser.done, ["one, 1", "@me, 2, again", "@me, 3"]);
});

Deno.test("two tabs show one notification and make one sound; when that tab is gone the other goes on", async () => {
  const browser = newBrowser();
  const [one, other] = [openTab(browser, { sound: true }), openTab(browser, { sound: true })];
  await Promise.all([one.hears("hello"), other.hears("hello")]);
  assert.deepEqual(browser.done, ["hello, 1", "chime"]);
  browser.owners.clear(); // as when the tab is closed
  await other.hears("more");
  assert.deepEqual(browser.done.slice(2), ["more, 2", "chime"]);
});

Deno.test("a burst sounds once", async () => {
  const browser = newBrowser();
  const tab = openTab(browser, { sound: true });
  for (const text of ["one", "two"]) await tab.hears(text, { mention: true });
  assert.equal(browser.done.filter((done) => done === "chime").length, 1);
  await browser.clock.advance(CHIME_INTERVAL);
  await tab.hears("three", { mention: true });
  assert.equal(browser.done.filter((done) => done === "chime").length, 2);
});

Deno.test("when the room is read its notification goes, nothing follows, and counting starts anew", async () => {
  const browser = newBrowser();
  const tab = openTab(browser);
  await tab.hears("one");
  await tab.hears("two");
  tab.alerts.read("general");
  await browser.clock.advance(COUNT_INTERVAL);
  assert.deepEqual(browser.done, ["one, 1", "close general"]);
  await tab.hears("three");
  assert.deepEqual(browser.done[2], "three, 1");
  tab.alerts.read("islands");
  assert.equal(browser.done.length, 3, "where there is none, none is closed");
});

Deno.test("what is seen, muted or not wished for is not counted either", async () => {
  const browser = newBrowser();
  const [tab, quiet] = [openTab(browser), openTab(browser, { level: "mentions" })];
  await tab.hears("muted", { user: "u9", mention: true });
  await quiet.hears("plain");
  browser.isVisible = true;
  await tab.hears("seen", { mention: true });
  browser.isVisible = false;
  await tab.hears("hello");
  assert.deepEqual(browser.done, ["hello, 1"]);
});

Deno.test("who comes back while the tabs agree is not alerted", async () => {
  const browser = newBrowser();
  const tab = openTab(browser, { sound: true });
  const hearing = tab.hears("hello");
  await Promise.resolve();
  tab.alerts.read("general");
  await hearing;
  assert.deepEqual(browser.done.filter((done) => done !== "close general"), []);
  assert.equal(browser.owners.size, 0);
});
