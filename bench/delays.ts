/** How long things take, and how late a process is that measures it. */
import { percentile } from "./percentile.ts";

/** Percentiles, milliseconds. */
export interface Delays {
  count: number;
  p50: number;
  p99: number;
  most: number;
}

export function summed(samples: number[]): Delays {
  const sorted = Float64Array.from(samples).sort();
  return {
    count: sorted.length,
    p50: percentile(sorted, 50),
    p99: percentile(sorted, 99),
    most: percentile(sorted, 100),
  };
}

/** Milliseconds between two looks. */
const EVERY = 10;

/**
 * How late a process is: how long it takes until it has read what it sends to itself, in its turn among all that it has
 * to read. What it measures of others is late by as much.
 */
export class Lateness {
  #connections: Deno.TcpConn[] = [];
  #samples: number[] = [];
  #sending: ReturnType<typeof setInterval> | undefined;

  async start(): Promise<void> {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const to = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
    const from = await listener.accept();
    listener.close();
    to.setNoDelay(true);
    this.#connections = [from, to];
    const sentAt: number[] = [];
    this.#sending = setInterval(() => {
      sentAt.push(performance.now());
      void to.write(new Uint8Array(1)).catch(() => {});
    }, EVERY);
    const buffer = new Uint8Array(1_024);
    const read = async () => {
      for (let length; (length = await from.read(buffer)) !== null;) {
        for (const at of sentAt.splice(0, length)) this.#samples.push(performance.now() - at);
      }
    };
    read().catch(() => {});
  }

  /** @returns milliseconds, one for each look */
  stop(): number[] {
    clearInterval(this.#sending);
    for (const connection of this.#connections) connection.close();
    return this.#samples;
  }

  /** Forgets what was measured so far. */
  reset(): void {
    this.#samples = [];
  }
}
