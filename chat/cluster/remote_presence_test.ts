import assert from "node:assert/strict";
import { MemoryStorage } from "../../storage/memory.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { openings } from "../../testing/servers/isolates.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { HEARTBEAT, RECONNECT_GRACE, SILENCE_LIMIT } from "./instances.ts";
import { ANSWER_TIMEOUT, COUNTS_MAX_AGE } from "./questions.ts";
import { CLUSTER_EVENT_BYTES, type ClusterEvent } from "../storage.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";

/** Several isolates on one store, with one clock. */
function isolates(count: number) {
  const clock = new FakeClock();
  const store = new MemoryStorage({ clock, secret: "", retention: { messages: 0, days: 0 } });
  return openings(store, count).map((opening) => ({ ...createChat({ clock, storage: opening.storage }), opening }));
}
type Isolate = ReturnType<typeof isolates>[number];

const close = (...all: Isolate[]) => all.forEach(({ chat }) => chat.close());
/** How many people each of them knows in a room, by its members if it holds the room. */
const counts = (room: string, ...all: Isolate[]) =>
  all.map(({ chat }) => chat.services.rooms.find(room)?.members.count ?? 0);
const isUpdate = (event: ClusterEvent) => event.kind === "presence" && event.presence === "update";
const isAnswer = (event: ClusterEvent) => event.kind === "presence" && event.presence === "people";
const isLastPart = (event: ClusterEvent) =>
  event.kind === "presence" && event.presence === "people" && !event.rooms.at(-1)!.more;
const users = (client: FakeClient) => client.last("room_joined").members.map(({ user }) => user);
const came = (client: FakeClient) => client.all("member_joined").map(({ user }) => user);
const went = (client: FakeClient) => client.all("member_left").map(({ user }) => user);
/** Long enough for a change to be told to the others, far shorter than a heartbeat. */
const told = async ({ clock }: Isolate) => {
  await clock.advance(100);
  await settle();
};

Deno.test("people on another isolate are members like any other, also when they come and go", async () => {
  const [one, two] = isolates(2);
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  const bob = await FakeClient.enter(two.chat, "bob");
  await told(two);
  assert.deepEqual([users(bob), came(bob)], [["bob"], ["ann"]], "a moment after the room was opened there");
  const cid = await FakeClient.enter(two.chat, "cid");
  assert.deepEqual(users(cid), ["bob", "ann", "cid"]);
  await cid.send({ action: "leave_room", room: "general" });
  assert.deepEqual(counts("general", one, two), [2, 2]);
  await told(two);
  assert.deepEqual([came(ann), went(ann)], [["bob"], []], "of who came and went at once nobody is told");
  await bob.send({ action: "leave_room", room: "general" });
  await told(two);
  assert.deepEqual(went(ann), ["bob"]);
  assert.deepEqual(counts("general", one, two), [1, 0]);
  close(one, two);
});

Deno.test("one person on two isolates is one member, and nobody is told when they move from one to the other", async () => {
  const [one, two, three] = isolates(3);
  const watcher = await FakeClient.enter(three.chat, "watcher");
  const first = await FakeClient.enter(one.chat, "ann");
  await told(one);
  const second = await FakeClient.enter(two.chat, "ann");
  await told(two);
  assert.equal(counts("general", three)[0], 2);
  first.close(1001, "");
  await one.clock.advance(DISCONNECT_GRACE);
  await told(one);
  assert.deepEqual([came(watcher), went(watcher)], [["ann"], []]);
  second.close(1001, "");
  await two.clock.advance(DISCONNECT_GRACE);
  await told(two);
  assert.deepEqual(went(watcher), ["ann"]);
  close(one, two, three);
});

