/** Who is in a room, a page at a time: real sockets on two isolates. */
import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { startServer } from "../../testing/servers/server.ts";
import { until } from "../../testing/until.ts";

Deno.test("every one of more than 100 people in a room is on one page, whichever isolate answers", async () => {
  const env = { WORKERS: "2", CONNECTIONS_PER_IP: "0", NEWCOMERS_PER_MINUTE: "0", READS_PER_MINUTE: "0" };
  const server = await startServer({ env });
  const ask = async (query: string, room = "Crowd") => {
    const response = await fetch(`${server.url}/api/rooms/${room}/people${query}`);
    return { status: response.status, body: await response.json() };
  };
  const clients = await Promise.all(
    Array.from({ length: 130 }, () => TestClient.open(server.url, { query: "?room=crowd" })),
  );
  const users = await Promise.all(clients.map(async (client) => (await client.until("welcome")).user));
  // Several times, so that each isolate has answered.
  for (let right = 0; right < 8;) {
    await until(async () => (await ask("")).body.count === 130);
    const got: { user: string; name: string }[] = [];
    for (let more = true; more;) {
      const after = got.length > 0 ? `&after=${encodeURIComponent(got.at(-1)!.user)}` : "";
      const { body } = await ask(`?limit=50${after}`);
      got.push(...body.people);
      ({ more } = body);
    }
    // An isolate that has not yet heard of all of them says so in its count.
    if (got.length !== 130) continue;
    right++;
    assert.deepEqual(got.map(({ user }) => user), users.toSorted());
  }
  const { body } = await ask("");
  assert.deepEqual([body.room, body.people.length, body.more], ["crowd", 100, true]);
  assert.match(body.people[0].name, /^User \d+$/);
  assert.deepEqual((await ask("?limit=1000")).body.people.length, 130, "at most 200");
  assert.deepEqual((await ask("", "empty")).body, { room: "empty", count: 0, people: [], more: false });

  for (const query of ["?limit=x", "?limit=-1", "?after=", `?after=${"x".repeat(257)}`]) {
    const { status, body } = await ask(query);
    assert.deepEqual([status, body.code], [400, "bad_frame"], query);
  }
  assert.equal((await ask("", "no%20room")).body.code, "bad_room");
  await Promise.all(clients.map((client) => client.close()));
  await server.stop();
});
