/**
 * Several isolates on one machine: Workers of the same entrypoint that share a port, supervised by the main isolate.
 */
import type { Clock } from "./chat/clock.ts";

/** Wait before a Worker that died is started again, milliseconds. Each further death in a row doubles it. */
export const RESTART_PAUSE = 500;
export const LONGEST_RESTART_PAUSE = 30_000;
/** A Worker that lived for so long, milliseconds, did not die of how it was started. */
export const GOOD_LIFE = 60_000;
/** How often a Worker says that it is alive, and after which silence it counts as dead, milliseconds. */
const BEAT = 5_000;
export const LONGEST_SILENCE = 60_000;

/** What serves, in this isolate or in several. */
export interface Server {
  port: number;
  /** Sends everyone away to come back, and lets go of everything. */
  stop(): Promise<void>;
}

type Order = { kind: "serve"; port: number } | { kind: "stop" };
type Report = { kind: "open"; port: number } | { kind: "failed"; message: string } | { kind: "stopped" | "alive" };

/** By such a name, with a number behind it, an isolate knows that it is one of these Workers. */
const WORKER_NAME = "parley-worker-";
/** What the runtime gives a Worker beside what every isolate has. */
const scope = globalThis as unknown as {
  name?: string;
  postMessage(report: Report): void;
  onmessage: (event: MessageEvent<Order>) => void;
};

/** Which of the Workers this isolate is, from 1 on; undefined in the main one. */
export function workerNumber(): string | undefined {
  return scope.name?.startsWith(WORKER_NAME) ? scope.name.slice(WORKER_NAME.length) : undefined;
}

/**
 * Serves in this isolate, which is a Worker, when the main one asks for it.
 * @param open starts serving on a port that is shared; it calls `failed` when that ends through no wish of ours, and a
 *   Worker is started in this one's place
 */
export function serveAsWorker(open: (port: number, failed: (error: Error) => void) => Promise<Server>): void {
  let server: Server | undefined;
  const failed = (error: unknown) => {
    scope.postMessage({ kind: "failed", message: error instanceof Error ? error.message : String(error) });
  };
  scope.onmessage = async ({ data: order }) => {
    try {
      if (order.kind === "serve") {
        server = await open(order.port, failed);
        scope.postMessage({ kind: "open", port: server.port });
      } else {
        await server?.stop();
        scope.postMessage({ kind: "stopped" });
      }
    } catch (error) {
      failed(error);
    }
  };
  setInterval(() => scope.postMessage({ kind: "alive" }), BEAT);
}

/**
 * Starts `count` Workers that serve on one port. This isolate serves nobody, so that nothing keeps it from supervising
 * them: one that dies later is started again, and `stop` stops all of them.
 * @param entrypoint a module that calls `serveAsWorker`
 * @param port 0 takes any free one
 * @throws {Error} one sentence that says why they can't serve
 */
export async function startWorkers(
  entrypoint: string,
  count: number,
  port: number,
  clock: Clock,
): Promise<Server> {
  // A function that is there with this flag only; without it, asking for a shared port would end the process.
  if (!("listenDatagram" in Deno)) throw new Error("WORKERS above 1 need deno run --unstable-net.");
  const supervisors: WorkerSupervisor[] = [];
  try {
    const start = (port: number) => {
      const supervisor = new WorkerSupervisor(entrypoint, supervisors.length + 1, port, clock);
      supervisors.push(supervisor);
      return supervisor.opened;
    };
    // The first one finds the port, if any will do, and prepares the store for the others.
    const shared = await start(port);
    await Promise.all(Array.from({ length: count - 1 }, () => start(shared)));
    return {
      port: shared,
      async stop() {
        await Promise.all(supervisors.map((supervisor) => supervisor.stop()));
      },
    };
  } catch (error) {
    for (const supervisor of supervisors) supervisor.end();
    throw error;
  }
}

/** Supervises one Worker: starts it, starts it again whenever it has died, and stops it. */
class WorkerSupervisor {
  readonly #entrypoint: string;
  readonly #number: number;
  #port: number;
  readonly #clock: Clock;
  #worker: Worker | undefined;
  #bornAt = 0;
  #deaths = 0;
  #hasServed = false;
  #ending = false;
  #cancelTimer: (() => void) | undefined;
  readonly #opened = Promise.withResolvers<number>();
  readonly #stopped = Promise.withResolvers<void>();

  constructor(entrypoint: string, number: number, port: number, clock: Clock) {
    this.#entrypoint = entrypoint;
    this.#number = number;
    this.#port = port;
    this.#clock = clock;
    this.#start();
  }

  /** Resolves with the port once the Worker listens for the first time; rejects if it can't. */
  get opened(): Promise<number> {
    return this.#opened.promise;
  }

  /** Resolves when the Worker has sent everyone away and let go of everything, or is dead. */
  async stop(): Promise<void> {
    this.#ending = true;
    if (!this.#worker) return this.end();
    this.#send({ kind: "stop" });
    await this.#stopped.promise;
    this.end();
  }

  /** Ends the Worker at once. */
  end(): void {
    this.#ending = true;
    this.#cancelTimer?.();
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#stopped.resolve();
  }

  #start(): void {
    this.#bornAt = this.#clock.monotonic();
    const worker = new Worker(this.#entrypoint, { type: "module", name: WORKER_NAME + this.#number });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<Report>) => this.#handle(data);
    worker.onerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#died(event.message);
    };
    this.#send({ kind: "serve", port: this.#port });
    this.#expectBeat();
  }

  #send(order: Order): void {
    this.#worker!.postMessage(order);
  }

  #handle(report: Report): void {
    switch (report.kind) {
      case "open":
        this.#hasServed = true;
        this.#port = report.port;
        return this.#opened.resolve(report.port);
      case "alive":
        return this.#expectBeat();
      case "stopped":
        return this.#stopped.resolve();
      case "failed":
        return this.#died(report.message);
      default:
        report satisfies never;
    }
  }

  /** A Worker can end, or stand still, without an error that anybody would see. */
  #expectBeat(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(LONGEST_SILENCE, () => this.#died("it fell silent"));
  }

  #died(why: string): void {
    this.#cancelTimer?.();
    this.#worker?.terminate();
    this.#worker = undefined;
    if (this.#ending) return this.#stopped.resolve();
    if (!this.#hasServed) return this.#opened.reject(new Error(why));
    if (this.#clock.monotonic() - this.#bornAt >= GOOD_LIFE) this.#deaths = 0;
    const pause = Math.min(RESTART_PAUSE * 2 ** this.#deaths++, LONGEST_RESTART_PAUSE);
    console.error(`Worker ${this.#number} died (${why}). It is started again in ${pause / 1000} s; the others go on.`);
    this.#cancelTimer = this.#clock.after(pause, () => this.#start());
  }
}