Deno.test("whoever is renamed has the new name everywhere, also where it came before they did, or never", async () => {
  const [one, two] = isolates(2);
  const watcher = await FakeClient.enter(two.chat, "watcher");
  await told(one);
  // Events of a room may overtake those without one, and be overtaken by them.
  const late: ClusterEvent[] = [];
  one.opening.loses = (event) => isUpdate(event) && late.push(structuredClone(event)) > 0;
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  await ann.send({ action: "set_name", name: "Ann" });
  one.opening.loses = () => false;
  for (const event of late) one.opening.storage.publish(event);
  await told(one);
  assert.deepEqual(watcher.last("name_changed"), {
    action: "name_changed",
    user: "ann",
    name: "Ann",
    was: ann.last("welcome").name,
  });
  one.opening.loses = ({ kind }) => kind === "name_changed";
  await ann.send({ action: "set_name", name: "Anna" });
  await told(one);
  assert.deepEqual(watcher.all("name_changed").map(({ name }) => name), ["Ann", "Anna"]);
  const eve = await FakeClient.enter(two.chat, "eve");
  assert.equal(eve.last("room_joined").members.find(({ user }) => user === "ann")!.name, "Anna");
  one.opening.loses = () => true;
  await ann.send({ action: "set_name", name: "Annie" });
  const phone = await FakeClient.enter(two.chat, "ann");
  assert.deepEqual([phone.last("welcome").name, watcher.last("name_changed").name], ["Annie", "Annie"]);
  assert.ok(phone.last("room_joined").members.some(({ name }) => name === "Annie"));
  one.opening.loses = () => false;
  await ann.send({ action: "set_name", name: "Anne" });
  await told(one);
  assert.equal(watcher.all("name_changed").length, 4, "as a rule it is told once");
  close(one, two);
});

Deno.test("whoever is connected to several isolates has one name on all, also if two are asked for at once", async () => {
  const [one, two, three] = isolates(3);
  const watcher = await FakeClient.enter(three.chat, "watcher");
  const here = await FakeClient.enter(one.chat, "ann");
  const there = await FakeClient.enter(two.chat, "ann");
  await told(one);
  here.session.receive({ action: "set_name", name: "Ann" });
  there.session.receive({ action: "set_name", name: "Anna" });
  await settle();
  await told(one);
  const shown = (client: FakeClient) => client.last("name_changed").name;
  assert.deepEqual([here, there, watcher].map(shown), ["Anna", "Anna", "Anna"], "as the store has it");
  assert.deepEqual(there.all("name_changed").map(({ name }) => name), ["Anna"], "which was asked for there");
  one.opening.loses = ({ kind }) => kind === "name_changed";
  await here.send({ action: "set_name", name: "Anne" });
  await told(one);
  assert.equal(shown(there), "Anna");
  // Once they come again, the store says it.
  await FakeClient.enter(two.chat, "ann");
  await told(two);
  assert.deepEqual([here, there, watcher].map(shown), ["Anne", "Anne", "Anne"]);
  assert.equal(two.chat.services.users.find("ann")!.name, "Anne");
  close(one, two, three);
});

Deno.test("a room that is opened later shows who is there within one answer, in parts that fit", async () => {
  const [early, late] = isolates(2);
  for (let at = 0; at < 400; at++) await FakeClient.enter(early.chat, `${"x".repeat(40)}${at}`);
  await told(early);
  const zoe = await FakeClient.enter(late.chat, "zoe");
  await told(late);
  assert.equal(counts("general", late)[0], 401);
  const answers = late.opening.heard.filter(isAnswer);
  assert.ok(answers.length > 1);
  for (const answer of answers) assert.ok(JSON.stringify(answer).length < CLUSTER_EVENT_BYTES);
  // Also where the room was forgotten, and is opened again before anybody was told.
  await zoe.send({ action: "leave_room", room: "general" });
  assert.equal(late.chat.services.rooms.find("general"), undefined);
  await zoe.send({ action: "join_room", room: "general" });
  await told(late);
  assert.deepEqual(counts("general", early, late), [401, 401]);
  close(early, late);
});

