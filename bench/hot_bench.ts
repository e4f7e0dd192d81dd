/** What each message goes through, one by one: `deno bench --allow-all`. */
import { Delivery } from "../chat/encoded_frames.ts";
import type { ReceiveMessage } from "../chat/protocol.ts";
import { roomName } from "../chat/users/names.ts";
import { MemoryEngine } from "../storage/memory.ts";
import { SqliteEngine } from "../storage/sqlite/sqlite.ts";
import { systemClock } from "../chat/clock.ts";
import { createLobby, FakeClient } from "../testing/lobby.ts";
import { settle } from "../testing/clock.ts";
import { parseFrames } from "../web/schema/client_frames.ts";

const sent = JSON.stringify({
  action: "send_message",
  room: "general",
  text: "and some words that people say",
  id: "1",
});
const message: ReceiveMessage = {
  action: "receive_message",
  room: "general",
  seq: 1,
  user: "pWmC2h3fKQ0vT1aN",
  from: "User 482",
  text: "and some words that people say",
  date: Date.now(),
};
const many = Array<ReceiveMessage>(10).fill(message);
const draft = { action: "send_message", room: "general", user: "ann", from: "Ann", text: "and some words" } as const;
const drafts = Array(10).fill(draft);
const retention = { messages: 1_000, days: 0 };
const memory = new MemoryEngine({ clock: systemClock, secret: "", retention });
const sqlite = await SqliteEngine.open(`${await Deno.makeTempDir()}/chat.db`, { clock: systemClock, retention });

const { lobby } = createLobby({ engine: memory });
const client = new FakeClient(lobby, "ann");
for (let at = 0; at < 999; at++) new FakeClient(lobby, `user ${at}`);
await settle();
await settle();

Deno.bench("parse: one frame", () => void parseFrames(sent, false));
Deno.bench("parse: the room's name", () => void roomName("general"));
Deno.bench("encode: one message", () => void new Delivery(message).batch);
Deno.bench("encode: ten messages", () => void new Delivery(...many).batch);
Deno.bench("keep: ten drafts in memory", async () => void await memory.append(drafts));
Deno.bench("keep: ten drafts in SQLite, durably", async () => void await sqlite.append(drafts));
Deno.bench("tick: one message to a thousand members, without their sockets", async () => {
  client.session.receive({ action: "send_message", room: "general", text: "hello" });
  await settle();
  client.frames.length = 0;
});
