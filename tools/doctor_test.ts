import assert from "node:assert/strict";
import { sign } from "hono/jwt";
import { systemClock } from "../chat/clock.ts";
import type { ReceiveMessage } from "../chat/protocol.ts";
import { PatientClock } from "../testing/servers/patient_clock.ts";
import { type Meddling, Proxy } from "../testing/servers/proxy.ts";
import { type RunningServer, startServer, taskArguments } from "../testing/servers/server.ts";
import { examine } from "./doctor/examine.ts";
import { Tally } from "./doctor/tally.ts";

/** Milliseconds that the doctor waits for what must come, if it is not known before that nothing will. */
const TIMEOUT = 20_000;
const examination = { seconds: 0.3, timeout: TIMEOUT, slow: TIMEOUT, clock: systemClock };

/** What the doctor finds to be off with a server behind a proxy. */
async function findings(
  server: RunningServer,
  meddling: Meddling = {},
  options: Partial<typeof examination & { token: string }> = {},
) {
  const clock = new PatientClock(`${server.url}/healthz`, TIMEOUT);
  const proxy = new Proxy(server.port, {
    request(head) {
      clock.notePiece();
      return meddling.request?.(head) ?? head;
    },
    response(head, piece) {
      const rest = meddling.response?.(head, piece) ?? piece;
      if (rest !== "") clock.notePiece();
      return rest;
    },
  });
  const off: string[] = [];
  for await (const { well, sentence } of examine({ address: new URL(proxy.url), ...examination, clock, ...options })) {
    if (!well) off.push(sentence);
  }
  await clock.end();
  await proxy.stop();
  return off;
}

const isUpgrade = (head: string) => /^upgrade: websocket/im.test(head);
const isStream = (head: string) => /^GET \S+\/events /.test(head);
const OWN_PAGE =
  "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 9\r\nconnection: close\r\n\r\n<p>Hello\n";
const NOTHING = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
const BROKEN = "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 100\r\nconnection: close\r\n\r\nno";
const NO_POST = "HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 3\r\nconnection: close\r\n\r\nno\n";

