/** Shows notifications of the system, by the page's service worker where it has one. */

export interface Note {
  title: string;
  body: string;
  /** Replaces the one with the same tag. */
  tag: string;
  again: boolean;
  /** Where a click leads. */
  path: string;
}

export interface Notifier {
  show(note: Note): void;
  close(tag: string): void;
}

/** @param navigate goes there in this page; a service worker, which hears of clicks itself, finds it in the data */
export function createNotifier(navigate: (path: string) => void): Notifier {
  const shown = new Map<string, Notification>();
  /** One after the other: a notification that is closed before it is shown would stay. */
  let last = Promise.resolve();

  // Without a service worker nobody would hear a click after this page.
  addEventListener("pagehide", () => shown.forEach((notification) => notification.close()));

  async function registration(): Promise<ServiceWorkerRegistration | undefined> {
    const found = await navigator.serviceWorker?.getRegistration().catch(() => undefined);
    return found?.active ? found : undefined;
  }

  async function show({ title, body, tag, again, path }: Note) {
    // Without the system's own sound: ours is off unless someone has turned it on.
    const options = { body, tag, renotify: again, silent: true, data: { path } };
    const worker = await registration();
    if (worker) return await worker.showNotification(title, options);
    const notification = new Notification(title, options);
    shown.set(tag, notification);
    notification.onclick = () => {
      focus();
      notification.close();
      navigate(path);
    };
    notification.onclose = () => shown.get(tag) === notification && shown.delete(tag);
  }

  async function close(tag: string) {
    shown.get(tag)?.close();
    const worker = await registration();
    for (const notification of await worker?.getNotifications({ tag }) ?? []) notification.close();
  }

  /** Where the system refuses, as Chromium on Android does without a service worker, the page's own signs remain. */
  function next(step: () => Promise<void>) {
    last = last.then(step).catch(() => {});
  }

  return {
    show: (note) => next(() => show(note)),
    close: (tag) => next(() => close(tag)),
  };
}
