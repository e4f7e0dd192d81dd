import assert from "node:assert/strict";
import type { ClientFrame, ErrorCode, HistoryPage, InitialData, ServerFrame } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { ChatClient, type ChatClientOptions } from "./chat_client.ts";
import { RETRY_DELAY, RETRY_JITTER } from "./outbox.ts";
import { READING_LIMIT } from "./room/room_log.ts";

type Handlers = Parameters<ChatClientOptions["connect"]>[0];

/** A client in `general` whose server is the test. */
function setUp(storage = { outbox: memoryStorage(), name: memoryStorage() }, initial?: InitialData) {
  const clock = new FakeClock();
  const sent: ClientFrame[] = [];
  const lostNames: string[] = [];
  const arrived: number[] = [];
  let handlers: Handlers | undefined;
  const history = Promise.withResolvers<HistoryPage>();
  let ids = 0;
  const client = new ChatClient({
    connect(given) {
      handlers = given;
      return { start() {}, stop() {}, wake() {}, retry() {}, send: (frame) => void sent.push(frame) };
    },
    fetchHistory: () => history.promise,
    outboxStorage: storage.outbox,
    nameStorage: storage.name,
    initial,
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange: (_, entries) => arrived.push(...entries.map(({ seq }) => seq)),
    onNameLost: (name) => lostNames.push(name),
  });
  client.enter("general");
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
  return {
    client,
    clock,
    sent,
    storage,
    lostNames,
    arrived,
    history,
    hear,
    lose,
    connect,
    talk,
    refuse,
    keep,
    actions,
  };
}

const initial = (seq: number, ...messages: HistoryPage["messages"]): InitialData => ({
  session: { ...me, limits: { ...welcome.limits, text: 100 } },
  history: { room: "general", epoch: "e1", seq, messages, more: true },
});

Deno.test("what came with the page is shown at once, and the room goes on right behind it", () => {
  const { client, sent, connect, hear, arrived } = setUp(undefined, initial(7, message(5), message(6)));
  assert.deepEqual(client.state.me, me);
  assert.equal(client.state.limits.text, 100);
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [5, 6]);
  assert.deepEqual([client.state.room.more, client.state.room.joined, arrived], [true, false, []]);
  connect();
  const [join] = sent;
  assert.deepEqual(join, { action: "join_room", room: "general", since: { epoch: "e1", seq: 7 }, id: "id1" });
  hear(joined({ id: "id1", recovered: true, seq: 9, messages: [message(8), message(9)] }), message(9), message(10));
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [5, 6, 8, 9, 10]);
  assert.deepEqual(arrived, [8, 9, 10]);
  assert.equal(client.state.room.missingAfter, null);
});

Deno.test("what came with the page says which waiting messages are stored", () => {
  const before = setUp();
  before.client.write("one");
  before.client.write("two");
  const [one] = before.client.state.outbox.items;
  const page = initial(3, message(3, { user: me.user, text: "one", id: one.frame.id }));
  const { client } = setUp(before.storage, page);
  assert.deepEqual(client.state.outbox.items.map(({ frame }) => "text" in frame && frame.text), ["two"]);
});

Deno.test("what came with the page is shown in its own room, and only the first time", () => {
  const { client } = setUp(undefined, initial(6, message(6)));
  client.enter("islands");
  assert.deepEqual(client.state.room.messages, []);
  client.enter("general");
  assert.deepEqual([client.state.room.messages, client.state.room.position], [[], null]);
  const elsewhere = initial(6, message(6));
  const other = setUp(undefined, { ...elsewhere, history: { ...elsewhere.history!, room: "islands" } });
  assert.deepEqual(other.client.state.room.messages, []);
});

Deno.test("someone else than the page was made for is who the server says", () => {
  const { client, hear } = setUp(undefined, initial(6, message(6, { user: me.user })));
  hear({ ...welcome, user: "u9", name: "User 999" });
  assert.deepEqual(client.state.me, { user: "u9", name: "User 999" });
});

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
  const { client, sent, connect, hear, keep, actions } = setUp();
  client.write("one");
  client.write("two");
  connect();
  assert.deepEqual(actions(), ["join_room"]);
  hear(joined());
  assert.deepEqual(actions(), ["join_room", "send_message"]);
  keep(1, "one", "id1");
  assert.deepEqual(sent.slice(1).map((frame) => "text" in frame && frame.text), ["one", "two"]);
});

Deno.test("a message in flight when the connection is lost is sent again under its id, unless the server has it", () => {
  const { client, sent, talk, connect, hear, lose } = setUp();
  talk();
  client.write("kept");
  client.write("not kept");
  const [first] = sent;
  lose();
  sent.length = 0;
  connect();
  hear(joined({ seq: 1, recovered: true, messages: [message(1, { user: me.user, id: first.id })] }));
  assert.deepEqual(sent.slice(1).map((frame) => "text" in frame && frame.text), ["not kept"]);
});

Deno.test("a message that the server can't take yet is sent again by itself after the delay", async () => {
  const { client, clock, talk, refuse, actions } = setUp();
  talk();
  client.write("one");
  refuse("unavailable");
  await clock.advance(RETRY_DELAY - 1);
  assert.equal(actions().length, 1);
  await clock.advance(1);
  assert.deepEqual(actions(), ["send_message", "send_message"]);
});