Deno.test("the doctor finds what is wrong with a proxy, and passes a good one", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const bad: [string, RegExp, Meddling][] = [
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
    ["asks under another name", /takes its own page for a foreign one, .*proxy_set_header Host/, {
      request: (head) => head.replace(/^host: .*\r\n/im, "host: inside\r\n"),
    }],
    ["has a page of its own", /The page is not Parley's: something in front answers in its place, with 200/, {
      request: (head) => head.startsWith("GET / ") ? { answer: OWN_PAGE } : head,
    }],
    [
      "loses the page's files",
      /names its script as \/static\/\w+\/client.ts, which is not there \(200\): .*pass it on/,
      {
        request: (head) => head.includes("/client.ts ") ? { answer: OWN_PAGE } : head,
      },
    ],
    [
      "loses a file that the page needs later",
      /names its script as \/static\/\w+\/views\/views.ts, which is not there \(404\)/,
      {
        request: (head) => head.includes("/views.ts ") ? { answer: NOTHING } : head,
      },
    ],
    ["loses the page's style", /names its style as \/static\/\w+\/style.css, which is not there \(404\)/, {
      request: (head) => head.includes("style.css ") ? { answer: NOTHING } : head,
    }],
    ["says that a session is a text", /Something in front answers POST \/api\/session itself, with 201/, {
      response: (head, piece) =>
        head.startsWith("POST /api/session") ? piece.replace("application/json", "text/plain") : piece,
    }],
    ["breaks off its answer to an upgrade", /answered the socket's request itself, with 502/, {
      request: (head) => isUpgrade(head) ? { answer: BROKEN, isLast: true } : head,
    }],
    ["never ends its answer to an upgrade", /does not pass WebSocket upgrades/, {
      request: (head) => isUpgrade(head) ? { answer: BROKEN } : head,
    }],
    ["refuses POST", /Something in front answers POST \/api\/session itself, with 405/, {
      request: (head) => head.startsWith("POST ") ? { answer: NO_POST } : head,
    }],
    ["answers for the session", /Something in front answers POST \/api\/session itself, with 201/, {
      request: (head) => head.startsWith("POST ") ? { answer: OWN_PAGE.replace("200 OK", "201 Created") } : head,
    }],
    ["takes no actions", /Something in front answers POST \/api\/actions itself, with 405/, {
      request: (head) => head.startsWith("POST /api/actions ") ? { answer: NO_POST } : head,
    }],
    ["passes an answer's head only", /^It answered, and then it did not \(nothing in 20 s\)/, {
      response: (head, piece) => head.startsWith("POST ") ? piece.match(/^HTTP.+?\r\n\r\n/s)?.[0] ?? "" : piece,
    }],
    ["takes cookies away", /cookie is lost on the way: .*Set-Cookie/, {
      response: (_, piece) => piece.replace(/^set-cookie: .*\r\n/im, ""),
    }],
    ["hides cookies from the server", /cookie is lost on the way to a socket: .*pass Cookie on/, {
      request: (head) => isUpgrade(head) ? head.replace(/^cookie: .*\r\n/im, "") : head,
    }],
    ["cuts sockets after a while", /A socket was cut after \d+\.\d s, .*proxy_read_timeout/, {
      response: (head, piece) => isUpgrade(head) && piece.includes("Canary 3") ? "cut" : piece,
    }],
    ["holds back what comes by socket", /opens, but nothing comes through it .*buffering/, {
      response: (head, piece) => isUpgrade(head) ? piece.match(/^HTTP.+?\r\n\r\n/s)?.[0] ?? "" : piece,
    }],
    ["holds back small events", /An event stream begins, but what is said then does not come .*buffering/, {
      response: (head, piece) => isStream(head) && !piece.startsWith("HTTP/1.1 200") ? "" : piece,
    }],
    ["holds back what is compressed", /Something in front compresses it, and holds it back for that\. .*encode/, {
      response: (head, piece) =>
        isStream(head) && /^accept-encoding: gzip, deflate, br, zstd\r/im.test(head) ? "" : piece,
    }],
    ["cuts streams", /^An event stream was cut after \d+\.\d s, .*proxy_read_timeout/, {
      response: (head, piece) => isStream(head) && piece.includes("By stream 1") ? "cut" : piece,
    }],
    ["holds back streams", /An event stream brings nothing .*buffering/, {
      response: (head, piece) => isStream(head) ? "" : piece,
    }],
  ];
  const finds = bad.map(async ([title, sentence, meddling]) => {
    const [first, ...more] = await findings(server, meddling);
    assert.match(first ?? "nothing", sentence, `one that ${title}: ${first}`);
    assert.deepEqual(more, [], `one that ${title}`);
  });
  await Promise.all(finds);
  assert.deepEqual(await findings(server), [], "a good one");
  const [stream, messages, ...more] = await findings(server, {}, { slow: -1 });
  assert.match(stream, /^An event stream brings what is said, but late /);
  assert.match(messages, /^Messages are slow: /);
  assert.deepEqual(more, []);
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
    [[], /^Say which server: .*--help/],
    [["chat.example"], /^The address must begin with .* Try: deno task doctor https:\/\/chat\.example$/m],
    [["localhost:8000"], /Try: deno task doctor http:\/\/localhost:8000$/m],
    [["wss://chat.example:8443/chat/"], /Try: deno task doctor https:\/\/chat\.example:8443\/chat$/m],
    [["http://"], /is no address/],
    [["http://one", "http://two"], /^One server at a time, so not also http:\/\/two/],
    [[server.url, "--seconds=soon"], /^--seconds is a number above 0, up to 3600, and soon is not/],
    [[server.url, "--second=10"], /^Unknown option '--second': .*\n$/],
    [[server.url, "--token"], /^Option '--token <value>' argument missing: .*\n$/],
  ];
  for (const [args, sentence] of bad) {
    const { code, said } = await doctor(...args);
    assert.equal(code, 1);
    assert.match(said, sentence);
  }
  await other.shutdown();
});

Deno.test("the doctor says what it is and how to call it, when it is asked for help", async () => {
  const task = await taskArguments("doctor");
  for (const flag of ["--help", "-h"]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args: [...task, flag] }).output();
    assert.equal(code, 0);
    assert.equal(stderr.length, 0);
    assert.match(new TextDecoder().decode(stdout), /--seconds.+--token.+deno task doctor https:\/\/chat\.example/s);
  }
});

