/** Puts the page together: the controller with the functions of the browser, and the views with the controller. */
import type { HistoryPage, InitialData } from "../chat/protocol.ts";
import { systemClock } from "../client/clock.ts";
import { CONNECT_TIMEOUT, createConnection } from "../client/connection.ts";
import { sessionAnswer } from "../client/session_answer.ts";
import { socketTransport } from "../client/transport/socket_transport.ts";
import { loadedLater } from "../client/transport/transport.ts";
import { withFallback } from "../client/transport/transport_choice.ts";
import { createBell } from "./away/bell.ts";
import { type AnswerPlace, Controller } from "./controller.ts";
import { english } from "./i18n/english.ts";
import { languageFor, loadStrings, type Locale } from "./i18n/locale.ts";
import { addressesAt } from "./lib/address.ts";
import { listRooms } from "./lib/moderator.ts";
import { PREFERENCES, webStorage } from "./lib/web_storage.ts";
import { createViews } from "./views/views.ts";

/** Milliseconds between two renderings while the page is hidden: only the count in its title is seen then. */
const HIDDEN_RENDER_INTERVAL = 250;
/** Milliseconds after which the page sees again whether it can change its language. */
const LANGUAGE_RETRY = 500;

/** Where the chat is on its host: below that are `static/`, a folder for the version, and this file. */
const base = new URL(import.meta.url.slice(0, import.meta.url.lastIndexOf("/static/") + 1));
const addresses = addressesAt(base.pathname);

/** Like the global `fetch`, for paths of the chat. */
const fetchPath = (path: string, init?: RequestInit) => fetch(new URL(`.${path}`, base), init);

/** Keeps the storage apart from that of another chat on the host. */
const prefix = base.pathname === "/" ? "" : base.pathname;
const storage = { tab: webStorage(() => sessionStorage, prefix), browser: webStorage(() => localStorage, prefix) };
/** The reader's choices. This tab hears of a change as the other tabs do. */
const preferences = {
  read: storage.browser.read,
  write(key: string, value: string | null) {
    storage.browser.write(key, value);
    dispatchEvent(new StorageEvent("storage", { key: prefix + key }));
  },
};
const chosen = chosenLanguage();
// Whoever reads English does not wait for anything else.
if (chosen.language === "en") start({ ...chosen, strings: english });
else {
  loadStrings(chosen.language).then(
    (strings) => start({ ...chosen, strings }),
    () => start({ language: "en", tag: "en", strings: english }),
  );
}

function chosenLanguage() {
  return languageFor(navigator.languages, preferences.read(PREFERENCES.language));
}

/** What sockets that don't open make the page need. */
function loadStream() {
  return import("../client/transport/stream_transport.ts");
}