Deno.test("unsent messages survive a reload, until the server has kept them", () => {
  const storage = { outbox: memoryStorage(), name: memoryStorage() };
  setUp(storage).client.write("hello");
  const later = setUp(storage);
  later.talk();
  assert.equal(later.client.state.outbox.items.length, 1);
  later.keep(1, "hello", "id1");
  assert.equal(setUp(storage).client.state.outbox.items.length, 0);
});

Deno.test("a chosen name that the server has lost is requested again before the room is joined", () => {
  const storage = { outbox: memoryStorage(), name: memoryStorage() };
  const { client, hear, lose, connect, talk, sent, actions } = setUp(storage);
  talk();
  client.rename("Hana");
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

Deno.test("a name that the server gave is not stored as a chosen one", () => {
  const { storage, talk, hear } = setUp();
  talk();
  hear({ action: "name_changed", user: me.user, name: "User 303", was: me.name });
  assert.deepEqual(storage.name.content, {});
});

Deno.test("a rename is done, refused, or impossible without a connection", async () => {
  const { client, sent, talk, hear, refuse, lose } = setUp();
  assert.deepEqual(await client.rename("Hana"), { kind: "offline" });
  talk();
  const refused = client.rename("Hana");
  refuse("name_taken");
  assert.equal((await refused).kind, "refused");
  const done = client.rename("Hana");
  hear({ action: "name_changed", user: me.user, name: "Hana", was: me.name, id: sent.at(-1)?.id });
  assert.equal((await done).kind, "done");
  const lost = client.rename("Mina");
  lose();
  assert.deepEqual(await lost, { kind: "offline" });
});

Deno.test("a join that fails for a while is repeated; one that is refused for good is explained", async () => {
  const { client, clock, connect, refuse, actions } = setUp();
  connect();
  refuse("unavailable");
  await clock.advance(RETRY_DELAY + RETRY_JITTER);
  assert.deepEqual(actions(), ["join_room", "join_room"]);
  refuse("forbidden");
  assert.equal(client.state.room.problem?.code, "forbidden");
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
  const { client, talk, actions } = setUp();
  talk();
  client.enter("islands");
  assert.deepEqual(actions(), ["leave_room", "join_room"]);
});

Deno.test("messages still waiting for a room that one has left are sent there, and then it is left again", () => {
  const { client, talk, sent, hear, keep } = setUp();
  client.write("late");
  client.enter("islands");
  talk();
  hear(joined({ room: "islands" }));
  assert.deepEqual(sent.at(-1), { action: "send_message", room: "general", text: "late", id: "id1" });
  hear(joined());
  keep(1, "late", "id1");
  assert.deepEqual(sent.at(-1), { action: "leave_room", room: "general" });
  assert.equal(client.state.room.name, "islands");
});

Deno.test("typing is sent at most every three seconds", async () => {
  const { client, clock, talk, actions } = setUp();
  talk();
  client.typing();
  await clock.advance(2_999);
  client.typing();
  assert.equal(actions().length, 1);
  await clock.advance(1);
  client.typing();
  assert.equal(actions().length, 2);
});

Deno.test("a page of history that arrives after the reader has changed rooms is not shown", async () => {
  const { client, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = client.loadOlder();
  client.enter("islands");
  history.resolve({ epoch: "e1", seq: 5, messages: [message(1)], more: false });
  await loading;
  assert.deepEqual(client.state.room.messages, []);
});

Deno.test("a page of history from another epoch is not shown, and loading it counts as failed", async () => {
  const { client, connect, hear, history } = setUp();
  connect();
  hear(joined({ seq: 5, more: true }));
  const loading = client.loadOlder();
  history.resolve({ epoch: "e2", seq: 5, messages: [], more: false });
  await loading;
  assert.equal(client.state.room.history, "failed");
});

Deno.test("a name that can't be had again is given up, and the person is told", () => {
  const storage = { outbox: memoryStorage(), name: memoryStorage({ "parley.name": "Hana" }) };
  const { lostNames, connect, hear, sent } = setUp(storage);
  connect();
  hear({ action: "error", code: "name_taken", message: "Taken.", id: sent[0].id });
  assert.deepEqual(lostNames, ["Hana"]);
  assert.deepEqual(storage.name.content, {});
});

Deno.test("every new entry of the room is reported once, in order", () => {
  const { talk, hear, arrived } = setUp();
  talk();
  hear(message(1), message(2), message(2), message(5));
  hear(joined({ recovered: true, seq: 5, messages: [message(3), message(4), message(5)] }), message(6));
  assert.deepEqual(arrived, [1, 2, 3, 4, 5, 6]);
});

Deno.test("a reader who comes back from far up in the history gets the newest messages", () => {
  const { client, talk, hear, sent } = setUp();
  talk();
  client.setAtNewest(false);
  hear(...Array.from({ length: READING_LIMIT + 1 }, (_, index) => message(index + 1)));
  assert.deepEqual(sent, []);
  client.setAtNewest(true);
  assert.deepEqual(sent, [{ action: "join_room", room: "general", id: "id2" }]);
});
