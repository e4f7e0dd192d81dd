import assert from "node:assert/strict";
import type { ClientFrame, ErrorCode, ServerFrame } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, me, message, welcome } from "../testing/frames.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import { OUTBOX_LIMIT, RETRY_DELAY, RETRY_JITTER } from "../client/outbox.ts";
import { Controller, type ControllerOptions } from "./controller.ts";
import type { HistoryPage } from "../client/room/room_log.ts";

type Handlers = Parameters<ControllerOptions["connect"]>[0];

/** Storage that lasts as long as the test. */
function memoryStorage(content: Record<string, string> = {}): KeyValueStorage & { content: Record<string, string> } {
  return {
    content,
    read: (key) => content[key] ?? null,
    write(key, value) {
      if (value === null) delete content[key];
      else content[key] = value;
    },
  };
}

/** A controller in `general` whose server is the test. */
function setUp(storage = { tab: memoryStorage(), browser: memoryStorage() }) {
  const clock = new FakeClock();
  const sent: ClientFrame[] = [];
  let handlers: Handlers | undefined;
  const history = Promise.withResolvers<HistoryPage>();
  let ids = 0;
  const controller = new Controller({
    connect(given) {
      handlers = given;
      return { start() {}, stop() {}, wake() {}, retry() {}, send: (frame) => void sent.push(frame) };
    },
    fetchHistory: () => history.promise,
    callApi: () => Promise.reject(new Error("nobody moderates here")),
    storage,
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange() {},
  });
  controller.enter({ room: "general" });
  const hear = (...frames: ServerFrame[]) => handlers?.onFrames(frames);
  const lose = () => handlers?.onStatus({ kind: "waiting", until: 0, refusal: null });
  function connect(name = me.name) {
    handlers?.onStatus({ kind: "connected" });
    hear({ ...welcome, name });
  }
  function talk() {
    connect();
    hear(joined());
    sent.length = 0;
  }
  /** The server refuses the last frame sent. */
  function refuse(code: ErrorCode) {
    hear({ action: "error", code, message: "No.", id: sent.at(-1)?.id });
  }
  function keep(seq: number, text: string, id: string, room = "general") {
    hear(message(seq, { user: me.user, text, id, room }));
  }
  const actions = () => sent.map((frame) => frame.action);
  return { controller, clock, sent, storage, history, hear, lose, connect, talk, refuse, keep, actions };
}

Deno.test("the first join asks for the newest page, the next one for what was missed", () => {
  const { sent, hear, connect, lose } = setUp();
  connect();
  assert.deepEqual(sent.at(-1), { action: "join_room", room: "general", id: "id1" });
  hear(joined({ seq: 7 }));
  lose();
  connect();
  assert.deepEqual(sent.at(-1), { action: "join_room", room: "general", since: { epoch: "e1", seq: 7 }, id: "id2" });
});

Deno.test("messages wait until the room is joined, and are then sent one by one", () => {
  const { controller, sent, connect, hear, keep, actions } = setUp();
  controller.write("one");
  controller.write("two");
  connect();
  assert.deepEqual(actions(), ["join_room"]);
  hear(joined());
  assert.deepEqual(actions(), ["join_room", "send_message"]);
  keep(1, "one", "id1");
  assert.deepEqual(sent.slice(1).map((frame) => "text" in frame && frame.text), ["one", "two"]);
});

Deno.test("a message in flight when the connection is lost is sent again under its id, unless the server has it", () => {
  const { controller, sent, talk, connect, hear, lose } = setUp();
  talk();
  controller.write("kept");
  controller.write("not kept");
  const [first] = sent;
  lose();
  sent.length = 0;
  connect();
  hear(joined({ seq: 1, recovered: true, messages: [message(1, { user: me.user, id: first.id })] }));
  assert.deepEqual(sent.slice(1).map((frame) => "text" in frame && frame.text), ["not kept"]);
});

Deno.test("a message that the server can't take yet is sent again by itself after the delay", async () => {
  const { controller, clock, talk, refuse, actions } = setUp();
  talk();
  controller.write("one");
  refuse("unavailable");
  await clock.advance(RETRY_DELAY - 1);
  assert.equal(actions().length, 1);
  await clock.advance(1);
  assert.deepEqual(actions(), ["send_message", "send_message"]);
});

Deno.test("unsent messages survive a reload, until the server has kept them", () => {
  const storage = { tab: memoryStorage(), browser: memoryStorage() };
  setUp(storage).controller.write("hello");
  const later = setUp(storage);
  later.talk();
  assert.equal(later.controller.state.outbox.items.length, 1);
  later.keep(1, "hello", "id1");
  assert.equal(setUp(storage).controller.state.outbox.items.length, 0);
});

Deno.test("a full outbox says so and takes no more messages", () => {
  const { controller } = setUp();
  for (let count = 0; count < OUTBOX_LIMIT; count++) assert.equal(controller.write("word"), true);
  assert.equal(controller.write("one too many"), false);
  assert.deepEqual(controller.state.notice, { kind: "outbox_full" });
});