/** Puts the page together and opens the room. */
function start(locale: Locale) {
  const random = Math.random;
  const initial = readInitialData();

  // Pages without TLS, as in a home network, have no `crypto.randomUUID`.
  const newId = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");

  const controller = new Controller({
    connect: ({ onFrames, onStatus }) =>
      createConnection({
        open: withFallback(
          socketTransport(new URL("connect?room=", base.href.replace(/^http/, "ws"))),
          loadedLater(async () =>
            (await loadStream()).streamTransport({ fetch: fetchPath, clock: systemClock, newId })
          ),
        ),
        // Browsers open six connections to a host. Requests that are never answered would use up all of them.
        renewSession: async () =>
          sessionAnswer(
            await fetchPath("/api/session", { method: "POST", signal: AbortSignal.timeout(CONNECT_TIMEOUT) }),
          ),
        hasSession: initial !== null,
        clock: systemClock,
        random,
        onFrames,
        onStatus,
      }),
    async fetchHistory(room, query): Promise<HistoryPage> {
      const { repliesTo, ...page } = { repliesTo: undefined, ...query };
      const parts = { ...repliesTo !== undefined && { replies_to: repliesTo }, ...page };
      const search = Object.entries(parts).map(([name, value]) => `${name}=${value}`).join("&");
      const path = `/api/rooms/${encodeURIComponent(room)}/messages?${search}`;
      const response = await fetchPath(path);
      if (!response.ok) throw new Error(`${response.status} for ${path}`);
      return await response.json();
    },
    callApi,
    initial,
    storage,
    clock: systemClock,
    random,
    newId,
    onChange: () => schedule(),
    onArrived: (arrived) => bell.arrived(arrived),
  });

  const bell = createBell(locale.strings, async (button) => {
    const { createAway } = await import("./away/away.ts");
    return createAway({
      bell: button,
      strings: locale.strings,
      state: () => controller.state,
      storage: storage.browser,
      clock: systemClock,
      prefix,
      pathOf: addresses.pathOf,
      navigate,
    });
  }, () => controller.notify({ kind: "not_loaded" }));
  const render = createViews({
    controller,
    locale,
    preferences,
    bell,
    drafts: storage.tab,
    emoji: { loadEmoji, storage: storage.browser },
    listRooms: () => listRooms(callApi),
    listPeople: (room, after) =>
      callApi("GET", `/api/rooms/${encodeURIComponent(room)}/people?limit=200${after}`, {}).then(({ body }) => body),
    async listReacted(room, seq, emoji, after) {
      const query = `emoji=${encodeURIComponent(emoji)}${after && `&after=${encodeURIComponent(after)}`}`;
      const path = `/api/rooms/${encodeURIComponent(room)}/messages/${seq}/reactions?${query}`;
      const { status, body } = await callApi("GET", path, {});
      return status === 200 ? body : null;
    },
    read: (path) => callApi("GET", path, {}),
    loadRest: () => void loadStream().catch(() => {/* only who needs it misses it */}),
    pathOf: addresses.pathOf,
    navigate,
    goTo,
    goToAnswered,
  });

  /** The file stands beside this one, whether that is a module or the whole page in one. */
  async function loadEmoji(): Promise<string> {
    const response = await fetch(new URL("composer/emoji.txt", import.meta.url));
    if (!response.ok) throw new Error(`${response.status} for the emoji`);
    return await response.text();
  }

  async function callApi(method: string, path: string, { token, body }: { token?: string; body?: unknown }) {
    const headers: Record<string, string> = { "content-type": "application/json" };
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    const response = await fetchPath(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    return { status: response.status, body: await response.json().catch(() => null) };
  }

  // A busy room changes many times between two frames of the screen, and only the last state is seen.
  let scheduled = false;
  function schedule() {
    if (scheduled) return;
    scheduled = true;
    if (document.hidden) setTimeout(show, HIDDEN_RENDER_INTERVAL);
    else requestAnimationFrame(show);
  }
  function show() {
    if (!scheduled) return;
    scheduled = false;
    render(controller.state);
  }

  /** What the server has put into the page; null if nothing, or if something on the way has changed it. */
  function readInitialData(): InitialData | null {
    try {
      const data: InitialData | null = JSON.parse(document.getElementById("initial-data")?.textContent ?? "null");
      return typeof data?.session.user === "string" ? data : null;
    } catch {
      return null;
    }
  }

  /** Goes to an address of the chat, as a link does. */
  function navigate(path: string) {
    const isHere = addresses.routeAt(new URL(path, location.href).pathname).room === routeHere().room;
    history[isHere ? "replaceState" : "pushState"](null, "", path);
    enter();
  }

  function goTo(room: string) {
    if (routeHere().room === room) return;
    history.pushState(null, "", addresses.pathOf(room));
    enter();
  }

  /** The browser's own way back leads to the answer, and from there forward again. */
  function goToAnswered(seq: number, answer: number) {
    history.replaceState({ ...placeHere(), at: answer }, "");
    const place: AnswerPlace = { at: seq, left: answer };
    history.pushState(place, "");
    controller.goToAnswered(place);
  }

  /** Where an entry of the browser's history leads within its room. */
  function placeHere(): AnswerPlace | null {
    const { at, left } = Object(history.state) as Partial<AnswerPlace>;
    return typeof at === "number" ? { at, ...typeof left === "number" && { left } } : null;
  }

  function routeHere() {
    return addresses.routeAt(location.pathname, location.hash);
  }

  /** Renders at once: text typed before the next frame of the screen would go into the other room's field and be lost. */
  function enter(place: AnswerPlace | null = null) {
    const route = routeHere();
    controller.enter(route, place);
    // Whoever scrolls on and loads the page again wants to be where they were, and not where the link led.
    if (route.room !== null && route.seq !== undefined) {
      history.replaceState(history.state, "", location.pathname + location.search);
    }
    schedule();
    show();
  }

  /**
   * Loads the page again in the language that the reader has chosen. Drafts, the outbox and the room outlive that; what
   * stands in an open editor or form would not, so it waits for that to be closed.
   */
  function followLanguage() {
    if (chosenLanguage().language === locale.language) return;
    if (document.querySelector(".busy, dialog[open] form")) setTimeout(followLanguage, LANGUAGE_RETRY);
    else location.reload();
  }

  addEventListener("popstate", () => enter(placeHere()));
  addEventListener("storage", ({ key }) => {
    if (key !== null && !key.startsWith(prefix)) return;
    const own = key === null ? null : key.slice(prefix.length);
    controller.storageChanged(own);
    if (own === null || own === PREFERENCES.language) followLanguage();
  });
  addEventListener("online", () => controller.wake(true));
  addEventListener("offline", () => controller.wake(false));
  document.addEventListener("visibilitychange", () => {
    controller.reading(!document.hidden, controller.state.following);
    show(); // a requested frame of the screen never comes to a page that has been hidden since
    if (!document.hidden) controller.wake(navigator.onLine);
  });
  // A page that is left or cached ends its connection, and starts a new one when it comes back.
  addEventListener("pagehide", () => controller.stop());
  addEventListener("pageshow", (event) => event.persisted && controller.start());

  controller.reading(!document.hidden, true);
  controller.wake(navigator.onLine);
  enter();
  controller.start();
}
