import assert from "node:assert/strict";
import { TestClient } from "../../testing/clients/client.ts";
import { Listener } from "../../testing/clients/listener.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { startServer } from "../../testing/servers/server.ts";
import { HEARTBEAT, Streams } from "./sse.ts";

/** The door of event streams alone, with time in the test's hand. `user` and `room` stand in the address. */
function serveStreams() {
  const { clock, chat, storage } = createChat();
  const streams = new Streams(chat, () => 0.5);
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, (request) => {
    const [, , , room] = new URL(request.url).pathname.split("/");
    const listening = { user: request.headers.get("user")!, room, address: "127.0.0.1" };
    return streams.open(listening).catch(({ code }) => new Response(code));
  });
  const stop = async () => {
    await Promise.all([chat.drain().then(() => streams.gone()), clock.advance(10_000)]);
    chat.close();
    await server.shutdown();
    await storage.close();
  };
  return { clock, chat, storage, streams, url: `http://127.0.0.1:${server.addr.port}`, stop };
}

Deno.test("a stream begins with its room, then tells its client who it is, and everything that is said", async () => {
  const { chat, url, stop } = serveStreams();
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send({ action: "send_message", room: "general", text: "before" });
  const listener = await Listener.open(url, "general", { user: "bob" });
  await listener.until("welcome");
  await ann.send({ action: "send_message", room: "general", text: "two\nlines\r\n\r\nid: 9" });
  await ann.send({ action: "edit_message", room: "general", target: 1, text: "changed" });
  await listener.until("message_edited");
  const { epoch } = ann.last("room_joined");
  assert.deepEqual(listener.events.map(({ event, id }) => [event, id]), [
    ["room_joined", `${epoch}:1`],
    ["welcome", undefined],
    ["receive_message", `${epoch}:2`],
    ["message_edited", `${epoch}:3`],
  ]);
  for (const { event, data } of listener.events) assert.equal(data.action, event);
  assert.equal(listener.all("receive_message")[0].text, "two\nlines\r\n\r\nid: 9");
  assert.equal(listener.asides[0], "retry: 1000");
  assert.equal(ann.last("member_joined").user, "bob", "an open stream is membership");
  await listener.close();
  await stop();
});

Deno.test("a stream that is told nothing is told that it lives, so that no proxy cuts it", async () => {
  const { clock, url, stop } = serveStreams();
  const listener = await Listener.open(url, "general", { user: "ann" });
  await listener.until("welcome");
  await clock.advance(HEARTBEAT);
  await listener.comment("here");
  await listener.close();
  await stop();
});

Deno.test("who goes away has left after a while, without a word", async () => {
  const { clock, chat, url, stop } = serveStreams();
  const ann = await FakeClient.enter(chat, "ann");
  const listener = await Listener.open(url, "general", { user: "bob" });
  await listener.until("welcome");
  await listener.close();
  while (chat.connections > 1) await new Promise((resolve) => setTimeout(resolve, 5));
  await clock.advance(4_000);
  assert.deepEqual(ann.all("member_left"), []);
  await clock.advance(1_000);
  assert.equal(ann.last("member_left").user, "bob");
  await stop();
});

Deno.test("who is banned is told and not let in again", async () => {
  const { clock, chat, storage, url, stop } = serveStreams();
  const listener = await Listener.open(url, "general", { user: "eve" });
  await listener.until("welcome");
  await storage.moderation.ban({ user: "eve", date: clock.now(), until: clock.now() + 60_000, reason: "" });
  chat.services.bans.refresh();
  assert.equal(await listener.closed(), 4403);
  await listener.ended;
  const again = await fetch(`${url}/api/rooms/general/events`, { headers: { user: "eve" } });
  assert.equal(await again.text(), "forbidden");
  await stop();
});

