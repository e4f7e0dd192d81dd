/** How long a server may take until it says that it is open, milliseconds: a cold start on a busy machine. */
const START_DEADLINE = 30_000;

/** A real server in a process of its own. */
export interface RunningServer {
  url: string;
  port: number;
  pid: number;
  /** What it has written to its output so far. */
  output(): string;
  /** What it has written to its error output so far. */
  errors(): string;
  /** Ends it and waits until it has ended. @returns its exit code */
  stop(signal?: Deno.Signal): Promise<number>;
}

const root = new URL("../../", import.meta.url).pathname;
/**
 * A file that `deno task build` made, to be tested in place of the source: alone in a folder with the server's data,
 * and with neither a cache nor a registry in reach.
 */
const builtFile = Deno.env.get("BUILT_FILE");
/** What `deno task start` runs, from any folder and without the task between it and our signals. */
export const startArguments = await taskArguments("start");

/** The arguments with which Deno does a task of `deno.json`. */
export async function taskArguments(task: string): Promise<string[]> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  // Locks lie beside deno.json, and the task may be done anywhere.
  const [, ...words] = tasks[task].command.replace("--lock=", `--lock=${root}`).split(" ") as string[];
  const [file, ...flags] = [words.pop()!, ...words];
  return [...flags, "--quiet", "--config", `${root}deno.json`, root + file];
}

/**
 * Starts `main.ts` as `deno task start` does, with its data in the folder `cwd`, or in one that is removed when it
 * stops. Started again on the same port, in the same folder, it is the same server come back.
 */
export async function startServer(
  options: {
    env?: Record<string, string>;
    port?: number;
    cwd?: string;
    args?: string[];
    /** What stands behind the command. */
    words?: string[];
    /** File descriptors that it may have; unless told as many as the tests have. */
    openFiles?: number;
    /** Bytes up to which a file of it may grow, as if the disk were full then. */
    fileSize?: number;
  } = {},
): Promise<RunningServer> {
  const cwd = options.cwd ?? await Deno.makeTempDir();
  if (builtFile) await Deno.copyFile(builtFile, `${cwd}/chat.js`);
  // Into a file, not a pipe: what a server that several tests share says would be read during one test for another.
  const errorFile = await Deno.makeTempFile();
  const command = options.args ??
    (builtFile ? await builtArguments(options.env?.WORKERS !== undefined) : startArguments);
  const args = [...command, ...options.words ?? []];
  const limits = [
    options.openFiles === undefined ? "" : `ulimit -n ${options.openFiles}; `,
    // In blocks of 512 bytes; the signal would end it where a full disk only fails.
    options.fileSize === undefined ? "" : `trap "" XFSZ; ulimit -f ${options.fileSize / 512}; `,
  ];
  const process = new Deno.Command("sh", {
    args: ["-c", `${limits.join("")}exec "$@" 2>"$0"`, errorFile, Deno.execPath(), ...args],
    cwd,
    env: { PORT: String(options.port ?? 0), HOST: "127.0.0.1", ...(builtFile && outOfReach(cwd)), ...options.env },
    stdout: "piped",
  }).spawn();
  const output = collect(process.stdout);
  let said: string | undefined;
  const errors = () => said ?? Deno.readTextFileSync(errorFile);
  const stop = async (signal: Deno.Signal = "SIGTERM") => {
    try {
      process.kill(signal);
    } catch { /* it has ended by itself */ }
    const [{ code }] = await Promise.all([process.status, output.ended]);
    if (said === undefined) {
      said = errors();
      await Deno.remove(errorFile);
    }
    if (options.cwd === undefined) await Deno.remove(cwd, { recursive: true }).catch(() => {/* stopped twice */});
    return code;
  };
  const deadline = setTimeout(stop, START_DEADLINE);
  const open = await output.until(/http:\/\/[^\s:]+:(\d+)/);
  clearTimeout(deadline);
  if (!open) {
    throw new Error(`The server did not start with code ${await stop()}: ${errors()}`, { cause: output.text() });
  }
  const port = Number(open[1]);
  return { url: `http://127.0.0.1:${port}`, port, pid: process.pid, output: output.text, errors, stop };
}

/** How `docs/deploying.md` says that the built file is run. */
export async function builtArguments(severalIsolates: boolean): Promise<string[]> {
  const [, command] = /^deno (run .+ chat\.js)$/m.exec(await Deno.readTextFile(`${root}docs/deploying.md`))!;
  const [run, ...words] = command.split(" ");
  return [run, ...(severalIsolates ? ["--unstable-net"] : []), ...words];
}

function outOfReach(cwd: string): Record<string, string> {
  return { DENO_DIR: `${cwd}/cache`, NPM_CONFIG_REGISTRY: "http://127.0.0.1:9" };
}

/** Bytes of memory that the server holds now. */
export async function residentMemory({ pid }: RunningServer): Promise<number> {
  const { stdout } = await new Deno.Command("ps", { args: ["-o", "rss=", "-p", String(pid)] }).output();
  return Number(new TextDecoder().decode(stdout)) * 1024;
}

/** Reads a stream to its end, and tells when something stands in it. */
function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
  let text = "";
  let check = () => {};
  const ended = (async () => {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      check();
    }
  })();
  return {
    ended,
    text: () => text,
    until(pattern: RegExp): Promise<RegExpExecArray | null> {
      return new Promise((resolve) => {
        check = () => {
          const found = pattern.exec(text);
          if (found) resolve(found);
        };
        check();
        ended.then(() => resolve(pattern.exec(text)));
      });
    },
  };
}
