import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import type { CatchUp, History, LogNotification, Storage } from "../storage.ts";
import { type Entry, RESUME_LIMIT } from "../protocol.ts";
import { ChatError } from "../errors.ts";

const message = (text: string) => ({ action: "send_message", room: "general", text }) as const;
const seqs = (entries: Entry[]) => entries.map(({ seq }) => seq);

/** What a client's view of the log is: its page, then what came live. */
function view(client: FakeClient): Entry[] {
  return client.frames.flatMap((frame) =>
    frame.action === "room_joined" ? frame.messages : "seq" in frame ? [frame] : []
  );
}

/** A store whose reads answer only when they are told to. */
function withSlowReads(storage: Storage) {
  const waiting: (() => void)[] = [];
  const { history, read } = storage;
  storage.history = async (...query): Promise<History> => {
    const page = await history.apply(storage, query);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return page;
  };
  storage.read = async (...query): Promise<CatchUp> => {
    const page = await read.apply(storage, query);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return page;
  };
  return async () => {
    waiting.splice(0).forEach((answer) => answer());
    await settle();
  };
}

/** A store whose subscribers hear what `change` makes of a notification. */
function withFaultyNotifications(
  storage: Storage,
  change: (notification: LogNotification, pass: (notification: LogNotification) => void) => void,
) {
  const { subscribe } = storage;
  storage.subscribe = (room, listener) =>
    subscribe.call(storage, room, (notification) => change(notification, listener));
}

Deno.test("messages sent while somebody joins are neither lost nor doubled for them", async () => {
  const { chat, storage } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("before"));
  const answer = withSlowReads(storage);
  const bob = await FakeClient.enter(chat, "bob");
  await ann.send(message("during"), message("during, too"));
  assert.deepEqual(view(bob), []);
  await answer();
  await ann.send(message("after"));
  assert.deepEqual(seqs(view(bob)), [1, 2, 3, 4]);
  assert.deepEqual(bob.last("room_joined").seq, 1);
});

Deno.test("the first two in a room, whose pages come in any order, miss nothing", async () => {
  const { chat, storage } = createChat();
  const append = (text: string) => storage.append([{ ...message(text), user: "ann", from: "Ann" }]);
  await append("one");
  const waiting: (() => void)[] = [];
  const { history } = storage;
  storage.history = async (...query) => {
    const page = await history.apply(storage, query);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return page;
  };
  const early = await FakeClient.enter(chat, "early");
  await append("two");
  const late = await FakeClient.enter(chat, "late");
  waiting[1]();
  await settle();
  waiting[0]();
  await settle();
  waiting.slice(2).forEach((answer) => answer());
  await settle();
  await append("three");
  await settle();
  assert.deepEqual(seqs(view(late)), [1, 2, 3]);
  assert.deepEqual(seqs(view(early)), [1, 2, 3]);
});

Deno.test("a resume brings exactly what was missed, each entry with its own action", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message("one"), message("two"));
  const { epoch } = bob.last("room_joined");
  bob.session.end();
  await ann.send(
    message("three"),
    { action: "edit_message", room: "general", target: 1, text: "ONE" },
    { action: "delete_message", room: "general", target: 2 },
  );
  const back = await FakeClient.enter(chat, "bob", []);
  await back.send({ action: "join_room", room: "general", since: { epoch, seq: 2 } });
  const joined = back.last("room_joined");
  assert.equal(joined.recovered, true);
  assert.deepEqual(
    joined.messages.map(({ action, seq }) => [action, seq]),
    [["receive_message", 3], ["message_edited", 4], ["message_deleted", 5]],
  );
  await back.send({ action: "join_room", room: "general", since: { epoch, seq: 5 } });
  assert.deepEqual([back.last("room_joined").recovered, back.last("room_joined").messages], [true, []]);
});

Deno.test("a gap that can't be filled completely brings the newest page and says so", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  for (let at = 0; at < RESUME_LIMIT + 1; at += 100) {
    await ann.send(...Array.from({ length: 100 }, () => message("x")));
  }
  const { epoch } = ann.last("room_joined");
  const head = ann.last("receive_message").seq;
  const cases = {
    "too long": { epoch, seq: 0 },
    future: { epoch, seq: head + 1 },
    "other epoch": { epoch: "?", seq: head },
  };
  for (const [what, since] of Object.entries(cases)) {
    const bob = await FakeClient.enter(chat, "bob", []);
    await bob.send({ action: "join_room", room: "general", since });
    const { recovered, messages, more, seq } = bob.last("room_joined");
    assert.deepEqual({ recovered, more, seq, length: messages.length }, {
      recovered: false,
      more: true,
      seq: head,
      length: 50,
    }, what);
  }
  const bob = await FakeClient.enter(chat, "bob", []);
  await bob.send({ action: "join_room", room: "general", since: { epoch, seq: head - RESUME_LIMIT }, limit: 1 });
  assert.equal(bob.last("room_joined").messages.length, RESUME_LIMIT);
  await bob.send({ action: "join_room", room: "general", limit: 1_000 });
  assert.equal(bob.last("room_joined").messages.length, 200);
});

