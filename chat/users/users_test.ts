import assert from "node:assert/strict";
import { settle } from "../../testing/clock.ts";
import { ChatError } from "../errors.ts";
import { openings } from "../../testing/servers/isolates.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { ANSWER_TIMEOUT } from "../cluster/questions.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";
import { CHOSEN_NAME_HOLD, GIVEN_NAME_HOLD } from "./users.ts";

Deno.test("a new name is sent once to everyone who sees the person, and its id to the asker alone", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann", ["a", "b"]);
  const tab = await FakeClient.enter(chat, "ann", []);
  const bob = await FakeClient.enter(chat, "bob", ["a", "b"]);
  const eve = await FakeClient.enter(chat, "eve", ["c"]);
  const was = ann.last("welcome").name;
  await ann.send({ action: "set_name", name: "Ann", id: "n" });
  assert.deepEqual(ann.all("name_changed"), [{ action: "name_changed", user: "ann", name: "Ann", was, id: "n" }]);
  for (const other of [tab, bob]) {
    assert.deepEqual(other.all("name_changed"), [{ action: "name_changed", user: "ann", name: "Ann", was }]);
  }
  assert.deepEqual(eve.all("name_changed"), []);
  await bob.send({ action: "join_room", room: "a" });
  assert.deepEqual(bob.last("room_joined").members.find(({ user }) => user === "ann")!.name, "Ann");
  await ann.send({ action: "send_message", room: "a", text: "it's me" });
  assert.equal(bob.last("receive_message").from, "Ann");
});

Deno.test("a name that somebody else has is name_taken, also in other letters", async () => {
  const { chat } = createChat();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await ann.send({ action: "set_name", name: "Alice" });
  await bob.send({ action: "set_name", name: "ＡLICE", id: "n" });
  assert.equal(bob.last("error").code, "name_taken");
  assert.equal(bob.last("error").id, "n");
  await ann.send({ action: "set_name", name: "alice" });
  assert.equal(ann.last("name_changed").was, "Alice");
  await ann.send({ action: "set_name", name: "Other" });
  await bob.send({ action: "set_name", name: "Alice" });
  assert.equal(bob.last("name_changed").name, "Alice");
});

Deno.test("until when a name is held is told once its holder has left all isolates, and not who that is", async () => {
  const { clock, storage } = createChat();
  const [one, two] = openings(storage, 2).map((opening) => createChat({ clock, storage: opening.storage }).chat);
  const [here, there] = [await FakeClient.enter(one, "ann"), await FakeClient.enter(two, "ann")];
  await here.send({ action: "set_name", name: "Ann" });
  await clock.advance(100); // the isolates tell each other who is where
  const lost = await FakeClient.enter(one, "bob");
  const ask = async () => {
    await lost.send({ action: "set_name", name: "ann", id: "n" });
    await clock.advance(ANSWER_TIMEOUT); // the other isolate is asked who is there
    return lost.last("error");
  };
  const taken = { action: "error", code: "name_taken", id: "n" };
  const message = "Someone else has this name. Choose another one.";
  assert.deepEqual(await ask(), { ...taken, message });
  here.session.end();
  await clock.advance(DISCONNECT_GRACE);
  assert.deepEqual(await ask(), { ...taken, message }, "who is on another isolate is here");
  there.session.end();
  await settle();
  const held_until = clock.now() + CHOSEN_NAME_HOLD;
  await clock.advance(DISCONNECT_GRACE + 100);
  await settle();
  const words = new Date(held_until).toLocaleString("en-GB", {
    dateStyle: "long",
    timeStyle: "short",
    timeZone: "UTC",
  });
  assert.deepEqual(await ask(), {
    ...taken,
    message: `This name is kept for someone else until ${words.replace(" at ", ", ")} UTC. Choose another one.`,
    held_until,
  });
  clock.set(held_until);
  await ask();
  assert.equal(lost.last("name_changed").name, "ann");
  one.close();
  two.close();
});

