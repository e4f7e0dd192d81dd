/**
 * What a flood costs the others: one person sends 10,000 valid messages a second, comes back whenever they are sent
 * away, and the way of other people's messages in the same room is timed. Run it with
 * `deno run --allow-all bench/flood.ts [SECONDS]`.
 */
import { TestClient } from "../testing/clients/client.ts";
import { frame, RawClient } from "../testing/clients/raw.ts";
import { startServer } from "../testing/servers/server.ts";

/** Messages a second of the flooder, and of the one who is timed. */
const FLOOD = 10_000;
const RATE = 4;
/** People who listen. */
const LISTENERS = 20;
const PAUSE = 5;

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** The p-th percentile, in the unit of the samples. */
function percentile(samples: number[], p: number): number {
  return samples.toSorted((one, other) => one - other)[Math.ceil(samples.length * p / 100) - 1];
}

/** In a process of its own, so that what the flood costs its sender does not count. */
async function flood(port: number, token: string): Promise<void> {
  const message = frame(0x81, '{"action":"send_message","room":"general","text":"flood"}');
  const burst = new Uint8Array(message.length * FLOOD * PAUSE / 1000);
  for (let at = 0; at < burst.length; at += message.length) burst.set(message, at);
  const headers = { authorization: `Bearer ${token}` };
  for (;;) {
    const raw = await RawClient.open(port, { headers });
    while (raw.isOpen && raw.closeCode === undefined && !raw.isOver) {
      await raw.send(burst);
      await pause(PAUSE);
    }
    await raw.close();
    await pause(PAUSE);
  }
}

async function measure(): Promise<void> {
  const seconds = Number(Deno.args[0] ?? 10);
  const server = await startServer({ env: { DATABASE_URL: "sqlite:chat.db" } });
  const author = await TestClient.open(server.url);
  const listeners = await Promise.all(Array.from({ length: LISTENERS }, () => TestClient.open(server.url)));
  const { token, user } = await (await fetch(`${server.url}/api/session`, { method: "POST" })).json();
  const delays: number[] = [];
  const sentAt = new Map<string, number>();
  let floods = 0;
  for (const { socket } of listeners) {
    socket.addEventListener("message", ({ data }) => {
      for (const { id, user: from } of [JSON.parse(data)].flat()) {
        if (sentAt.has(id)) delays.push(performance.now() - sentAt.get(id)!);
        else if (from === user) floods++;
      }
    });
  }
  const run = async () => {
    delays.length = floods = 0;
    for (let at = 0; at < seconds * RATE; at++) {
      const id = crypto.randomUUID();
      sentAt.set(id, performance.now());
      author.say("hello", { id });
      await pause(1000 / RATE);
    }
    const [middle, tail, worst] = [50, 99, 100].map((p) => `${percentile(delays, p).toFixed(1)} ms`);
    return `${middle} | ${tail} | ${worst} | ${delays.length} of ${seconds * RATE * LISTENERS} | ${
      Math.round(floods / LISTENERS)
    }`;
  };
  console.log("| | p50 | p99 | worst | delivered | of the flood was told |\n|---|---|---|---|---|---|");
  console.log(`| without a flood | ${await run()} |`);
  const flooder = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", "--quiet", import.meta.url, "flood", String(server.port), token],
  }).spawn();
  await pause(1000);
  console.log(`| ${FLOOD} messages/s from one person | ${await run()} |`);
  flooder.kill("SIGKILL");
  await flooder.status;
  await Promise.all([author, ...listeners].map((client) => client.close()));
  await server.stop();
}

if (Deno.args[0] === "flood") await flood(Number(Deno.args[1]), Deno.args[2]);
else await measure();