Deno.test("an isolate hears and keeps nothing of rooms that it does not hold", async () => {
  const [one, two] = isolates(2);
  const ann = await FakeClient.enter(one.chat, "ann", ["island"]);
  await FakeClient.enter(two.chat, "bob");
  await told(one);
  ann.close(1001, "");
  await one.clock.advance(DISCONNECT_GRACE + 4 * HEARTBEAT);
  assert.equal(two.chat.services.rooms.find("island"), undefined);
  const other = two.opening.heard.filter((event) => event.kind !== "presence" || event.presence !== "alive");
  assert.deepEqual(other, []);
  // Where one room after the other is opened and left, no trace is left of any: only heartbeats go on.
  const beats = one.clock.waiting;
  for (let at = 0; at < 20; at++) {
    const visitor = await FakeClient.enter(two.chat, "cid", [`room${at}`]);
    await told(two);
    visitor.close(1001, "");
  }
  await two.clock.advance(DISCONNECT_GRACE + 4 * HEARTBEAT);
  assert.equal(two.clock.waiting, beats);
  one.opening.heard.length = 0;
  await two.clock.advance(2 * HEARTBEAT);
  assert.deepEqual(one.opening.heard.map((event) => event.kind === "presence" && event.presence), ["alive", "alive"]);
  close(one, two);
});

Deno.test("a lost change is noticed with the next one, and the last one of a burst soon after it", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  await FakeClient.enter(one.chat, "ann");
  await told(one);
  await one.clock.advance(3 * HEARTBEAT);
  one.opening.loses = isUpdate;
  const cid = await FakeClient.enter(one.chat, "cid");
  await told(one);
  assert.deepEqual(came(bob), ["ann"]);
  one.opening.loses = () => false;
  await FakeClient.enter(one.chat, "dan");
  await told(one);
  assert.deepEqual(came(bob), ["ann", "cid", "dan"]);
  // Also if the question for it gets lost.
  one.opening.loses = isUpdate;
  await FakeClient.enter(one.chat, "eve");
  await told(one);
  one.opening.loses = () => false;
  two.opening.loses = (event) => event.kind === "presence" && event.presence === "check";
  await FakeClient.enter(one.chat, "fay");
  await told(one);
  two.opening.loses = () => false;
  assert.deepEqual(came(bob), ["ann", "cid", "dan"]);
  await one.clock.advance(HEARTBEAT);
  one.opening.loses = isUpdate;
  await one.clock.advance(HEARTBEAT);
  assert.deepEqual(came(bob), ["ann", "cid", "dan", "eve", "fay"]);
  one.opening.loses = () => false;
  await one.clock.advance(2 * HEARTBEAT);
  let lost = 0;
  one.opening.loses = (event) => isUpdate(event) && lost++ === 0;
  cid.close(1001, "");
  await one.clock.advance(DISCONNECT_GRACE + 100);
  assert.deepEqual([lost, went(bob)], [1, []]);
  await one.clock.advance(2 * HEARTBEAT);
  assert.deepEqual(went(bob), ["cid"]);
  close(one, two);
});

Deno.test("that the last one has left is noticed too, although their isolate has forgotten the room", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  let lost = 0;
  one.opening.loses = (event) => isUpdate(event) && lost++ === 0;
  await ann.send({ action: "leave_room", room: "general" });
  await told(one);
  assert.deepEqual([lost, one.chat.services.rooms.find("general"), went(bob)], [1, undefined, []]);
  await one.clock.advance(2 * HEARTBEAT + 100);
  assert.deepEqual(went(bob), ["ann"]);
  // Also if that is lost as well: whoever lives, and does not answer when they are asked, has nobody there.
  await ann.send({ action: "join_room", room: "general" });
  await told(one);
  one.opening.loses = isUpdate;
  await ann.send({ action: "leave_room", room: "general" });
  await one.clock.advance(4 * HEARTBEAT);
  one.opening.loses = () => false;
  assert.deepEqual(went(bob), ["ann"]);
  await two.storage.renewEpoch("general");
  await two.clock.advance(4 * HEARTBEAT);
  assert.deepEqual(went(bob), ["ann", "ann"]);
  close(one, two);
});

