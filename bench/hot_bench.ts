/** What each message goes through, one by one: `deno bench --allow-all`. */
import { EncodedFrames } from "../chat/encoded_frames.ts";
import type { ReceiveMessage } from "../chat/protocol.ts";
import { roomName } from "../chat/rooms/room_name.ts";
import { MemoryStorage } from "../storage/memory.ts";
import { SqliteStorage } from "../storage/sqlite/sqlite.ts";
import { systemClock } from "../chat/clock.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
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
const command = { action: "send_message", room: "general", user: "ann", from: "Ann", text: "and some words" } as const;
const commands = Array(10).fill(command);
const retention = { messages: 1_000, days: 0 };
const memory = new MemoryStorage({ clock: systemClock, secret: "", retention });
const sqlite = await SqliteStorage.open(`${await Deno.makeTempDir()}/chat.db`, { clock: systemClock, retention });

const { chat } = createChat({ storage: memory });
const client = new FakeClient(chat, "ann");
for (let at = 0; at < 999; at++) new FakeClient(chat, `user ${at}`);
await settle();
await settle();

Deno.bench("parse: one frame", () => void parseFrames(sent, false));
Deno.bench("parse: the room's name", () => void roomName("general"));
Deno.bench("encode: one message", () => void new EncodedFrames(message).batch);
Deno.bench("encode: ten messages", () => void new EncodedFrames(...many).batch);
Deno.bench("keep: ten drafts in memory", async () => void await memory.append(commands));
Deno.bench("keep: ten drafts in SQLite, durably", async () => void await sqlite.append(commands));
Deno.bench("tick: one message to a thousand members, without their sockets", async () => {
  client.session.receive({ action: "send_message", room: "general", text: "hello" });
  await settle();
  client.frames.length = 0;
});
