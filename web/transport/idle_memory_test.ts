import assert from "node:assert/strict";
import { RawClient } from "../../testing/clients/raw.ts";
import { residentMemory, startServer } from "../../testing/servers/server.ts";
import { TestClient } from "../../testing/clients/client.ts";

const CONNECTIONS = 150;

Deno.test("a large page that a connection was sent is not kept for as long as it is open", async () => {
  const server = await startServer({ env: { MESSAGE_RATE: "0", JOINS_PER_MINUTE: "0", CONNECTIONS_PER_IP: "0" } });
  const author = await TestClient.open(server.url);
  for (let at = 0; at < 30; at++) author.say("x".repeat(4_000), { id: `m${at}` });
  await author.until("receive_message", ({ seq }) => seq === 30);
  const join = async () => {
    const client = await RawClient.open(server.port);
    await client.until(() => client.texts.some((text) => text.includes("room_joined")));
    return client;
  };
  const first = await Promise.all(Array.from({ length: 20 }, join));
  const before = await residentMemory(server);
  const more: RawClient[] = [];
  while (more.length < CONNECTIONS) more.push(await join());
  const each = (await residentMemory(server) - before) / CONNECTIONS;
  assert.ok(each < 100_000, `${each} bytes a connection, whose page had 120,000`);
  for (const client of [...first, ...more]) await client.close();
  await author.close();
  await server.stop();
});
