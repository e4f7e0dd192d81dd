/** Who is here, among real servers on one store: some come back elsewhere, some do not. */
import assert from "node:assert/strict";
import { TestClient } from "./testing/clients/client.ts";
import { RedisServer, redisTest } from "./testing/servers/redis.ts";
import { type RunningServer, startServer } from "./testing/servers/server.ts";

/** Two servers on one Redis. */
async function together(check: (servers: [RunningServer, RunningServer]) => Promise<void>): Promise<void> {
  const redis = await RedisServer.start("--appendonly", "yes", "--appendfsync", "always");
  const env = { DATABASE_URL: redis.url, MESSAGE_RATE: "0" };
  const servers = [await startServer({ env }), await startServer({ env })] satisfies RunningServer[];
  try {
    await check(servers as [RunningServer, RunningServer]);
  } finally {
    for (const server of servers) await server.stop();
    await redis.stop();
  }
}

const users = (client: TestClient, action: "member_joined" | "member_left") =>
  client.frames.flatMap((frame) => frame.action === action ? [frame.user] : []);

redisTest(
  "people on two machines see each other come, and who moves from one to the other stays",
  () =>
    together(async ([one, two]) => {
      const ann = await TestClient.open(one.url);
      const bob = await TestClient.open(two.url);
      const { user, token } = await ann.until("welcome");
      const { user: other } = await bob.until("welcome");
      await ann.until("member_joined", (frame) => frame.user === other);
      // Whichever came first: that she is there, or that he asked who is.
      const { members } = await bob.until("room_joined");
      if (!members.some((member) => member.user === user)) await bob.until("member_joined");
      const known = bob.frames.length;
      const moved = await TestClient.open(two.url, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await moved.until("room_joined")).count, 2);
      await ann.close();
      await one.stop();
      const cid = await TestClient.open(two.url);
      assert.equal((await cid.until("room_joined")).count, 3);
      const { user: third } = await cid.until("welcome");
      await bob.until("member_joined", (frame) => frame.user === third);
      bob.frames.splice(0, known);
      assert.deepEqual([users(bob, "member_joined"), users(bob, "member_left")], [[third], []]);
      await Promise.all([bob, moved, cid].map((client) => client.close()));
    }),
);

if (Deno.env.get("SOAK") !== undefined) {
  // It takes as long as an instance may be silent.
  redisTest("nobody whose machine died is left as a ghost", () =>
    together(async ([one, two]) => {
      const bob = await TestClient.open(two.url, { timeout: 40_000 });
      const [ann, cid] = [await TestClient.open(one.url), await TestClient.open(one.url)];
      const [{ user: back, token }, { user: lost }] = [await ann.until("welcome"), await cid.until("welcome")];
      for (const user of [back, lost]) await bob.until("member_joined", (frame) => frame.user === user);
      await one.stop("SIGKILL");
      const again = await TestClient.open(two.url, { headers: { authorization: `Bearer ${token}` } });
      assert.equal((await again.until("room_joined")).count, 3);
      await bob.until("member_left", (frame) => frame.user === lost);
      assert.deepEqual(users(bob, "member_left"), [lost]);
      assert.equal(users(bob, "member_joined").length, 2);
      await Promise.all([bob, again].map((client) => client.close()));
    }));
}
