import { withTimeout } from "../../../chat/async.ts";
import type { Clock } from "../../../chat/clock.ts";
import { ChatError } from "../../../chat/errors.ts";
import { MOST_SEARCHES_WAITING, tooManySearches } from "../../shared/search_result.ts";
import type { Found, Wanted } from "./find.ts";
import type { Order, Report } from "./worker.ts";
import { WORKER_URL } from "./worker_url.ts";

/** How long a search may wait for its turn, milliseconds. */
export const LONGEST_WAIT = 2_000;
/** A worker that does not answer for so long, milliseconds, counts as dead: it should take a fraction of it. */
export const LONGEST_SILENCE = 5_000;
/** How long the worker may take to close its file, milliseconds. */
const CLOSE_TIMEOUT = 1_000;

/** What is needed of a worker; tests pass others. */
export type SearchWorker = Pick<Worker, "postMessage" | "terminate" | "onmessage" | "onerror">;

interface Waiting {
  wanted: Wanted;
  resolve(found: Found): void;
  reject(error: ChatError): void;
  cancelTimer(): void;
}

/**
 * Searches a database file in a worker, one search after the other. The worker is started for the first search, and
 * again for the next one after it has died.
 */
export class Searcher {
  readonly #path: string;
  readonly #clock: Clock;
  readonly #startWorker: () => SearchWorker;
  readonly #broken: () => void;
  #worker: SearchWorker | undefined;
  /** In their order; the first one is searched for, if there is a worker. */
  #waiting: Waiting[] = [];
  #current: Waiting | undefined;
  #between: (() => void)[] = [];
  /** Set while the worker is closed. */
  #closed: PromiseWithResolvers<void> | undefined;

  /** @param broken called when the file, or its index, makes no sense to SQLite */
  constructor(path: string, clock: Clock, broken: () => void, startWorker: () => SearchWorker = newWorker) {
    this.#broken = broken;
    this.#path = path;
    this.#clock = clock;
    this.#startWorker = startWorker;
  }

  /** @throws {ChatError} `unavailable` if too many wait, or the worker can't search */
  find(wanted: Wanted): Promise<Found> {
    return new Promise((resolve, reject) => {
      if (this.#closed || this.#waiting.length >= MOST_SEARCHES_WAITING) return reject(tooManySearches());
      const waiting: Waiting = { wanted, resolve, reject, cancelTimer: () => {} };
      waiting.cancelTimer = this.#clock.after(LONGEST_WAIT, () => {
        this.#waiting = this.#waiting.filter((other) => other !== waiting);
        reject(tooManySearches());
      });
      this.#waiting.push(waiting);
      this.#next();
    });
  }

  /** Does something while the worker does not read the file: at once, or after the present search. */
  between(act: () => void): void {
    if (this.#current) this.#between.push(act);
    else act();
  }

  /** Resolves when the worker has let go of the file, or has taken too long to. */
  async close(): Promise<void> {
    this.#closed = Promise.withResolvers();
    for (const { cancelTimer, reject } of this.#waiting.splice(0)) {
      cancelTimer();
      reject(tooManySearches());
    }
    if (!this.#worker) return;
    this.#send({ kind: "close" });
    await withTimeout(this.#clock, CLOSE_TIMEOUT, this.#closed.promise, () => {});
    this.#end();
  }

  #next(): void {
    if (this.#current) return;
    for (const act of this.#between.splice(0)) act();
    if (this.#closed) return;
    const current = this.#waiting.shift();
    if (!current) return;
    current.cancelTimer();
    this.#current = current;
    current.cancelTimer = this.#clock.after(LONGEST_SILENCE, () => this.#died("it fell silent"));
    try {
      this.#worker ??= this.#open();
      this.#send({ kind: "find", wanted: current.wanted });
    } catch (error) {
      this.#died((error as Error).message);
    }
  }

  #open(): SearchWorker {
    const worker = this.#startWorker();
    worker.onmessage = ({ data }: MessageEvent<Report>) => {
      if (worker === this.#worker) this.#take(data);
    };
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#died(event.message);
    };
    worker.postMessage({ kind: "open", path: this.#path } satisfies Order);
    return worker;
  }

  #send(order: Order): void {
    this.#worker!.postMessage(order);
  }

  #take(report: Report): void {
    if (report.kind === "closed") return this.#closed?.resolve();
    const current = this.#current;
    this.#current = undefined;
    current?.cancelTimer();
    if (report.kind === "found") current?.resolve(report.found);
    else {
      console.error(`the database could not be searched: ${report.message}`);
      if (report.isBroken) this.#broken();
      current?.reject(unavailable());
    }
    this.#next();
  }

  #died(why: string): void {
    console.error(`the worker that searches died (${why}). The next search starts another one.`);
    this.#end();
    this.#next();
  }

  #end(): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    const current = this.#current;
    this.#current = undefined;
    current?.cancelTimer();
    current?.reject(unavailable());
    this.#closed?.resolve();
  }
}

function newWorker(): SearchWorker {
  return new Worker(WORKER_URL, { type: "module", name: "parley-search" });
}

function unavailable(): ChatError {
  return new ChatError("unavailable", "Nothing can be searched right now. Try again in a moment.", 2);
}