Deno.test("a lost question, answer or part of one is asked for again", async () => {
  const [one, two] = isolates(2);
  for (let at = 0; at < 400; at++) await FakeClient.enter(one.chat, `${"x".repeat(40)}${at}`);
  await told(one);
  let lost = 0;
  const losses: [Isolate, (event: ClusterEvent) => boolean][] = [
    [two, isUpdate],
    [one, isAnswer],
    [one, (event) => isLastPart(event) && lost === 0],
  ];
  for (const [isolate, loses] of losses) {
    lost = 0;
    isolate.opening.loses = (event) => loses(event) && ++lost > 0;
    const bob = await FakeClient.enter(two.chat, "bob");
    await told(two);
    assert.ok(lost > 0);
    assert.equal(counts("general", two)[0], 1);
    isolate.opening.loses = () => false;
    await two.clock.advance(2 * HEARTBEAT + 100);
    assert.equal(counts("general", two)[0], 401);
    await bob.send({ action: "leave_room", room: "general" });
    await told(two);
  }
  close(one, two);
});

Deno.test("a room whose log is read again is asked about at most once a heartbeat, and those who are known say little", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  for (let at = 0; at < 50; at++) await FakeClient.enter(one.chat, `user${at}`);
  await told(one);
  await one.clock.advance(4 * HEARTBEAT);
  let lost = 0;
  one.opening.loses = (event) => isUpdate(event) && ++lost > 0;
  const late = await FakeClient.enter(one.chat, "late");
  await told(one);
  one.opening.loses = () => false;
  two.opening.heard.length = 0;
  // As a store does that was out of reach: nobody knows what was missed.
  await two.storage.renewEpoch("general");
  await told(two);
  assert.equal(came(bob).includes("late"), true);
  const asked = () => one.opening.heard.filter((event) => isUpdate(event) && "asks" in event);
  one.opening.heard.length = 0;
  for (let at = 0; at < 50; at++) {
    await two.storage.renewEpoch("general");
    await two.clock.advance(HEARTBEAT / 10);
  }
  assert.ok(asked().length >= 4 && asked().length <= 6, String(asked().length));
  const answers = two.opening.heard.filter(isAnswer).slice(-3);
  assert.equal(answers.length, 3);
  for (const answer of answers) assert.ok(JSON.stringify(answer).length < 200);
  assert.equal(late.closed, undefined);
  close(one, two);
});

Deno.test("many isolates that open the same rooms, or one that opens many, need few events", async () => {
  const all = isolates(20);
  const rooms = Array.from({ length: 30 }, (_, at) => `room${at}`);
  const heard = ({ opening }: Isolate) =>
    opening.heard.filter((event) => event.kind === "presence" && event.presence !== "alive").length;
  for (const [at, { chat }] of all.entries()) await FakeClient.enter(chat, `user${at}`, ["hall"]);
  await all[0].clock.advance(3 * HEARTBEAT);
  assert.deepEqual(counts("hall", ...all), all.map(() => all.length));
  // From each of the others: who has come, with a question, at most two answers, the question again, and its answer.
  for (const isolate of all) assert.ok(heard(isolate) <= 5 * all.length, String(heard(isolate)));

  for (const [at, { chat }] of all.entries()) if (at > 0) await FakeClient.enter(chat, `user${at}`, rooms);
  await all[0].clock.advance(3 * HEARTBEAT);
  for (const { opening } of all) opening.heard.length = 0;
  await FakeClient.enter(all[0].chat, "user0", rooms);
  await told(all[0]);
  for (const room of rooms) assert.deepEqual(counts(room, ...all), all.map(() => all.length));
  assert.ok(heard(all[0]) <= 2 * all.length, "answers about many rooms come together");
  assert.ok(heard(all[1]) <= 2 * rooms.length, "and only to the one that asked");
  close(...all);
});

