import { Hono } from "hono";
import assert from "node:assert/strict";
import { ChatError } from "../../chat/errors.ts";
import type { HeldName, History } from "../../chat/storage.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { message } from "../../testing/clients/frames.ts";
import { quietly } from "../../testing/quietly.ts";
import type { AppServices } from "../services.ts";
import { initialData, isNavigation } from "./initial_data.ts";

Deno.test("only a browser that shows somebody a page opens it", async () => {
  const app = new Hono().all(
    "*",
    (c) => c.body(null, 200, { opens: String(isNavigation(c, c.req.header("x-forwarded-proto") === "https")) }),
  );
  const html = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const navigating = { "sec-fetch-mode": "navigate", "sec-fetch-dest": "document", accept: html };
  for (
    const [what, opens, headers, method] of [
      ["a browser over TLS", true, { ...navigating, "x-forwarded-proto": "https" }],
      ["a browser on this machine", true, navigating],
      ["a browser without TLS", true, { accept: html }],
      ["a form", false, navigating, "POST"],
      ["a check of a link", false, navigating, "HEAD"],
      ["a script of a page", false, { "sec-fetch-mode": "cors", "sec-fetch-dest": "empty", accept: html }],
      ["a frame of another page", false, { ...navigating, "sec-fetch-dest": "iframe" }],
      ["a guess where somebody goes", false, { ...navigating, "sec-purpose": "prefetch;prerender" }],
      ["an older browser's guess", false, { accept: html, purpose: "prefetch" }],
      ["an older Firefox's guess", false, { accept: html, "x-moz": "prefetch" }],
      ["a preview", false, { accept: html, purpose: "preview" }],
      ["a crawler", "unsaid", { accept: "*/*" }],
      ["a crawler that asks for HTML, over TLS", "unsaid", { accept: html, "x-forwarded-proto": "https" }],
      ["a program", "unsaid", {}],
      ["a program that takes anything but a page", "unsaid", { accept: "application/json, text/html;q=0" }],
    ] as [string, boolean | "unsaid", Record<string, string>, string?][]
  ) {
    const { headers: told } = await app.request("/", { method, headers });
    assert.equal(told.get("opens"), String(opens), what);
  }
});

/** A store that answers when the test says so. */
function setUp() {
  const clock = new FakeClock();
  const name = Promise.withResolvers<HeldName>();
  const history = Promise.withResolvers<History>();
  const limits = { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 };
  const services = {
    chat: { services: { clock, limits, users: { resolveName: () => name.promise } } },
    log: { history: () => history.promise },
  } as unknown as AppServices;
  let data: unknown = "not yet";
  const asked = initialData(services, "u1", "islands").then((answer) => data = answer);
  const page: History = { epoch: "e", seq: 7, messages: [message(7)], more: true };
  const session = { user: "u1", name: "User 101", limits };
  return { clock, name, history, page, session, asked, data: () => data };
}
const held: HeldName = { name: "User 101", chosen: false };

Deno.test("a page brings who one is and the room's newest messages", async () => {
  const { name, history, page, session, asked, data } = setUp();
  name.resolve(held);
  history.resolve(page);
  await asked;
  assert.deepEqual(data(), { session, history: { room: "islands", ...page } });
});

Deno.test("a room that does not answer in 300 ms is left to the socket", async () => {
  const { clock, name, history, page, session, asked, data } = setUp();
  name.resolve(held);
  await clock.advance(299);
  assert.equal(data(), "not yet");
  await clock.advance(1);
  await asked;
  assert.deepEqual(data(), { session });
  history.resolve(page);
});

Deno.test("a page whose person has no name in 300 ms comes without anything", async () => {
  const { clock, name, history, page, asked, data } = setUp();
  history.resolve(page);
  await clock.advance(300);
  await asked;
  assert.equal(data(), undefined);
  name.reject(new ChatError("unavailable", "Too late."));
  await settle();
});

Deno.test("where the store fails, the page comes without what could not be read", async () => {
  const { name, history, session, asked, data } = setUp();
  name.resolve(held);
  history.reject(new ChatError("unavailable", "The store does not answer."));
  await asked;
  assert.deepEqual(data(), { session });
  const broken = setUp();
  broken.name.reject(new TypeError("a mistake of ours"));
  broken.history.resolve(broken.page);
  await quietly(() => broken.asked);
  assert.equal(broken.data(), undefined);
});
