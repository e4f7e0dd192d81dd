import assert from "node:assert/strict";
import type { ClientFrame, ErrorCode, HistoryPage, InitialData, Position, ServerFrame } from "../chat/protocol.ts";
import { FakeClock } from "../testing/clock.ts";
import { joined, me, message, welcome } from "../testing/clients/frames.ts";
import { memoryStorage } from "../testing/browser/memory_storage.ts";
import { ChatClient, type ChatClientOptions } from "./chat_client.ts";
import type { PageQuery } from "./history_loader.ts";
import { RETRY_DELAY, RETRY_JITTER } from "./outbox.ts";

type Handlers = Parameters<ChatClientOptions["connect"]>[0];

interface Options {
  storage?: { outbox: ReturnType<typeof memoryStorage>; name: ReturnType<typeof memoryStorage> };
  initial?: InitialData;
  fetchHistory?: ChatClientOptions["fetchHistory"];
}

/** A client in `general` whose server is the test. */
function setUp(options: Options = {}) {
  const { storage = { outbox: memoryStorage(), name: memoryStorage() }, initial } = options;
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
    fetchHistory: options.fetchHistory ?? (() => history.promise),
    outboxStorage: storage.outbox,
    nameStorage: storage.name,
    initial,
    clock,
    random: () => 0,
    newId: () => `id${++ids}`,
    onChange: (_, entries) => arrived.push(...entries.map(({ seq }) => seq)),
    onNameLost: (name) => lostNames.push(name),
    onReactionRefused() {},
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
  const { client, sent, connect, hear, arrived } = setUp({ initial: initial(7, message(5), message(6)) });
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
  const { client } = setUp({ storage: before.storage, initial: page });
  assert.deepEqual(client.state.outbox.items.map(({ frame }) => "text" in frame && frame.text), ["two"]);
});

Deno.test("what came with the page is shown in its own room, and only the first time", () => {
  const { client } = setUp({ initial: initial(6, message(6)) });
  client.enter("islands");
  assert.deepEqual(client.state.room.messages, []);
  client.leave("general");
  client.enter("general");
  assert.deepEqual([client.state.room.messages, client.state.room.position], [[], null]);
  const elsewhere = initial(6, message(6));
  const other = setUp({ initial: { ...elsewhere, history: { ...elsewhere.history!, room: "islands" } } });
  assert.deepEqual(other.client.state.room.messages, []);
});

Deno.test("someone else than the page was made for is who the server says", () => {
  const { client, hear } = setUp({ initial: initial(6, message(6, { user: me.user })) });
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
  setUp({ storage }).client.write("hello");
  const later = setUp({ storage });
  later.talk();
  assert.equal(later.client.state.outbox.items.length, 1);
  later.keep(1, "hello", "id1");
  assert.equal(setUp({ storage }).client.state.outbox.items.length, 0);
});

