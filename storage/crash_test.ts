/**
 * The server is killed under load, again and again, and started on the same file: what was acknowledged is there once,
 * in order, and when clients send again what was not acknowledged, each message is there exactly once.
 */
import { assertNothingLostOrDoubled, RetryingClient } from "../testing/clients/retrying.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";

const KILLS = Deno.env.get("SOAK") === undefined ? 3 : 30;
const CLIENTS = 4;
Deno.test(`what is acknowledged is there after ${KILLS} kills under load, once and in order`, async () => {
  const cwd = await Deno.makeTempDir();
  let server: RunningServer = await startServer({ cwd, env: { MESSAGE_RATE: "0", WORKERS: "2" } });
  const { port, url } = server;
  const clients = await Promise.all(
    Array.from({ length: CLIENTS }, (_, at) => RetryingClient.start(url, `client ${at}`)),
  );
  const acknowledged = () => clients.reduce((sum, client) => sum + client.acknowledged.size, 0);

  for (let kill = 0; kill < KILLS; kill++) {
    // Each server runs until it has acknowledged something, and is killed at a random moment after that.
    const before = acknowledged();
    while (acknowledged() <= before) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 300));
    await server.stop("SIGKILL");
    // Every other server has only one isolate.
    server = await startServer({ cwd, port, env: { MESSAGE_RATE: "0", WORKERS: String(1 + kill % 2) } });
  }

  const log = await assertNothingLostOrDoubled(url, clients);
  console.log(`${log.length} messages, ${KILLS} kills, all acknowledged ones kept`);
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
  await Deno.remove(cwd, { recursive: true });
});
