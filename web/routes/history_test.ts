/** Reading what has been said, answers and reactions with it: a real server, fetch and real sockets. */
import assert from "node:assert/strict";
import type { ClientFrame, HistoryPage, ReceiveMessage } from "../../chat/protocol.ts";
import { TestClient } from "../../testing/clients/client.ts";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";
let server: RunningServer;

Deno.test.beforeAll(async () => {
  const unlimited = ["MESSAGE_RATE", "READS_PER_MINUTE", "NEWCOMERS_PER_MINUTE"].map((name) => [name, "0"]);
  server = await startServer({ env: { ADMIN_TOKEN, ...Object.fromEntries(unlimited) } });
});

Deno.test.afterAll(async () => {
  await server.stop();
});

/** Reads below a room's messages. */
async function read(room: string, path = "", headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}/api/rooms/${room}/messages${path}`, { headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

/** A person without a socket. */
async function person() {
  const response = await fetch(`${server.url}/api/session`, { method: "POST" });
  const cookie = response.headers.get("set-cookie")!.split(";")[0];
  const { user, name, token } = await response.json();
  const headers = { authorization: `Bearer ${token}` };
  const act = async (frame: ClientFrame) => {
    const body = JSON.stringify(frame);
    const answer = await fetch(`${server.url}/api/actions`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
    });
    return await answer.json();
  };
  return { user, name, headers, cookie, act };
}

const seqs = ({ messages }: HistoryPage) => messages.map(({ seq }) => seq);

Deno.test("a message is read by its seq as it is now, and nothing else of the log is", async () => {
  const [ann, bob] = [await person(), await person()];
  const room = "one";
  const say = (text: string, more = {}) => ann.act({ action: "send_message", room, text, ...more });
  const first = await say("first");
  await ann.act({ action: "edit_message", room, target: 1, text: "edited" });
  await bob.act({ action: "react", room, target: 1, emoji: "👍", on: true });
  const answer = await say("answer", { reply_to: 1 });
  assert.equal(answer.reply_to, 1);
  await say("gone", { reply_to: 1 });
  await ann.act({ action: "delete_message", room, target: 5 });

  const { status, body, headers } = await read("ONE", "/1");
  const { edited, ...more } = body;
  const reactions = [{ emoji: "👍", count: 1, users: [bob.user] }];
  assert.deepEqual([status, more], [200, { ...first, text: "edited", reactions, replies: 1 }]);
  assert.ok(edited >= first.date);
  assert.equal(headers.get("cache-control"), "no-store");
  assert.deepEqual((await read(room, "/4")).body, answer);
  const { body: gone } = await read(room, "/5");
  assert.deepEqual([gone.deleted, "text" in gone, gone.reply_to], [true, false, 1]);
  assert.deepEqual((await read(room)).body.messages, [body, answer, gone], "as on a page");

  const head = await fetch(`${server.url}/api/rooms/${room}/messages/1`, { method: "HEAD" });
  assert.equal(head.status, 200);
  for (const seq of ["0", "00", "2", "3", "6", "7", "999999999999999"]) {
    const { status, body: { code, detail } } = await read(room, `/${seq}`);
    assert.deepEqual([status, code], [404, "not_found"], seq);
    assert.match(detail, /no such message/);
    assert.equal((await read(room, `/${seq}/reactions`)).body.code, "not_found", seq);
  }
  for (const seq of ["x", "-1", "1.5", "1e3", "%20", "%00", "9007199254740992", "١"]) {
    const { status, body: { code, detail } } = await read(room, `/${seq}`);
    assert.deepEqual([status, code], [400, "bad_frame"], seq);
    assert.match(detail, /"seq" is a whole number/);
    assert.equal((await read(room, `/${seq}/reactions`)).body.code, "bad_frame", seq);
  }
  assert.equal((await read("nobody-was-here", "/1")).status, 404);
  assert.equal((await read("no%20room", "/1")).body.code, "bad_room");
});

Deno.test("a page has a message in its middle, or the answers to one, and what contradicts itself is told", async () => {
  const ann = await person();
  const room = "pages";
  for (let seq = 1; seq <= 12; seq++) {
    await ann.act({ action: "send_message", room, text: `message ${seq}`, ...(seq > 8 && { reply_to: 2 }) });
  }
  await ann.act({ action: "edit_message", room, target: 6, text: "changed" });
  await ann.act({ action: "delete_message", room, target: 10 });
  const page = async (query: string): Promise<HistoryPage & { room: string }> => (await read(room, query)).body;

  const middle = await page("?around=6&limit=4");
  assert.deepEqual([middle.room, middle.seq, seqs(middle), middle.more], [room, 14, [4, 5, 6, 7], true]);
  assert.equal(middle.messages[2].text, "changed");
  assert.deepEqual(seqs(await page("?around=6&limit=5")), [4, 5, 6, 7, 8]);
  assert.deepEqual(seqs(await page("?around=6&limit=1")), [6]);
  const all = await page("?around=6");
  assert.deepEqual([seqs(all), all.more], [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], false]);
  for (const place of [0, 1]) {
    const { more, ...first } = await page(`?around=${place}&limit=4`);
    assert.deepEqual([seqs({ ...first, more }), more], [[1, 2], false], String(place));
  }
  const edit = await page("?around=13&limit=4");
  assert.deepEqual([seqs(edit), edit.more], [[11, 12], true], "an edit is a place too");
  assert.deepEqual(seqs(await page("?around=999999&limit=2")), [12]);

  const answers = await page("?replies_to=2&limit=2");
  assert.deepEqual([seqs(answers), answers.more], [[9, 11], true], "without the deleted one");
  const rest = await page("?replies_to=2&limit=2&after=11");
  assert.deepEqual([seqs(rest), rest.more], [[12], false]);
  for (const seq of [1, 9, 13, 999]) assert.deepEqual(seqs(await page(`?replies_to=${seq}`)), [], String(seq));
  assert.equal((await page("?after=1&limit=1")).messages[0].replies, 3);

  for (
    const query of [
      "?before=5&after=1",
      "?around=5&before=5",
      "?around=5&after=0",
      "?around=5&replies_to=2",
      "?replies_to=2&before=5",
      "?replies_to=2&before=5&after=1&around=5",
      ...["around", "replies_to"].flatMap((name) =>
        ["x", "", "-1", "1.5", "9007199254740992"].map((value) => `?${name}=${value}`)
      ),
    ]
  ) {
    const { status, body } = await read(room, query);
    assert.deepEqual([status, body.code], [400, "bad_frame"], query);
    assert.match(body.detail, /^[A-Z"].+\.$/);
  }
});

Deno.test("who gave which reaction is read a page at a time, also by whoever is nobody", async () => {
  const room = "crowd";
  const [ann, ...others] = await Promise.all(Array.from({ length: 58 }, person));
  await ann.act({ action: "send_message", room, text: "everyone?" });
  const give = (who: typeof ann, emoji: string, on = true) =>
    who.act({ action: "react", room, target: 1, emoji, on, id: "r" });
  const given = { action: "reacted", room, target: 1, emoji: "🎉", on: true, id: "r" };
  for (const each of [ann, ...others]) assert.deepEqual(await give(each, "🎉"), given);
  await give(others[0], "❤️");
  await give(ann, "❤️");
  assert.deepEqual(await give(ann, "❤️", false), { ...given, emoji: "❤️", on: false });

  const [{ reactions }] = (await read(room)).body.messages as ReceiveMessage[];
  const first = [ann, ...others].slice(0, 5).map(({ user }) => user);
  assert.deepEqual(reactions, [
    { emoji: "🎉", count: 58, users: first },
    { emoji: "❤️", count: 1, users: [others[0].user] },
  ]);
  const people = async (query: string) => await read(room, `/1/reactions${query}`);
  const byId = [ann, ...others].map(({ user, name }) => ({ user, from: name })).sort((one, other) =>
    one.user < other.user ? -1 : 1
  );
  const heart = { emoji: "❤️", count: 1, people: [{ user: others[0].user, from: others[0].name }] };
  const { body, headers } = await people("");
  assert.deepEqual(body, { reactions: [{ emoji: "🎉", count: 58, people: byId.slice(0, 50) }, heart], more: true });
  assert.deepEqual([headers.get("cache-control"), headers.get("set-cookie")], ["no-store", null]);
  const party = `?emoji=${encodeURIComponent("🎉")}`;
  const rest = (await people(`${party}&after=${byId[49].user}`)).body;
  assert.deepEqual(rest, { reactions: [{ emoji: "🎉", count: 58, people: byId.slice(50) }], more: false });
  assert.deepEqual((await people(`?emoji=${encodeURIComponent("❤️")}`)).body, { reactions: [heart], more: false });
  assert.deepEqual((await people(`?emoji=${encodeURIComponent("🙃")}`)).body, { reactions: [], more: false });
  for (const emoji of ["", "x", "🎉🎉", "❤", "👍\ufe0f", "🎉".repeat(1_000)]) {
    const { status, body } = await people(`?emoji=${encodeURIComponent(emoji)}`);
    assert.deepEqual([status, body.code], [422, "bad_emoji"], emoji.slice(0, 9));
  }
  for (const query of ["?after=", `?after=${"x".repeat(257)}`]) {
    assert.equal((await people(query)).body.code, "bad_frame");
  }
});

Deno.test("who is known is told which reactions are theirs, and nobody else is", async () => {
  const room = "mine";
  const everyone = await Promise.all(Array.from({ length: 7 }, person));
  const last = everyone.at(-1)!;
  await last.act({ action: "send_message", room, text: "one" });
  await last.act({ action: "send_message", room, text: "two" });
  for (const each of everyone) await each.act({ action: "react", room, target: 1, emoji: "👀", on: true });
  await last.act({ action: "react", room, target: 2, emoji: "✅", on: true });

  const own = { 1: ["👀"], 2: ["✅"] };
  const { cookie, headers } = last;
  for (const query of ["", "?after=0", "?around=1", "?before=99"]) {
    assert.deepEqual((await read(room, query, headers)).body.reacted, own, query);
  }
  const withCookie = await read(room, "", { cookie });
  assert.deepEqual(withCookie.body.reacted, own);
  assert.equal(withCookie.headers.get("cache-control"), "no-store", "nobody else is given it by a cache");
  assert.deepEqual((await read(room, "?after=1", headers)).body.reacted, { 2: ["✅"] });
  assert.deepEqual((await read(room, "", everyone[0].headers)).body.reacted, { 1: ["👀"] });
  const stranger = await person();
  for (const who of [{}, stranger.headers, { authorization: "Bearer junk" }]) {
    const { body, headers } = await read(room, "", who);
    assert.equal("reacted" in body, false);
    assert.deepEqual([headers.get("set-cookie"), headers.get("x-session-token")], [null, null], "nobody is made");
    assert.deepEqual(body.messages, withCookie.body.messages);
  }
  assert.deepEqual((await last.act({ action: "join_room", room })).reacted, own);
  assert.equal("reacted" in await stranger.act({ action: "join_room", room }), false);
  const socket = await TestClient.open(server.url, { query: `?room=${room}`, headers });
  assert.deepEqual((await socket.until("room_joined")).reacted, own);
  await socket.close();

  const opened = await fetch(`${server.url}/r/${room}`, {
    headers: { cookie, "sec-fetch-mode": "navigate", "sec-fetch-dest": "document" },
  });
  const page = await opened.text();
  assert.match(opened.headers.get("cache-control")!, /private/);
  assert.ok(page.includes(`"reacted":${JSON.stringify(own)}`), "the page brings it");
});
