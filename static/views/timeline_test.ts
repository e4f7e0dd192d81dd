import assert from "node:assert/strict";
import fc from "fast-check";
import type { ReceiveMessage } from "../../chat/protocol.ts";
import { initialClientState } from "../../client/client_state.ts";
import { add, next, type Outbox, refuse } from "../../client/outbox.ts";
import type { RoomState } from "../../client/room/room_state.ts";
import * as frames from "../../testing/clients/frames.ts";
import { isMuted } from "../lib/mutes.ts";
import { initialState, type State } from "../state.ts";
import { wholeRuns } from "./slice.ts";
import { GROUP_SPAN, type MessageRow, type Row, rowsOf, sameRow } from "./timeline.ts";

const noon = new Date(2026, 4, 4, 12).getTime();

function message(seq: number, more: Partial<ReceiveMessage> = {}): ReceiveMessage {
  return frames.message(seq, { date: noon, ...more });
}

function inRoom(state: State, change: Partial<RoomState>): State {
  return { ...state, room: { ...state.room, ...change } };
}

function holding(...messages: ReceiveMessage[]): State {
  return inRoom({ ...initialState(initialClientState("general")), me: { user: "u1", name: "Hana" } }, { messages });
}

const kinds = (rows: Row[]) => rows.map((row) => row.kind);
const messages = (rows: Row[]) => rows.filter((row): row is MessageRow => row.kind === "message");

Deno.test("messages of one author share one name until someone else writes or time has passed", () => {
  const rows = messages(rowsOf(holding(
    message(1),
    message(2),
    message(3, { user: "u3", from: "Clara" }),
    message(4),
    message(5, { date: noon + GROUP_SPAN + 1 }),
  )));
  assert.deepEqual(rows.map((row) => row.first), [true, false, true, true, true]);
});

Deno.test("a new name begins a new group", () => {
  const rows = messages(rowsOf(holding(message(1), message(2, { from: "Minji" }))));
  assert.deepEqual(rows.map((row) => row.first), [true, true]);
});

Deno.test("after an action, which has its author's name within, the name is shown again", () => {
  const state = holding(message(1), message(2, { text: "/me waves" }), message(3), message(4));
  const firsts = [true, false, true, false];
  assert.deepEqual(messages(rowsOf(state)).map(({ first }) => first), firsts);
  assert.deepEqual(messages(rowsOf(state, { from: 2, to: 4 })).map(({ first }) => first), firsts.slice(2));
});

Deno.test("a group shows its time at its start, and again whenever five minutes have passed", () => {
  const minutes = [0, 1, 4, 5, 9, 10, 11];
  const said = minutes.map((minute, index) => message(index + 1, { date: noon + minute * 60_000 }));
  assert.deepEqual(messages(rowsOf(holding(...said))).map(({ first, timed }) => [first, timed]), [
    [true, true],
    [false, false],
    [false, false],
    [false, true],
    [false, false],
    [false, true],
    [false, false],
  ]);
});

Deno.test("every day begins with its date", () => {
  const tomorrow = new Date(2026, 4, 5, 0, 1).getTime();
  assert.deepEqual(kinds(rowsOf(holding(message(1), message(2, { date: tomorrow })))), [
    "day",
    "message",
    "day",
    "message",
  ]);
});

Deno.test("missing messages are marked before the first message after them", () => {
  const state = inRoom(holding(message(3), message(7)), { missingAfter: 3 });
  assert.deepEqual(kinds(rowsOf(state)), ["day", "message", "missing", "message"]);
  assert.deepEqual(kinds(rowsOf(inRoom(state, { missingAfter: 0 }))), ["day", "missing", "message", "message"]);
  assert.deepEqual(kinds(rowsOf(inRoom(holding(), { missingAfter: 0 }))), ["missing"]);
});

Deno.test("waiting messages come last, in order, and keep their key once the server has them", () => {
  const state = holding(message(1));
  const outbox = add(state.outbox, { action: "send_message", room: "general", text: "hello", id: "a" }, noon);
  assert.ok(outbox);
  const waiting = messages(rowsOf({ ...state, outbox })).at(-1);
  assert.deepEqual([waiting?.text, waiting?.author, waiting?.mine, waiting?.seq], ["hello", "Hana", true, null]);
  const kept = messages(rowsOf(holding(message(1), message(2, { user: "u1", from: "Hana", id: "a" })))).at(-1);
  assert.equal(kept?.key, waiting?.key);
});

