import assert from "node:assert/strict";
import { FakeClock } from "../../testing/clock.ts";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { PersonUsage, REMEMBERED, UsageTable } from "./usage.ts";
import { type LimitReached, RateLimiter } from "./rate_limiter.ts";
import { NO_LIMITS } from "../../testing/limits.ts";
import type { Rates } from "./token_bucket.ts";
import { DISCONNECT_GRACE } from "../rooms/members.ts";
import type { ClientFrame } from "../protocol.ts";
import { ChatError } from "../errors.ts";

const RATES: Rates = { ...NO_LIMITS, messages: { perSecond: 1, burst: 3 }, newcomers: { perSecond: 1, burst: 20 } };

function createLimited(rates: Partial<Rates> = RATES) {
  const clock = new FakeClock();
  const reports: LimitReached[] = [];
  const rateLimiter = new RateLimiter({ ...NO_LIMITS, ...rates }, clock, (reached) => reports.push(reached));
  return { ...createChat({ clock, rateLimiter }), rateLimiter, reports };
}

const message = (id: string): ClientFrame => ({ action: "send_message", room: "general", text: "hi", id });
/** What came back to a client that sent so many frames at once. */
async function sendMany(client: FakeClient, number: number, frame: (at: number) => ClientFrame) {
  const known = client.frames.length;
  for (let at = 0; at < number; at++) client.session.receive(frame(at));
  await client.send();
  return client.frames.slice(known);
}

Deno.test("someone who sends too fast is told how long to wait, and what was refused is shown to nobody", async () => {
  const { chat, clock } = createLimited();
  const [ann, bob] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "bob")];
  await sendMany(ann, 5, (at) => message(`m${at}`));
  await clock.advance(200);
  assert.deepEqual(bob.all("receive_message").map(({ id }) => id), ["m0", "m1", "m2"]);
  const [refused] = ann.all("error");
  assert.deepEqual([refused.code, refused.id, refused.retry_after], ["rate_limited", "m3", 1]);
  await clock.advance(1_000);
  await ann.send(message("m3"));
  await clock.advance(200);
  assert.deepEqual(bob.all("receive_message").map(({ id }) => id), ["m0", "m1", "m2", "m3"]);
  chat.close();
});

Deno.test("a limit holds for the person, also in another tab, under another name and after coming back", async () => {
  const { chat, clock } = createLimited();
  const [first, second] = [await FakeClient.enter(chat, "ann"), await FakeClient.enter(chat, "ann")];
  await sendMany(first, 3, (at) => message(`a${at}`));
  await second.send({ action: "set_name", name: "Somebody" }, message("b"));
  assert.equal(second.last("error").code, "rate_limited");
  for (const client of [first, second]) client.close(1000, "");
  const third = await FakeClient.enter(chat, "ann");
  await third.send(message("c"));
  assert.equal(third.last("error").code, "rate_limited");
  await clock.advance(3_000);
  await third.send(message("d"));
  assert.equal(third.all("error").length, 1);
  chat.close();
});

Deno.test("someone who goes on without waiting gets few answers, is closed with 4029, and is blocked longer each time", async () => {
  const { chat, clock, reports } = createLimited();
  const stays: number[] = [];
  for (let time = 0; time < 9; time++) {
    const ann = await FakeClient.enter(chat, "ann");
    const answers = await sendMany(ann, 200, (at) => message(`${time}-${at}`));
    assert.equal(ann.closed?.code, 4029);
    assert.ok(answers.length <= 60, `${answers.length} answers`);
    let away = 0;
    for (;; away++) {
      await clock.advance(1_000);
      const again = await FakeClient.enter(chat, "ann");
      if (!again.closed) {
        again.close(1000, "");
        break;
      }
      assert.deepEqual([again.closed.code, again.frames], [4029, []]);
    }
    stays.push(away + 1);
  }
  assert.deepEqual(stays, [5, 10, 20, 40, 80, 160, 320, 600, 600]);
  assert.equal(reports.filter(({ limit }) => limit === "flooding").length, 9);
  await clock.advance(2 * 600_000);
  const calm = await FakeClient.enter(chat, "ann");
  await sendMany(calm, 200, (at) => message(`calm-${at}`));
  await clock.advance(5_000);
  assert.equal((await FakeClient.enter(chat, "ann")).closed, undefined, "calm is rewarded");
  chat.close();
});

