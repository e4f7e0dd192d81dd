import assert from "node:assert/strict";
import { systemClock } from "../chat/clock.ts";
import type { ReceiveMessage } from "../chat/protocol.ts";
import { type Meddling, Proxy } from "../testing/proxy.ts";
import { type RunningServer, startServer, taskArguments } from "../testing/server.ts";
import { examine } from "./doctor/examine.ts";
import { Tally } from "./doctor/tally.ts";

const examination = { seconds: 0.3, patience: 10_000, slow: 10_000, clock: systemClock };

/** What the doctor finds to be off with a server behind a proxy. */
async function findings(server: RunningServer, meddling: Meddling = {}, options: Partial<typeof examination> = {}) {
  const proxy = new Proxy(server.port, meddling);
  const off: string[] = [];
  for await (const { well, sentence } of examine(new URL(proxy.url), { ...examination, ...options })) {
    if (!well) off.push(sentence);
  }
  await proxy.stop();
  return off;
}

const isUpgrade = (head: string) => /^upgrade: websocket/im.test(head);

Deno.test("the doctor finds what is wrong with a proxy, and passes a good one", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const bad: [string, RegExp, Meddling, Partial<typeof examination>?][] = [
    ["strips the upgrade's headers", /does not pass WebSocket upgrades: .*Upgrade header/, {
      request: (head) => head.replace(/^(upgrade|connection): .*\r\n/gim, ""),
    }],
    ["answers the upgrade itself", /answered the socket's request itself, with 400: .*Caddy/, {
      request: (head) =>
        isUpgrade(head)
          ? { answer: "HTTP/1.1 400 Bad Request\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno\n" }
          : head,
    }],
    ["ends who asks for an upgrade", /could not be opened .*does not pass WebSocket upgrades/, {
      response: (head, piece) => isUpgrade(head) ? "cut" : piece,
    }],
    ["asks under another name", /takes its own page for a foreign one: .*proxy_set_header Host/, {
      request: (head) => head.replace(/^host: .*\r\n/im, "host: inside\r\n"),
    }],
    ["cuts sockets after a while", /A socket was cut after \d+\.\d s .*proxy_read_timeout/, {
      response: (head, piece) => isUpgrade(head) && piece.includes("Canary 3") ? "cut" : piece,
    }],
    ["holds back what comes by socket", /opens, but nothing comes through it .*buffering/, {
      response: (head, piece) => isUpgrade(head) ? piece.match(/^HTTP.+?\r\n\r\n/s)?.[0] ?? "" : piece,
    }, { patience: 3_000 }],
    ["holds back streams", /An event stream brings nothing .*buffering/, {
      response: (head, piece) => /^GET \S+\/events /.test(head) ? "" : piece,
    }, { patience: 3_000 }],
    ["is slow", /^Messages are slow: /, {}, { slow: 0 }],
  ];
  const finds = bad.map(async ([title, sentence, meddling, options]) => {
    const [first, ...more] = await findings(server, meddling, options);
    assert.match(first ?? "nothing", sentence, `one that ${title}`);
    assert.deepEqual(more, [], `one that ${title}`);
  });
  await Promise.all(finds);
  assert.deepEqual(await findings(server), [], "a good one");
  await server.stop();
});

Deno.test("the doctor ends with code 0 where all is well, with 1 and a sentence where it is not", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const other = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("another"));
  const task = await taskArguments("doctor");
  const doctor = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...task, ...args] }).output();
    return { code, said: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
  };
  const good = await doctor(server.url, "--seconds=0.3");
  assert.equal(good.code, 0, good.said);
  assert.match(good.said, /^(✓ .+\.\n)+All is well\.\n$/);
  await server.stop();
  const bad: [string[], RegExp][] = [
    [[server.url], /✗ Nothing answers at /],
    [[`http://127.0.0.1:${other.addr.port}`], /✗ What answers at .* is no Parley/],
    [["chat.example"], /Say which server/],
    [[server.url, "--seconds=soon"], /Say which server, and for how long/],
  ];
  for (const [args, sentence] of bad) {
    const { code, said } = await doctor(...args);
    assert.equal(code, 1);
    assert.match(said, sentence);
  }
  await other.shutdown();
});

Deno.test("a tally tells lost, doubled and misplaced messages apart", () => {
  const message = (seq: number, id: string): ReceiveMessage => //
  ({ action: "receive_message", room: "r", seq, user: "u", from: "U", text: "x", date: 0, id });
  const count = (...heard: [number, string][]) => {
    const tally = new Tally();
    for (const id of ["a", "b", "c"]) tally.send(id, 0);
    for (const [seq, id] of heard) tally.hear(message(seq, id), 10 * seq);
    return [tally.missing, tally.doubled, tally.misplaced];
  };
  assert.deepEqual(count([1, "a"], [2, "b"], [3, "c"]), [0, 0, 0]);
  assert.deepEqual(count([1, "a"], [2, "b"]), [1, 0, 0]);
  assert.deepEqual(count([1, "a"], [2, "b"], [2, "b"], [3, "c"]), [0, 1, 0]);
  assert.deepEqual(count([1, "a"], [3, "c"], [2, "b"]), [0, 0, 2]);
  assert.deepEqual(count([1, "a"], [2, "b"], [3, "c"], [4, "of somebody else"]), [0, 0, 0]);
  const tally = new Tally();
  for (const [at, id] of ["a", "b", "c"].entries()) {
    tally.send(id, 0);
    tally.hear(message(at + 1, id), 10 * (at + 1));
  }
  assert.deepEqual(tally.latency, { median: 20, slowest: 30 });
});