Deno.test("a message in flight looks different from one that waits", () => {
  const state = holding();
  const one = add(state.outbox, { action: "send_message", room: "general", text: "one", id: "a" }, noon);
  const two = one && add(one, { action: "send_message", room: "general", text: "two", id: "b" }, noon);
  assert.ok(two);
  const rows = (outbox: Outbox) => messages(rowsOf({ ...state, outbox })).map(({ inFlight }) => inFlight);
  assert.deepEqual(rows(two), [false, false]);
  const sent = next(two, noon)!.outbox;
  assert.deepEqual(rows(sent), [true, false]);
  const slow = { action: "error", code: "rate_limited", message: "Slow.", retry_after: 30 } as const;
  assert.deepEqual(rows(refuse(sent, "a", slow, noon, 0)), [false, false]);
});

Deno.test("the first message that waits says why: no connection, too fast, a slow room, or a store that is out", () => {
  const state = { ...holding(), status: { kind: "connected" } } as State;
  const one = add(state.outbox, { action: "send_message", room: "general", text: "one", id: "a" }, noon)!;
  const two = add(one, { action: "send_message", room: "general", text: "two", id: "b" }, noon)!;
  const held = (code: "rate_limited" | "unavailable") =>
    refuse(next(two, noon)!.outbox, "a", { action: "error", code, message: "No.", retry_after: 30 }, noon, 0);
  const reasons = (state: State, outbox: Outbox) =>
    messages(rowsOf({ ...state, outbox })).map((
      { waitsFor, waitsUntil },
    ) => [waitsFor, waitsUntil && waitsUntil - noon]);
  assert.deepEqual(reasons(state, held("rate_limited")), [["fast", 30_000], [null, null]]);
  assert.deepEqual(reasons(inRoom(state, { slowSeconds: 60 }), held("rate_limited"))[0], ["slow", 30_000]);
  assert.deepEqual(reasons(state, held("unavailable"))[0], ["store", 30_000]);
  assert.deepEqual(reasons({ ...state, online: false }, held("unavailable")), [["connection", null], [null, null]]);
});

Deno.test("a message stays as it is while another one is sent", () => {
  const state = holding(message(1));
  const outbox = add(state.outbox, { action: "send_message", room: "general", text: "one", id: "a" }, noon)!;
  const sent = next(outbox, noon)!.outbox;
  const [idle, sending] = [outbox, sent].map((box) => messages(rowsOf({ ...state, outbox: box }))[0]);
  assert.equal(idle.inFlight, false);
  assert.ok(sameRow(idle, sending));
});

Deno.test("messages waiting for another room are not shown here", () => {
  const state = holding(message(1));
  const outbox = add(state.outbox, { action: "send_message", room: "islands", text: "hello", id: "a" }, noon);
  assert.ok(outbox);
  assert.equal(messages(rowsOf({ ...state, outbox })).length, 1);
});

Deno.test("a line marks the first new message", () => {
  const rows = rowsOf({ ...holding(message(1), message(4), message(5)), newRun: { after: 2, visited: false } });
  assert.deepEqual(kinds(rows), ["day", "message", "new", "message", "message"]);
  assert.deepEqual(messages(rows).map(({ first }) => first), [true, true, false]);
});

Deno.test("one's own edit shows before the server has it", () => {
  const state = holding(message(1, { user: "u1" }));
  const outbox = add(
    state.outbox,
    { action: "edit_message", room: "general", target: 1, text: "better", id: "a" },
    noon,
  );
  assert.ok(outbox);
  assert.equal(messages(rowsOf({ ...state, outbox }))[0].text, "better");
});

Deno.test("a refused action on somebody else's message is shown where it failed, and can be discarded there", () => {
  const state = holding(message(1));
  const outbox = add(state.outbox, { action: "delete_message", room: "general", target: 1, id: "a" }, noon)!;
  const error = { action: "error", code: "forbidden", message: "No.", id: "a" } as const;
  const refused = refuse(outbox, "a", error, noon, 0);
  assert.equal(messages(rowsOf({ ...state, outbox: refused }))[0].item?.frame.id, "a");
});

