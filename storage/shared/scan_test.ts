import assert from "node:assert/strict";
import { ChatError } from "../../chat/errors.ts";
import type { ReceiveMessage } from "../../chat/protocol.ts";
import { parseQuery } from "../../chat/search/query.ts";
import type { History, HistoryQuery } from "../../chat/storage.ts";
import { FakeClock } from "../../testing/clock.ts";
import { SCAN_LIMIT, SCAN_PAGE, Scanner, TURN_TIME } from "./scan.ts";
import { MOST_SEARCHES_WAITING } from "./search_result.ts";

/** A room of so many messages, of which those with a `seq` that can be divided by `every` match. */
function setUp(count: number, every: number) {
  const asked: HistoryQuery[] = [];
  const history = (room: string, query: HistoryQuery): Promise<History> => {
    asked.push(query);
    const newest = Math.min(count, (query.before ?? Infinity) - 1);
    const oldest = Math.max(1, newest - query.limit + 1);
    const messages = Array.from({ length: newest - oldest + 1 }, (_, at): ReceiveMessage => {
      const seq = oldest + at;
      return { action: "receive_message", room, seq, user: "u", from: "U", text: seq % every ? "no" : "yes", date: 1 };
    });
    return Promise.resolve({ epoch: "e", seq: count, messages, more: oldest > 1 });
  };
  const clock = new FakeClock();
  const turns: number[] = [];
  clock.soon = (act) => {
    turns.push(asked.length);
    queueMicrotask(act);
  };
  const scanner = new Scanner(history, clock);
  const search = async (before?: number) => {
    const query = parseQuery("yes");
    const { messages, ...rest } = await scanner.search("r", {
      query,
      limit: 3,
      ...before === undefined ? {} : { before },
    });
    return { seqs: messages.map(({ seq }) => seq), ...rest };
  };
  return { asked, turns, search, clock };
}

Deno.test("a scan looks at a limited number of messages, and says where it stopped", async () => {
  const { asked, turns, search } = setUp(2 * SCAN_LIMIT + 10, SCAN_LIMIT + 20);
  const seq = 2 * SCAN_LIMIT + 10;
  const [first, second] = [SCAN_LIMIT + 11, 11];
  assert.deepEqual(await search(), { seqs: [SCAN_LIMIT + 20], epoch: "e", seq, more: true, before: first });
  assert.equal(asked.length, SCAN_LIMIT / SCAN_PAGE);
  assert.deepEqual(turns.slice(0, 3), [1, 2, 3], "each page has a turn of its own");
  assert.deepEqual(await search(first), { seqs: [], epoch: "e", seq, more: true, before: second });
  assert.deepEqual(await search(second), { seqs: [], epoch: "e", seq, more: false });
});

Deno.test("texts that take long to look at are looked through in several turns", async () => {
  const { turns, search, clock } = setUp(50, 60);
  let now = 0;
  clock.monotonic = () => now += TURN_TIME / 2;
  clock.after = (rest, act) => {
    turns.push(rest);
    queueMicrotask(act);
    return () => {};
  };
  await search();
  assert.ok(turns.length > 10, `${turns.length} turns`);
  assert.ok(turns.every((rest) => rest >= TURN_TIME), "each rests as long as it has looked");
});

Deno.test("a scan that has a page of results looks no further", async () => {
  const { asked, search } = setUp(SCAN_LIMIT, 10);
  assert.deepEqual(await search(), {
    seqs: [SCAN_LIMIT - 20, SCAN_LIMIT - 10, SCAN_LIMIT],
    epoch: "e",
    seq: SCAN_LIMIT,
    more: true,
    before: SCAN_LIMIT - 20,
  });
  assert.equal(asked.length, 1);
});

Deno.test("when too many scans wait, one more is refused", async () => {
  const { search } = setUp(10, 5);
  const all = await Promise.allSettled(Array.from({ length: MOST_SEARCHES_WAITING + 5 }, () => search()));
  const refused = all.filter(({ status }) => status === "rejected") as PromiseRejectedResult[];
  assert.equal(refused.length, 4);
  for (const { reason } of refused) assert.ok(reason instanceof ChatError && reason.code === "unavailable");
  assert.deepEqual((await search()).seqs, [5, 10]);
});
