/** The page over a restart of the server: a real browser, a real server that is killed. */
import assert from "node:assert/strict";
import type { Browser } from "playwright-core";
import { WebSocket as NodeWebSocket } from "ws";
import { launchChromium } from "../testing/browser/chromium.ts";
import { connected, newPerson, openRoom, rename, shows, texts, write } from "../testing/browser/page.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

/** A script with another WebSocket client (npm:ws), which reconnects whenever its connection is lost. */
class ReturningScript {
  readonly #address: string;
  readonly #heard: string[] = [];
  #socket: NodeWebSocket;
  #joined = Promise.withResolvers<void>();
  #changed = () => {};
  #closing = false;

  constructor(url: string, room: string) {
    this.#address = `${url.replace("http", "ws")}/connect?room=${room}`;
    this.#socket = this.#connect();
  }

  /** Resolves once it is in its room again after a lost connection. */
  back(): Promise<void> {
    return this.#joined.promise;
  }

  say(text: string): void {
    const room = new URL(this.#address).searchParams.get("room");
    this.#socket.send(JSON.stringify({ action: "send_message", room, text }));
  }

  heard(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = () => this.#heard.includes(text) && resolve();
      this.#changed();
    });
  }

  close(): Promise<void> {
    this.#closing = true;
    return new Promise((resolve) => this.#socket.on("close", () => resolve()).close());
  }

  #connect(): NodeWebSocket {
    const socket = new NodeWebSocket(this.#address);
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#closing) return;
      this.#joined = Promise.withResolvers();
      setTimeout(() => this.#socket = this.#connect(), 100);
    });
    socket.on("message", (data: Uint8Array) => {
      const frame = JSON.parse(String(data));
      if (frame.action === "receive_message") this.#heard.push(frame.text);
      if (frame.action === "room_joined") this.#joined.resolve();
      this.#changed();
    });
    return socket;
  }
}

const SECRET = "a secret of the tests, long enough";

let browser: Browser;

Deno.test.beforeAll(async () => {
  browser = await launchChromium();
});

Deno.test.afterAll(async () => {
  await browser.close();
});

const person = () => newPerson(browser);

/** A server that keeps its people over a restart. */
function start(options: { port?: number; cwd?: string; env?: Record<string, string> }): Promise<RunningServer> {
  return startServer({ ...options, env: { SECRET, ...options.env } });
}

Deno.test("after a crash and restart of the server people go on without a reload, and no message is missing", async () => {
  const cwd = await Deno.makeTempDir();
  let own = await start({ cwd });
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([openRoom(ann, own.url, "killed"), openRoom(bob, own.url, "killed")]);
  const script = new ReturningScript(own.url, "killed");
  await rename(one, "Ann of killed");
  await one.locator("#me", { hasText: "Ann of killed" }).waitFor();
  await write(one, "before");
  await shows(other, "before");
  await own.stop("SIGKILL");
  await one.locator("#status", { hasText: "Reconnecting" }).waitFor();
  own = await start({ cwd, port: own.port });
  await Promise.all([connected(one), connected(other), script.back()]);
  await write(other, "after");
  await shows(one, "before", "after");
  script.say("me too");
  await shows(one, "before", "after", "me too");
  await write(one, "yes");
  await shows(other, "before", "after", "me too", "yes");
  await script.heard("yes");
  assert.equal(await one.locator(".missing").count(), 0);
  assert.equal(await one.locator("#me").innerText(), "Ann of killed");
  await Promise.all([ann.close(), bob.close(), script.close()]);
  await own.stop();
  await Deno.remove(cwd, { recursive: true });
});

Deno.test("a server that lost everything is used under the old name, and the page says that messages may be missing", async () => {
  const env = { DATABASE_URL: "memory:" };
  let own = await start({ env });
  const ann = await person();
  const page = await openRoom(ann, own.url, "forgot");
  await rename(page, "Ann of forgot");
  await page.locator("#me", { hasText: "Ann of forgot" }).waitFor();
  await write(page, "before");
  await shows(page, "before");
  await own.stop("SIGKILL");
  own = await start({ env, port: own.port });
  await page.locator(".missing", { hasText: "may be missing" }).waitFor();
  await write(page, "after");
  await shows(page, "after");
  assert.equal(await page.locator("#me").innerText(), "Ann of forgot");
  await ann.close();
  await own.stop();
});

Deno.test("messages written while the server is down arrive once, in order, in both browsers, also after a reload", async () => {
  const cwd = await Deno.makeTempDir();
  let own = await start({ cwd });
  const [ann, bob] = await Promise.all([person(), person()]);
  const [one, other] = await Promise.all([openRoom(ann, own.url, "away"), openRoom(bob, own.url, "away")]);
  await own.stop("SIGKILL");
  await Promise.all([one, other].map((page) => page.locator("#connection:not([data-kind=connected])").waitFor()));
  await write(one, "first");
  await write(one, "second");
  await one.locator("#hint", { hasText: "2 messages waiting" }).waitFor();
  // The page reloads before it can connect, so the messages that it shows must have survived the reload.
  await ann.route("**/api/session", (route) => route.abort());
  own = await start({ cwd, port: own.port });
  await one.reload();
  assert.deepEqual(await texts(one), ["first", "second"]);
  await write(one, "third");
  await ann.unroute("**/api/session");
  await shows(one, "first", "second", "third");
  await shows(other, "first", "second", "third");
  await own.stop("SIGKILL");
  await other.locator("#connection:not([data-kind=connected])").waitFor();
  await write(other, "fourth");
  own = await start({ cwd, port: own.port });
  await shows(one, "first", "second", "third", "fourth");
  await one.reload();
  await shows(one, "first", "second", "third", "fourth");
  await Promise.all([ann.close(), bob.close()]);
  await own.stop();
  await Deno.remove(cwd, { recursive: true });
});
