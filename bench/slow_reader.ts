/**
 * What a reader that stalls costs the others: 20 MB pass a room at an even pace, with and without one that has stopped
 * reading, in turns on the same server, and each message's way from author to reader is timed.
 */
import { TestClient } from "../testing/clients/client.ts";
import { residentMemory, startServer } from "../testing/servers/server.ts";
import { StalledClient } from "../testing/clients/stalled.ts";

/** Bytes of one message, messages a second, and messages in one run: 20 MB in five seconds. */
const TEXT = "x".repeat(4_000);
const RATE = 1_000;
const MESSAGES = 5_000;
const RUNS = 3;

/** The p-th percentile, in the unit of the samples. */
function percentile(samples: number[], p: number): number {
  return samples.toSorted((one, other) => one - other)[Math.ceil(samples.length * p / 100) - 1];
}

const server = await startServer({ env: { MESSAGE_RATE: "0", HISTORY_MESSAGES: "100" } });
const [author, reader] = [await TestClient.open(server.url), await TestClient.open(server.url)];

async function run(): Promise<number[]> {
  const sentAt = new Map<string, number>();
  const delays: number[] = [];
  let allHere = () => {};
  const done = new Promise<void>((resolve) => allHere = resolve);
  const hear = ({ data }: MessageEvent) => {
    const { id } = JSON.parse(data);
    if (sentAt.has(id)) delays.push(performance.now() - sentAt.get(id)!);
    reader.frames.length = author.frames.length = 0;
    if (delays.length === MESSAGES) allHere();
  };
  reader.socket.addEventListener("message", hear);
  const started = performance.now();
  for (let sent = 0; sent < MESSAGES;) {
    const due = Math.min(MESSAGES, Math.ceil((performance.now() - started) / 1000 * RATE));
    for (; sent < due; sent++) {
      const id = crypto.randomUUID();
      sentAt.set(id, performance.now());
      author.say(TEXT, { id });
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await done;
  reader.socket.removeEventListener("message", hear);
  return delays;
}

await run();
console.log("| run | p50 | p99 | memory of the server |\n|---|---|---|---|");
const ratios: number[] = [];
for (let turn = 0; turn < RUNS; turn++) {
  const p99 = [];
  for (const what of ["everyone reads", "one has stalled"]) {
    const stalled = what === "one has stalled" ? await StalledClient.join(server.port) : undefined;
    const before = await residentMemory(server);
    const delays = await run();
    const grown = (await residentMemory(server) - before) / 2 ** 20;
    const [middle, tail] = [percentile(delays, 50), percentile(delays, 99)];
    console.log(`| ${what} | ${middle.toFixed(2)} ms | ${tail.toFixed(2)} ms | +${grown.toFixed(1)} MiB |`);
    p99.push(tail);
    stalled?.close();
  }
  ratios.push(p99[1] / p99[0]);
}
console.log(`p99 with a stalled reader: ${percentile(ratios, 50).toFixed(2)} times that without (median of ${RUNS})`);
await Promise.all([author.close(), reader.close()]);
await server.stop();
