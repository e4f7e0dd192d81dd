/**
 * Makes the pictures of the page in docs/: a busy day of several people in several rooms, in light and dark, on a phone
 * and in Korean. Needs fonts for Korean and emoji (Debian: fonts-noto-cjk, fonts-noto-color-emoji).
 */
import { chromium } from "playwright-core";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { SqliteStorage } from "../storage/sqlite/sqlite.ts";
import { CHROMIUM_ARGUMENTS, chromiumPath } from "../testing/browser/chromium_path.ts";
import { connected } from "../testing/browser/page.ts";
import { TestClient } from "../testing/clients/client.ts";
import { FakeClock } from "../testing/clock.ts";
import { startServer } from "../testing/servers/server.ts";
import { type Conversation, conversations, PEOPLE, READER } from "./screenshots/conversations.ts";

const FOLDER = new URL("../docs/screenshots/", import.meta.url);
const SECRET = "pictures need the same people after a restart";
const KEEP_ALL = { messages: 0, days: 0 };

interface Picture {
  name: string;
  room: string;
  options: BrowserContextOptions;
  /** What to do before the picture is taken. */
  before?: (page: Page) => Promise<void>;
}

const DESK = { viewport: { width: 1360, height: 820 } };
const PHONE = { viewport: { width: 390, height: 780 }, isMobile: true, hasTouch: true };

const PICTURES: Picture[] = [
  { name: "light", room: "islands", options: { ...DESK, colorScheme: "light" } },
  { name: "dark", room: "islands", options: { ...DESK, colorScheme: "dark" } },
  { name: "busy", room: "workshop", options: { ...DESK, colorScheme: "light" } },
  { name: "korean", room: "제주도-여행", options: { ...DESK, locale: "ko-KR" } },
  { name: "phone", room: "islands", options: PHONE },
  { name: "phone-dark", room: "workshop", options: { ...PHONE, colorScheme: "dark" } },
  {
    name: "phone-rooms",
    room: "islands",
    options: PHONE,
    before: (page) => page.locator("#show-rooms").click(),
  },
];

/** People with their tokens, as the server knows them. */
async function meet(url: string): Promise<Map<string, { user: string; token: string }>> {
  const people = new Map<string, { user: string; token: string }>();
  for (const name of [...PEOPLE, READER]) {
    const answer = await fetch(`${url}/api/session`, { method: "POST" });
    const { user, token } = await answer.json();
    await act(url, token, { action: "set_name", name });
    people.set(name, { user, token });
  }
  return people;
}

async function act(url: string, token: string, frame: object): Promise<void> {
  const answer = await fetch(`${url}/api/actions`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(frame),
  });
  if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
  await answer.body?.cancel();
}

/** Writes what was said today, at the times at which it was said. */
async function remember(file: string, people: Map<string, { user: string }>): Promise<void> {
  const clock = new FakeClock();
  const storage = await SqliteStorage.open(file, { clock, retention: KEEP_ALL });
  const today = new Date().setHours(0, 0, 0, 0);
  const userOf = (name: string) => people.get(name)!.user;
  const seqs = new Map<string, number[]>();
  for (const { room, said: [at, from, text, { answers, reactions = {} } = {}] } of inOrder(conversations)) {
    const [hours, minutes] = at.split(":").map(Number);
    clock.set(today + (hours * 60 + minutes) * 60_000 - 24 * 3_600_000 * Number(new Date().getHours() < 19));
    const places = seqs.get(room) ?? [];
    seqs.set(room, places);
    const reply_to = answers === undefined ? undefined : places[answers - 1];
    const [sent] = await storage.append([{ action: "send_message", room, user: userOf(from), from, text, reply_to }]);
    if (!("entry" in sent)) throw new Error(`"${text}" was not stored`);
    const target = sent.entry.seq;
    places.push(target);
    for (const [emoji, names] of Object.entries(reactions)) {
      for (const name of names) {
        await storage.append([{ action: "react", room, user: userOf(name), from: name, target, emoji, on: true }]);
      }
    }
  }
  await storage.close();
}

function inOrder(all: readonly Conversation[]) {
  return all.flatMap(({ room, said }) => said.map((each) => ({ room, said: each })))
    .sort(({ said: [one] }, { said: [other] }) => one.localeCompare(other));
}

async function take(browser: Browser, url: string, token: string, picture: Picture): Promise<void> {
  const context = await browser.newContext({ reducedMotion: "reduce", deviceScaleFactor: 1.5, ...picture.options });
  await context.addCookies([{ name: "parley_session", value: token, url }]);
  const page = await context.newPage();
  for (const { room } of conversations.filter(({ visited }) => visited)) {
    await page.goto(`${url}/r/${encodeURIComponent(room)}`);
    await connected(page);
  }
  await page.goto(`${url}/r/${encodeURIComponent(picture.room)}`);
  await connected(page);
  await page.locator("#rooms li").nth(conversations.length - 1).waitFor({ state: "attached" });
  await picture.before?.(page);
  await page.waitForLoadState("networkidle");
  await page.screenshot({ path: new URL(`${picture.name}.png`, FOLDER).pathname });
  await context.close();
}

await Deno.mkdir(FOLDER, { recursive: true });
const cwd = await Deno.makeTempDir();
const env = { SECRET, MESSAGE_RATE: "0", NEWCOMERS_PER_MINUTE: "0" };
const first = await startServer({ cwd, env });
const people = await meet(first.url);
await first.stop();
await remember(`${cwd}/data/chat.db`, people);
const server = await startServer({ cwd, env, port: first.port });
const path = await chromiumPath();
// The Chromium that comes in a package would look for fonts beside itself.
Deno.env.set("FONTCONFIG_PATH", "/etc/fonts");
const browser = await chromium.launch({ executablePath: path, args: CHROMIUM_ARGUMENTS });
const present = await Promise.all(
  PEOPLE.map((name) =>
    TestClient.open(server.url, {
      headers: { authorization: `Bearer ${people.get(name)!.token}` },
      query: `?room=${conversations.map(({ room }) => encodeURIComponent(room)).join(",")}`,
    })
  ),
);
try {
  for (const picture of PICTURES) await take(browser, server.url, people.get(READER)!.token, picture);
} finally {
  for (const client of present) await client.close();
  await browser.close();
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
}
