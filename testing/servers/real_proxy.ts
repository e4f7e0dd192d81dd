import { until } from "../until.ts";

/** How each says its version, which shows that it is there; and how it is run, here and now, with a file of ours. */
const COMMANDS = {
  nginx: {
    version: "-v",
    debian: "nginx-light",
    args: (folder: string) => ["-p", folder, "-c", `${folder}/config`, "-e", "stderr"],
  },
  caddy: {
    version: "version",
    debian: "caddy",
    args: (folder: string) => ["run", "--config", `${folder}/config`, "--adapter", "caddyfile"],
  },
  haproxy: {
    version: "-v",
    debian: "haproxy",
    args: (folder: string) => ["-db", "-n", "100", "-f", `${folder}/config`],
  },
};

export type ProxyCommand = keyof typeof COMMANDS;

/** Debian has them where only root looks for commands. */
const PATH = `${Deno.env.get("PATH")}:/usr/local/sbin:/usr/sbin`;

/** A test that needs a real proxy. Without one it is ignored, which in CI counts as failed. */
export async function proxyTest(command: ProxyCommand, title: string, check: () => Promise<void>): Promise<void> {
  if (await versionOf(command) !== undefined) return Deno.test(title, check);
  const how = `to run it, install ${command}: apt-get install ${COMMANDS[command].debian}`;
  if (Deno.env.get("CI") === undefined) return Deno.test.ignore(`${title} (${how})`, check);
  Deno.test(title, () => {
    throw new Error(`This needs ${command}; ${how}.`);
  });
}

/** What it says of its version, such as "2.6.2"; undefined where it is not installed. */
export async function versionOf(command: ProxyCommand): Promise<string | undefined> {
  const args = ["-c", '"$0" "$1" 2>&1', command, COMMANDS[command].version];
  const { stdout } = await new Deno.Command("sh", { args, env: { PATH } }).output();
  return /\d+\.\d+\.\d+/.exec(new TextDecoder().decode(stdout))?.[0];
}

/** A proxy that people put in front, in a folder of its own, for this machine only. */
export class RealProxy {
  readonly port: number;
  readonly #folder: string;
  readonly #process: Deno.ChildProcess;

  private constructor(port: number, folder: string, process: Deno.ChildProcess) {
    this.port = port;
    this.#folder = folder;
    this.#process = process;
  }

  /** @param config of a proxy that listens on a port of 127.0.0.1 */
  static async start(command: ProxyCommand, config: (port: number) => string): Promise<RealProxy> {
    // Another process may take the port between looking and starting.
    for (let attempt = 1;; attempt++) {
      const folder = await Deno.makeTempDir();
      const port = freePort();
      await Deno.writeTextFile(`${folder}/config`, config(port));
      const proxy = new RealProxy(port, folder, run(command, folder));
      if (await proxy.#listens()) return proxy;
      const errors = await Deno.readTextFile(`${folder}/errors`);
      await proxy.stop();
      if (attempt === 5) throw new Error(`${command} did not start: ${errors}`);
    }
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    try {
      // Asked kindly some would wait for whoever is connected.
      this.#process.kill("SIGKILL");
    } catch { /* it has ended by itself */ }
    await this.#process.status;
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** @returns false where it has ended before */
  async #listens(): Promise<boolean> {
    let ended = false;
    this.#process.status.then(() => ended = true);
    let connected = false;
    await until(async () => {
      connected = await Deno.connect({ hostname: "127.0.0.1", port: this.port }).then((connection) => {
        connection.close();
        return true;
      }, () => false);
      return connected || ended;
    });
    return connected && !ended;
  }
}

function run(command: ProxyCommand, folder: string): Deno.ChildProcess {
  return new Deno.Command("sh", {
    args: ["-c", 'exec "$@" 2>"$0"', `${folder}/errors`, command, ...COMMANDS[command].args(folder)],
    env: { PATH, HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
    stdout: "null",
  }).spawn();
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  return listener.addr.port;
}