Deno.test("an answer shows what it answers as that is now, whether it was sent or waits", () => {
  const state = holding(message(1), message(2, { reply_to: 1, replies: 2 }), message(3, { reply_to: 9 }));
  const outbox = add(state.outbox, { action: "send_message", room: "general", text: "", reply_to: 2, id: "a" }, noon)!;
  const shown = (state: State) =>
    messages(rowsOf(state)).map(({ replyTo, answered, replies }) => [replyTo, answered?.seq ?? answered, replies]);
  const rows = [[null, undefined, 0], [1, 1, 2], [9, undefined, 0]];
  assert.deepEqual(shown({ ...state, outbox }), [...rows, [2, 2, 0]]);
  const [, , row] = messages(rowsOf(inRoom(state, { quoted: new Map([[9, null]]) })));
  assert.equal(row.answered, null);
  const [, answer] = messages(rowsOf({ ...state, muted: [{ user: "u2", name: "Mina" }], me: null }));
  assert.equal(answer, undefined);
});

Deno.test("a deleted message shows neither a text nor that it was edited", () => {
  const [row] = messages(rowsOf(holding(message(1, { text: undefined, edited: noon, deleted: true }))));
  assert.deepEqual([row.text, row.edited, row.deleted], ["", false, true]);
});

Deno.test("consecutive messages of a muted person are one line", () => {
  const state = holding(
    message(1),
    message(2, { user: "u3", from: "Eve" }),
    message(3, { user: "u3", from: "Eva" }),
    message(4),
    message(5, { user: "u3", from: "Eva" }),
  );
  const rows = rowsOf({ ...state, muted: [{ user: "u3", name: "Eve" }] });
  assert.deepEqual(kinds(rows), ["day", "message", "muted", "message", "muted"]);
  assert.deepEqual(rows[2], { kind: "muted", key: "muted seq 2", seq: 2, user: "u3", author: "Eva", count: 2 });
  assert.equal(JSON.stringify(rows).includes("text 2"), false);
  assert.deepEqual(messages(rows).map(({ first }) => first), [true, true]);
  assert.equal(rowsOf(state).length, 6, "and all of it is there again afterwards");
});

Deno.test("rows are the same when everything they show is the same", () => {
  const [, one] = rowsOf(holding(message(1)));
  const [, same] = rowsOf(holding(message(1)));
  const [, other] = rowsOf(holding(message(1, { edited: noon })));
  assert.equal(sameRow(one, same), true);
  assert.equal(sameRow(one, other), false);
});

Deno.test("the rows of some messages are what they are among the rows of all messages", () => {
  const users = ["u1", "u2", "u3"];
  const maybe = fc.option(fc.nat(40), { freq: 2 });
  const spoken = fc.record({
    user: fc.constantFrom(...users),
    from: fc.constantFrom("Hana", "Eve"),
    later: fc.constantFrom(1_000, 170_000, GROUP_SPAN + 1, 13 * 3_600_000),
    skipped: fc.nat(1),
  });
  const generated = fc.record({
    said: fc.array(spoken, { minLength: 1, maxLength: 20 }),
    muted: fc.subarray(users),
    missingAfter: maybe,
    newAfter: maybe,
    waiting: fc.nat(2),
    elsewhere: fc.boolean(),
    borders: fc.tuple(fc.nat(20), fc.nat(20)),
  });
  fc.assert(fc.property(generated, ({ said, muted, missingAfter, newAfter, waiting, elsewhere, borders }) => {
    let [seq, date] = [0, noon];
    const all = said.map(({ user, from, later, skipped }) => {
      seq += 1 + skipped;
      date += later;
      return message(seq, { user, from, date });
    });
    let state: State = { ...holding(...all), muted: muted.map((user) => ({ user, name: "" })) };
    if (newAfter !== null) state = { ...state, newRun: { after: newAfter, visited: false } };
    state = inRoom(state, { missingAfter, newest: elsewhere ? { messages: [], more: true } : null });
    for (let id = 0; id < waiting; id++) {
      const outbox = add(state.outbox, { action: "send_message", room: "general", text: "", id: `${id}` }, noon)!;
      state = { ...state, outbox };
    }
    const [from, to] = borders.map((border) => Math.min(border, all.length)).sort((one, other) => one - other);
    const span = wholeRuns(all, { from, to }, (user) => isMuted(state.muted, user));
    const rows = rowsOf(state);
    /** The index of the first row that belongs to a message: its own, or a mark before it. */
    const rowAt = (index: number) => {
      if (index === all.length) return rows.length;
      let at = rows.findIndex((row) => "seq" in row && row.seq === all[index].seq);
      while (at > 0 && !("seq" in rows[at - 1])) at--;
      return at;
    };
    fc.pre(span.from < all.length);
    assert.deepEqual(rowsOf(state, span), rows.slice(rowAt(span.from), rowAt(span.to)));
  }));
});
