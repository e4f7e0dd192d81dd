import assert from "node:assert/strict";
import type { Entry, ReceiveMessage } from "../../chat/protocol.ts";
import { FakeClock, settle } from "../../testing/clock.ts";
import { type Findings, Searcher, type Wanted } from "./searcher.ts";

const message = (seq: number, text = `word ${seq}`): ReceiveMessage => (
  { action: "receive_message", room: "r", seq, user: "ann", from: "Ann", text, date: seq * 1_000 }
);
const page = (seqs: number[], more: { before?: number; seq?: number } = {}) => ({
  status: 200,
  body: {
    room: "r",
    epoch: "e",
    seq: more.seq ?? 100,
    messages: seqs.map((seq) => message(seq)),
    more: more.before !== undefined,
    before: more.before,
  },
});
const want = (text: string, more: Partial<Wanted> = {}): Wanted => ({
  room: "r",
  text,
  user: null,
  until: null,
  ...more,
});

/** A searcher whose answers come when a test gives them. */
function createSearcher() {
  const clock = new FakeClock();
  const asked: { path: string; answer: (answer: { status: number; body: unknown } | "offline") => Promise<void> }[] =
    [];
  const shown: Findings[] = [];
  const searcher = new Searcher({
    clock,
    read(path) {
      const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: unknown }>();
      asked.push({
        path: decodeURIComponent(path).replace("/api/rooms/r/", ""),
        answer: async (answer) => {
          if (answer === "offline") reject(new TypeError("no network"));
          else resolve(answer);
          await settle();
        },
      });
      return promise;
    },
    findByDate: (date) => date === 0 ? Promise.reject(new Error("no network")) : Promise.resolve(date / 1_000),
    changed: (findings) => shown.push(findings),
  });
  const paths = () => asked.map(({ path }) => path);
  const seqs = () => searcher.findings.found.map(({ seq }) => seq);
  return { searcher, clock, asked, paths, seqs, shown };
}

Deno.test("it searches when somebody pauses, once for the same words, and an older answer never replaces a newer one", async () => {
  const { searcher, clock, asked, paths, seqs } = createSearcher();
  for (const text of ["w", "wo", "wor", "wor ", "wor"]) searcher.ask(want(text), 300);
  await clock.advance(299);
  assert.deepEqual([paths(), searcher.findings.phase], [[], "waiting"]);
  await clock.advance(1);
  searcher.ask(want("wor  "), 300);
  await clock.advance(1_000);
  assert.deepEqual(paths(), ["search?q=wor&limit=25"]);
  searcher.ask(want("word"), 300);
  await clock.advance(300);
  assert.equal(paths()[1], "search?q=word&limit=25");
  await asked[1].answer(page([3, 5]));
  await asked[0].answer(page([1]));
  assert.deepEqual([seqs(), searcher.findings.phase, searcher.findings.outdated], [[5, 3], "done", false]);
  searcher.ask(want("word", { user: "bob", until: 9_000 }), 0);
  assert.deepEqual([seqs(), searcher.findings.outdated], [[5, 3], true], "until others are there");
  await settle();
  assert.equal(paths()[2], "search?q=word&limit=25&user=bob&before=9");
  searcher.ask(want("w"), 300);
  await asked[2].answer(page([8]));
  const { phase, refusal } = searcher.findings;
  assert.deepEqual(
    [seqs(), phase, (refusal as { code: string }).code],
    [[], "idle", "bad_query"],
    "and nothing is asked",
  );
  assert.equal(asked.length, 3);
});

