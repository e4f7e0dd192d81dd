/** The page's side of the service worker. */
import type { GoTo } from "./scope.ts";
import { type PolicyFactory, trustedAddress } from "./trusted_address.ts";

/** Milliseconds between two tries to see whether there is a newer worker, which double. */
const [FIRST_PAUSE, LAST_PAUSE] = [500, 60_000];

export interface PageWorker {
  /** To be told when the page has reached the server. */
  connected(): void;
}

/**
 * Registers the service worker. Where that can't be, as without TLS or in a private window, the page goes on without it.
 * @param base where the chat is on its host; ends with a slash
 * @param navigate goes to an address of the chat, as a link does
 */
export async function registerWorker(base: string, navigate: (path: string) => void): Promise<PageWorker | null> {
  const { serviceWorker } = navigator;
  if (!serviceWorker) return null;
  serviceWorker.addEventListener("message", ({ data }: MessageEvent<GoTo>) => {
    if (data.action === "go_to") navigate(data.path);
  });
  serviceWorker.startMessages();
  try {
    const { trustedTypes } = globalThis as { trustedTypes?: PolicyFactory };
    const address = trustedAddress(`${base}service-worker.js`, trustedTypes);
    const registration = await serviceWorker.register(address, { scope: base });
    const isKept = document.documentElement.dataset.shell !== undefined;
    return { connected: () => void (isKept && renew(registration, base)) };
  } catch {
    return null;
  }
}

/**
 * A page that the worker has kept may be older than the server that it finds at last: then the new worker takes over, and
 * the page is loaded again. What was typed and what waits to be sent survive that.
 */
async function renew(registration: ServiceWorkerRegistration, base: string): Promise<void> {
  for (let pause = FIRST_PAUSE; !await isChecked(registration); pause *= 2) {
    if (pause > LAST_PAUSE) return;
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
  const [, version] = /\/static\/([0-9a-f]{16})\//.exec(import.meta.url) ?? [];
  // The new worker has removed what the one before had kept, under the name that service_worker.ts gives it.
  if (version && !(await caches.has(`parley ${base} ${version}`))) location.reload();
}

/** False where the server did not answer, also to the browser's own question, or a newer worker could not be installed. */
async function isChecked(registration: ServiceWorkerRegistration): Promise<boolean> {
  try {
    await registration.update();
  } catch {
    return false;
  }
  // The browser may have found it by itself, and be about to start it.
  const { installing, waiting, active } = registration;
  const states = await Promise.all([installing, waiting, active].map((worker) => worker && settled(worker)));
  return !states.includes("redundant");
}

/** Resolves when the worker is at work, or never will be. */
function settled(worker: ServiceWorker): Promise<ServiceWorkerState> {
  return new Promise((resolve) => {
    const look = () => {
      if (worker.state === "activated" || worker.state === "redundant") resolve(worker.state);
    };
    look();
    worker.addEventListener("statechange", look);
  });
}
