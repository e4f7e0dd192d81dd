/** Answers and reactions through every door: what is refused changes nothing, and what is kept reaches whom it should. */
import assert from "node:assert/strict";
import { type ClientFrame, CLOSE, type MessageReacted, REACTIONS_LIMIT } from "../chat/protocol.ts";
import { TestClient } from "../testing/clients/client.ts";
import { Listener } from "../testing/clients/listener.ts";
import { type RunningServer, startServer } from "../testing/servers/server.ts";
import { until } from "../testing/until.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";
const JSON_TYPE = { "content-type": "application/json" };
let server: RunningServer;

Deno.test.beforeAll(async () => {
  const unlimited = ["MESSAGE_RATE", "MALFORMED_PER_MINUTE", "NEWCOMERS_PER_MINUTE", "READS_PER_MINUTE"];
  const env = Object.fromEntries(unlimited.map((name) => [name, "0"]));
  server = await startServer({ env: { ADMIN_TOKEN, HISTORY_MESSAGES: "6", ...env } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** A person with a socket in this room, who can also post and moderate. */
async function person(room: string, protocols?: string[]) {
  const client = await TestClient.open(server.url, { query: `?room=${encodeURIComponent(room)}`, protocols });
  const { user, name, token } = await client.until("welcome");
  await client.until("room_joined");
  const headers = { authorization: `Bearer ${token}` };
  const post = async (path: string, body: unknown) => {
    const init = { method: "POST", headers: { ...headers, ...JSON_TYPE }, body: JSON.stringify(body) };
    const response = await fetch(server.url + path, init);
    return { status: response.status, body: await response.json() };
  };
  const told = (id: string) => client.frames.filter((frame) => "id" in frame && frame.id === id);
  let asked = 0;
  /** Sends a frame, and waits for its answer or its error. */
  const ask = async (frame: object) => {
    const id = `${user} ${asked++}`;
    client.send({ ...frame, id });
    await until(() => told(id).length > 0);
    return told(id)[0];
  };
  return { client, user, name, headers, post, told, ask };
}

async function moderate(method: string, path: string, body?: object): Promise<number> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...JSON_TYPE };
  const response = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
  await response.body?.cancel();
  return response.status;
}

async function textOf(path: string): Promise<string> {
  return await (await fetch(server.url + path)).text();
}

Deno.test("an answer or a reaction that can't be is told with a code and a sentence, and changes nothing", async () => {
  const [room, elsewhere] = ["refused", "elsewhere"];
  const [ann, bob] = [await person(room), await person(room)];
  for (let at = 1; at <= 16; at++) await ann.ask({ action: "send_message", room: elsewhere, text: `${at}` });
  const say = (text: string) => ann.ask({ action: "send_message", room, text });
  for (const text of ["will expire", "kept", "will be deleted"]) await say(text);
  await ann.ask({ action: "edit_message", room, target: 2, text: "edited" });
  await ann.ask({ action: "delete_message", room, target: 3 });
  await ann.ask({ action: "react", room, target: 2, emoji: "👍", on: true });
  for (const text of ["seven", "eight", "nine", "ten"]) await say(text);

  const targets: [what: string, target: unknown, code: string][] = [
    ["nothing", 99, "not_found"],
    ["zero", 0, "not_found"],
    ["one that has expired", 1, "not_found"],
    ["a deleted one", 3, "not_found"],
    ["an edit", 4, "not_found"],
    ["a deletion", 5, "not_found"],
    ["a reaction", 6, "not_found"],
    ["a message of another room", 15, "not_found"],
    ["less than nothing", -1, "bad_frame"],
    ["a part", 1.5, "bad_frame"],
    ["2^53", 2 ** 53, "bad_frame"],
    ["a text", "2", "bad_frame"],
    ["null", null, "bad_frame"],
    ["a list", [2], "bad_frame"],
  ];
  const emoji: [what: string, emoji: unknown, code: string][] = [
    ["4 KB", "😀".repeat(1_024), "bad_emoji"],
    ["4 KB that begin well", `👍${"\u200d".repeat(2_000)}`, "bad_emoji"],
    ["two", "👍👍", "bad_emoji"],
    ["two different ones", "👍🎉", "bad_emoji"],
    ["letters", "ok", "bad_emoji"],
    ["a digit", "1", "bad_emoji"],
    ["nothing", "", "bad_emoji"],
    ["a space behind", "👍 ", "bad_emoji"],
    ["a line behind", "👍\n", "bad_emoji"],
    ["a heart without its variation selector", "❤", "bad_emoji"],
    ["a thumb with a selector that it does not have", "👍\ufe0f", "bad_emoji"],
    ["a thumb as text", "👍\ufe0e", "bad_emoji"],
    ["half of a flag", "🇰", "bad_emoji"],
    ["a skin tone alone with a joiner", "🏽\u200d", "bad_emoji"],
    ["a name", ":thumbsup:", "bad_emoji"],
    ["half of a pair", "\ud83d", "bad_frame"],
    ["NUL", "👍\0", "bad_frame"],
    ["a number", 5, "bad_frame"],
    ["null", null, "bad_frame"],
    ["nothing at all", undefined, "bad_frame"],
  ];
  const react = { action: "react", room, target: 2, emoji: "👍", on: true };
  const wrong: [what: string, frame: Record<string, unknown>, code: string][] = [
    ...targets.flatMap(([what, seq, code]): typeof wrong => [
      [`an answer to ${what}`, { action: "send_message", room, text: "answer", reply_to: seq }, code],
      [`a reaction to ${what}`, { ...react, target: seq }, code],
      [`a reaction taken back from ${what}`, { ...react, target: seq, on: false }, code],
    ]),
    ...emoji.map(([what, emoji, code]): typeof wrong[number] => [`an emoji: ${what}`, { ...react, emoji }, code]),
    ["a reaction to none", { ...react, target: undefined }, "bad_frame"],
    ["neither on nor off", { ...react, on: undefined }, "bad_frame"],
    ["a word for on", { ...react, on: "yes" }, "bad_frame"],
    ["no such room", { ...react, room: "no room" }, "bad_room"],
  ];
  const statuses: Record<string, number> = { not_found: 404, bad_frame: 400, bad_emoji: 422, bad_room: 422 };
  const state = async () => [
    await textOf(`/api/rooms/${room}/messages`),
    await textOf(`/api/rooms/${room}/messages/2/reactions`),
  ];
  const before = await state();
  for (const [what, frame, code] of wrong) {
    const told = await ann.ask(frame);
    assert.ok(told.action === "error" && told.code === code, `${what}: ${JSON.stringify(told)}`);
    assert.match(told.message, /^[A-Z"].+\.$/s, what);
    const { status, body } = await ann.post("/api/actions", frame);
    assert.deepEqual([status, body.code, body.detail], [statuses[code], code, told.message], what);
    if (frame.action !== "send_message") continue;
    const { text, reply_to } = frame;
    const posted = await ann.post(`/api/rooms/${room}/messages`, { text, reply_to });
    assert.deepEqual([posted.status, posted.body.code], [statuses[code], code], what);
  }
  assert.deepEqual(await state(), before);
  const last = await bob.client.until("receive_message", ({ text }) => text === "ten");
  const next = await say("still here");
  assert.ok(next.action === "receive_message" && next.seq === last.seq + 1);
  await bob.client.until("receive_message", ({ seq }) => seq === next.seq);
  assert.deepEqual(bob.client.frames.slice(bob.client.frames.indexOf(last) + 1), [next], "nobody was told anything");
  await Promise.all([ann, bob].map(({ client }) => client.close()));
});

Deno.test("every form of one emoji is a reaction, told to all as an entry and to its person as stored", async () => {
  const room = "forms";
  const [ann, bob] = [await person(room), await person(room)];
  await ann.ask({ action: "send_message", room, text: "which?" });
  const forms = ["👍", "👍🏽", "❤️", "1️⃣", "🇰🇷", "👨‍👩‍👧‍👦", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👩🏽‍❤️‍💋‍👨🏿"];
  for (const [at, emoji] of forms.entries()) {
    const told = await ann.ask({ action: "react", room, target: 1, emoji, on: true });
    assert.deepEqual(told, { action: "reacted", room, target: 1, emoji, on: true, id: `${ann.user} ${at + 1}` });
    const entry = await bob.client.until("message_reacted", ({ seq }) => seq === at + 2);
    const { date: _, ...rest } = entry;
    const changes = [{ user: ann.user, from: ann.name, emoji, on: true }];
    assert.deepEqual(rest, { action: "message_reacted", room, seq: at + 2, target: 1, changes });
  }
  const again = await ann.post("/api/actions", {
    action: "react",
    room,
    target: 1,
    emoji: "👍",
    on: true,
    id: "again",
  });
  const reacted = { action: "reacted", room, target: 1, emoji: "👍", on: true, id: "again" };
  assert.deepEqual(again, { status: 200, body: reacted }, "what is so already is answered all the same");
  const { messages: [message], seq } = JSON.parse(await textOf(`/api/rooms/${room}/messages`));
  assert.equal(seq, forms.length + 1, "and makes no entry");
  assert.deepEqual(message.reactions, forms.map((emoji) => ({ emoji, count: 1, users: [ann.user] })));
  assert.equal(
    bob.client.frames.some(({ action }) => action === "reacted"),
    false,
    "nobody else is told that it is stored",
  );
  await Promise.all([ann, bob].map(({ client }) => client.close()));
});

Deno.test("a message has so many kinds of reactions and no more, also where many come at once", async () => {
  const room = "kinds";
  const [ann, bob] = [await person(room, ["chat.batch.v1"]), await person(room)];
  await ann.ask({ action: "send_message", room, text: "all of them" });
  const kinds = Array.from({ length: REACTIONS_LIMIT + 2 }, (_, at) => String.fromCodePoint(0x1f600 + at));
  const react = (emoji: string, on = true) => ({ action: "react", room, target: 1, emoji, on });
  ann.client.send(kinds.map((emoji) => ({ ...react(emoji), id: emoji })));
  await until(() => kinds.every((emoji) => ann.told(emoji).length > 0));
  for (const [at, emoji] of kinds.entries()) {
    const [told, ...more] = ann.told(emoji);
    assert.deepEqual(more, []);
    if (at < REACTIONS_LIMIT) assert.equal(told.action, "reacted", emoji);
    else assert.ok(told.action === "error" && told.code === "too_many_reactions", emoji);
  }
  const { status, body } = await bob.post("/api/actions", react("🎉"));
  assert.deepEqual([status, body.code], [409, "too_many_reactions"]);
  assert.match(body.detail, /at most 20 different reactions/);
  assert.equal((await bob.ask(react(kinds[0]))).action, "reacted", "one of those is fine");
  const shown = async () => JSON.parse(await textOf(`/api/rooms/${room}/messages/1`)).reactions;
  const counts = (await shown()).map(({ emoji, count }: { emoji: string; count: number }) => [emoji, count]);
  assert.deepEqual(counts, kinds.slice(0, REACTIONS_LIMIT).map((emoji, at) => [emoji, at === 0 ? 2 : 1]));
  assert.equal((await ann.ask(react(kinds[1], false))).action, "reacted");
  assert.equal((await bob.ask(react("🎉"))).action, "reacted", "there is room again");
  assert.equal((await shown()).at(-1).emoji, "🎉");
  await Promise.all([ann, bob].map(({ client }) => client.close()));
});

Deno.test("in a locked room reactions are only taken back, and who is banned does neither", async () => {
  const room = "locked";
  const ann = await person(room);
  await ann.ask({ action: "send_message", room, text: "quiet" });
  const react = (emoji: string, on: boolean) => ({ action: "react", room, target: 1, emoji, on });
  for (const emoji of ["👍", "🎉"]) await ann.ask(react(emoji, true));
  assert.equal(await moderate("PATCH", `/api/rooms/${room}`, { locked: true }), 200);
  const refused = await ann.ask(react("👀", true));
  assert.ok(refused.action === "error" && refused.code === "forbidden");
  assert.match(refused.message, /locked/);
  const answer = await ann.ask({ action: "send_message", room, text: "answer", reply_to: 1 });
  assert.ok(answer.action === "error" && answer.code === "forbidden");
  const posted = await ann.post("/api/actions", react("👀", true));
  assert.deepEqual([posted.status, posted.body.code], [403, "forbidden"]);
  assert.equal((await ann.ask(react("👍", false))).action, "reacted");
  const off = await ann.post("/api/actions", react("🎉", false));
  assert.deepEqual([off.status, off.body.on], [200, false]);
  assert.equal("reactions" in JSON.parse(await textOf(`/api/rooms/${room}/messages/1`)), false);
  assert.equal(await moderate("PATCH", `/api/rooms/${room}`, { locked: false }), 200);

  await ann.ask(react("👍", true));
  assert.equal(await moderate("POST", "/api/bans", { user: ann.user, minutes: 5 }), 201);
  assert.equal((await ann.client.closed).code, CLOSE.notAllowed);
  for (const frame of [react("🎉", true), react("👍", false)]) {
    const { status, body } = await ann.post("/api/actions", frame);
    assert.deepEqual([status, body.code], [403, "forbidden"]);
  }
  const { reactions } = JSON.parse(await textOf(`/api/rooms/${room}/messages/1`));
  assert.deepEqual(reactions, [{ emoji: "👍", count: 1, users: [ann.user] }]);
});

Deno.test("what a moderator deletes loses its reactions too, for whoever reads, resumes or asks who", async () => {
  const room = "deleted";
  const ann = await person(room);
  await ann.ask({ action: "send_message", room, text: "bad words" });
  await ann.ask({ action: "send_message", room, text: "an answer", reply_to: 1 });
  await ann.ask({ action: "react", room, target: 1, emoji: "👍", on: true });
  await ann.ask({ action: "react", room, target: 2, emoji: "🎉", on: true });
  const { epoch } = await ann.client.until("room_joined");
  assert.equal(await moderate("DELETE", `/api/rooms/${room}/messages/1`), 200);

  const message = JSON.parse(await textOf(`/api/rooms/${room}/messages/1`));
  assert.deepEqual([message.deleted, "text" in message, "reactions" in message], [true, false, false]);
  assert.equal(await textOf(`/api/rooms/${room}/messages/1/reactions`), '{"reactions":[],"more":false}');
  const page = await (await fetch(`${server.url}/api/rooms/${room}/messages`, { headers: ann.headers })).json();
  assert.deepEqual(page.reacted, { 2: ["🎉"] });
  const resume: ClientFrame = { action: "join_room", room, since: { epoch, seq: 0 } };
  const missed = await ann.ask(resume);
  assert.ok(missed.action === "room_joined" && missed.recovered);
  const [first, second] = missed.messages.filter((entry): entry is MessageReacted =>
    entry.action === "message_reacted"
  );
  assert.deepEqual([first.seq, first.changes, second.changes.length], [3, [], 1], "their places stay");
  const refused = await ann.ask({ action: "react", room, target: 1, emoji: "👍", on: false });
  assert.ok(refused.action === "error" && refused.code === "not_found");
  const answer = JSON.parse(await textOf(`/api/rooms/${room}/messages/2`));
  assert.deepEqual([answer.reply_to, answer.text], [1, "an answer"], "what answered it stays");
  await ann.client.close();
});

Deno.test("an event stream brings reactions as entries with their ids, and resumes behind them in order", async () => {
  const room = "stream";
  const [ann, bob] = [await person(room), await person(room)];
  const listener = await Listener.open(server.url, room, bob.headers);
  const { epoch } = await listener.until("room_joined");
  await ann.ask({ action: "send_message", room, text: "one" });
  await ann.ask({ action: "react", room, target: 1, emoji: "👍", on: true });
  await bob.post("/api/actions", { action: "react", room, target: 1, emoji: "👍", on: true });
  await listener.until("message_reacted", ({ seq }) => seq === 3);
  const entries = listener.events.filter(({ id }) => id !== undefined).slice(1);
  assert.deepEqual(entries.map(({ event, id }) => [event, id]), [
    ["receive_message", `${epoch}:1`],
    ["message_reacted", `${epoch}:2`],
    ["message_reacted", `${epoch}:3`],
  ]);
  assert.equal(
    listener.events.some(({ event }) => event === "reacted"),
    false,
    "not even one's own: the post was answered",
  );
  await listener.close();
  await ann.ask({ action: "send_message", room, text: "two", reply_to: 1 });
  await ann.ask({ action: "react", room, target: 1, emoji: "👍", on: false });
  const back = await Listener.open(server.url, room, { ...bob.headers, "last-event-id": entries[1].id! });
  const { recovered, messages, reacted } = await back.until("room_joined");
  assert.deepEqual([recovered, reacted], [true, undefined]);
  assert.deepEqual(messages.map(({ action, seq }) => [action, seq]), [
    ["message_reacted", 3],
    ["receive_message", 4],
    ["message_reacted", 5],
  ]);
  await back.close();
  await Promise.all([ann, bob].map(({ client }) => client.close()));
});
