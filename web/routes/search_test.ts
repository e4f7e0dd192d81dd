/** Finding what has been said over HTTP: real servers, with an index and without one. */
import assert from "node:assert/strict";
import { type RunningServer, startServer } from "../../testing/servers/server.ts";

const ADMIN_TOKEN = "a token of the tests, long enough";
const UNLIMITED = { MESSAGE_RATE: "0", READS_PER_MINUTE: "0", NEWCOMERS_PER_MINUTE: "0" };

async function person({ url }: RunningServer) {
  const response = await fetch(`${url}/api/session`, { method: "POST" });
  const { user, token } = await response.json();
  const headers = { authorization: `Bearer ${token}` };
  return { user, headers, act };

  async function act(frame: object) {
    const answer = await fetch(`${url}/api/actions`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body: JSON.stringify(frame),
    });
    return await answer.json();
  }
}

/** Asks as it stands, so that what no URL would have can be sent too. */
async function ask({ url }: RunningServer, room: string, query: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/api/rooms/${room}/search${query}`, { headers });
  return { status: response.status, headers: response.headers, body: await response.json() };
}

const q = (words: string, more = "") => `?q=${encodeURIComponent(words)}${more}`;

for (const engine of ["sqlite", "memory"]) {
  Deno.test(`a page has what is found as it is now, and says where to go on (${engine})`, async () => {
    const env = { ...UNLIMITED, ADMIN_TOKEN, ...(engine === "memory" && { DATABASE_URL: "memory:" }) };
    const server = await startServer({ env });
    const [ann, bob] = [await person(server), await person(server)];
    const room = "found";
    const say = (who: typeof ann, text: string) => who.act({ action: "send_message", room, text });
    await say(ann, "Coffee at three?");
    await say(bob, "no coffee for me");
    await say(ann, "커피한잔 마셔요");
    await say(ann, "coffee without words");
    await ann.act({ action: "edit_message", room, target: 4, text: "tea then" });
    await say(ann, "the last coffee");
    await ann.act({ action: "delete_message", room, target: 6 });
    await bob.act({ action: "react", room, target: 1, emoji: "👍", on: true });
    const find = async (query: string, headers = {}) => (await ask(server, "FOUND", query, headers)).body;
    const seqs = async (query: string) => (await find(query)).messages.map(({ seq }: { seq: number }) => seq);

    const history = await (await fetch(`${server.url}/api/rooms/${room}/messages`)).json();
    const { headers, body } = await ask(server, room, q("COFF"));
    assert.deepEqual(body, { ...history, messages: history.messages.slice(0, 2) });
    assert.deepEqual([body.seq, body.more, "before" in body], [8, false, false]);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("set-cookie"), null, "nobody is made");
    assert.deepEqual(await seqs(q("커피")), [3]);
    assert.deepEqual(await seqs(q('"coffee at"')), [1]);
    assert.deepEqual(await seqs(q('"at coffee"')), []);
    assert.deepEqual(await seqs(q("me coffee")), [2]);
    assert.deepEqual(await seqs(q("coffee", `&user=${bob.user}`)), [2]);
    assert.deepEqual(await seqs(q("coffee", "&user=nobody")), []);
    assert.deepEqual(await seqs(q("coffee", "&before=2")), [1]);
    assert.deepEqual(await seqs(q("tea")), [4]);
    assert.deepEqual(await seqs(q("coffee", "&q=tea&page=7&constructor=1")), [1, 2], "the first q, and nothing else");
    const last = await find(q("coffee", "&limit=1"));
    assert.deepEqual([last.messages.map(({ seq }: { seq: number }) => seq), last.more], [[2], true]);
    const first = await find(q("coffee", `&limit=1&before=${last.before}`));
    assert.deepEqual([first.messages.map(({ seq }: { seq: number }) => seq), first.more], [[1], false]);
    assert.equal((await find(q("coffee", "&limit=0&before=999999"))).messages.length, 1, "limits are clamped");

    assert.deepEqual((await find(q("coffee"), bob.headers)).reacted, { 1: ["👍"] });
    assert.equal("reacted" in await find(q("coffee"), ann.headers), false);
    const locking = await fetch(`${server.url}/api/rooms/${room}`, {
      method: "PATCH",
      headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
      body: '{"locked":true}',
    });
    assert.equal((await locking.json()).locked, true);
    assert.deepEqual(await seqs(q("coffee")), [1, 2], "a locked room is searched");
    const { room: name, seq, messages, more } = (await ask(server, "nobody-was-here", q("coffee"))).body;
    assert.deepEqual([name, seq, messages, more], ["nobody-was-here", 0, [], false]);
    await server.stop();
  });
}

Deno.test("whatever is asked, the answer is a page or a code with a sentence that says what to do", async () => {
  const server = await startServer({ env: UNLIMITED });
  const ann = await person(server);
  await ann.act({ action: "send_message", room: "r", text: 'a "quoted" word OR NEAR(me) a*' });
  const TOO_LITTLE = ["", "?q=", "?q=%20", "?user=x", "?q=%22", "?q=%22%22", "?q=*", "?q=a*", "?q=a", "?q=%EA%B0%80"];
  const NOT_TEXT = ["?q=%00", "?q=%ED%A0%80", "?q=%", "?q=%ff%fe", "?q=%F0%9F", "?q=%25%"];
  const LONG = [`?q=${"x".repeat(201)}`, `?q=${"x".repeat(10_000)}`, `?q=${"%EA%B0%80".repeat(1_000)}`];
  for (const query of [...TOO_LITTLE, ...NOT_TEXT, ...LONG]) {
    const { status, body } = await ask(server, "r", query);
    assert.deepEqual([status, body.code], [422, "bad_query"], query.slice(0, 30));
    assert.match(body.detail, /^[A-Z].+\. [A-Z].+\.$/);
  }
  const NOTHING = ["NEAR(", "a OR", "word*", '"quoted', "word) OR (x", "quoted:word", "-word", "{text}: word", "^word"];
  const FOUND = ["\0word", "word\0", "word\ud800", "x".repeat(199) + "é", "quoted\u202eword"];
  for (const words of [...NOTHING, ...FOUND]) {
    const { status, body } = await ask(server, "r", `?q=${encodeURIComponent(words.toWellFormed())}`);
    assert.deepEqual([status, Array.isArray(body.messages)], [200, true], words);
  }
  assert.equal((await ask(server, "r", "?q=word%ED%A0%80%zz%")).status, 200, "broken escapes separate words");
  for (
    const query of [
      ...["x", "", "-1", "1.5", "1e3", "9007199254740992", "%00"].flatMap((value) =>
        ["before", "limit"].map((name) => `?q=word&${name}=${value}`)
      ),
      "?q=word&user=",
      `?q=word&user=${"x".repeat(257)}`,
    ]
  ) {
    const { status, body } = await ask(server, "r", query);
    assert.deepEqual([status, body.code], [400, "bad_frame"], query.slice(0, 40));
    assert.match(body.detail, /^"\w+" is .+\.$/);
  }
  for (const user of ["%00", "%ED%A0%80", "'%20OR%201=1", "%F0%9F%98%80"]) {
    assert.deepEqual((await ask(server, "r", `?q=word&user=${user}`)).body.messages, [], user);
  }
  assert.equal((await ask(server, "no%20room", "?q=word")).body.code, "bad_room");
  assert.equal((await fetch(`${server.url}/api/rooms/r/search?q=word`, { method: "HEAD" })).status, 200);
  await server.stop();
});

Deno.test("a search costs five readings, and where people come with accounts it needs one", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:", READS_PER_MINUTE: "20" } });
  const statuses: number[] = [];
  for (let at = 0; at < 10; at++) statuses.push((await ask(server, "r", "?q=word")).status);
  assert.deepEqual(statuses, [...Array(8).fill(200), 429, 429], "of 40 in two minutes");
  const { body, headers } = await ask(server, "r", "?q=word");
  assert.equal(body.code, "rate_limited");
  assert.ok(Number(headers.get("retry-after")) > 10, "until all five can be taken");
  assert.equal((await ask(server, "r", "?q=a")).status, 422, "what is not searched for costs nothing");
  const withAccounts = await startServer({
    env: {
      DATABASE_URL: "memory:",
      AUTH_JWT_SECRET: "x".repeat(32),
      AUTH_ISSUER: "https://issuer.example",
      AUTH_AUDIENCE: "parley",
    },
  });
  assert.deepEqual(await ask(withAccounts, "r", "?q=word").then(({ status, body }) => [status, body.code]), [
    401,
    "forbidden",
  ]);
  await Promise.all([server.stop(), withAccounts.stop()]);
});
