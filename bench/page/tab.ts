/** A tab of a browser, seen as the measuring wants it. */
import type { Browser, BrowserEvent, Fields } from "./browser.ts";
import { pause } from "../client.ts";

/** What a reader has. */
export interface Conditions {
  width: number;
  height: number;
  scale: number;
  phone: boolean;
  /** How many times slower than this machine's processor. */
  cpu: number;
  /** Milliseconds that each request waits at least, and bytes a second; absent: as fast as it goes. */
  network?: { latency: number; download: number; upload: number };
}

/** What `observer.js` has seen. */
export interface Seen {
  firstMessage: number | null;
  longTasks: { startTime: number; duration: number }[];
}

/** What an event says of a worker that begins. */
interface Attached {
  targetInfo: { type: string };
  waitingForDebugger: boolean;
}

/** How often a tab is asked, milliseconds, and for how long at most. */
const INTERVAL = 250;
const TIMEOUT = 120_000;
const observer = await Deno.readTextFile(new URL("observer.js", import.meta.url));

export class Tab {
  readonly #browser: Browser;
  readonly #target: string;
  readonly session: string;
  readonly #conditions: Conditions;
  readonly #stopListening: () => void;

  private constructor(
    browser: Browser,
    target: string,
    session: string,
    conditions: Conditions,
    stopListening: () => void,
  ) {
    this.#browser = browser;
    this.#target = target;
    this.session = session;
    this.#conditions = conditions;
    this.#stopListening = stopListening;
  }

  /** @param hear gets the events of the tab and of its workers */
  static async open(browser: Browser, conditions: Conditions, hear: (event: BrowserEvent) => void): Promise<Tab> {
    const { targetId } = await browser.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await browser.send("Target.attachToTarget", { targetId, flatten: true });
    const session = String(sessionId);
    const sessions = new Set([session]);
    const stopListening = browser.listen((event) => {
      if (event.method === "Target.attachedToTarget" && (event.session === "" || sessions.has(event.session))) {
        const worker = String(event.params.sessionId);
        sessions.add(worker);
        void tab.#takeWorker(worker, event.params as unknown as Attached);
      } else if (sessions.has(event.session)) hear(event);
    });
    const tab = new Tab(browser, String(targetId), session, conditions, stopListening);
    const { width, height, scale, phone } = conditions;
    await tab.send("Page.enable");
    await tab.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile: phone });
    await tab.send("Emulation.setTouchEmulationEnabled", { enabled: phone });
    await tab.send("Page.addScriptToEvaluateOnNewDocument", { source: observer });
    await tab.send("Network.enable");
    await tab.#slowDownNetwork(session);
    // What a service worker or a shared worker loads is told to itself alone, and not slowed down with the page.
    const attaching = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true };
    const shared = [{ type: "service_worker" }, { type: "shared_worker" }];
    await browser.send("Target.setAutoAttach", { ...attaching, filter: shared });
    await tab.send("Target.setAutoAttach", { ...attaching, filter: [{ type: "worker" }] });
    return tab;
  }

  send(method: string, params: Fields = {}): Promise<Fields> {
    return this.#browser.send(method, params, this.session);
  }

  async #slowDownNetwork(session: string): Promise<void> {
    const { network } = this.#conditions;
    if (!network) return;
    const { latency, download: downloadThroughput, upload: uploadThroughput } = network;
    const throughput = { downloadThroughput, uploadThroughput };
    await this.#browser.send("Network.emulateNetworkConditions", { offline: false, latency, ...throughput }, session);
  }

  /** A worker that waits for it begins when its network is watched, and slow. */
  async #takeWorker(session: string, { targetInfo: { type }, waitingForDebugger }: Attached): Promise<void> {
    try {
      await this.#browser.send("Network.enable", {}, session);
      // A worker of the page alone has the page's network.
      if (type !== "worker") await this.#slowDownNetwork(session);
      if (waitingForDebugger) await this.#browser.send("Runtime.runIfWaitingForDebugger", {}, session);
    } catch { /* it has ended meanwhile */ }
  }

  /** Goes there, with a processor as slow as the reader's. @throws {Error} where nothing answers */
  async visit(url: string): Promise<void> {
    await this.send("Emulation.setCPUThrottlingRate", { rate: this.#conditions.cpu });
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, returnByValue: true });
    if (exceptionDetails) throw new Error(`${expression}: ${JSON.stringify(exceptionDetails)}`);
    return (result as { value: T }).value;
  }

  /** Waits until an expression is true in the page. */
  async until(expression: string): Promise<void> {
    for (const start = performance.now(); performance.now() - start < TIMEOUT; await pause(INTERVAL)) {
      if (await this.value<boolean>(`Boolean(${expression})`)) return;
    }
    throw new Error(`It did not become so within ${TIMEOUT} ms: ${expression}`);
  }

  seen(): Promise<Seen> {
    return this.value("parleyBench");
  }

  async close(): Promise<void> {
    await this.#browser.send("Target.setAutoAttach", {
      autoAttach: false,
      waitForDebuggerOnStart: false,
      flatten: true,
    });
    this.#stopListening();
    await this.#browser.send("Target.closeTarget", { targetId: this.#target });
  }
}
