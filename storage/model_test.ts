/**
 * Random conversations against a plain model: whatever is sent, repeated, edited, deleted, expired or cut off, and in
 * whatever order the store answers, every outcome is the model's and every client ends with the model's view.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import type { AppendResult } from "../chat/rulebook.ts";
import type { Command, Storage } from "../chat/storage.ts";
import type { Chat } from "../chat/chat.ts";
import type { Entry, Position } from "../chat/protocol.ts";
import { settle } from "../testing/clock.ts";
import { FakeClock } from "../testing/clock.ts";
import { createChat, FakeClient } from "../testing/chat.ts";
import { MemoryStorage } from "./memory.ts";
import { SqliteStorage } from "./sqlite/sqlite.ts";

/** Entries that are kept: few, so that expiring meets everything else. */
const KEPT = 12;
const ROOM = "r";
const PEOPLE = ["ann", "bob", "eve"];

interface Message {
  user: string;
  text: string | undefined;
}

/** The log as the contract describes it, in twenty lines and without a thought for speed. */
class Model {
  readonly entries: { action: Entry["action"]; target?: number }[] = [];
  readonly messages = new Map<number, Message>();
  readonly #ids = new Map<string, number>();

  append(command: Command): { seq: number; repeated: boolean } | { refused: string } {
    const key = command.id === undefined ? undefined : `${command.user}/${command.action}/${command.id}`;
    const first = key === undefined ? undefined : this.#ids.get(key);
    if (first !== undefined) return { seq: first, repeated: true };
    if (command.action !== "send_message") {
      const message = this.messages.get(command.target);
      if (!message || message.text === undefined || !this.held(command.target)) return { refused: "not_found" };
      if (message.user !== command.user) return { refused: "forbidden" };
      message.text = command.action === "edit_message" ? command.text : undefined;
    }
    const seq = this.entries.push({ action: "receive_message" });
    if (command.action === "send_message") this.messages.set(seq, { user: command.user, text: command.text });
    if (key !== undefined) this.#ids.set(key, seq);
    return { seq, repeated: false };
  }

  held(seq: number): boolean {
    return [...this.messages.keys()].filter((other) => other > seq).length < KEPT;
  }
}

/** A client that keeps to the protocol: it shows what it was sent, and resumes from where it was. */
class Reader {
  readonly user: string;
  readonly #chat: Chat;
  #client: FakeClient | undefined;
  #read = 0;
  position: Position | undefined;
  /** The first place from which on the view has no holes. */
  from = 0;
  view = new Map<number, Message>();
  #since: Position | undefined;

  constructor(chat: Chat, user: string) {
    this.#chat = chat;
    this.user = user;
  }