Deno.test("a chosen name that the server has lost is requested again before the room is joined", () => {
  const storage = { outbox: memoryStorage(), name: memoryStorage() };
  const { client, hear, lose, connect, talk, sent, actions } = setUp({ storage });
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

Deno.test("entering another room stays in the one before, which goes on by itself", () => {
  const { client, talk, hear, actions, arrived } = setUp();
  talk();
  client.enter("islands");
  hear(joined({ room: "islands" }), message(1), message(1, { room: "islands" }));
  assert.deepEqual(actions(), ["join_room"]);
  assert.deepEqual(client.state.others.get("general")?.messages.map(({ seq }) => seq), [1]);
  client.enter("general");
  assert.deepEqual(actions(), ["join_room"], "and what came is there at once");
  assert.deepEqual([client.state.room.messages.length, client.state.others.get("islands")?.messages.length], [1, 1]);
  assert.deepEqual(arrived, [1, 1]);
});

Deno.test("other rooms are joined behind the one that is read, from where one was, and again after a lost connection", () => {
  const { client, connect, hear, lose, sent, arrived } = setUp();
  client.watch("islands", { epoch: "e1", seq: 7 });
  client.watch("hills", null);
  connect();
  assert.deepEqual(sent.map((frame) => "room" in frame && frame.room), ["general"]);
  hear(joined());
  const islands = { action: "join_room", room: "islands", since: { epoch: "e1", seq: 7 }, id: "id2" };
  assert.deepEqual(sent.slice(1), [islands], "one after the other");
  const missed = [message(8, { room: "islands" })];
  hear(joined({ room: "islands", seq: 8, recovered: true, messages: missed, id: "id2" }));
  assert.deepEqual(sent.slice(2), [{ action: "join_room", room: "hills", id: "id3" }]);
  hear(joined({ room: "hills", id: "id3" }));
  assert.deepEqual([client.state.others.get("islands")?.messages, arrived], [missed, []], "that is from before");
  assert.equal(client.state.others.get("islands")?.missingAfter, null);
  lose();
  connect();
  hear(joined());
  assert.equal((sent.at(-1) as { since?: Position }).since?.seq, 8);
  hear(joined({ room: "islands", seq: 9, recovered: true, messages: [message(9, { room: "islands" })] }));
  assert.deepEqual(arrived, [9]);
});

Deno.test("where too many rooms are joined in a minute, the room that is read comes first, and the others wait", async () => {
  const { client, clock, connect, hear, refuse, sent } = setUp();
  client.watch("islands", null);
  client.watch("hills", null);
  connect();
  hear(joined());
  refuse("rate_limited");
  client.enter("harbour");
  refuse("rate_limited");
  const rooms = () => sent.map((frame) => "room" in frame && frame.room);
  assert.deepEqual(rooms(), ["general", "islands", "harbour"]);
  await clock.advance(RETRY_DELAY + RETRY_JITTER);
  assert.deepEqual(rooms().slice(3), ["harbour"]);
  hear(joined({ room: "harbour" }));
  hear(joined({ room: "islands" }));
  assert.deepEqual(rooms().slice(4), ["islands", "hills"]);
});

Deno.test("who is in as many rooms as a connection may be leaves the one read the longest ago", () => {
  const { client, connect, hear, sent } = setUp();
  connect();
  hear({ ...welcome, limits: { ...welcome.limits, rooms: 4 } }, joined());
  client.enter("one");
  client.enter("two");
  assert.deepEqual(sent.filter(({ action }) => action === "leave_room"), [{ action: "leave_room", room: "general" }]);
  assert.deepEqual([...client.state.others.keys()], ["one"]);
  assert.equal(client.watch("three", null), false);
});

Deno.test("a room that one leaves is forgotten, and nothing of it is shown any more", () => {
  const { client, talk, hear, actions } = setUp();
  talk();
  client.enter("islands");
  client.leave("general");
  client.leave("islands");
  assert.deepEqual(actions(), ["join_room", "leave_room"], "the one that is read stays");
  hear(message(1));
  assert.equal(client.state.others.size, 0);
});

Deno.test("messages still waiting for a room that one has left are sent there, and then it is left again", () => {
  const { client, talk, sent, hear, keep } = setUp();
  client.write("late");
  client.enter("islands");
  client.leave("general");
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
  assert.equal(client.state.room.older, "failed");
});

Deno.test("a name that can't be had again is given up, and the person is told", () => {
  const storage = { outbox: memoryStorage(), name: memoryStorage({ "parley.name": "Hana" }) };
  const { lostNames, connect, hear, sent } = setUp({ storage });
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

Deno.test("a reader goes to another place and on from there, and comes back to the newest message at once", async () => {
  const queries: PageQuery[] = [];
  const pages = [[3, 4, 5], [6, 7]].map((seqs) => ({
    epoch: "e1",
    seq: 60,
    messages: seqs.map((seq) => message(seq)),
    more: true,
  }));
  const { client, connect, hear } = setUp({
    fetchHistory: (_, query) => (queries.push(query), Promise.resolve(pages.shift()!)),
  });
  connect();
  hear(joined({ seq: 60, messages: [message(60)], more: true }));
  assert.equal(await client.loadAround(4), true);
  await client.loadNewer();
  assert.deepEqual(queries, [{ before: 29, limit: 50 }, { after: 5, limit: 50 }]);
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [3, 4, 5, 6, 7]);
  client.setAtNewest(true);
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [60]);
});

Deno.test("a room that is entered before its first page has come loads it, whatever is said meanwhile", async () => {
  const { client, hear, talk, history } = setUp();
  talk();
  client.watch("islands", { epoch: "e1", seq: 7 });
  hear(joined({ room: "islands", recovered: true, seq: 7 }));
  client.enter("islands");
  const loaded = client.loadOlder();
  hear(message(8, { room: "islands" }));
  const page = [message(6, { room: "islands" }), message(8, { room: "islands" })];
  history.resolve({ epoch: "e1", seq: 8, messages: page, more: false });
  await loaded;
  const { messages, older } = client.state.room;
  assert.deepEqual([messages.map(({ seq }) => seq), older], [[6, 8], "idle"]);
});

Deno.test("a place far from the newest messages is apart from them, also where none of them is loaded", async () => {
  const { client, hear, talk, history } = setUp();
  talk();
  client.watch("islands", { epoch: "e1", seq: 99 });
  hear(joined({ room: "islands", recovered: true, seq: 99 }));
  client.enter("islands");
  const loaded = client.loadAround(5);
  history.resolve({ epoch: "e1", seq: 99, messages: [message(5, { room: "islands" })], more: false });
  assert.equal(await loaded, true);
  hear(message(100, { room: "islands" }));
  const { messages, newest } = client.state.room;
  assert.deepEqual([messages, newest?.messages].map((part) => part?.map(({ seq }) => seq)), [[5], [100]]);
});

Deno.test("a page that is ahead of the connection shows no message twice", async () => {
  const { client, hear, talk, history } = setUp();
  talk();
  hear(message(1));
  const loaded = client.loadAround(1);
  history.resolve({ epoch: "e1", seq: 2, messages: [message(1), message(2)], more: false });
  await loaded;
  hear(message(2));
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [1, 2]);
});

Deno.test("the page that was requested last is shown, and not an earlier one that comes late", async () => {
  const pages: PromiseWithResolvers<HistoryPage>[] = [];
  const { client, hear, talk } = setUp({
    fetchHistory() {
      pages.push(Promise.withResolvers());
      return pages.at(-1)!.promise;
    },
  });
  talk();
  hear(joined({ seq: 99, messages: [message(99)], more: true }));
  const results = [client.loadAround(10), client.loadAround(50)];
  for (const [index, seq] of [10, 50].entries()) {
    pages[index].resolve({ epoch: "e1", seq: 99, messages: [message(seq)], more: true });
  }
  assert.deepEqual(await Promise.all(results), [false, true]);
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [50]);
});