Deno.test("a chosen name that the server has lost is requested again before the room is joined", () => {
  const storage = { tab: memoryStorage(), browser: memoryStorage() };
  const { controller, hear, lose, connect, talk, sent, actions } = setUp(storage);
  talk();
  controller.rename("Hana");
  hear({ action: "name_changed", user: me.user, name: "Hana", was: me.name, id: sent.at(-1)?.id });
  lose();
  sent.length = 0;
  connect("User 202");
  assert.deepEqual(actions(), ["set_name", "join_room"]);
  lose();
  sent.length = 0;
  connect("Hana");
  assert.deepEqual(actions(), ["join_room"]);
});

Deno.test("a name that can't be had again is given up, and the person is told", () => {
  const storage = { tab: memoryStorage(), browser: memoryStorage({ "parley.name": "Hana" }) };
  const { controller, connect, hear, sent } = setUp(storage);
  connect();
  hear({ action: "error", code: "name_taken", message: "Taken.", id: sent[0].id });
  assert.deepEqual(controller.state.notice, { kind: "name_lost", name: "Hana" });
  assert.deepEqual(storage.browser.content, {});
});

Deno.test("a name that the server gave is not stored as a chosen one", () => {
  const { storage, talk, hear } = setUp();
  talk();
  hear({ action: "name_changed", user: me.user, name: "User 303", was: me.name });
  assert.deepEqual(storage.browser.content, {});
});

Deno.test("a rename is done, refused, or impossible without a connection", async () => {
  const { controller, sent, talk, hear, refuse, lose } = setUp();
  assert.deepEqual(await controller.rename("Hana"), { kind: "offline" });
  talk();
  const refused = controller.rename("Hana");
  refuse("name_taken");
  assert.equal((await refused).kind, "refused");
  const done = controller.rename("Hana");
  hear({ action: "name_changed", user: me.user, name: "Hana", was: me.name, id: sent.at(-1)?.id });
  assert.equal((await done).kind, "done");
  const lost = controller.rename("Mina");
  lose();
  assert.deepEqual(await lost, { kind: "offline" });
});

Deno.test("a join that fails for a while is repeated; one that is refused for good is explained", async () => {
  const { controller, clock, connect, refuse, actions } = setUp();
  connect();
  refuse("unavailable");
  await clock.advance(RETRY_DELAY + RETRY_JITTER);
  assert.deepEqual(actions(), ["join_room", "join_room"]);
  refuse("forbidden");
  assert.equal(controller.state.room.problem?.code, "forbidden");
  await clock.advance(60_000);
  assert.equal(actions().length, 2);
});

Deno.test("a gap in the entries joins the room again, once, from the last entry received", () => {
  const { sent, talk, hear } = setUp();
  talk();
  hear(message(2), message(3));
  hear(message(4));
  assert.deepEqual(sent.map((frame) => "since" in frame && frame.since), [{ epoch: "e1", seq: 0 }]);
});

Deno.test("entering another room leaves the one before", () => {
  const { controller, talk, actions } = setUp();
  talk();
  controller.enter({ room: "islands" });
  assert.deepEqual(actions(), ["leave_room", "join_room"]);
});

Deno.test("messages still waiting for a room that one has left are sent there, and then it is left again", () => {
  const { controller, talk, sent, hear, keep } = setUp();
  controller.write("late");
  controller.enter({ room: "islands" });
  talk();
  hear(joined({ room: "islands" }));
  assert.deepEqual(sent.at(-1), { action: "send_message", room: "general", text: "late", id: "id1" });
  hear(joined());
  keep(1, "late", "id1");
  assert.deepEqual(sent.at(-1), { action: "leave_room", room: "general" });
  assert.equal(controller.state.room.name, "islands");
});

Deno.test("typing is sent at most every three seconds", async () => {
  const { controller, clock, talk, actions } = setUp();
  talk();
  controller.typing();
  await clock.advance(2_999);
  controller.typing();
  assert.equal(actions().length, 1);
  await clock.advance(1);
  controller.typing();
  assert.equal(actions().length, 2);
});

Deno.test("a page of history that arrives after the reader has changed rooms is not shown", async () => {
  const { controller, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = controller.loadOlder();
  controller.enter({ room: "islands" });
  history.resolve({ epoch: "e1", seq: 5, messages: [message(1)], more: false });
  await loading;
  assert.deepEqual(controller.state.room.messages, []);
});

Deno.test("a page of history from another epoch is not shown, and loading it counts as failed", async () => {
  const { controller, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = controller.loadOlder();
  history.resolve({ epoch: "e2", seq: 5, messages: [], more: false });
  await loading;
  assert.equal(controller.state.room.history, "failed");
});

Deno.test("muted people stay muted after a reload, and in every tab", () => {
  const { controller, storage } = setUp();
  controller.mute({ user: "u3", name: "Eve" });
  assert.deepEqual(setUp(storage).controller.state.muted, [{ user: "u3", name: "Eve" }]);
  const other = setUp(storage);
  controller.unmute("u3");
  other.controller.storageChanged("parley.muted");
  assert.deepEqual(other.controller.state.muted, []);
});
