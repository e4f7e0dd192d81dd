import assert from "node:assert/strict";
import type { ClientFrame } from "../../chat/protocol.ts";
import { settle } from "../../testing/clock.ts";
import { lateTransport } from "./late_transport.ts";
import { LOST, type OpenTransport } from "./transport.ts";

/** A transport whose code comes when the test says so. */
function setUp() {
  const code = Promise.withResolvers<OpenTransport>();
  const sent: ClientFrame[] = [];
  const closed: number[] = [];
  const opened = { times: 0, isClosed: false };
  const transport = lateTransport(() => code.promise)({
    received() {},
    closed: (code) => void closed.push(code),
    outdated() {},
  });
  const open: OpenTransport = () => {
    opened.times++;
    return { send: (frame) => void sent.push(frame), close: () => opened.isClosed = true };
  };
  return { code, sent, closed, opened, transport, open };
}

Deno.test("a transport opens when its code has come, and is used and closed like any other", async () => {
  const { code, sent, opened, transport, open } = setUp();
  transport.send({ action: "ping" });
  code.resolve(open);
  await settle();
  assert.deepEqual([opened.times, sent], [1, []]);
  transport.send({ action: "ping" });
  transport.close();
  assert.deepEqual([sent, opened.isClosed], [[{ action: "ping" }], true]);
});

Deno.test("a transport that was closed before its code came never opens", async () => {
  const { code, opened, transport, open } = setUp();
  transport.close();
  code.resolve(open);
  await settle();
  assert.equal(opened.times, 0);
});

Deno.test("a transport whose code does not come is lost, unless nobody wants it any more", async () => {
  const { code, closed } = setUp();
  code.reject(new TypeError("it could not be loaded"));
  await settle();
  assert.deepEqual(closed, [LOST]);
  const unwanted = setUp();
  unwanted.transport.close();
  unwanted.code.reject(new TypeError("it could not be loaded"));
  await settle();
  assert.deepEqual(unwanted.closed, []);
});