Deno.test("who holds a room answers those who do not: the list of rooms, the people in one, whether someone is here", async () => {
  const [one, two, three] = isolates(3);
  const { cluster } = three.chat.services;
  const advancing = async <Result>(work: Promise<Result>, milliseconds = ANSWER_TIMEOUT) => {
    await three.clock.advance(milliseconds);
    return await work;
  };
  await one.chat.services.rooms.open("island").preview({});
  await three.chat.moderator.changeRoom("island", { listed: true });
  const people = ["ann", "bob", "cid"];
  for (const user of people) await FakeClient.enter(one.chat, user, ["island"]);
  await FakeClient.enter(two.chat, "ann", ["island"]);
  await told(one);
  const [, island] = await advancing(three.chat.directory.rooms());
  assert.deepEqual([island.room, island.count], ["island", 3]);
  await FakeClient.enter(two.chat, "dan", ["island"]);
  await three.clock.advance(COUNTS_MAX_AGE);
  assert.equal((await advancing(three.chat.directory.rooms()))[1].count, 4);
  const page = await advancing(cluster.peopleIn("island", "ann", 2));
  assert.deepEqual([page.people.map(({ user }) => user), page.more, page.count], [["bob", "cid"], true, 4]);
  assert.deepEqual(await advancing(cluster.peopleIn("nowhere", "", 2)), { people: [], more: false, count: 0 });
  await FakeClient.enter(one.chat, "eve", []);
  assert.equal(await advancing(cluster.isHere("eve"), 0), true, "in no room at all");
  assert.equal(await advancing(cluster.isHere("nobody"), 0), false, "as soon as all have answered");
  two.opening.dead = true;
  assert.equal(await advancing(cluster.isHere("nobody")), false, "who does not answer is not waited for longer");
  assert.equal(three.chat.services.rooms.count, 0);
  close(one, two, three);
});

Deno.test("whatever got lost, everyone is right about who is there soon after the connection is back", async () => {
  const rooms = ["a", "b", "c"];
  for (let seed = 1; seed <= 12; seed++) {
    let state = seed * 7919;
    const below = (limit: number) => Math.floor((state = state * 48271 % 0x7fffffff) / 0x7fffffff * limit);
    const all = isolates(4);
    const [{ clock, storage }] = all;
    const clients: FakeClient[] = [];
    for (const { chat } of all) for (let user = 0; user < 3; user++) clients.push(new FakeClient(chat, `u${user}`, []));
    await settle();
    for (const { opening } of all) opening.loses = (event) => event.kind === "presence" && below(3) === 0;
    for (let step = 0; step < 80; step++) {
      const client = clients[below(clients.length)];
      const action = below(2) === 0 ? "join_room" : "leave_room";
      await client.send({ action, room: rooms[below(rooms.length)] });
      if (below(3) === 0) await clock.advance(below(below(4) === 0 ? HEARTBEAT : 50));
    }
    for (const { opening } of all) opening.loses = () => false;
    for (const room of rooms) await storage.renewEpoch(room);
    await clock.advance(6 * HEARTBEAT);
    for (const room of rooms) {
      const there = clients.filter(({ session }) => session.rooms.has(room)).map(({ session }) => session.person.user);
      for (const { chat } of all) {
        const members = chat.services.rooms.find(room)?.members;
        const known = members && [...members].map(({ user }) => user).toSorted();
        if (known) assert.deepEqual(known, [...new Set(there)].toSorted(), `seed ${seed}, room ${room}`);
      }
    }
    close(...all);
  }
});

Deno.test("an event of another version changes nothing, and ends nothing", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  const before = bob.frames.length;
  const old = { kind: "presence", from: "old" };
  const events = [
    { ...old, presence: "who" },
    { ...old, presence: "alive", version: 3 },
    { ...old, presence: "changes", version: 1, changes: [["general", "ann", "Ann"]] },
    { ...old, presence: "roster", version: 4, part: 0, last: true, users: [["general", "ann", "Ann"]] },
    { ...old, presence: "newer", room: "general" },
    { ...old, presence: "leaving" },
    { kind: "question", from: "new", id: 1, about: "weather" },
    { kind: "answer", room: "general", from: "new", id: 1, weather: "fine" },
  ];
  for (const event of events) one.opening.storage.publish(event as ClusterEvent);
  await told(one);
  assert.equal(bob.frames.length, before);
  close(one, two);
});

