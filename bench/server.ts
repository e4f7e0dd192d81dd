/** Servers that are measured: each in a process and a folder of its own, on a processor of its own where that can be. */
import { startArguments } from "../testing/servers/server.ts";
import type { Load } from "./client.ts";
import type { Result } from "./load.ts";

const here = new URL(".", import.meta.url).pathname;

/** How Parley is started, as `deno task start` does, and what lets one address be ten thousand people. */
export const PARLEY_COMMAND = [Deno.execPath(), ...startArguments];
export const PARLEY_ENVIRONMENT = {
  PORT: "0",
  HOST: "127.0.0.1",
  MESSAGE_RATE: "0",
  JOINS_PER_MINUTE: "0",
  CONNECTIONS_PER_IP: "0",
};
/** How the obvious loop is started. */
export const LOOP_COMMAND = [Deno.execPath(), "run", "--quiet", "--allow-net", `${here}servers/deno.ts`];

/** @returns what a command writes; undefined where there is none, or it fails */
export async function output(command: string, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(command, { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}

/** Whether server and load can each have a processor of their own. */
export const hasTaskset = await output("taskset", "-c", "0", "true") !== undefined && navigator.hardwareConcurrency > 1;

/** A command that runs on one processor only, where that can be said. */
export function pinned(cpu: number, command: string[]): string[] {
  return hasTaskset ? ["taskset", "-c", String(cpu), ...command] : command;
}

/** What is measured, and on what. */
export async function machine(): Promise<string> {
  const processor = /model name\s*: (.+)/.exec(await Deno.readTextFile("/proc/cpuinfo").catch(() => ""))?.[1];
  return `${processor ?? "an unknown processor"}, ${navigator.hardwareConcurrency} processors, ${Deno.build.os}; ` +
    `Deno ${Deno.version.deno}`;
}

export interface MeasuredServer {
  port: number;
  pid: number;
  /** Ends it at once and, if it had made its folder, removes that. */
  kill(): Promise<void>;
  /** Sends it a signal and waits until it has ended; its folder stays. */
  end(signal: Deno.Signal): Promise<void>;
}

/**
 * Starts a server on the first processor; resolves as soon as it listens.
 * @param cwd the folder of its data; absent: one of its own, which is removed with it
 */
export async function startMeasured(
  { name, command, env, cwd: given }: { name: string; command: string[]; env?: Record<string, string>; cwd?: string },
): Promise<MeasuredServer> {
  const cwd = given ?? await Deno.makeTempDir();
  const [program, ...args] = pinned(0, command);
  const process = new Deno.Command(program, { args, cwd, env, stdout: "piped", stderr: "inherit" }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  let port: string | undefined;
  while (!(port = /http:\/\/[^:\s]+:(\d+)/.exec(said)?.[1])) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`${name} did not start`);
    said += value;
  }
  const end = async (signal: Deno.Signal) => {
    process.kill(signal);
    await process.status;
    await reader.cancel();
  };
  const kill = async () => {
    await end("SIGKILL");
    if (given === undefined) await Deno.remove(cwd, { recursive: true });
  };
  return { port: Number(port), pid: process.pid, end, kill };
}

/** Measures servers that run, from a process on the second processor. */
export async function loaded(load: Load): Promise<Result> {
  const [program, ...args] = pinned(1, [
    Deno.execPath(),
    "run",
    "--quiet",
    "-A",
    `${here}load.ts`,
    JSON.stringify(load),
  ]);
  const { success, stdout } = await new Deno.Command(program, { args, stderr: "inherit" }).output();
  if (!success) throw new Error("the load broke off");
  return JSON.parse(new TextDecoder().decode(stdout));
}
