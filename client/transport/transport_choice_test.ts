import assert from "node:assert/strict";
import type { ClientFrame, ServerFrame } from "../../chat/protocol.ts";
import { settle } from "../../testing/clock.ts";
import { welcome } from "../../testing/clients/frames.ts";
import { loadedLater, LOST, type OpenTransport, type TransportListener } from "./transport.ts";
import { initialChoice, nextChoice, type TransportEvent, withFallback } from "./transport_choice.ts";

/** A transport that the test controls; `opened` are those that were opened, in order. */
function fakeTransport() {
  const opened: (TransportListener & { sent: ClientFrame[]; open: boolean })[] = [];
  const environment = { missing: false };
  const open: OpenTransport = (listener) => {
    if (environment.missing) throw new ReferenceError("WebSocket is not defined");
    const made = { ...listener, sent: [] as ClientFrame[], open: true };
    opened.push(made);
    return { send: (frame) => made.sent.push(frame), close: () => made.open = false };
  };
  return { environment, opened, open, last: () => opened.at(-1) ?? assert.fail("nothing was opened") };
}

function setUp() {
  const [socket, stream] = [fakeTransport(), fakeTransport()];
  const heard: (ServerFrame | number | "outdated")[] = [];
  const open = withFallback(socket.open, stream.open);
  const listener: TransportListener = {
    received: (frames) => void heard.push(...frames),
    closed: (code) => void heard.push(code),
    outdated: () => void heard.push("outdated"),
  };
  return { socket, stream, heard, open: () => open(listener) };
}

Deno.test("a stream is opened after two failed sockets in a row, not after one", () => {
  const after = (...events: TransportEvent[]) => events.reduce(nextChoice, initialChoice).transport;
  assert.equal(after("socket_failed"), "socket");
  assert.equal(after("socket_failed", "socket_failed"), "stream");
  assert.equal(after("socket_failed", "socket_opened", "socket_failed"), "socket");
  assert.equal(after("socket_missing"), "stream");
});

Deno.test("when the stream fails too, both are tried in turn", () => {
  const events: TransportEvent[] = [
    "socket_failed",
    "socket_failed",
    "stream_failed",
    "socket_failed",
    "stream_failed",
  ];
  const choices = events.map((_, at) => events.slice(0, at + 1).reduce(nextChoice, initialChoice).transport);
  assert.deepEqual(choices, ["socket", "stream", "socket", "stream", "socket"]);
});

Deno.test("sockets that end before a welcome, or never send anything, are replaced by a stream", () => {
  const { socket, stream, heard, open } = setUp();
  open();
  socket.last().closed(1006);
  open().close(); // no welcome came in time
  open();
  assert.deepEqual([socket.opened.length, stream.opened.length], [2, 1]);
  assert.deepEqual(heard, [1006]);
});

Deno.test("a socket that the server closes with a code of its own did not fail", () => {
  const { socket, stream, open } = setUp();
  for (const code of [1012, 4009, 4401, 1011]) {
    open();
    socket.last().closed(code);
  }
  open();
  socket.last().received([welcome]);
  socket.last().closed(1006);
  open();
  assert.equal(stream.opened.length, 0);
});

Deno.test("without a WebSocket the stream is opened at once", () => {
  const { socket, stream, heard, open } = setUp();
  socket.environment.missing = true;
  const transport = open();
  stream.last().received([welcome]);
  transport.send({ action: "ping" });
  assert.deepEqual(heard, [welcome]);
  assert.deepEqual(stream.last().sent, [{ action: "ping" }]);
});

Deno.test("while it streams, each ping also tries a socket, and the first that opens replaces the stream", () => {
  const { socket, stream, heard, open } = setUp();
  socket.environment.missing = true;
  const transport = open();
  socket.environment.missing = false;
  stream.last().received([welcome]);
  assert.equal(socket.opened.length, 1, "at once: the server may just have been away");
  socket.last().closed(1006);
  transport.send({ action: "typing", room: "general" });
  assert.equal(socket.opened.length, 1);
  transport.send({ action: "ping" });
  transport.send({ action: "ping" });
  assert.deepEqual(socket.opened.map(({ open }) => open), [false, false, true], "one at a time");
  assert.deepEqual(heard, [welcome]);
  socket.last().received([welcome]);
  assert.deepEqual(heard, [welcome, "outdated"]);
  assert.equal(socket.last().open, false, "the socket that was only tried is not used");
  transport.close();
  open();
  assert.deepEqual([socket.opened.length, stream.opened.length], [4, 1]);
});

Deno.test("a closed transport tries no more sockets", () => {
  const { socket, stream, heard, open } = setUp();
  for (const _ of [1, 2]) open().close();
  const transport = open();
  stream.last().received([welcome]);
  transport.close();
  assert.deepEqual([socket.last().open, stream.last().open], [false, false]);
  assert.deepEqual(heard, [welcome]);
});

Deno.test("a transport that is loaded later works once it is there, and is lost where it can't be loaded", async () => {
  const { opened, open, last } = fakeTransport();
  const heard: (ServerFrame | number)[] = [];
  const listener: TransportListener = {
    received: (frames) => void heard.push(...frames),
    closed: (code) => void heard.push(code),
    outdated() {},
  };
  const transport = loadedLater(() => Promise.resolve(open))(listener);
  transport.send({ action: "ping" });
  await settle();
  transport.send({ action: "ping" });
  last().received([welcome]);
  assert.deepEqual([last().sent.length, heard.length], [1, 1]);
  transport.close();
  assert.equal(last().open, false);
  // Nobody hears of one that was closed meanwhile.
  loadedLater(() => Promise.resolve(open))(listener).close();
  loadedLater(() => Promise.reject(new Error("no network")))(listener).close();
  loadedLater(() => Promise.reject(new Error("no network")))(listener);
  await settle();
  assert.deepEqual([opened.length, heard.slice(1)], [1, [LOST]]);
});