Deno.test("each kind of frame has its own limit, and a million of them are answered a few times", async () => {
  const rate = { perSecond: 1, burst: 2 };
  const kinds: Record<string, [keyof Rates, (at: number) => ClientFrame]> = {
    joins: ["joins", (at) => ({ action: "join_room", room: `r${at}` })],
    renames: ["renames", (at) => ({ action: "set_name", name: `n${at}` })],
    pings: ["signals", () => ({ action: "ping" })],
    typing: ["signals", () => ({ action: "typing", room: "general" })],
    leaving: ["signals", (at) => ({ action: "leave_room", room: `r${at}` })],
    "joining by sending": ["joins", (at) => ({ action: "send_message", room: `r${at}`, text: "hi" })],
  };
  for (const [what, [limit, frame]] of Object.entries(kinds)) {
    const { chat, clock } = createLimited({ [limit]: rate });
    const ann = await FakeClient.enter(chat, "ann", limit === "joins" ? [] : undefined);
    const answers = await sendMany(ann, 4, frame);
    const errors = answers.filter(({ action }) => action === "error");
    assert.equal(errors.length, 2, what);
    for (const error of errors) assert.equal(error.action === "error" && error.code, "rate_limited", what);
    await sendMany(ann, 1_000_000, frame);
    assert.equal(ann.closed?.code, 4029, what);
    assert.ok(ann.frames.length < 100, `${what}: ${ann.frames.length} frames`);
    await clock.advance(1_000);
    chat.close();
  }
});

Deno.test("frames that make no sense are answered with what is wrong, though not for ever", async () => {
  const { chat } = createLimited({ malformed: { perSecond: 1, burst: 2 } });
  const ann = await FakeClient.enter(chat, "ann");
  const send = async (number: number) => {
    for (let at = 0; at < number; at++) ann.session.receive(new ChatError("bad_json", "No."), {});
    await ann.send();
  };
  await send(3);
  assert.deepEqual(ann.all("error").map(({ code }) => code), ["bad_json", "bad_json", "rate_limited"]);
  await send(100);
  assert.equal(ann.closed?.code, 4029);
  chat.close();
});

Deno.test("many people behind one address may not join more rooms than thirty could, by sockets, streams or requests", async () => {
  const { chat, rateLimiter } = createLimited({ joins: { perSecond: 1, burst: 2 } });
  const join = async (user: string, room: string, address: string) => {
    const client = await FakeClient.enter(chat, user, [room], address);
    return client.all("error").length === 0;
  };
  const joined = [];
  for (let at = 0; at < 70; at++) joined.push(await join(`user${at}`, `room${at}`, "203.0.113.9"));
  assert.equal(joined.filter((has) => has).length, 60);
  assert.throws(() => rateLimiter.admit("one more", "203.0.113.9", "joins"), { code: "rate_limited" });
  assert.ok(await join("elsewhere", "room", "198.51.100.7"));
  chat.close();
});

Deno.test("many people behind one address may not read more than thirty could in ten seconds", () => {
  const { chat, rateLimiter, clock, reports } = createLimited({ reads: { perSecond: 1, burst: 100 } });
  const reads = (from: string, address: string) => {
    for (let at = 0;; at++) {
      try {
        rateLimiter.admit(`${from}${at % 50}`, address, "reads");
      } catch (error) {
        assert.ok(error instanceof ChatError && error.code === "rate_limited" && error.retryAfter! < 1);
        return at;
      }
    }
  };
  assert.equal(reads("ann", "203.0.113.9"), 300);
  assert.deepEqual(reports.at(-1), { limit: "reads", user: "ann0", addressKey: "203.0.113.9" });
  rateLimiter.admit("somebody", "198.51.100.7", "reads");
  clock.spend(1_000);
  assert.equal(reads("bob", "203.0.113.9"), 30);
  chat.close();
});

Deno.test("an address that does not read its answers gets no more until it has read some", () => {
  const { chat, rateLimiter, reports } = createLimited({ answers: 1_000 });
  const address = "203.0.113.9";
  const taken = [
    rateLimiter.underWay(address, 400),
    rateLimiter.answering(address, 599),
    rateLimiter.answering(address, 1),
  ];
  assert.throws(() => rateLimiter.answering(address, 1), { code: "rate_limited", retryAfter: 1 });
  assert.deepEqual(reports, [{ limit: "answers", addressKey: address }]);
  rateLimiter.answering("198.51.100.7", 5_000)();
  taken.pop()!();
  rateLimiter.answering(address, 5_000)();
  for (const each of taken) each();
  const { holders, underWay } = rateLimiter.address(address);
  assert.deepEqual([holders, underWay], [1, 0], "nothing of it is left");
  chat.close();
});

Deno.test("nobody is blocked for what others at their address have used up", async () => {
  const { chat } = createLimited({ joins: { perSecond: 1, burst: 100 } });
  const address = "203.0.113.9";
  for (let at = 0; at < 30; at++) {
    const client = await FakeClient.enter(chat, `greedy${at}`, [], address);
    await sendMany(client, 100, (at) => ({ action: "join_room", room: `r${at % 40}` }));
  }
  const ann = await FakeClient.enter(chat, "ann", [], address);
  const answers = await sendMany(ann, 90, () => ({ action: "join_room", room: "general" }));
  assert.ok(answers.every((frame) => frame.action === "error" && frame.code === "rate_limited"));
  assert.equal(ann.closed, undefined);
  chat.close();
});

