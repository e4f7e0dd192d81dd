import assert from "node:assert/strict";
import type { ServerFrame } from "../chat/protocol.ts";
import { OUTBOX_LIMIT } from "../client/outbox.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, message, welcome } from "../testing/clients/frames.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { Controller, type ControllerOptions } from "./controller.ts";

type Handlers = Parameters<ControllerOptions["connect"]>[0];

/** A controller in `general` whose server is the test. */
function setUp(storage = { tab: memoryStorage(), browser: memoryStorage() }) {
  let handlers: Handlers | undefined;
  let ids = 0;
  const controller = new Controller({
    connect(given) {
      handlers = given;
      return { start() {}, stop() {}, wake() {}, retry() {}, send() {} };
    },
    fetchHistory: () => Promise.reject(new Error("there is no history here")),
    callApi: () => Promise.reject(new Error("nobody moderates here")),
    storage,
    clock: new FakeClock(),
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange() {},
  });
  controller.enter({ room: "general" });
  const receive = (...frames: ServerFrame[]) => handlers?.onFrames(frames);
  function connect() {
    handlers?.onStatus({ kind: "connected" });
    receive(welcome);
  }
  return { controller, storage, receive, connect };
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

Deno.test("what the client receives is shown, and counts as unread while the page is hidden", () => {
  const { controller, connect, receive } = setUp();
  connect();
  receive(joined());
  controller.reading(false, true);
  receive(message(1));
  assert.deepEqual([controller.state.room.messages.length, controller.state.unread], [1, 1]);
  controller.enter({ room: "islands" });
  assert.deepEqual([controller.state.room.name, controller.state.unread], ["islands", 0]);
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
