import type { Clock } from "../../chat/clock.ts";

/** Wait before listening again, milliseconds. Each further attempt in a row doubles it, up to the longest. */
export const FIRST_PAUSE = 100;
export const LONGEST_PAUSE = 1_000;
/** After listening this long, milliseconds, it counts as recovered, and the next failure is logged again. */
export const SETTLED_AFTER = 10_000;
/** How long it keeps trying, milliseconds; then the supervisor of the process has to restart it. */
export const GIVE_UP_AFTER = 60_000;

/** What is used of the result of `Deno.serve`. */
export type Listener = Pick<Deno.HttpServer<Deno.NetAddr>, "addr" | "finished" | "shutdown">;

/**
 * An HTTP server that listens again when its listener ends by itself. The runtime closes a listener for good when it
 * can't accept a connection (no file descriptors left), or when the response to a WebSocket upgrade did not reach it;
 * the process goes on, so nothing outside would notice.
 */
export class HttpServer {
  /** The port, which stays the same when it listens again. */
  readonly port: number;
  readonly #listen: (port: number) => Listener;
  readonly #clock: Clock;
  readonly #failed: (error: Error) => void;
  #listener: Listener | undefined;
  #stopping = false;
  #cancelTimer: (() => void) | undefined;
  /** Whether the present failure has been logged. */
  #isLogged = false;
  /** Since when it has failed for another reason than a lack of file descriptors, by the clock's `monotonic`. */
  #failingSince: number | undefined;
  #pause = FIRST_PAUSE;

  /**
   * Begins to listen.
   * @param listen as `Deno.serve`; throws if it can't listen
   * @param failed called once it has failed for `GIVE_UP_AFTER`: the process should end with an error
   * @throws what `listen` throws
   */
  constructor(port: number, clock: Clock, listen: (port: number) => Listener, failed: (error: Error) => void) {
    this.#listen = listen;
    this.#clock = clock;
    this.#failed = failed;
    this.port = this.#begin(port);
  }

  /** Takes no new connections, and resolves once those of the present listener are done. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#cancelTimer?.();
    await this.#listener?.shutdown();
  }

  #begin(port: number): number {
    const listener = this.#listen(port);
    this.#listener = listener;
    listener.finished.then(() => this.#ended(undefined), (error) => this.#ended(error));
    return listener.addr.port;
  }

  #ended(error: unknown): void {
    if (this.#stopping) return;
    this.#cancelTimer?.();
    if (!this.#isLogged) {
      this.#isLogged = true;
      this.#pause = FIRST_PAUSE;
      const [message, ...more] = isOutOfFiles(error) ? [OUT_OF_FILES] : ["The server no longer listened.", error];
      console.error(message, ...more.filter((each) => each !== undefined));
    }
    // Without file descriptors the present connections are still served, so the process should not end.
    const now = this.#clock.monotonic();
    this.#failingSince = isOutOfFiles(error) ? undefined : this.#failingSince ?? now;
    if (this.#failingSince !== undefined && now - this.#failingSince >= GIVE_UP_AFTER) {
      return this.#failed(error instanceof Error ? error : new Error("a listener ends as soon as it has begun"));
    }
    this.#cancelTimer = this.#clock.after(this.#pause, () => this.#beginAgain());
    this.#pause = Math.min(2 * this.#pause, LONGEST_PAUSE);
  }

  #beginAgain(): void {
    try {
      this.#begin(this.port);
    } catch (error) {
      return this.#ended(error);
    }
    this.#cancelTimer = this.#clock.after(SETTLED_AFTER, () => {
      console.warn("The server takes new connections again.");
      this.#isLogged = false;
      this.#failingSince = undefined;
    });
  }
}

const OUT_OF_FILES =
  "The process has no file descriptors left, so nobody new can connect until some are free. Those who are connected " +
  "go on. Raise the limit (ulimit -n, LimitNOFILE=, --ulimit nofile=): one for each connection, and 100 more.";

/** Whether the process or the machine can open no more files (EMFILE, ENFILE), which only the message says. */
function isOutOfFiles(error: unknown): boolean {
  return error instanceof Error && /too many open files|os error 2[34]\b/i.test(error.message);
}
