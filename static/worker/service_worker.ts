/**
 * The service worker: it keeps the page without anybody's data, so that the page opens without a network too. It never
 * shows an old page beside a new server: who opens the page asks the network first, and it keeps the files of one version.
 * No answer of the server that has someone's words in it is ever kept.
 *
 * It is served as `service-worker.js` with a first line that defines `SHELL`, and imports nothing.
 */
import type { FetchEvent, GoTo, NotificationEvent, Shell, WindowClient, WorkerScope } from "./scope.ts";

declare const SHELL: Shell;

/** Milliseconds after which the page comes without the network's answer: a person would give up soon after. */
const PATIENCE = 4_000;
/** Statuses of a proxy that reaches no server. */
const NOBODY_THERE = [502, 504];

const worker = globalThis as unknown as WorkerScope;
/** Several chats may share a host, and with it the browser's caches. */
const FAMILY = `parley ${SHELL.base} `;
const CACHE = FAMILY + SHELL.version;
const kept = new Set(SHELL.files);

worker.addEventListener("install", (event) => event.waitUntil(install()));
worker.addEventListener("activate", (event) => event.waitUntil(Promise.all([forgetOthers(), preload()])));
worker.addEventListener("fetch", (event) => {
  const { method, mode, url } = event.request;
  const { origin, pathname } = new URL(url);
  if (method !== "GET" || origin !== location.origin) return;
  if (mode === "navigate") {
    if (isRoom(pathname)) event.respondWith(openPage(event));
  } else if (kept.has(pathname)) event.respondWith(file(event.request));
});
worker.addEventListener("notificationclick", (event) => event.waitUntil(openRoom(event)));

async function install(): Promise<void> {
  try {
    await keep();
  } catch (error) {
    await caches.delete(CACHE);
    throw error;
  }
  await worker.skipWaiting();
}

/** Keeps all of this version or nothing: what another version gives in its place is not immutable. */
async function keep(): Promise<void> {
  const cache = await caches.open(CACHE);
  await Promise.all([SHELL.page, ...SHELL.files].map(async (path) => {
    const response = await fetch(path);
    if (!response.ok || !response.headers.get("cache-control")?.includes("immutable")) {
      throw new Error(`${path} is not of version ${SHELL.version}`);
    }
    await cache.put(path, response);
  }));
}

async function forgetOthers(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(FAMILY) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

/** Has the browser ask for the page while the worker starts, so that nobody waits for the worker. */
async function preload(): Promise<void> {
  await worker.registration.navigationPreload?.enable();
}

/** Without the place in the room, say. */
function pathnameOf(address: string): string {
  return new URL(address, location.origin).pathname;
}

/** Whether the page is at this path: not a description, nor another site that shares the host. */
function isRoom(pathname: string): boolean {
  return pathname === SHELL.base || pathname.startsWith(`${SHELL.base}r/`);
}

async function openPage(event: FetchEvent): Promise<Response> {
  const fromNetwork = (async () => {
    const response = await event.preloadResponse ?? await fetch(event.request);
    // In Firefox what was asked for early does not fail, but becomes this.
    if (response.type === "error") throw new TypeError("The server was not reached.");
    return response;
  })();
  event.waitUntil(fromNetwork.catch(() => {}));
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE));
  const first = await Promise.race([fromNetwork.catch(() => null), late]);
  if (first && !NOBODY_THERE.includes(first.status)) return first;
  return await caches.match(SHELL.page, { cacheName: CACHE, ignoreVary: true }) ?? first ?? await fromNetwork;
}

async function file(request: Request): Promise<Response> {
  return await caches.match(request.url, { cacheName: CACHE, ignoreVary: true }) ?? await fetch(request);
}

/** Shows the room of a notification: in a page that is there, else in a new one. */
async function openRoom({ notification }: NotificationEvent): Promise<void> {
  notification.close();
  const { path } = Object(notification.data) as { path?: unknown };
  const isOurs = typeof path === "string" && URL.canParse(path, location.origin) &&
    new URL(path, location.origin).origin === location.origin;
  if (!isOurs || !isRoom(pathnameOf(path))) return;
  const all = await worker.clients.matchAll({ type: "window", includeUncontrolled: true });
  const pages = all.filter(({ url }) => isRoom(pathnameOf(url)));
  const rank = (page: WindowClient) =>
    pathnameOf(page.url) === pathnameOf(path) ? 3 : page.focused ? 2 : page.visibilityState === "visible" ? 1 : 0;
  const [best] = pages.toSorted((one, other) => rank(other) - rank(one));
  if (!best) return void await worker.clients.openWindow(path);
  await best.focus();
  // What a browser says of a page's address may be that of an earlier room.
  best.postMessage({ action: "go_to", path } satisfies GoTo);
}
