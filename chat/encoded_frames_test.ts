import assert from "node:assert/strict";
import { EncodedFrames } from "./encoded_frames.ts";
import type { Member, RoomJoined } from "./protocol.ts";
import { withItem } from "./shared_json.ts";

const page = (members: Member[], id?: string): RoomJoined => ({
  action: "room_joined",
  room: "general",
  epoch: "e",
  seq: 2,
  recovered: false,
  messages: [
    { action: "receive_message", room: "general", seq: 1, user: "ann", from: '"Ann"', text: '\\ " ]}', date: 1 },
    { action: "message_deleted", room: "general", seq: 2, target: 1, user: "ann", date: 2 },
  ],
  more: false,
  reacted: { 1: ["👍"] },
  members,
  count: members.length,
  locked: false,
  slow_seconds: 0,
  ...(id === undefined ? {} : { id }),
});

Deno.test("a page whose lists are shared is the same JSON as one that is encoded alone", () => {
  let members: Member[] = [];
  for (const name of ["Ann", 'B"ob', "철수"]) {
    for (const frame of [page(members), page(members, '"members":[')]) {
      assert.deepEqual(JSON.parse(new EncodedFrames(frame).batch), frame);
    }
    const before = members;
    members = withItem(members, { user: name, name });
    assert.equal(before.length, members.length - 1, "a list that was sent does not change");
    // Two lists may go on from the same one.
    assert.deepEqual(JSON.parse(new EncodedFrames(page(withItem(before, { user: "x", name: "x" }))).batch).members, [
      ...before,
      { user: "x", name: "x" },
    ]);
  }
});

Deno.test("some of the frames are encoded as all of them are", () => {
  const frames = ["one", "two", "three"].map((user) =>
    ({ action: "member_joined", room: "r", user, name: user }) as const
  );
  const all = new EncodedFrames(...frames);
  assert.equal(all.where(() => true), all);
  assert.deepEqual(JSON.parse(all.where((_, at) => at > 0).batch), frames.slice(1));
  assert.equal(all.where((_, at) => at === 1).batch, JSON.stringify(frames[1]));
  assert.deepEqual(all.where(() => false).frames, []);
});
