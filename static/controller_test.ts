import assert from "node:assert/strict";
import type { ClientFrame, HistoryPage, ServerFrame } from "../chat/protocol.ts";
import { OUTBOX_LIMIT } from "../client/outbox.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { type Arrived, Controller, type ControllerOptions } from "./controller.ts";
import { attention, unreadOf } from "./state.ts";

type Handlers = Parameters<ControllerOptions["connect"]>[0];

/** A controller in `general` whose server is the test. */
function setUp(
  storage = { tab: memoryStorage(), browser: memoryStorage() },
  fetchHistory: ControllerOptions["fetchHistory"] = () => Promise.reject(new Error("there is no history here")),
) {
  const clock = new FakeClock();
  const sent: ClientFrame[] = [];
  const told: Arrived[] = [];
  let handlers: Handlers | undefined;
  let ids = 0;
  const controller = new Controller({
    connect(given) {
      handlers = given;
      return { start() {}, stop() {}, wake() {}, retry() {}, send: (frame) => void sent.push(frame) };
    },
    fetchHistory,
    callApi: () => Promise.reject(new Error("nobody moderates here")),
    storage,
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange() {},
    onArrived: (arrived) => told.push(...arrived),
  });
  controller.enter({ room: "general" });
  const receive = (...frames: ServerFrame[]) => handlers?.onFrames(frames);
  function connect() {
    handlers?.onStatus({ kind: "connected" });
    receive(welcome);
  }
  return { controller, storage, clock, sent, told, receive, connect };
}

Deno.test("a full outbox says so and takes no more messages", () => {
  const { controller } = setUp();
  for (let count = 0; count < OUTBOX_LIMIT; count++) assert.equal(controller.write("word"), true);
  assert.equal(controller.write("one too many"), false);
  assert.deepEqual(controller.state.notice, { kind: "outbox_full" });
});

Deno.test("a person whose old name can't be had again is told so", () => {
  const { controller, connect, receive } = setUp({
    tab: memoryStorage(),
    browser: memoryStorage({ "parley.name": "Hana" }),
  });
  connect();
  receive({ action: "error", code: "name_taken", message: "Taken.", id: "id1" });
  assert.deepEqual(controller.state.notice, { kind: "name_lost", name: "Hana" });
});

Deno.test("what the client receives is shown, and what nobody saw come is told and counts as unread", () => {
  const { controller, connect, receive, told } = setUp();
  connect();
  receive(joined());
  controller.reading(false, true);
  receive(message(1), message(2, { text: `hello @${me.name}` }));
  assert.deepEqual([controller.state.room.messages.length, unreadOf(controller.state, "general").count], [2, 2]);
  assert.deepEqual(told.map(({ message, mention }) => [message.seq, mention]), [[1, false], [2, true]]);
  assert.deepEqual(attention(controller.state), { unread: 2, mentions: 1 });
  controller.reading(true, true);
  controller.reads(null, 2);
  assert.equal(unreadOf(controller.state, "general").count, 0);
  receive(message(3));
  assert.equal(told.length, 2, "one sees it come");
});

Deno.test("rooms that one has been in are joined again, also after a reload, until one leaves them", () => {
  const { controller, storage, connect, receive, sent } = setUp();
  connect();
  receive(joined({ seq: 7 }));
  controller.enter({ room: "islands" });
  assert.deepEqual(controller.state.rooms.map(({ room }) => room), ["islands", "general"]);
  const later = setUp(storage);
  later.connect();
  later.receive(joined({ seq: 9, messages: [message(8), message(9)] }));
  assert.deepEqual(later.sent.map((frame) => "room" in frame && frame.room), ["general", "islands"]);
  later.controller.leaveRoom("islands");
  assert.deepEqual(later.sent.at(-1), { action: "leave_room", room: "islands" });
  controller.enter({ room: "general" });
  controller.storageChanged("parley.rooms");
  assert.deepEqual(sent.at(-1), { action: "leave_room", room: "islands" }, "in every tab");
  assert.deepEqual(controller.state.rooms.map(({ room }) => room), ["general"]);
});

