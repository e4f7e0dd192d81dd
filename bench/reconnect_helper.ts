/** A process of `reconnect_bench.ts` beside the server: it is told what happens, and tells what it sees, a line each. */
import { pinned } from "./server.ts";

/** Room for what thousands of connections leave behind at once, MiB: else a fifth of its time goes into tidying up. */
const FLAGS = ["--v8-flags=--min-semi-space-size=16,--max-semi-space-size=32"];

export interface Helper<Line extends { kind: string }> {
  pid: number;
  /** The next line that it writes, which must be of this kind. @throws if it ended, or wrote another */
  next<Kind extends Line["kind"]>(kind: Kind): Promise<Extract<Line, { kind: Kind }>>;
  tell(line: string): Promise<void>;
  /** Waits until it has ended. */
  end(): Promise<void>;
}

/** Starts a file of this folder on the processor that is not the server's. @param task its argument */
export function startHelper<Line extends { kind: string }>(file: string, task: unknown): Helper<Line> {
  const path = new URL(file, import.meta.url).pathname;
  const [program, ...args] = pinned(1, [Deno.execPath(), "run", "--quiet", "--no-lock", ...FLAGS, "-A", path]);
  const process = new Deno.Command(program, {
    args: [...args, JSON.stringify(task)],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const told = lines<Line>(process.stdout);
  const input = process.stdin.getWriter();
  return {
    pid: process.pid,
    async next(kind) {
      const { value } = await told.next();
      if (value?.kind !== kind) throw new Error(`${file} broke off`);
      return value as Extract<Line, { kind: typeof kind }>;
    },
    tell: (line) => input.write(new TextEncoder().encode(`${line}\n`)),
    async end() {
      await input.close().catch(() => {});
      await process.status;
    },
  };
}

async function* lines<Line>(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Line> {
  let rest = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const complete = (rest + piece).split("\n");
    rest = complete.pop()!;
    for (const line of complete) yield JSON.parse(line);
  }
}
