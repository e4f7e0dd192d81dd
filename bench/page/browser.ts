/**
 * Chromium with a profile of its own, driven by its own protocol (CDP) with nothing in between: Playwright puts scripts
 * of its own into the page, and can't slow down the network of a service worker.
 */
import { CHROMIUM_ARGUMENTS, chromiumPath } from "../../testing/browser/chromium_path.ts";
import { pause } from "../client.ts";

/** What the protocol sends and takes. The events that count have types of their own in `traffic.ts`. */
export type Fields = Record<string, unknown>;

/** An event of a page, or of one of its workers. */
export interface BrowserEvent {
  method: string;
  params: Fields;
  /** Who tells it; empty: the browser. */
  session: string;
}

/** A browser starts within this many milliseconds, and ends within them. */
const DEADLINE = 30_000;

export class Browser {
  /** As in `153.0.8010.0`. */
  readonly version: string;
  /** Where other programs can drive it too. */
  readonly port: number;
  readonly #process: Deno.ChildProcess;
  /** Resolves when nothing of it writes any more. */
  readonly #silent: Promise<void>;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #answers: Answers;
  readonly #listeners: Set<(event: BrowserEvent) => void>;

  private constructor(
    process: Deno.ChildProcess,
    silent: Promise<void>,
    profile: string,
    connection: Connection,
    version: string,
    port: number,
  ) {
    this.version = version;
    this.port = port;
    this.#process = process;
    this.#silent = silent;
    this.#profile = profile;
    this.#socket = connection.socket;
    this.#answers = connection.answers;
    this.#listeners = connection.listeners;
  }

  /** Starts one that has never visited anything. */
  static async launch(): Promise<Browser> {
    const profile = await Deno.makeTempDir({ prefix: "parley-bench-" });
    const process = new Deno.Command(await chromiumPath(), {
      args: [...CHROMIUM_ARGUMENTS, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const { address, silent } = await debuggerAddress(process);
    const connection = await openConnection(address);
    const { product } = await ask(connection, "Browser.getVersion");
    const version = String(product).split("/")[1];
    return new Browser(process, silent, profile, connection, version, Number(new URL(address).port));
  }

  /** Has the browser do something, or a page of it. @throws {Error} with the browser's own words */
  send(method: string, params: Fields = {}, session?: string): Promise<Fields> {
    return ask({ socket: this.#socket, answers: this.#answers }, method, params, session);
  }

  /** @returns what ends it */
  listen(listener: (event: BrowserEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), DEADLINE);
    await this.send("Browser.close").catch(() => {/* it may be gone before it answers */});
    await this.#process.status;
    clearTimeout(timer);
    // Its helpers may end a moment later.
    await this.#silent;
    // Its helpers may still be writing for a moment.
    for (let left = 20; left > 0; left--) {
      if (await Deno.remove(this.#profile, { recursive: true }).then(() => true, () => false)) return;
      await pause(100);
    }
  }
}

type Answers = Map<number, { resolve(result: Fields): void; reject(error: Error): void }>;
interface Connection {
  socket: WebSocket;
  answers: Answers;
  listeners: Set<(event: BrowserEvent) => void>;
}

/** Where it says that it can be driven. What else it says is read and dropped, so that it never waits for a reader. */
async function debuggerAddress(process: Deno.ChildProcess): Promise<{ address: string; silent: Promise<void> }> {
  const timer = setTimeout(() => process.kill("SIGKILL"), DEADLINE);
  const reader = process.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`Chromium did not start: ${said}`);
    said += value;
    const [, address] = /DevTools listening on (ws:\S+)/.exec(said) ?? [];
    if (address === undefined) continue;
    clearTimeout(timer);
    const silent = (async () => {
      while (!(await reader.read()).done) { /* dropped */ }
    })();
    return { address, silent };
  }
}

async function openConnection(address: string): Promise<Connection> {
  const socket = new WebSocket(address);
  const answers: Answers = new Map();
  const listeners: Connection["listeners"] = new Set();
  socket.onmessage = ({ data }) => {
    const { id, result, error, method, params, sessionId = "" } = JSON.parse(data);
    if (id === undefined) {
      for (const listener of listeners) listener({ method, params, session: sessionId });
      return;
    }
    const answer = answers.get(id);
    answers.delete(id);
    if (error) answer?.reject(new Error(error.message));
    else answer?.resolve(result);
  };
  socket.onclose = () => {
    for (const { reject } of answers.values()) reject(new Error("Chromium has ended"));
    answers.clear();
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = reject;
  });
  socket.onerror = (event) => (event as ErrorEvent).preventDefault?.();
  return { socket, answers, listeners };
}

let asked = 0;
function ask(
  { socket, answers }: Pick<Connection, "socket" | "answers">,
  method: string,
  params: Fields = {},
  sessionId?: string,
): Promise<Fields> {
  const id = ++asked;
  return new Promise((resolve, reject) => {
    answers.set(id, { resolve, reject: (error) => reject(new Error(`${method}: ${error.message}`)) });
    socket.send(JSON.stringify({ id, method, params, sessionId }));
  });
}