Deno.test("the people of an isolate that dies leave once it has been silent for its time, unless they are back", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  await FakeClient.enter(one.chat, "ann");
  await FakeClient.enter(one.chat, "cid");
  await told(one);
  one.opening.dead = true;
  const back = await FakeClient.enter(two.chat, "ann");
  await two.clock.advance(SILENCE_LIMIT - HEARTBEAT);
  assert.deepEqual(went(bob), []);
  await two.clock.advance(2 * HEARTBEAT);
  assert.deepEqual([came(bob).toSorted(), went(bob)], [["ann", "cid"], ["cid"]]);
  assert.equal(counts("general", two)[0], 2);
  assert.deepEqual(went(back), ["cid"]);
  close(one, two);
});

Deno.test("an isolate whose heartbeats get lost lives as long as it asks or answers", async () => {
  for (const kind of ["question", "answer"]) {
    const [one, two] = isolates(2);
    const bob = await FakeClient.enter(two.chat, "bob");
    await FakeClient.enter(one.chat, "ann");
    await told(one);
    one.opening.loses = (event) => event.kind !== kind;
    for (let beat = 0; beat < 6; beat++) {
      for (const { chat } of [one, two]) void chat.services.cluster.isHere("nobody");
      await two.clock.advance(HEARTBEAT);
    }
    assert.deepEqual(went(bob), [], kind);
    close(one, two);
  }
});

Deno.test("an isolate that stalls and comes back has its people back", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  await FakeClient.enter(one.chat, "ann");
  await told(one);
  one.opening.dead = true;
  await two.clock.advance(2 * SILENCE_LIMIT);
  assert.deepEqual(went(bob), ["ann"]);
  one.opening.dead = false;
  await two.clock.advance(HEARTBEAT);
  assert.deepEqual(came(bob), ["ann", "ann"]);
  close(one, two);
});

Deno.test("an isolate that stood still itself does not take the others for dead", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  two.clock.spend(2 * SILENCE_LIMIT);
  await two.clock.advance(2 * HEARTBEAT);
  assert.deepEqual([came(bob), went(bob), came(ann), went(ann)], [["ann"], [], ["bob"], []]);
  one.opening.dead = true;
  await two.clock.advance(SILENCE_LIMIT + HEARTBEAT);
  assert.deepEqual(went(bob), ["ann"]);
  close(one, two);
});

Deno.test("a rolling restart makes no flood of people who leave and come", async () => {
  const [one, two, next] = isolates(3);
  const bob = await FakeClient.enter(two.chat, "bob");
  const users = Array.from({ length: 20 }, (_, at) => `user${at}`);
  for (const user of users) await FakeClient.enter(one.chat, user);
  await told(one);
  assert.equal(came(bob).length, 20);
  one.chat.close();
  for (const user of users.slice(1)) await FakeClient.enter(next.chat, user);
  await next.clock.advance(RECONNECT_GRACE - HEARTBEAT);
  assert.deepEqual([came(bob).length, went(bob)], [20, []]);
  await next.clock.advance(2 * HEARTBEAT);
  assert.deepEqual([came(bob).length, went(bob)], [20, ["user0"]], "who did not come back is gone");
  close(two, next);
});

Deno.test("people on other isolates are shown under their new name too", async () => {
  const [one, two] = isolates(2);
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  await ann.send({ action: "set_name", name: "Ada" });
  const bob = await FakeClient.enter(two.chat, "bob");
  await told(two);
  assert.deepEqual(bob.last("member_joined").name, "Ada");
  await ann.send({ action: "set_name", name: "Ada L" });
  assert.deepEqual(bob.last("name_changed").name, "Ada L");
  close(one, two);
});