Deno.test("an answer to a request to join from before one left means nothing to a room that begins anew", () => {
  const { client, hear, talk, sent } = setUp();
  talk();
  client.watch("islands", { epoch: "e1", seq: 7 });
  const [first] = sent;
  client.leave("islands");
  client.enter("islands");
  hear(joined({ room: "islands", recovered: true, seq: 8, messages: [message(8, { room: "islands" })], id: first.id }));
  const page = [message(7, { room: "islands" }), message(8, { room: "islands" })];
  hear(joined({ room: "islands", seq: 8, messages: page, id: sent.at(-1)?.id }));
  assert.deepEqual(client.state.room.messages.map(({ seq }) => seq), [7, 8]);
});

Deno.test("who enters a room that is joined already joins the rest", () => {
  const { client, hear, talk, sent } = setUp();
  talk();
  client.enter("islands");
  client.watch("quiet", null);
  client.enter("general");
  hear(joined({ room: "islands", id: sent.at(-1)?.id }));
  assert.deepEqual(sent.map((frame) => "room" in frame && frame.room), ["islands", "quiet"]);
});

Deno.test("a reader of older messages sees what was deleted while the connection was lost for long", async () => {
  let requests = 0;
  const { client, clock, hear, talk, lose, connect } = setUp({
    fetchHistory(_, query) {
      assert.deepEqual(query, { after: 0, limit: 200 });
      if (++requests === 1) return Promise.reject(new Error("offline"));
      const messages = [message(1, { deleted: true, text: undefined }), message(2)];
      return Promise.resolve({ epoch: "e1", seq: 5_000, messages, more: true });
    },
  });
  talk();
  hear(message(1), message(2));
  client.setAtNewest(false);
  lose();
  connect();
  hear(joined({ seq: 5_000, messages: [message(5_000)], more: true }));
  await clock.advance(RETRY_DELAY);
  const { messages, newest } = client.state.room;
  assert.deepEqual(messages.map(({ text }) => text), [undefined, "text 2"]);
  assert.deepEqual([newest?.messages.length, requests], [1, 2]);
});

Deno.test("who leaves a room that is about to be joined joins the next one", () => {
  const { client, talk, sent } = setUp();
  talk();
  client.watch("islands", null);
  client.watch("hills", null);
  client.leave("islands");
  assert.deepEqual(sent.map((frame) => [frame.action, "room" in frame && frame.room]), [
    ["join_room", "islands"],
    ["leave_room", "islands"],
    ["join_room", "hills"],
  ]);
});
