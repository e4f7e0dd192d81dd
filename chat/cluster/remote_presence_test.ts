import assert from "node:assert/strict";
import { MemoryStorage } from "../../storage/memory.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { openings } from "../../testing/servers/isolates.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { HEARTBEAT, RECONNECT_GRACE, SILENCE_LIMIT } from "./remote_presence.ts";
import { CLUSTER_EVENT_BYTES, type PresenceEvent } from "../storage.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";

/** Several isolates on one store, with one clock. */
function isolates(count: number) {
  const clock = new FakeClock();
  const store = new MemoryStorage({ clock, secret: "", retention: { messages: 0, days: 0 } });
  return openings(store, count).map((opening) => ({ ...createChat({ clock, storage: opening.storage }), opening }));
}
type Isolate = ReturnType<typeof isolates>[number];

const close = (...all: Isolate[]) => all.forEach(({ chat }) => chat.close());
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
  assert.deepEqual(users(bob), ["ann", "bob"]);
  assert.deepEqual([one.chat.services.cluster.countIn("general"), two.chat.services.cluster.countIn("general")], [
    2,
    2,
  ]);
  assert.deepEqual(came(ann), ["bob"]);
  await bob.send({ action: "leave_room", room: "general" });
  await told(two);
  assert.deepEqual(went(ann), ["bob"]);
  assert.deepEqual([one.chat.services.cluster.countIn("general"), two.chat.services.cluster.countIn("general")], [
    1,
    1,
  ]);
  close(one, two);
});

Deno.test("one person on two isolates is one member, and nobody is told when they move from one to the other", async () => {
  const [one, two, three] = isolates(3);
  const watcher = await FakeClient.enter(three.chat, "watcher");
  const first = await FakeClient.enter(one.chat, "ann");
  await told(one);
  const second = await FakeClient.enter(two.chat, "ann");
  await told(two);
  assert.equal(three.chat.services.cluster.countIn("general"), 2);
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

Deno.test("an isolate that starts later learns of everyone who is there", async () => {
  const clock = new FakeClock();
  const [one, two] = openings(new MemoryStorage({ clock, secret: "", retention: { messages: 0, days: 0 } }), 2);
  const early = { ...createChat({ clock, storage: one.storage }), opening: one };
  const names = Array.from({ length: 150 }, (_, at) => `user${at}`);
  for (const name of names) await FakeClient.enter(early.chat, name);
  const sizes: number[] = [];
  one.loses = (event) => sizes.push(JSON.stringify(event).length) < 0;
  const late = { ...createChat({ clock, storage: two.storage }), opening: two };
  const zoe = await FakeClient.enter(late.chat, "zoe");
  assert.equal(zoe.last("room_joined").count, 151);
  assert.ok(sizes.length > 1 && Math.max(...sizes) < CLUSTER_EVENT_BYTES, "in parts that fit");
  close(early, late);
});

Deno.test("lost events are noticed with the next heartbeat at the latest", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  one.opening.loses = (event) => event.kind === "presence" && event.presence === "changes";
  const ann = await FakeClient.enter(one.chat, "ann");
  await told(one);
  assert.deepEqual(came(bob), []);
  await one.clock.advance(HEARTBEAT);
  assert.deepEqual(came(bob), ["ann"]);
  ann.close(1001, "");
  await one.clock.advance(DISCONNECT_GRACE + 2 * HEARTBEAT);
  assert.deepEqual(went(bob), ["ann"]);
  close(one, two);
});

Deno.test("a snapshot that loses a part is requested again", async () => {
  const [one, two] = isolates(2);
  const bob = await FakeClient.enter(two.chat, "bob");
  one.opening.loses = (event) => event.kind === "presence" && event.presence === "changes";
  for (let at = 0; at < 60; at++) await FakeClient.enter(one.chat, `user${at}`);
  let parts = 0;
  const changes = one.opening.loses;
  const isSnapshot = (event: PresenceEvent) => event.presence === "roster";
  one.opening.loses = (event) => changes(event) || (event.kind === "presence" && isSnapshot(event) && parts++ === 0);
  await one.clock.advance(HEARTBEAT);
  assert.deepEqual(came(bob), []);
  await one.clock.advance(HEARTBEAT);
  assert.equal(two.chat.services.cluster.countIn("general"), 61);
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
  assert.equal(two.chat.services.cluster.countIn("general"), 2);
  assert.deepEqual(went(back), ["cid"]);
  close(one, two);
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
  assert.deepEqual(bob.last("room_joined").members.map(({ name }) => name).includes("Ada"), true);
  await ann.send({ action: "set_name", name: "Ada L" });
  assert.deepEqual(bob.last("name_changed").name, "Ada L");
  close(one, two);
});
