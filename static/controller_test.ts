import assert from "node:assert/strict";
import type { ClientFrame, ErrorCode, RoomJoined, ServerFrame, Welcome } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import type { KeyValueStorage } from "../client/storage.ts";
import { OUTBOX_LIMIT, RETRY_DELAY, RETRY_JITTER } from "../client/outbox.ts";
import { Controller, type ControllerOptions } from "./controller.ts";
import type { HistoryPage } from "../client/room/room_log.ts";

type Handlers = Parameters<ControllerOptions["connect"]>[0];

const me = { user: "u1", name: "User 101" };
const welcome: Welcome = {
  action: "welcome",
  ...me,
  limits: { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 },
};

function joined(more: Partial<RoomJoined> = {}): RoomJoined {
  return {
    action: "room_joined",
    room: "general",
    epoch: "e1",
    seq: 0,
    recovered: false,
    messages: [],
    more: false,
    members: [me],
    count: 1,
    locked: false,
    slow_seconds: 0,
    ...more,
  };
}

/** A storage that lasts as long as the test. */
function remembering(content: Record<string, string> = {}): KeyValueStorage & { content: Record<string, string> } {
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
function setUp(storage = { tab: remembering(), browser: remembering() }) {
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
  /** The server's answer to the last thing said. */
  function refuse(code: ErrorCode) {
    hear({ action: "error", code, message: "No.", id: sent.at(-1)?.id });
  }
  function keep(seq: number, text: string, id: string, room = "general") {
    hear({ action: "receive_message", room, seq, user: me.user, from: me.name, text, date: 0, id });
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

Deno.test("words wait until the room is joined, and then go out one by one", () => {
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

Deno.test("words under way when the connection was lost go out again under their id, unless they had arrived", () => {
  const { controller, sent, talk, connect, hear, lose } = setUp();
  talk();
  controller.write("kept");
  controller.write("not kept");
  const [first] = sent;
  lose();
  sent.length = 0;
  connect();
  const arrived = {
    action: "receive_message",
    room: "general",
    seq: 1,
    user: me.user,
    from: me.name,
    date: 0,
  } as const;
  hear(joined({ seq: 1, recovered: true, messages: [{ ...arrived, text: "kept", id: first.id }] }));
  assert.deepEqual(sent.slice(1).map((frame) => "text" in frame && frame.text), ["not kept"]);
});

Deno.test("words told to wait are sent again by themselves, when the time has come", async () => {
  const { controller, clock, talk, refuse, actions } = setUp();
  talk();
  controller.write("one");
  refuse("unavailable");
  await clock.advance(RETRY_DELAY - 1);
  assert.equal(actions().length, 1);
  await clock.advance(1);
  assert.deepEqual(actions(), ["send_message", "send_message"]);
});

Deno.test("what is unsent is remembered, and forgotten once it is kept", () => {
  const storage = { tab: remembering(), browser: remembering() };
  setUp(storage).controller.write("hello");
  const later = setUp(storage);
  later.talk();
  assert.equal(later.controller.state.outbox.items.length, 1);
  later.keep(1, "hello", "id1");
  assert.equal(setUp(storage).controller.state.outbox.items.length, 0);
});

Deno.test("a full outbox says so and takes nothing more", () => {
  const { controller } = setUp();
  for (let count = 0; count < OUTBOX_LIMIT; count++) assert.equal(controller.write("word"), true);
  assert.equal(controller.write("one too many"), false);
  assert.deepEqual(controller.state.notice, { kind: "outbox_full" });
});

Deno.test("a chosen name is asked for again when the server has forgotten it, before the room is entered", () => {
  const storage = { tab: remembering(), browser: remembering() };
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

Deno.test("a name that cannot be had again is forgotten, with a quiet word", () => {
  const storage = { tab: remembering(), browser: remembering({ "parley.name": "Hana" }) };
  const { controller, connect, hear, sent } = setUp(storage);
  connect();
  hear({ action: "error", code: "name_taken", message: "Taken.", id: sent[0].id });
  assert.deepEqual(controller.state.notice, { kind: "name_lost", name: "Hana" });
  assert.deepEqual(storage.browser.content, {});
});

Deno.test("a name that the server gave is not remembered as chosen", () => {
  const { storage, talk, hear } = setUp();
  talk();
  hear({ action: "name_changed", user: me.user, name: "User 303", was: me.name });
  assert.deepEqual(storage.browser.content, {});
});

Deno.test("a change of name is answered: done, refused, or no connection to ask over", async () => {
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

Deno.test("a room that cannot be joined now is tried again; one that cannot be at all is explained", async () => {
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

Deno.test("a hole in what is heard asks for the room once, from the last place seen", () => {
  const { sent, talk, hear } = setUp();
  talk();
  const entry = { action: "receive_message", room: "general", user: "u2", from: "Mina", text: "", date: 0 } as const;
  hear({ ...entry, seq: 2 }, { ...entry, seq: 3 });
  hear({ ...entry, seq: 4 });
  assert.deepEqual(sent.map((frame) => "since" in frame && frame.since), [{ epoch: "e1", seq: 0 }]);
});

Deno.test("another room is entered by leaving the one before", () => {
  const { controller, talk, actions } = setUp();
  talk();
  controller.enter({ room: "islands" });
  assert.deepEqual(actions(), ["leave_room", "join_room"]);
});

Deno.test("words still waiting for a room one has left are sent there, and the room is left again", () => {
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

Deno.test("typing is told at most every three seconds", async () => {
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

Deno.test("a page of history that comes after the reader has gone elsewhere is not shown", async () => {
  const { controller, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = controller.loadOlder();
  controller.enter({ room: "islands" });
  const message = {
    action: "receive_message",
    room: "general",
    seq: 1,
    user: "u2",
    from: "Mina",
    text: "",
    date: 0,
  } as const;
  history.resolve({ epoch: "e1", seq: 5, messages: [message], more: false });
  await loading;
  assert.deepEqual(controller.state.room.messages, []);
});

Deno.test("a page of history from another life of the room is a failure, not a page", async () => {
  const { controller, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = controller.loadOlder();
  history.resolve({ epoch: "e2", seq: 5, messages: [], more: false });
  await loading;
  assert.equal(controller.state.room.history, "failed");
});

Deno.test("who is muted stays muted over a reload, and in every tab", () => {
  const { controller, storage } = setUp();
  controller.mute({ user: "u3", name: "Eve" });
  assert.deepEqual(setUp(storage).controller.state.muted, [{ user: "u3", name: "Eve" }]);
  const other = setUp(storage);
  controller.unmute("u3");
  other.controller.storageChanged("parley.muted");
  assert.deepEqual(other.controller.state.muted, []);
});