Deno.test("until when a name is held is told at once when its holder has left, though they may come back", async () => {
  const { chat } = createChat();
  const [lost, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await lost.send({ action: "set_name", name: "Ann" });
  lost.session.end();
  await bob.send({ action: "set_name", name: "Ann" });
  assert.ok(bob.last("error").held_until, "as for whoever has lost their cookie");
});

Deno.test("a name chosen on one isolate is held as a chosen one by every isolate that has its person", async () => {
  const { clock, storage } = createChat();
  const [one, two] = openings(storage, 2).map((opening) => createChat({ clock, storage: opening.storage }).chat);
  const [here, there] = [await FakeClient.enter(one, "ann"), await FakeClient.enter(two, "ann")];
  await here.send({ action: "set_name", name: "Ann" });
  here.session.end();
  clock.set(clock.now() + CHOSEN_NAME_HOLD);
  there.session.end();
  await settle();
  clock.set(clock.now() + CHOSEN_NAME_HOLD - 1);
  const claim = { user: "eve", name: "Ann", key: "ann", until: clock.now() + 1, now: clock.now() };
  assert.deepEqual(await storage.names.claim(claim), { holder: "ann", until: clock.now() + 1 });
  one.close();
  two.close();
});

Deno.test("those who come at once are named in one write, and if that fails all are sent away", async () => {
  const { chat, storage } = createChat();
  const { names } = storage;
  const writes: number[] = [];
  const { give } = names;
  names.give = (offers, ...rest) => {
    writes.push(offers.length);
    return give.call(names, offers, ...rest);
  };
  const rush = Array.from({ length: 50 }, (_, at) => new FakeClient(chat, `user ${at % 40}`));
  await settle();
  assert.deepEqual(writes, [50]);
  const given = rush.map((client) => client.last("welcome").name);
  assert.deepEqual([new Set(given).size, given.slice(40)], [40, given.slice(0, 10)], "two connections have one name");
  // In a rush those of the next turns come together.
  const turn = () => new Promise<void>((resolve) => chat.services.clock.soon(resolve));
  for (let at = 0; at < 2; at++) {
    new FakeClient(chat, `late ${at}`);
    await turn();
  }
  await settle();
  assert.deepEqual(writes, [50, 2]);
  await FakeClient.enter(chat, "alone");
  assert.deepEqual(writes, [50, 2, 1]);

  names.give = () => Promise.reject(new ChatError("unavailable", "No."));
  const refused = [0, 1].map((at) => new FakeClient(chat, `refused ${at}`));
  await settle();
  assert.deepEqual(refused.map(({ closed }) => closed?.code), [1011, 1011]);
  names.give = give;
  await FakeClient.enter(chat, "next").then((client) => client.last("welcome"));
});

Deno.test("the names of all who leave at once are held in one write", async () => {
  const { chat, storage } = createChat();
  for (const user of ["ann", "bob", "cid"]) await FakeClient.enter(chat, user);
  const held: string[][] = [];
  storage.names.hold = (holds) => Promise.resolve(void held.push(holds.map(({ user }) => user)));
  await chat.drain();
  chat.close();
  assert.deepEqual(held, [["ann", "bob", "cid"]]);
});

Deno.test("a given name is held for ten minutes after its person left, a chosen one for seven days", async () => {
  const { chat, clock, storage } = createChat();
  const claim = (key: string) =>
    storage.names.claim({ user: "eve", name: key, key, until: clock.now() + 1, now: clock.now() });
  const ann = await FakeClient.enter(chat, "ann");
  const given = ann.last("welcome").name.toLowerCase();
  await clock.advance(3 * GIVEN_NAME_HOLD);
  assert.ok("holder" in await claim(given), "while she is here");
  ann.session.end();
  await clock.advance(GIVEN_NAME_HOLD - 1);
  assert.deepEqual(await claim(given), { holder: "ann", until: clock.now() + 1 });
  await clock.advance(1);
  assert.ok("name" in await claim(given));

  const bob = await FakeClient.enter(chat, "bob");
  await bob.send({ action: "set_name", name: "Bob" });
  bob.session.end();
  await clock.advance(CHOSEN_NAME_HOLD - 1);
  assert.deepEqual(await claim("bob"), { holder: "bob", until: clock.now() + 1 });
  assert.equal((await FakeClient.enter(chat, "bob")).last("welcome").name, "Bob");
});