Deno.test("notifications that get lost, doubled or out of order are put right from the log", async () => {
  const { chat, storage } = createChat();
  let faults: ((notification: LogNotification, pass: (notification: LogNotification) => void) => void)[] = [];
  withFaultyNotifications(
    storage,
    (notification, pass) => (faults.shift() ?? ((notification, pass) => pass(notification)))(notification, pass),
  );
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  let late = () => {};
  faults = [
    () => {},
    (notification, pass) => pass(notification),
    (notification, pass) => (pass(notification), pass(notification)),
    (notification, pass) => late = () => pass(notification),
    (notification, pass) => (pass(notification), late()),
    (notification, pass) => pass({ ...notification, entries: notification.entries.toReversed() }),
  ];
  for (const text of ["lost", "told", "doubled", "late", "early"]) await ann.send(message(text));
  await ann.send(message("b"), message("a"));
  assert.deepEqual(faults, []);
  assert.deepEqual(seqs(view(bob)), [1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(view(bob), view(ann));
});

Deno.test("a notification without entries makes the room read the log, also while somebody joins", async () => {
  const { chat, storage } = createChat();
  withFaultyNotifications(storage, ({ epoch }, pass) => pass({ epoch, entries: [] }));
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("one"), message("two"));
  assert.deepEqual(seqs(view(ann)), [1, 2]);
  const answer = withSlowReads(storage);
  const bob = new FakeClient(chat, "bob");
  await settle();
  await ann.send(message("three"));
  for (let reads = 0; reads < 4; reads++) await answer();
  assert.deepEqual([seqs(view(ann)), seqs(view(bob))], [[1, 2, 3], [1, 2, 3]]);
  chat.close();
});

Deno.test("a gap that can't be read is read again until the store answers", async () => {
  const { chat, storage, clock } = createChat();
  let lose = true;
  withFaultyNotifications(storage, (notification, pass) => lose ? undefined : pass(notification));
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("lost"));
  lose = false;
  const { read } = storage;
  storage.read = () => Promise.reject(new Error("no answer"));
  await ann.send(message("told"));
  assert.deepEqual(seqs(view(ann)), []);
  await clock.advance(5_000);
  storage.read = read;
  await clock.advance(1_000);
  assert.deepEqual(seqs(view(ann)), [1, 2]);
});

Deno.test("when the epoch changes, everyone in the room is sent it again", async () => {
  const { chat, storage } = createChat();
  let epoch = "";
  const { history, read, subscribe } = storage;
  const renewed = <P extends { epoch: string }>(page: P): P => epoch ? { ...page, epoch } : page;
  storage.history = (...query) => history.apply(storage, query).then(renewed);
  storage.read = (...query) => read.apply(storage, query).then(renewed);
  storage.subscribe = (room, listener) =>
    subscribe.call(storage, room, (notification) => listener(renewed(notification)));
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send(message("old"));
  epoch = "another";
  await ann.send(message("new"));
  for (const client of [ann, bob]) {
    const joined = client.last("room_joined");
    assert.deepEqual([joined.epoch, joined.recovered, joined.seq], ["another", false, 2]);
    assert.equal(client.all("room_joined").length, 2);
  }
  await bob.send(message("newer"));
  assert.equal(ann.last("receive_message").text, "newer");
  assert.deepEqual(ann.all("member_joined").length, 1);
});

Deno.test("someone who joins again while the store fails stays in the room and misses nothing", async () => {
  const { chat, storage, clock } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await clock.advance(1_000); // the page is kept for a moment
  const { history } = storage;
  let fail = () => {};
  storage.history = () => new Promise((_, reject) => fail = () => reject(new Error("no answer")));
  const { error } = console;
  console.error = () => {};
  await bob.send({ action: "join_room", room: "general", id: "again" });
  await ann.send(message("meanwhile"));
  fail();
  await settle();
  console.error = error;
  storage.history = history;
  assert.equal(bob.last("error").code, "unavailable");
  await ann.send(message("afterwards"));
  assert.deepEqual(seqs(view(bob)), [1, 2]);
});

Deno.test("someone whose second join fails before the first is complete has to come back", async () => {
  const { chat, storage } = createChat();
  for (let at = 0; at < 12; at++) await FakeClient.enter(chat, `user ${at}`);
  const bob = await FakeClient.enter(chat, "bob");
  const { read } = storage;
  storage.read = () => Promise.reject(new ChatError("unavailable", "The store does not answer.", 1));
  await bob.send({ action: "join_room", room: "general", since: { epoch: "?", seq: 0 } });
  storage.read = read;
  assert.equal(bob.closed?.code, 1011, "he would be in the room and hear nothing");
});

Deno.test("the page that many joiners share is never older than the newest message", async () => {
  const { chat, storage } = createChat();
  const { history } = storage;
  let reads = 0;
  storage.history = (...query) => {
    reads++;
    return history.apply(storage, query);
  };
  const ann = await FakeClient.enter(chat, "ann");
  await ann.send(message("one"));
  reads = 0;
  const crowd = await Promise.all(Array.from({ length: 20 }, (_, at) => FakeClient.enter(chat, `user ${at}`)));
  assert.equal(reads, 1);
  for (const client of crowd) assert.deepEqual(seqs(view(client)), [1]);
  await ann.send(message("two"), { action: "edit_message", room: "general", target: 1, text: "ONE" });
  const late = await FakeClient.enter(chat, "late");
  assert.deepEqual(late.last("room_joined").messages.map((entry) => "text" in entry && entry.text), ["ONE", "two"]);
});

Deno.test("someone who disconnects while they join is never shown as a member", async () => {
  const { chat, storage, clock } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  await clock.advance(1_000); // the page is kept for a moment
  const answer = withSlowReads(storage);
  const bob = await FakeClient.enter(chat, "bob");
  bob.session.end();
  await answer();
  await clock.advance(10_000);
  assert.deepEqual([...ann.all("member_joined"), ...ann.all("member_left")], []);
});
