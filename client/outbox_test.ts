import assert from "node:assert/strict";
import type { ErrorCode, ErrorFrame, SendMessage } from "../chat/protocol.ts";
import * as outbox from "./outbox.ts";
import type { KeyValueStorage } from "./storage.ts";

const send = (id: string): SendMessage & { id: string } => ({
  action: "send_message",
  room: "general",
  text: `text ${id}`,
  id,
});
const error = (code: ErrorCode, retry_after?: number): ErrorFrame => ({
  action: "error",
  code,
  message: "No.",
  retry_after,
});

function filled(...ids: string[]): outbox.Outbox {
  return ids.reduce((box, id) => outbox.add(box, send(id), 0) ?? assert.fail("full"), outbox.emptyOutbox);
}

function sendNext(box: outbox.Outbox, now = 0): [outbox.Outbox, string | undefined] {
  const due = outbox.next(box, now);
  return [due?.outbox ?? box, due?.frame.id];
}

function memoryOf(content: string | null): KeyValueStorage & { content: string | null } {
  return {
    content,
    read() {
      return this.content;
    },
    write(_, value) {
      this.content = value;
    },
  };
}

Deno.test("messages are sent in the order in which they were written, one in flight at a time", () => {
  let [box, id] = sendNext(filled("a", "b"));
  assert.equal(id, "a");
  assert.equal(outbox.next(box, 1), null);
  [box, id] = sendNext(outbox.remove(box, "a"));
  assert.equal(id, "b");
});

Deno.test("a new connection sends the oldest unacknowledged message again, under the same id", () => {
  const [box] = sendNext(filled("a", "b"));
  assert.equal(sendNext(outbox.disconnected(box))[1], "a");
});

Deno.test("after a temporary error the outbox waits as long as the server says, and a little more", () => {
  const [box] = sendNext(filled("a"));
  const held = outbox.refuse(box, "a", error("rate_limited", 2), 1_000, 0.5);
  assert.equal(held.items[0].error, null);
  assert.equal(outbox.wakeAt(held), 1_000 + 2_000 + 0.5 * outbox.RETRY_JITTER);
  assert.equal(outbox.next(held, 3_499), null);
  assert.equal(sendNext(held, 3_500)[1], "a");
  const down = outbox.refuse(box, "a", error("unavailable"), 0, 0);
  assert.equal(outbox.wakeAt(down), outbox.RETRY_DELAY);
});

Deno.test("the first that waits says why: the connection, or what the server said; the others wait for their turn", () => {
  const [box] = sendNext(filled("a", "b"));
  const waits = (box: outbox.Outbox, connected = true) =>
    ["a", "b", "c"].map((id) => outbox.waitOf(box, id, connected)?.kind ?? null);
  assert.deepEqual(waits(box), [null, "turn", null], "in flight");
  assert.deepEqual(waits(outbox.disconnected(box), false), ["connection", "turn", null]);
  const held = outbox.refuse(box, "a", error("rate_limited", 2), 1_000, 0);
  assert.deepEqual(outbox.waitOf(held, "a", true), {
    kind: "held",
    error: { code: "rate_limited", message: "No." },
    until: 3_000,
  });
  assert.deepEqual(waits(held, false), ["connection", "turn", null]);
  const [again] = sendNext(held, 3_000);
  assert.deepEqual(waits(outbox.disconnected(again)), ["turn", "turn", null], "an old reason is none");
  assert.deepEqual(waits(outbox.remove(held, "a")), [null, "turn", null]);
  assert.deepEqual(waits(outbox.refuse(box, "a", error("forbidden"), 0, 0)), [null, "turn", null]);
});

Deno.test("a message refused for good does not hold up the next ones", () => {
  const [box] = sendNext(filled("a", "b"));
  const refused = outbox.refuse(box, "a", error("text_too_long"), 0, 0);
  assert.deepEqual(refused.items[0].error, { code: "text_too_long", message: "No." });
  assert.equal(sendNext(refused)[1], "b");
});

Deno.test("a refused message is sent again, or discarded, when its author says so", () => {
  const refused = outbox.refuse(filled("a"), "a", error("forbidden"), 0, 0);
  assert.equal(outbox.next(refused, 0), null);
  assert.equal(sendNext(outbox.retry(refused, "a"))[1], "a");
  assert.deepEqual(outbox.remove(refused, "a").items, []);
});

Deno.test("a message without an answer is sent again after the timeout", () => {
  const [box] = sendNext(filled("a"), 0);
  assert.equal(outbox.wakeAt(box), outbox.ANSWER_TIMEOUT);
  assert.equal(outbox.next(box, outbox.ANSWER_TIMEOUT - 1), null);
  assert.equal(sendNext(box, outbox.ANSWER_TIMEOUT)[1], "a");
});

