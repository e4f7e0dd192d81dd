import { until } from "../until.ts";

/** How long a Redis server may take until it is ready, milliseconds. */
const START_DEADLINE = 20_000;

/** What can be started here: Redis, or Valkey, which is the same for us; undefined if there is neither. */
export const redisServer = await firstInstalled("redis-server", "valkey-server");

/** A test that needs a Redis server. Without one it is ignored, which in CI counts as failed. */
export function redisTest(title: string, check: () => Promise<void>): void {
  if (redisServer) return Deno.test(title, check);
  const how = "to run it, install redis-server: apt-get install redis-server";
  if (Deno.env.get("CI") === undefined) return Deno.test.ignore(`${title} (${how})`, check);
  Deno.test(title, () => {
    throw new Error(`This needs a Redis server; ${how}.`);
  });
}

/** A real Redis server in a temporary folder, on a port of its own, for this machine only. */
export class RedisServer {
  readonly port: number;
  readonly #folder: string;
  readonly #options: string[];
  #process: Deno.ChildProcess;

  private constructor(port: number, folder: string, options: string[], process: Deno.ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#options = options;
    this.#process = process;
  }

  /** @param options as on the command line of `redis-server` */
  static async start(...options: string[]): Promise<RedisServer> {
    const folder = await Deno.makeTempDir();
    // Another process may take the port between looking and starting.
    for (let attempt = 1;; attempt++) {
      const port = freePort();
      try {
        return new RedisServer(port, folder, options, await launch(port, folder, options));
      } catch (error) {
        if (attempt === 5) throw error;
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Does to it what the signal does: SIGKILL ends it outright, SIGSTOP stalls it, SIGCONT lets it go on. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#process.status;
  }

  /** Starts it again after it was killed, on the same port and with what it had kept. */
  async restart(): Promise<void> {
    this.#process = await launch(this.port, this.#folder, this.#options);
  }

  command(...words: string[]): Promise<string> {
    return redisCommand(this.port, ...words);
  }

  /** A file of its folder. */
  file(name: string): Promise<Uint8Array<ArrayBuffer>> {
    return Deno.readFile(`${this.#folder}/${name}`);
  }

  async stop(): Promise<void> {
    await this.kill();
    // A fork of it may write its snapshot to the end.
    await until(() => Deno.remove(this.#folder, { recursive: true }).then(() => true, () => false));
  }
}

/** Has the Redis at this port do one command. @returns the answer, as it came */
export async function redisCommand(port: number, ...words: string[]): Promise<string> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  try {
    const encoder = new TextEncoder();
    const parts = words.map((word) => `$${encoder.encode(word).length}\r\n${word}\r\n`);
    await connection.write(encoder.encode(`*${words.length}\r\n${parts.join("")}`));
    const buffer = new Uint8Array(64 * 1024);
    const length = await connection.read(buffer);
    return new TextDecoder().decode(buffer.subarray(0, length ?? 0));
  } finally {
    connection.close();
  }
}

async function launch(port: number, folder: string, options: string[]): Promise<Deno.ChildProcess> {
  const common = ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder];
  const process = new Deno.Command(redisServer!, {
    args: [...common, "--enable-debug-command", "yes", ...options],
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const deadline = setTimeout(() => process.kill("SIGKILL"), START_DEADLINE);
  let said = "";
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  while (!said.includes("Ready to accept connections")) {
    const { value, done } = await reader.read();
    if (done) {
      clearTimeout(deadline);
      await process.status;
      throw new Error(`Redis did not start: ${said}`);
    }
    said += value;
  }
  clearTimeout(deadline);
  await reader.cancel();
  return process;
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}

async function firstInstalled(...commands: string[]): Promise<string | undefined> {
  for (const command of commands) {
    try {
      if ((await new Deno.Command(command, { args: ["--version"] }).output()).success) return command;
    } catch { /* there is none */ }
  }
}