Deno.test("many people behind one address may not send more than thirty could", async () => {
  const { chat } = createLimited({ messages: { perSecond: 1, burst: 1 } });
  const results = [];
  for (let at = 0; at < 40; at++) {
    const client = await FakeClient.enter(chat, `user${at}`, ["general"], "203.0.113.9");
    await client.send(message("m"));
    results.push(client.all("error").length);
  }
  assert.equal(results.filter((errors) => errors === 0).length, 30);
  const outsider = await FakeClient.enter(chat, "elsewhere", ["general"], "198.51.100.7");
  await outsider.send(message("m"));
  assert.deepEqual(outsider.all("error"), []);
  chat.close();
});

Deno.test("a flood costs its address newcomers, so that a new identity does not help", async () => {
  const { chat, rateLimiter } = createLimited();
  const address = "203.0.113.9";
  let fresh = 0;
  const admitted = () => {
    try {
      rateLimiter.admitNewcomer(address);
      return true;
    } catch (error) {
      assert.equal((error as ChatError).code, "rate_limited");
      return false;
    }
  };
  while (admitted()) {
    const client = await FakeClient.enter(chat, `fresh${fresh++}`, ["general"], address);
    await sendMany(client, 200, (at) => message(`m${at}`));
  }
  assert.equal(fresh, 2);
  chat.close();
});

Deno.test("no more rooms are held in memory than the setting allows", async () => {
  const { chat, clock } = createLimited({ rooms: 2 });
  const ann = await FakeClient.enter(chat, "ann", ["a", "b"]);
  await ann.send({ action: "join_room", room: "c" });
  assert.equal(ann.last("error").code, "too_many_rooms");
  await ann.send({ action: "leave_room", room: "a" }, { action: "join_room", room: "c" });
  await clock.advance(1_000);
  assert.equal(ann.last("room_joined").room, "c");
  chat.close();
});

Deno.test("one address can't open all rooms that there is place for", async () => {
  const { chat, clock } = createLimited({ rooms: 20, connections: 9 });
  const [ann, eve] = [
    await FakeClient.enter(chat, "ann", ["a"], "one"),
    await FakeClient.enter(chat, "eve", [], "one"),
  ];
  const bob = await FakeClient.enter(chat, "bob", ["b", "c"], "two");
  await eve.send({ action: "join_room", room: "d" }, { action: "join_room", room: "e" });
  assert.equal(eve.last("error").code, "too_many_rooms");
  await eve.send({ action: "join_room", room: "b" });
  assert.equal(eve.last("room_joined").room, "b", "which is there already");
  await bob.send({ action: "leave_room", room: "c" }, { action: "join_room", room: "f" });
  assert.equal(bob.last("room_joined").room, "f");
  ann.session.end();
  await clock.advance(DISCONNECT_GRACE);
  await eve.send({ action: "join_room", room: "e" });
  assert.equal(eve.last("room_joined").room, "e");
  chat.close();
});

Deno.test("rooms that an address has opened count for it for as long as they are held, also once nobody there is connected", async () => {
  const { chat, clock } = createLimited({ rooms: 20, connections: 9 });
  const eve = await FakeClient.enter(chat, "eve", ["a", "b"], "one");
  await FakeClient.enter(chat, "bob", ["a", "b"], "two");
  eve.session.end();
  await clock.advance(10 * DISCONNECT_GRACE);
  const again = await FakeClient.enter(chat, "eve", [], "one");
  await again.send({ action: "join_room", room: "c" });
  assert.equal(again.last("error").code, "too_many_rooms");
  chat.close();
});

Deno.test("the memory of limits is bounded: those gone the longest, with full limits, are forgotten first", () => {
  const rates = { ...NO_LIMITS, messages: { perSecond: 1, burst: 10 } };
  const table = new UsageTable((user) => new PersonUsage(user, rates));
  const visit = (user: string, messages: number, now: number) => {
    const usage = table.enter(user);
    for (let at = 0; at < messages; at++) usage.take("messages", now);
    table.leave(usage, now);
  };
  visit("quiet", 0, 0);
  assert.equal(table.size, 0, "who used up nothing is not remembered at all");
  visit("eager", 10, 0);
  visit("modest", 1, 0);
  for (let at = 2; at < REMEMBERED; at++) visit(`user${at}`, 10, 0);
  assert.equal(table.size, REMEMBERED);
  visit("one more", 10, 2_000);
  assert.equal(table.size, REMEMBERED);
  assert.notEqual(table.enter("eager").take("messages", 0), 0, "still remembered");
  for (let at = 0; at < 1_000; at++) visit(`attack${at}`, 10, 2_000);
  assert.ok(table.size <= REMEMBERED + 1);
});

Deno.test("an address may not open connections without end, not even one after the other", async () => {
  const { clock, rateLimiter, chat } = createLimited({ connections: 10 });
  const opened = () => {
    let count = 0;
    for (let at = 0; at < 100; at++) {
      const address = rateLimiter.connected("203.0.113.9");
      if (rateLimiter.connectionsOver(address) === 0) count++;
      rateLimiter.disconnected(address);
    }
    return count;
  };
  assert.equal(opened(), 20);
  await clock.advance(5_000);
  assert.equal(opened(), 5);
  chat.close();
});
