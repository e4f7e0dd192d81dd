/** What a service worker has around it, as far as ours uses it: TypeScript's own types of it exclude those of a page. */

export interface WorkerScope {
  readonly registration: ServiceWorkerRegistration;
  readonly clients: {
    matchAll(options: { type: "window"; includeUncontrolled: true }): Promise<readonly WindowClient[]>;
    openWindow(url: string): Promise<unknown>;
  };
  skipWaiting(): Promise<void>;
  addEventListener(type: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  addEventListener(type: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(type: "notificationclick", listener: (event: NotificationEvent) => void): void;
}

interface ExtendableEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}

export interface FetchEvent extends ExtendableEvent {
  readonly request: Request;
  /** What the browser has asked for while the worker started; undefined where it can't. */
  readonly preloadResponse: Promise<Response | undefined>;
  respondWith(response: Promise<Response>): void;
}

export interface NotificationEvent extends ExtendableEvent {
  readonly notification: Notification;
}

export interface WindowClient {
  readonly url: string;
  readonly focused: boolean;
  readonly visibilityState: DocumentVisibilityState;
  focus(): Promise<unknown>;
  postMessage(message: unknown): void;
}

/** What the server writes before the worker's script. Paths begin with the chat's own. */
export interface Shell {
  /** Where the chat is on its host; ends with a slash. */
  base: string;
  /** Changes with the content of any file. */
  version: string;
  /** The page without anybody's data, and all files that it needs. */
  page: string;
  files: readonly string[];
}

/** What the worker tells a page: a notification was clicked, and its room is to be shown. */
export interface GoTo {
  action: "go_to";
  path: string;
}