Deno.test("what was read is stored, and what came after it is unread and stands below a line in the next tab", async () => {
  const { controller, storage, clock, connect, receive } = setUp();
  connect();
  receive(joined({ seq: 5, messages: [message(5)] }));
  controller.reads(null, 5);
  await clock.advance(1_000);
  const later = setUp({ ...storage, tab: memoryStorage() });
  later.connect();
  later.receive(joined({ seq: 9, messages: [message(5), message(8), message(9)] }));
  assert.deepEqual(later.controller.state.newRun, { after: 5, visited: false });
  assert.deepEqual(later.controller.state.goal, { seq: 5, at: "read" });
});

Deno.test("a reader comes back to the place where they were, and a link leads to its message", async () => {
  const pages: unknown[] = [];
  const far = setUp(undefined, (_, query) => {
    pages.push(query);
    return Promise.resolve({ epoch: "e1", seq: 99, messages: [message(20), message(22)], more: true });
  });
  const { controller, storage, connect, receive } = far;
  connect();
  receive(joined({ seq: 99, messages: [message(98), message(99)], more: true }));
  controller.reading(true, false);
  controller.reads({ seq: 98, offset: -4.4 }, 99);
  controller.enter({ room: "islands" });
  controller.enter({ room: "general" });
  assert.deepEqual(controller.state.goal, { seq: 98, at: -4 });
  controller.stop();
  assert.deepEqual(setUp(storage).controller.state.goal, { seq: 98, at: -4 }, "also after a reload");
  controller.enter({ room: "general", seq: 21 });
  assert.deepEqual([controller.state.goal, pages], [{ seq: 21, at: "link" }, [{ before: 46, limit: 50 }]]);
  await Promise.resolve();
  controller.reached(false);
  assert.deepEqual([controller.state.goal, controller.state.notice], [null, { kind: "no_message" }]);
});

Deno.test("a place that can't be loaded says so, and is not asked for again and again", async () => {
  let requests = 0;
  const { controller, connect, receive } = setUp(undefined, () => (requests++, Promise.reject(new Error("offline"))));
  connect();
  receive(joined({ seq: 99, messages: [message(99)], more: true }));
  controller.enter({ room: "general", seq: 21 });
  for (let turn = 0; turn < 9; turn++) await Promise.resolve();
  assert.deepEqual([controller.state.goal, controller.state.notice, requests], [null, { kind: "no_place" }, 1]);
});

Deno.test("an address without a room shows why, and which room may be meant", () => {
  const { controller } = setUp();
  controller.enter({ room: null, problem: "bad_room", meant: "two-words" });
  const { room, meant } = controller.state;
  assert.deepEqual([room.name, room.problem?.code, meant], ["", "bad_room", "two-words"]);
  controller.enter({ room: "two-words" });
  assert.deepEqual([controller.state.room.problem, controller.state.meant], [null, null]);
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

Deno.test("the order of the rooms is what was chosen, also in another tab", () => {
  const { controller, storage } = setUp();
  storage.browser.write("parley.room_order", "newest");
  controller.storageChanged("parley.room_order");
  assert.equal(controller.state.newestRoomFirst, true);
  assert.equal(setUp(storage).controller.state.newestRoomFirst, true);
});

Deno.test("of an answer one is told once it is known whose message it answers, or can't be", async () => {
  const pages: PromiseWithResolvers<HistoryPage>[] = [];
  const { clock, controller, connect, receive, told } = setUp(undefined, () => {
    pages.push(Promise.withResolvers());
    return pages.at(-1)!.promise;
  });
  connect();
  receive(joined({ seq: 50, messages: [message(50)], more: true }));
  controller.reading(false, true);
  receive(message(51, { reply_to: 7 }), message(52, { reply_to: 7 }), message(53, { reply_to: 8 }), message(54));
  assert.deepEqual(told.map(({ message }) => message.seq), [54]);
  assert.equal(pages.length, 2, "each is asked for once");
  pages.forEach(({ resolve, reject }, index) =>
    index === 0
      ? resolve({ epoch: "e1", seq: 54, messages: [message(7, { user: me.user })], more: true })
      : reject(new Error("offline"))
  );
  await clock.advance(3_000);
  assert.deepEqual(told.map(({ message, mention }) => [message.seq, mention]), [
    [54, false],
    [51, true],
    [52, true],
    [53, false],
  ]);
});
