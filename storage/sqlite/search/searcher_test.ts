import assert from "node:assert/strict";
import { FakeClock, settle } from "../../../testing/clock.ts";
import { quietly } from "../../../testing/quietly.ts";
import { SqliteStorage } from "../sqlite.ts";
import type { Wanted } from "./find.ts";
import { MOST_SEARCHES_WAITING } from "../../shared/search_result.ts";
import { LONGEST_SILENCE, LONGEST_WAIT, Searcher, type SearchWorker } from "./searcher.ts";
import type { Order, Report } from "./worker.ts";
import { WORKER_URL } from "./worker_url.ts";

const wanted = (room: number): Wanted => (
  { room, phrases: ["word"], before: 10, limit: 5, floor: 0, oldest: 0, ordinalFloor: -1 }
);
const UNAVAILABLE = { code: "unavailable" };

/** A worker that answers when a test says so. */
class FakeWorker implements SearchWorker {
  onmessage: Worker["onmessage"] = null;
  onerror: Worker["onerror"] = null;
  readonly orders: Order[] = [];
  isEnded = false;

  postMessage(order: Order): void {
    this.orders.push(order);
    if (order.kind === "close") this.answer({ kind: "closed" });
  }

  terminate(): void {
    this.isEnded = true;
  }

  answer(report: Report): void {
    this.onmessage?.call(null as unknown as Worker, { data: report } as MessageEvent);
  }

  found(seq: number): void {
    this.answer({ kind: "found", found: { seqs: [seq] } });
  }

  fail(): void {
    this.onerror?.call(null as unknown as Worker, { message: "it broke", preventDefault() {} } as ErrorEvent);
  }

  get rooms(): number[] {
    return this.orders.flatMap((order) => order.kind === "find" ? [order.wanted.room] : []);
  }
}

function setUp() {
  const clock = new FakeClock();
  const workers: FakeWorker[] = [];
  let broken = 0;
  const searcher = new Searcher("chat.db", clock, () => broken++, () => {
    workers.push(new FakeWorker());
    return workers.at(-1)!;
  });
  return { clock, workers, searcher, broken: () => broken };
}

Deno.test("one search comes after the other, in a worker that is started for the first one", async () => {
  const { workers, searcher } = setUp();
  assert.equal(workers.length, 0);
  const both = [searcher.find(wanted(1)), searcher.find(wanted(2))];
  const [worker] = workers;
  assert.deepEqual(worker.orders[0], { kind: "open", path: "chat.db" });
  assert.deepEqual(worker.rooms, [1]);
  const done: string[] = [];
  searcher.between(() => done.push(`between, after ${worker.rooms}`));
  assert.equal(done.length, 0);
  worker.found(7);
  assert.deepEqual([...done], ["between, after 1"], "nobody reads the file now");
  worker.found(8);
  assert.deepEqual(await Promise.all(both), [{ seqs: [7] }, { seqs: [8] }]);
  searcher.between(() => done.push("at once"));
  assert.equal(done.length, 2);
  await searcher.close();
  assert.ok(worker.isEnded);
  await assert.rejects(searcher.find(wanted(3)), UNAVAILABLE);
});

Deno.test("a worker that dies or falls silent is replaced for those who wait, and only its own search fails", async () => {
  const { clock, workers, searcher } = setUp();
  const said = await quietly(async () => {
    const [first, second] = [searcher.find(wanted(1)), searcher.find(wanted(2))];
    workers[0].fail();
    await assert.rejects(first, UNAVAILABLE);
    assert.ok(workers[0].isEnded);
    workers[0].found(99);
    workers[1].found(7);
    assert.deepEqual(await second, { seqs: [7] });
    const third = searcher.find(wanted(3));
    const silent = assert.rejects(third, UNAVAILABLE);
    await clock.advance(LONGEST_SILENCE);
    await silent;
    const fourth = searcher.find(wanted(4));
    assert.deepEqual(workers[2].rooms, [4]);
    workers[2].found(8);
    assert.deepEqual(await fourth, { seqs: [8] });
  });
  assert.match(said, /died \(it broke\).*died \(it fell silent\)/);
  await searcher.close();
});

Deno.test("an error is that of one search, and a broken index is told of", async () => {
  const { workers, searcher, broken } = setUp();
  const said = await quietly(async () => {
    const [first, second] = [searcher.find(wanted(1)), searcher.find(wanted(2))];
    workers[0].answer({ kind: "failed", message: "malformed", isBroken: true });
    await assert.rejects(first, UNAVAILABLE);
    workers[0].found(1);
    await second;
  });
  assert.match(said, /could not be searched: malformed/);
  assert.deepEqual([workers.length, broken()], [1, 1]);
  await searcher.close();
});

Deno.test("who would wait for too long, or behind too many, is refused", async () => {
  const { clock, workers, searcher } = setUp();
  const first = searcher.find(wanted(1));
  const waiting = Array.from({ length: MOST_SEARCHES_WAITING }, (_, at) => searcher.find(wanted(2 + at)));
  await assert.rejects(searcher.find(wanted(99)), { ...UNAVAILABLE, retryAfter: 1 });
  const refused = Promise.all(waiting.map((each) => assert.rejects(each, UNAVAILABLE)));
  await clock.advance(LONGEST_WAIT);
  await refused;
  workers[0].found(1);
  assert.deepEqual(await first, { seqs: [1] });
  assert.deepEqual(workers[0].rooms, [1], "nobody waits any more");
  assert.equal(clock.waiting, 0);
  const last = searcher.find(wanted(5));
  const closed = assert.rejects(last, UNAVAILABLE);
  await searcher.close();
  await closed;
});

Deno.test("a real worker that throws is replaced by one that searches", async () => {
  const folder = await Deno.makeTempDir();
  const clock = new FakeClock();
  const path = `${folder}/chat.db`;
  const storage = await SqliteStorage.open(path, { clock, retention: { messages: 0, days: 0 } });
  await storage.append([{ action: "send_message", room: "r", user: "ann", from: "Ann", text: "a word" }]);
  const urls = ["data:text/javascript,onmessage=()=>{throw new Error('oh')}", WORKER_URL];
  const searcher = new Searcher(path, clock, () => {}, () => new Worker(urls.shift()!, { type: "module" }));
  const said = await quietly(async () => {
    await assert.rejects(searcher.find(wanted(1)), UNAVAILABLE);
    assert.deepEqual(await searcher.find(wanted(1)), { seqs: [1] });
  });
  assert.match(said, /died \(.*oh/);
  // It has let go of the file: the log can be emptied, and goes when the last one closes.
  await searcher.close();
  await storage.close();
  await settle();
  assert.deepEqual((await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort(), [
    "chat.db",
    "chat.db.secret",
  ]);
  await Deno.remove(folder, { recursive: true });
});
