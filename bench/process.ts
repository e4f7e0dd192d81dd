/** What Linux tells of processes. */

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
  return pids.reduce((sum, pid) => {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return sum + Number(/VmRSS:\s+(\d+)/.exec(status)![1]) * 1024;
  }, 0);
}