Deno.test("a full outbox takes no more messages and loses none", () => {
  const full = filled(...Array.from({ length: outbox.OUTBOX_LIMIT }, (_, index) => `${index}`));
  assert.equal(outbox.add(full, send("one more"), 0), null);
  assert.equal(full.items.length, outbox.OUTBOX_LIMIT);
});

Deno.test("an empty outbox sets no timer", () => {
  assert.equal(outbox.wakeAt(outbox.emptyOutbox), null);
});

Deno.test("a stored outbox is loaded in order, with nothing in flight", () => {
  const storage = memoryOf(null);
  const [box] = sendNext(filled("a", "b"));
  outbox.save(storage, box);
  const loaded = outbox.load(storage);
  assert.deepEqual(loaded.items, box.items);
  assert.equal(loaded.inFlight, null);
});

Deno.test("what is stored in the outbox's place and is no action is left out", () => {
  assert.deepEqual(outbox.load(memoryOf("{")), outbox.emptyOutbox);
  assert.deepEqual(outbox.load(memoryOf('{"a":1}')), outbox.emptyOutbox);
  const items = [null, 7, { frame: { id: "a" } }, { frame: send("b"), date: 1, refusal: null }];
  assert.deepEqual(outbox.load(memoryOf(JSON.stringify(items))).items.map((item) => item.frame.id), ["b"]);
});

Deno.test("an action that a newer page has stored waits for one: it is not sent, not counted, and stays stored as it was", () => {
  const stored = (action: string, more = {}) => ({
    frame: { action, room: "general", id: action, ...more },
    date: 1,
    refusal: null,
  });
  const newer = [
    stored("vote", { target: 1, choice: "tea" }),
    stored("constructor"),
    stored("edit_message", { target: 1 }),
  ];
  const storage = memoryOf(
    JSON.stringify([{ frame: send("a"), date: 1, refusal: null }, ...newer, { frame: null }, 7]),
  );
  const box = outbox.load(storage);
  assert.deepEqual(box.items.map((item) => item.frame.id), ["a"]);
  const full = filled(...Array.from({ length: outbox.OUTBOX_LIMIT - 1 }, (_, index) => `${index}`));
  assert.ok(outbox.add({ ...full, unread: box.unread }, send("last"), 0));
  const [sent, id] = sendNext(box);
  assert.equal(id, "a");
  const emptied = outbox.remove(sent, "a");
  assert.deepEqual([outbox.next(emptied, 0), outbox.wakeAt(emptied)], [null, null]);
  outbox.save(storage, outbox.add(emptied, send("b"), 2)!);
  const kept = JSON.parse(storage.content!);
  assert.deepEqual(kept.slice(0, -1), newer);
  assert.equal(kept.at(-1).frame.id, "b");
});

Deno.test("what pages of two versions have stored, each up to the limit, is all there for one that reads both", () => {
  const [newer, older] = ["newer", "older"].map((page) =>
    Array.from(
      { length: outbox.OUTBOX_LIMIT },
      (_, index) => ({ frame: send(`${page} ${index}`), date: 1, refusal: null }),
    )
  );
  const box = outbox.load(memoryOf(JSON.stringify([...newer, ...older])));
  assert.equal(box.items.length, 2 * outbox.OUTBOX_LIMIT);
  assert.equal(outbox.add(box, send("one more"), 2), null);
});

Deno.test("what the page could not show, or the server would not answer, is neither shown nor sent", () => {
  const stored = (more: object, frame: object = {}) => ({
    frame: { ...send("a"), ...frame },
    date: 1,
    refusal: null,
    ...more,
  });
  const strange = [
    stored({ date: 1e300 }),
    ...[false, 0, "", "locked", {}, { code: "forbidden" }, { code: 1, message: "No." }].map((refusal) =>
      stored({ refusal })
    ),
    ...["", "a".repeat(65), "a\0", "\ud800"].map((id) => stored({}, { id })),
    ...[null, "1", 0, -1, 1.5, {}].map((reply_to) => stored({}, { reply_to })),
  ];
  const storage = memoryOf(JSON.stringify(strange));
  const box = outbox.load(storage);
  assert.deepEqual([box.items, outbox.next(box, 0)], [[], null]);
  outbox.save(storage, box);
  assert.deepEqual(JSON.parse(storage.content!), strange);
});

Deno.test("an answer survives a reload as one, and is sent plain only when its author wants that", () => {
  const storage = memoryOf(null);
  outbox.save(storage, outbox.add(outbox.emptyOutbox, { ...send("a"), reply_to: 7 }, 0)!);
  const box = outbox.load(storage);
  assert.deepEqual(outbox.next(box, 0)?.frame, { ...send("a"), reply_to: 7 });
  const error = { action: "error", code: "not_found", message: "Gone.", id: "a" } as const;
  const refused = outbox.refuse(box, "a", error, 0, 0);
  assert.equal(outbox.next(refused, 0), null);
  assert.deepEqual(outbox.next(outbox.retryPlain(refused, "a"), 0)?.frame, send("a"));
});
