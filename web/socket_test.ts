import assert from "node:assert/strict";
import { StalledClient } from "../testing/stalled.ts";
import { TestClient } from "../testing/client.ts";
import { residentMemory, startServer } from "../testing/server.ts";

Deno.test("a reader that stalls is let go, costs next to nothing, and everyone else hears everything", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:", HISTORY_MESSAGES: "100" } });
  const [ann, bob] = [await TestClient.open(server.url), await TestClient.open(server.url)];
  const text = "x".repeat(4_000);
  const total = 5_000;
  const burst = 100;
  const pass = async (first: number) => {
    for (let sent = first; sent < first + total; sent += burst) {
      for (let at = 0; at < burst; at++) ann.say(text);
      await bob.until("receive_message", ({ seq }) => seq === sent + burst);
      ann.frames.length = 0;
      bob.frames.splice(0, bob.frames.length, ...bob.frames.filter(({ action }) => action === "member_left"));
    }
  };
  // Once before, so that what V8 takes for good under such a load (its new generation grows) is not counted.
  const earlier = await StalledClient.join(server.port);
  for (const first of [0, total, 2 * total]) await pass(first);
  const before = await residentMemory(server);
  const second = await StalledClient.join(server.port);
  const left = [earlier, second].map((stalled) => bob.until("member_left", ({ user }) => user === stalled.user));
  await pass(3 * total);
  const grown = await residentMemory(server) - before;
  console.log(`20 MB past a stalled reader: the server grew by ${(grown / 2 ** 20).toFixed(1)} MiB`);
  assert.ok(grown < 20e6, `${grown} bytes`);
  await Promise.all(left);
  for (const stalled of [earlier, second]) stalled.close();
  await Promise.all([ann.close(), bob.close()]);
  await server.stop();
});
