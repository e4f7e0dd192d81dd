/** What Linux tells of processes, and Redis of itself. */
import { redisCommand } from "../testing/servers/redis.ts";

/** Seconds of processor time that processes have used, in all the threads that they have now. */
export function cpuSeconds(...pids: number[]): number {
  let nanoseconds = 0;
  for (const pid of pids) {
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      try {
        nanoseconds += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
      } catch { /* the thread has just ended */ }
    }
  }
  return nanoseconds / 1e9;
}

/** Bytes of memory that processes hold. */
export function residentBytes(...pids: number[]): number {
  return pids.reduce((sum, pid) => sum + memoryOf(pid, "VmRSS"), 0);
}

/** Bytes of memory that a process has ever held. */
export function peakResidentBytes(pid: number): number {
  return memoryOf(pid, "VmHWM");
}

function memoryOf(pid: number, field: string): number {
  const [, kibibytes] = new RegExp(`${field}:\\s+(\\d+)`).exec(Deno.readTextFileSync(`/proc/${pid}/status`))!;
  return Number(kibibytes) * 1024;
}

/**
 * How many commands Redis has got. What is published inside a function is counted as if it had come on its own, because
 * Redis' own statistics don't tell the two apart.
 */
export async function redisCommands(port: number | undefined): Promise<number> {
  if (port === undefined) return 0;
  const statistics = await redisCommand(port, "INFO", "commandstats");
  const calls = [...statistics.matchAll(/cmdstat_(?:fcall\w*|s?publish):calls=(\d+)/g)];
  return calls.reduce((sum, [, count]) => sum + Number(count), 0);
}