Deno.test("a server that is stopping tells every stream to come back, not all at once, and takes no new one", async () => {
  const { url, stop } = serveStreams();
  const listener = await Listener.open(url, "general", { user: "ann" });
  await listener.until("welcome");
  const stopped = stop();
  assert.equal(await listener.closed(), 1012);
  await listener.ended;
  await stopped;
});

Deno.test("Last-Event-ID brings exactly what was missed, also after the server was killed", async () => {
  const cwd = await Deno.makeTempDir();
  const server = await startServer({ cwd });
  const ann = await TestClient.open(server.url);
  const listener = await Listener.open(server.url, "general");
  const { token } = await listener.until("welcome");
  ann.say("heard");
  await listener.until("receive_message");
  const { id } = listener.events.at(-1)!;
  await listener.close();
  for (const text of ["missed", "too"]) ann.say(text);
  ann.send({ action: "delete_message", room: "general", target: 2 });
  await ann.until("message_deleted");
  await server.stop("SIGKILL");
  await ann.closed;
  const again = await startServer({ cwd, port: server.port });
  const back = await Listener.open(again.url, "general", {
    authorization: `Bearer ${token}`,
    "last-event-id": id!,
  });
  const { recovered, messages } = await back.until("room_joined");
  assert.ok(recovered);
  assert.deepEqual(messages.map(({ action, seq }) => [action, seq]), [
    ["receive_message", 2],
    ["receive_message", 3],
    ["message_deleted", 4],
  ]);
  for (const strange of ["junk", `${id}9`, "another:1", ":", "x".repeat(2_000)]) {
    const lost = await Listener.open(again.url, "general", { "last-event-id": strange });
    const page = await lost.until("room_joined");
    assert.deepEqual([page.recovered, page.messages.length], [false, 3], strange);
    await lost.close();
  }
  await back.close();
  await again.stop();
  await Deno.remove(cwd, { recursive: true });
});

/** Opens a stream and never reads a byte of it. */
async function stall(url: string, headers = ""): Promise<Deno.TcpConn> {
  const { hostname, port, host } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  const request = `GET /api/rooms/general/events HTTP/1.1\r\nhost: ${host}\r\n${headers}\r\n`;
  await connection.write(new TextEncoder().encode(request));
  return connection;
}

Deno.test("a stalled stream is let go, holds up nobody, and is told so if it ever reads on", async () => {
  const { clock, chat, url, stop } = serveStreams();
  const ann = await FakeClient.enter(chat, "ann");
  const bob = await Listener.open(url, "general", { user: "bob" });
  const stalled = await stall(url, "user: eve\r\n");
  await bob.until("member_joined", ({ user }) => user === "eve");
  // The system takes in some megabytes for a reader before anything waits here.
  for (let seq = 1; chat.services.pipeline.counters.slowReaders === 0; seq++) {
    await ann.send({ action: "send_message", room: "general", text: "x".repeat(4_000) });
    await bob.until("receive_message", (frame) => frame.seq === seq);
    bob.events.length = 0;
    assert.ok(seq < 10_000, "40 MB have gone to a stream that nobody reads");
  }
  await clock.advance(5_000);
  assert.equal(ann.last("member_left").user, "eve");
  let tail = "";
  const buffer = new Uint8Array(65_536);
  while (!tail.includes("event: close")) {
    const length = await stalled.read(buffer);
    tail = tail.slice(-1_000) + new TextDecoder().decode(buffer.subarray(0, length!));
  }
  assert.match(tail, /data: {"code":4008,/);
  stalled.close();
  await bob.close();
  await stop();
});

Deno.test("asked to stop, the server ends within five seconds with open and stalled streams", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const listener = await Listener.open(server.url, "general");
  const stalled = await stall(server.url);
  await listener.until("member_joined");
  const asked = performance.now();
  assert.equal(await server.stop("SIGTERM"), 0);
  assert.ok(performance.now() - asked < 5_000);
  assert.equal(await listener.closed(), 1012);
  await listener.ended;
  stalled.close();
});