Deno.test("the doctor passes on why the server does not let the page in, in the server's words", async () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ HOSTS: "chat.example" }, /^The server refuses the page with 421: .*Add it to HOSTS\. .*Host header/],
    [{ NEWCOMERS_PER_MINUTE: "1", CONNECTIONS_PER_IP: "1" }, /429: .*TRUST_PROXY/],
    [
      { AUTH_JWT_SECRET: "x".repeat(32), AUTH_ISSUER: "https://issuer.example", AUTH_AUDIENCE: "chat" },
      /^Who comes without a token is not let in: give one with --token=TOKEN\.$/,
    ],
  ];
  await Promise.all(cases.map(async ([env, sentence]) => {
    const server = await startServer({ env: { DATABASE_URL: "memory:", ...env } });
    const limit = "NEWCOMERS_PER_MINUTE" in env ? 3 : 0;
    for (let at = 0; at < limit; at++) {
      await fetch(`${server.url}/api/session`, { method: "POST" }).then((answer) => answer.body?.cancel());
    }
    const found = await findings(server);
    assert.match(found[0] ?? "nothing", sentence);
    assert.equal(found.length, 1);
    await server.stop();
  }));
});

Deno.test("with a token the doctor comes in where people come with accounts", async () => {
  const [secret, iss, aud] = ["x".repeat(32), "https://issuer.example", "chat"];
  const server = await startServer({
    env: { DATABASE_URL: "memory:", AUTH_JWT_SECRET: secret, AUTH_ISSUER: iss, AUTH_AUDIENCE: aud },
  });
  const exp = Math.floor(Date.now() / 1000) + 60;
  const token = await sign({ iss, aud, sub: "ann", name: "Ann", exp }, secret, "HS256");
  assert.deepEqual(await findings(server, {}, { token }), []);
  const [refused, ...more] = await findings(server, {}, { token: `${token}x` });
  assert.match(refused, /refuses the page's session with 401: The token is no good/);
  assert.deepEqual(more, []);
  await server.stop();
});

Deno.test("whatever answers, the doctor ends with a sentence", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const text = (words: string) => String.fromCharCode(0x81, words.length) + words;
  const junk: [string, string][] = [
    ["no JSON", text("hello {")],
    ["nothing", text("")],
    ["null", text("null")],
    ["a list of junk", text('[null,1,"x",{"action":7}]')],
    ["a welcome without limits", text('{"action":"welcome"}')],
    ["a room without messages", text('{"action":"room_joined","messages":5}')],
    ["bytes", String.fromCharCode(0x82, 3, 1, 2, 3)],
  ];
  const ends = junk.map(async ([title, piece]) => {
    const off = await findings(server, {
      response: (head, all) => isUpgrade(head) ? (all.match(/^HTTP.+?\r\n\r\n/s)?.[0] ?? "") + piece : all,
    });
    assert.ok(off.length > 0 && off.every((sentence) => /^[A-Z].+[.?]$/s.test(sentence)), `${title}: ${off}`);
  });
  await Promise.all(ends);
  await server.stop();
});

Deno.test("the doctor is as well as a page is, whatever cookies a proxy adds, and says which limit is too low for it", async () => {
  const server = await startServer({ env: { DATABASE_URL: "memory:" } });
  const sticky = "set-cookie: lb=a; Path=/\r\n";
  const off = await findings(server, {
    request: (head) => isUpgrade(head) && !/^cookie: .*lb=a; parley_session=/m.test(head) ? { answer: NO_POST } : head,
    response: (head, piece) =>
      head.startsWith("POST /api/session") ? piece.replace("set-cookie:", `${sticky}set-cookie:`) : piece,
  });
  assert.deepEqual(off, []);
  await server.stop();
  for (
    const [env, sentence] of [
      [{ JOINS_PER_MINUTE: "1" }, /refuses what the page would ask: .+ are limits set so low\?$/],
      [{ CONNECTIONS_PER_IP: "3" }, /the doctor takes four at a time, and CONNECTIONS_PER_IP/],
    ] as const
  ) {
    const strict = await startServer({ env: { DATABASE_URL: "memory:", ...env } });
    const said = await findings(strict);
    assert.ok(said.some((words) => sentence.test(words)), `${said}`);
    await strict.stop();
  }
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
