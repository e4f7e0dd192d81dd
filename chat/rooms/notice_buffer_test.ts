import assert from "node:assert/strict";
import { createChat, FakeClient } from "../../testing/chat.ts";
import { FakeClock } from "../../testing/clock.ts";
import { NoticeBuffer } from "./notice_buffer.ts";

Deno.test("the more people hear of an arrival, the later they do, and two seconds after the first one in a rush", async () => {
  const cases = [
    { recipients: 9, notices: 5, after: [0, 0, 0, 0, 0] },
    { recipients: 50, notices: 4, after: [500] },
    { recipients: 50, notices: 5, after: [2_000] },
    { recipients: 5_000, notices: 1, after: [1_000] },
    { recipients: 5_000, notices: 100, after: [2_000] },
  ];
  for (const { recipients, notices, after } of cases) {
    const clock = new FakeClock();
    const [start, told]: [number, number[]] = [clock.now(), []];
    const buffer = new NoticeBuffer(clock, () => {
      told.push(clock.now() - start);
      buffer.take();
    });
    for (let at = 0; at < notices; at++) {
      buffer.add({ action: "member_joined", room: "r", user: `${at}`, name: `${at}` }, recipients);
    }
    await clock.advance(3_000);
    assert.deepEqual([told, clock.waiting], [after, 0]);
    buffer.add({ action: "room_count", room: "r", count: 200 }, recipients);
    assert.equal(told.length, after.length + 1, "a count has waited already");
  }
});

Deno.test("nobody is told that someone has come after what they said", async () => {
  const { chat } = createChat();
  const ann = await FakeClient.enter(chat, "ann");
  for (let at = 0; at < 20; at++) await FakeClient.enter(chat, `user ${at}`);
  const bob = await FakeClient.enter(chat, "bob");
  assert.ok(!ann.all("member_joined").some(({ user }) => user === "bob"), "it waits");
  await bob.send({ action: "send_message", room: "general", text: "hello" });
  assert.deepEqual(
    ann.frames.slice(-2).map((frame) => "user" in frame && [frame.action, frame.user]),
    [["member_joined", "bob"], ["receive_message", "bob"]],
  );
});