  connect(): void {
    // Sent away, as when its room could not be read: it comes back.
    if (this.#client?.closed) this.disconnect();
    this.#client ??= new FakeClient(this.#chat, this.user, []);
    this.#since = this.position;
    this.send({ action: "join_room", room: ROOM, since: this.position, limit: 5 });
  }

  disconnect(): void {
    this.take();
    this.#client?.session.end();
    this.#client = undefined;
    this.#read = 0;
  }

  send(frame: Parameters<FakeClient["session"]["receive"]>[0]): void {
    this.#client?.session.receive(frame);
  }

  /** Shows what has come. */
  take(): void {
    for (const frame of this.#client?.frames.slice(this.#read) ?? []) {
      if (frame.action === "room_joined") {
        if (frame.recovered) {
          assert.ok(this.#since, "recovered without having asked");
        } else {
          this.view.clear();
          this.position = undefined;
          this.from = frame.messages[0]?.seq ?? frame.seq + 1;
        }
        for (const entry of frame.messages) this.#show(entry, frame.recovered);
        this.position = { epoch: frame.epoch, seq: frame.seq };
      } else if ("seq" in frame) {
        // A repeated id is answered with the first one's frame, which has a place that was seen before.
        const repeated = "user" in frame && frame.user === this.user && frame.id !== undefined &&
          frame.seq <= (this.position?.seq ?? 0);
        if (repeated) continue;
        this.#show(frame, true);
      }
    }
    this.#read = this.#client?.frames.length ?? 0;
  }

  #show(entry: Entry, live: boolean): void {
    if (live) {
      assert.equal(entry.seq, this.position!.seq + 1, `${this.user} has a hole or sees double`);
      this.position!.seq = entry.seq;
    }
    if (entry.action === "receive_message") {
      this.view.set(entry.seq, { user: entry.user, text: entry.deleted ? undefined : entry.text });
    } else if (entry.action !== "unknown_entry") {
      const message = this.view.get(entry.target);
      if (message) message.text = entry.action === "message_edited" ? entry.text : undefined;
    }
  }
}

/** What can happen. */
const happening = fc.record({
  who: fc.nat(PEOPLE.length - 1),
  /** How far back. */
  target: fc.nat(KEPT + 3),
  id: fc.option(fc.constantFrom("k1", "k2", "k3"), { nil: undefined }),
  what: fc.constantFrom(
    "say",
    "say",
    "burst",
    "edit",
    "edit",
    "delete",
    "cut",
    "connect",
    "connect",
    "renew",
    "settle",
    "settle",
  ),
});

async function holdsFor(
  open: (clock: FakeClock) => Promise<Storage>,
  story: { who: number; target: number; id: string | undefined; what: string }[],
  scheduler: fc.Scheduler,
): Promise<void> {
  const clock = new FakeClock();
  const storage = await open(clock);
  const model = new Model();
  const { append, history, read } = storage;
  const decisions: { got: unknown; expected: unknown }[] = [];
  let free = false;
  // The store answers in an order that chance decides.
  const later = <T>(answer: Promise<T>): Promise<T> => free ? answer : scheduler.schedule(answer);
  storage.append = async (commands): Promise<AppendResult[]> => {
    const results = await append.call(storage, commands);
    results.forEach((result, at) => {
      const got = "entry" in result ? { seq: result.entry.seq, repeated: result.repeated } : result;
      decisions.push({ got, expected: model.append(commands[at]) });
    });
    return later(Promise.resolve(results));
  };
  storage.history = (...query) => later(history.apply(storage, query));
  storage.read = (...query) => later(read.apply(storage, query));

  const { chat } = createChat({ clock, storage });
  const readers = PEOPLE.map((user) => new Reader(chat, user));
  for (const reader of readers) reader.connect();
  const settleAll = async () => {
    do {
      await settle();
      while (scheduler.count() > 0) await scheduler.waitOne();
      await settle();
    } while (scheduler.count() > 0);
    for (const reader of readers) reader.take();
  };
  const back = (places: number) => Math.max(0, model.entries.length - places);
  let said = 0;
  for (const { who, target, id, what } of story) {
    const reader = readers[who];
    switch (what) {
      case "say":
        reader.send({ action: "send_message", room: ROOM, text: `text ${++said}`, id });
        break;
      case "burst":
        for (let at = 0; at < KEPT; at++) {
          reader.send({ action: "send_message", room: ROOM, text: `text ${++said}` });
        }
        break;
      case "renew":
        await storage.renewEpoch();
        break;
      case "edit":
        reader.send({ action: "edit_message", room: ROOM, target: back(target), text: `edited ${++said}`, id });
        break;
      case "delete":
        reader.send({ action: "delete_message", room: ROOM, target: back(target), id });
        break;
      case "cut":
        reader.disconnect();
        break;
      case "connect":
        // One join at a time: `since` is where this client is now.
        await settleAll();
        reader.connect();
        break;
      default:
        if (scheduler.count() > 0) await scheduler.waitOne();
        await settle();
    }
  }
  await settleAll();
  for (const { got, expected } of decisions) assert.deepEqual(got, expected);
  free = true;
  for (const reader of readers) {
    reader.connect();
    await settleAll();
    const expected = [...model.messages].filter(([seq]) => seq >= reader.from).map((
      [seq, { user, text }],
    ) => [seq, { user, text }]);
    assert.deepEqual([...reader.view], expected, `${reader.user} sees what the model says`);
    assert.equal(reader.position!.seq, model.entries.length);
    // From a page alone, as for somebody who was never here, what is held is the model's too.
    const page = await history.call(storage, ROOM, { limit: 200 });
    assert.deepEqual(
      page.messages.map(({ seq, text }) => [seq, text]),
      [...model.messages].filter(([seq]) => model.held(seq)).map(([seq, { text }]) => [seq, text]),
    );
  }
  chat.close();
  await storage.close();
}

const retention = { messages: KEPT, days: 0 };
const soak = Deno.env.get("SOAK") !== undefined;

for (
  const [name, open] of [
    ["memory", (clock) => Promise.resolve(new MemoryStorage({ clock, secret: "s", retention }))],
    ["sqlite", (clock) => SqliteStorage.open(":memory:", { clock, secret: "s", retention })],
  ] as [string, (clock: FakeClock) => Promise<Storage>][]
) {
  Deno.test(`${name}: whatever happens, every client's view is the model's`, async () => {
    const stories = fc.array(happening, { minLength: 10, maxLength: 60, size: "max" });
    await fc.assert(
      fc.asyncProperty(stories, fc.scheduler(), (story, scheduler) => holdsFor(open, story, scheduler)),
      { numRuns: soak ? 5_000 : 300, seed: soak ? undefined : 20261121 },
    );
  });
}
