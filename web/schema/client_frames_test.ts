import assert from "node:assert/strict";
import { ChatError } from "../../chat/errors.ts";
import { BATCH_LIMIT, parseFrames } from "./client_frames.ts";

const codes = (data: string, batch = false) =>
  parseFrames(data, batch).map(({ frame }) => frame instanceof ChatError ? frame.code : frame.action);

Deno.test("a frame is rebuilt from what is known of it", () => {
  const [{ frame }] = parseFrames('{"action":"ping","id":"1","admin":true,"__proto__":{"x":1}}', false);
  assert.deepEqual(frame, { action: "ping", id: "1" });
});

Deno.test("what is not JSON, not an object or unknown is told apart", () => {
  assert.deepEqual(codes("nope"), ["bad_json"]);
  assert.deepEqual(codes(""), ["bad_json"]);
  for (const data of ["[]", "1", "null", '"ping"', '[{"action":"ping"}]']) {
    assert.deepEqual(codes(data), ["bad_frame"], data);
  }
  for (const action of ["", "nope", "__proto__", "constructor", "toString", "hasOwnProperty", "Ping"]) {
    assert.deepEqual(codes(JSON.stringify({ action })), ["unknown_action"], action);
  }
  for (const data of ["{}", '{"action":1}', '{"action":["ping"]}', '{"action":null}']) {
    assert.deepEqual(codes(data), ["unknown_action"], data);
  }
});

Deno.test("a field that is missing or of the wrong type is bad_frame, and the sentence names it", () => {
  const bad: [object, string][] = [
    [{ action: "send_message", room: "a" }, "text"],
    [{ action: "send_message", text: "a" }, "room"],
    [{ action: "send_message", room: "a", text: 5 }, "text"],
    [{ action: "send_message", room: ["a"], text: "a" }, "room"],
    [{ action: "send_message", room: "a", text: "a", id: 5 }, "id"],
    [{ action: "send_message", room: "a", text: "a", id: "x".repeat(65) }, "id"],
    [{ action: "join_room", room: "a", since: 5 }, "since"],
    [{ action: "join_room", room: "a", since: { epoch: "e", seq: -1 } }, "since.seq"],
    [{ action: "join_room", room: "a", since: { epoch: "e", seq: 1e99 } }, "since.seq"],
    [{ action: "join_room", room: "a", limit: 0 }, "limit"],
    [{ action: "edit_message", room: "a", text: "x", target: "1" }, "target"],
    [{ action: "delete_message", room: "a", target: 1.5 }, "target"],
    [{ action: "send_message", room: "a", text: "a", reply_to: null }, "reply_to"],
    [{ action: "send_message", room: "a", text: "a", reply_to: -1 }, "reply_to"],
    [{ action: "react", room: "a", target: 1, on: true }, "emoji"],
    [{ action: "react", room: "a", target: 1, emoji: "👍", on: "yes" }, "on"],
    [{ action: "react", room: "a", target: 2 ** 53, emoji: "👍", on: true }, "target"],
    [{ action: "set_name" }, "name"],
  ];
  for (const [frame, field] of bad) {
    const [{ frame: refusal }] = parseFrames(JSON.stringify(frame), false);
    assert.ok(refusal instanceof ChatError && refusal.code === "bad_frame", JSON.stringify(frame));
    assert.match(refusal.message, new RegExp(`^"${field}" `));
  }
});

Deno.test("NUL and half a surrogate pair are bad_frame wherever they stand, and real escapes are fine", () => {
  for (
    const data of [
      '{"action":"ping","id":"\\u0000"}',
      '{"action":"ping","x":{"y":["\\ud800"]}}',
      '{"action":"ping","\\udc00":1}',
    ]
  ) {
    assert.deepEqual(codes(data), ["bad_frame"], data);
  }
  assert.deepEqual(codes('{"action":"ping","id":"\\ud83d\\ude00 \\u00e9"}'), ["ping"]);
});

Deno.test("an unusable frame is told by its id, and spoils no other in its batch", () => {
  const half = '{"action":"send_message","room":"a","id":"7","text":"\\ud83d"}';
  const parsed = parseFrames(`[${half},{"action":"ping","id":"\\u0038"},{"action":"ping","id":"\\u0000"}]`, true);
  assert.deepEqual(parsed.map(({ frame }) => frame instanceof ChatError ? frame.code : frame.action), [
    "bad_frame",
    "ping",
    "bad_frame",
  ]);
  assert.deepEqual(parsed.map(({ about }) => about.id), ["7", "8", undefined]);
});

Deno.test("deep nesting is read without exhausting the stack", () => {
  const deep = `${"[".repeat(20_000)}"\\u0041"${"]".repeat(20_000)}`;
  assert.deepEqual(codes(`{"action":"ping","x":${deep}}`), ["ping"]);
});

Deno.test("a batch client may send several objects at once, in order, and bad ones do not spoil the others", () => {
  assert.deepEqual(codes('[{"action":"ping"},5,{"action":"leave_room","room":"a"}]', true), [
    "ping",
    "bad_frame",
    "leave_room",
  ]);
  assert.deepEqual(codes("[]", true), []);
  assert.deepEqual(codes(JSON.stringify(Array(BATCH_LIMIT + 1).fill({})), true), ["bad_frame"]);
});

Deno.test("an error says what it is about only where that is short enough to be true", () => {
  const about = (frame: object) => parseFrames(JSON.stringify(frame), false)[0].about;
  assert.deepEqual(about({ action: "?", room: "a", id: "i" }), { room: "a", id: "i" });
  assert.deepEqual(about({ action: "?", room: "a".repeat(65), id: 5 }), { room: undefined, id: undefined });
});