Deno.test("older ones come behind those that are there, and where nothing is found it goes on by itself for a while", async () => {
  const { searcher, clock, asked, paths, seqs } = createSearcher();
  searcher.ask(want("word"), 0);
  await settle();
  await asked[0].answer(page([80, 90], { before: 80 }));
  searcher.further();
  searcher.further();
  assert.equal(paths().length, 2, "one at a time");
  await asked[1].answer(page([40], { before: 40 }));
  assert.deepEqual([seqs(), searcher.findings.more], [[90, 80, 40], true]);
  searcher.further();
  for (let answer = 0; answer < 5; answer++) {
    assert.match(paths().at(-1)!, new RegExp(`^search.*before=${40 - answer}$`));
    assert.equal(searcher.findings.phase, "searching");
    await asked.at(-1)!.answer(page([], { before: 39 - answer }));
    assert.match(paths().at(-1)!, /^messages\?after=.*&limit=1$/);
    await asked.at(-1)!.answer(page([3]));
    assert.equal(searcher.findings.back, 3_000);
  }
  await clock.advance(60_000);
  const { phase, more } = searcher.findings;
  assert.deepEqual([asked.length, phase, more, seqs()], [12, "done", true, [90, 80, 40]]);
  searcher.further();
  await asked.at(-1)!.answer(page([1]));
  assert.deepEqual([seqs(), searcher.findings.more, searcher.findings.back], [[90, 80, 40, 1], false, null]);
});

Deno.test("what fails says why, and goes on where it was; after too many searches by itself", async () => {
  const { searcher, clock, asked, paths, seqs } = createSearcher();
  searcher.ask(want("word", { until: 0 }), 0);
  await settle();
  assert.deepEqual([searcher.findings.phase, searcher.findings.refusal, asked.length], ["failed", "offline", 0]);
  searcher.ask(want("word"), 0);
  await settle();
  await asked[0].answer("offline");
  assert.equal(searcher.findings.refusal, "offline");
  searcher.retry();
  await settle();
  await asked[1].answer(page([8], { before: 8 }));
  searcher.further();
  const tooFast = { code: "rate_limited", detail: "Wait.", retry_after: 7.5 };
  await asked[2].answer({ status: 429, body: tooFast });
  assert.deepEqual([searcher.findings.refusal, seqs()], [{ code: "rate_limited", message: "Wait." }, [8]]);
  await clock.advance(7_400);
  assert.equal(asked.length, 3);
  await clock.advance(100);
  assert.equal(paths()[3], "search?q=word&limit=25&before=8");
  await asked[3].answer({ status: 502, body: null });
  assert.equal(searcher.findings.refusal, "offline", "something else answers");
  searcher.clear();
  await clock.advance(60_000);
  assert.deepEqual([asked.length, searcher.findings.phase], [4, "idle"]);
});

Deno.test("what is edited or deleted changes in the results, also while they are on their way", async () => {
  const { searcher, asked, paths } = createSearcher();
  const entry = (seq: number, target: number, text?: string): Entry =>
    text === undefined
      ? { action: "message_deleted", room: "r", seq, target, user: "ann", date: seq }
      : { action: "message_edited", room: "r", seq, target, user: "ann", text, date: seq };
  searcher.ask(want("word"), 0);
  await settle();
  searcher.arrived([entry(90, 2, "older than the page"), entry(101, 2, "word, edited"), entry(102, 3)]);
  await asked[0].answer(page([1, 2, 3], { seq: 100 }));
  const texts = () => searcher.findings.found.map(({ text, deleted }) => deleted ? "-" : text);
  assert.deepEqual(texts(), ["-", "word, edited", "word 1"]);
  searcher.arrived([entry(103, 1), { ...entry(7, 2), room: "elsewhere" }, entry(104, 50)]);
  assert.deepEqual(texts(), ["-", "word, edited", "-"]);
  searcher.ask(want("many"), 0);
  await settle();
  await asked[1].answer(page(Array.from({ length: 25 }, (_, at) => 50 + at), { before: 50 }));
  searcher.further();
  await asked[2].answer(page(Array.from({ length: 25 }, (_, at) => 20 + at), { before: 20 }));
  searcher.again();
  await settle();
  assert.equal(
    paths()[3],
    "search?q=many&limit=50",
    "after a time without a connection all of them are asked for again",
  );
});
