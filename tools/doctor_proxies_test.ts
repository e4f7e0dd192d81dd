/** The doctor behind proxies as people run them: what it says is so, and what it advises helps. */
import assert from "node:assert/strict";
import { Page } from "../testing/markdown.ts";
import { PatientClock } from "../testing/servers/patient_clock.ts";
import { type ProxyCommand, proxyTest, RealProxy, versionOf } from "../testing/servers/real_proxy.ts";
import { startServer } from "../testing/servers/server.ts";
import { examine } from "./doctor/examine.ts";

/** The page with lines for each proxy. */
const deploying = await Page.read("docs/deploying.md");

/** How long a proxy of these tests waits for what is idle, seconds, and messages are sent where that is to be seen. */
const [IDLE, LONGER] = [2, 3.5];

/** Milliseconds that the doctor waits for what must come, if it is not known before that nothing will. */
const TIMEOUT = 20_000;

/** What the doctor says behind a proxy with this configuration. */
interface Case {
  /** What is said to be off, one after the other; nothing else may be. Nothing: all is well. */
  off?: RegExp[];
  /** A path that the proxy gives the chat. */
  path?: string;
  /** Whether the server knows that path, which is `/chat` then. */
  known?: true;
  /** How long messages are sent. */
  seconds?: number;
  config: (port: number, target: number) => string;
}

/** Holds the cases against one server, all at once. Their names are rules. */
function rules(command: ProxyCommand, title: string, cases: Record<string, Case>): Promise<void> {
  return proxyTest(command, title, async () => {
    const [server, below] = await Promise.all([
      startServer({ env: { DATABASE_URL: "memory:" } }),
      startServer({ env: { DATABASE_URL: "memory:", BASE_PATH: "/chat" } }),
    ]);
    const ends = Object.entries(cases).map(async ([rule, { off = [], path = "", known, seconds = 0.3, config }]) => {
      const proxy = await RealProxy.start(command, (port) => config(port, (known ? below : server).port));
      const address = new URL(path, proxy.url);
      const clock = new PatientClock(`${address.href.replace(/\/$/, "")}/healthz`, TIMEOUT);
      const said: string[] = [];
      for await (const finding of examine({ address, seconds, timeout: TIMEOUT, slow: TIMEOUT, clock })) {
        if (!finding.well) said.push(finding.sentence);
        // Where something is off that keeps the page from talking, nobody may say that it talks.
        else if (/can't connect|compresses|holds it back/.test(said.join())) {
          assert.doesNotMatch(finding.sentence, /stream/, rule);
        }
      }
      await clock.end();
      await proxy.stop();
      assert.equal(said.length, off.length, `${rule}: ${said.join("\n") || "nothing is said"}`);
      for (const [at, sentence] of off.entries()) assert.match(said[at], sentence, `${rule}: ${said[at]}`);
    });
    const failed = (await Promise.allSettled(ends)).filter((end) => end.status === "rejected");
    await Promise.all([server.stop(), below.stop()]);
    if (failed.length > 0) throw failed[0].reason;
  });
}

const nginx = (location: string, aside = "") => (port: number, target: number) => `
  daemon off; master_process off; pid pid; error_log stderr error;
  events {}
  http {
    access_log off;
    client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
    ${aside}
    server {
      listen 127.0.0.1:${port};
      ${location.replaceAll("TARGET", `http://127.0.0.1:${target}`)}
    }
  }`;
const PASS = "proxy_pass TARGET;";
const HOST = "proxy_set_header Host $http_host;";
const UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;";
const GZIP = "gzip on; gzip_types *; gzip_min_length 1;";

await rules(
  "nginx",
  "behind an nginx the doctor says what is off, and what it advises helps",
  {
    "one that only passes changes Host and drops upgrades": {
      off: [/The page can't connect: .* In nginx /, /does not pass WebSocket upgrades: .* In nginx /],
      config: nginx(`location / { ${PASS} }`),
    },
    "the one in docs/deploying.md is well": {
      config: nginx(deploying.only("nginx").replace("http://127.0.0.1:8000", "TARGET")),
    },
    "one that changes Host only leaves no page that can talk": {
      off: [/The page can't connect: .* In nginx set proxy_set_header Host \$http_host/],
      config: nginx(`location / { ${PASS} ${UPGRADE} }`),
    },
    "one without upgrades leaves the page its streams": {
      off: [/does not pass WebSocket upgrades: .* In nginx set proxy_http_version 1\.1, .* Upgrade \$http_upgrade /],
      config: nginx(`location / { ${PASS} ${HOST} }`),
    },
    "one that compresses, and ignores what the stream says, holds it back": {
      off: [/stream .* compresses it, and holds it back for that\. In nginx set proxy_buffering off\.$/],
      config: nginx(`location / { ${PASS} ${HOST} ${UPGRADE} proxy_ignore_headers X-Accel-Buffering; }`, GZIP),
    },
    "one that compresses and does not buffer is well": {
      config: nginx(
        `location / { ${PASS} ${HOST} ${UPGRADE} proxy_ignore_headers X-Accel-Buffering; proxy_buffering off; }`,
        GZIP,
      ),
    },
    "one that compresses is well where it heeds what the stream says": {
      config: nginx(`location / { ${PASS} ${HOST} ${UPGRADE} }`, GZIP),
    },
    "one that buffers holds streams back": {
      off: [
        /does not pass WebSocket upgrades/,
        /stream brings nothing .* holds it back\. In nginx set proxy_buffering off\.$/,
      ],
      config: nginx(`location / { ${PASS} ${HOST} proxy_ignore_headers X-Accel-Buffering; }`),
    },
    "one that waits too short for sockets ends idle ones": {
      off: [/^A socket was cut after .* In nginx set proxy_read_timeout 1h\.$/],
      seconds: LONGER,
      config: nginx(`location / { ${PASS} ${HOST} }
      location /connect { ${PASS} ${HOST} ${UPGRADE} proxy_read_timeout ${IDLE}s; }`),
    },
    "one that waits too short for streams ends idle ones": {
      off: [/^An event stream was cut after .* In nginx set proxy_read_timeout 1h\.$/],
      seconds: LONGER,
      config: nginx(`location / { ${PASS} ${HOST} ${UPGRADE} }
      location ~ /events$ { ${PASS} ${HOST} proxy_read_timeout ${IDLE}s; }`),
    },
    "one that gives the chat a path is told to the server": {
      off: [/names its script as \/static\/\w+\/client\.ts, which is not there \(404\): set BASE_PATH=\/chat,/],
      path: "/chat",
      config: nginx(`location /chat/ { ${PASS.replace(";", "/;")} ${HOST} ${UPGRADE} }`),
    },
    "one that strips a path which the server knows is well": {
      path: "/chat",
      known: true,
      config: nginx(`location /chat/ { ${PASS.replace(";", "/;")} ${HOST} ${UPGRADE} }`),
    },
    "one that leaves a path which the server knows is well": {
      path: "/chat/",
      known: true,
      config: nginx(`location /chat { ${PASS} ${HOST} ${UPGRADE} }`),
    },
    "one whose root is somebody else's page does not hide that": {
      off: [/names its script as \/static\/\w+\/client\.ts, which is not there \(200\): set BASE_PATH=\/chat,/],
      path: "/chat/",
      config: nginx(`location /chat/ { ${PASS.replace(";", "/;")} ${HOST} ${UPGRADE} }
      location / { default_type text/html; return 200 "<p>Hello"; }`),
    },
  },
);

/** From 2.6.3 on it heeds `no-transform`, which streams say; later `buffer_responses` has another name. */
const isOldCaddy = /^2\.([0-5]\.|6\.[0-2]$)/.test(await versionOf("caddy") ?? "");
const caddy = (inside: string) => (port: number, target: number) => `
{
	admin off
	auto_https off
}
http://127.0.0.1:${port} {
	${inside.replaceAll("TARGET", `127.0.0.1:${target}`)}
}
`;

const SHORT = `TARGET {\ntransport http {\nread_timeout ${IDLE}s\n}\n}`;

const OLD_CADDY: Record<string, Case> = {
  "one that encodes holds streams back": {
    off: [/An event stream .* compresses it, and holds it back for that\. In Caddy leave streams out of encode: /],
    config: caddy("encode gzip\nreverse_proxy TARGET"),
  },
  "one that encodes with Zstandard does too": {
    off: [/An event stream .* compresses it, and holds it back for that\. In Caddy leave streams out of encode: /],
    config: caddy("encode zstd gzip\nreverse_proxy TARGET"),
  },
  "one that buffers holds streams back": {
    off: [
      /socket could not be opened .* In Caddy .* buffer_responses \(/,
      /holds it back\. In Caddy take out buffer_responses, or /,
    ],
    config: caddy("reverse_proxy TARGET {\nbuffer_responses\n}"),
  },
};

await rules(
  "caddy",
  "behind a Caddy the doctor says what is off, and what it advises helps",
  {
    "the one in docs/deploying.md is well": {
      config: caddy(
        /reverse_proxy .+?\n\t\}/s.exec(deploying.only("caddyfile"))![0].replace("localhost:8000", "TARGET"),
      ),
    },
    ...(isOldCaddy ? OLD_CADDY : undefined),
    "one that leaves streams out is well": {
      config: caddy("@compress not path */events\nencode @compress gzip\nreverse_proxy TARGET"),
    },
    "one that strips a path which the server knows is well": {
      path: "/chat",
      known: true,
      config: caddy("handle_path /chat* {\nreverse_proxy TARGET\n}"),
    },
    "one that leaves a path which the server knows is well": {
      path: "/chat",
      known: true,
      config: caddy("reverse_proxy /chat* TARGET"),
    },
    "one that changes Host leaves no page that can talk": {
      off: [/The page can't connect: .* In Caddy take out header_up Host\.$/],
      config: caddy("reverse_proxy TARGET {\nheader_up Host {upstream_hostport}\n}"),
    },
    "one that takes upgrades away is seen": {
      off: [/does not pass WebSocket upgrades: .* In Caddy .* header_up/],
      config: caddy("reverse_proxy TARGET {\nheader_up -Upgrade\n}"),
    },
    "one that asks by HTTP/2 passes no upgrades": {
      off: [/answered the socket's request itself, with 502: .* In Caddy .* take out versions h2c/],
      config: caddy("reverse_proxy TARGET {\ntransport http {\nversions h2c\n}\n}"),
    },
    "one that waits too short for sockets ends idle ones": {
      off: [/^A socket was cut after .* In Caddy take out read_timeout\.$/],
      seconds: LONGER,
      config: caddy(`reverse_proxy /connect ${SHORT}\nreverse_proxy TARGET`),
    },
    "one that waits too short for streams ends idle ones": {
      off: [/^An event stream was cut after .* In Caddy take out read_timeout\.$/],
      seconds: LONGER,
      config: caddy(`@events path */events\nreverse_proxy @events ${SHORT}\nreverse_proxy TARGET`),
    },
  },
);

const haproxy = (inside = "", server = "") => (port: number, target: number) =>
  deploying.only("haproxy").replace(/bind .+/, `bind 127.0.0.1:${port}\n${inside}`)
    .replace("127.0.0.1:8000", `127.0.0.1:${target} ${server}`) + "\n";

await rules(
  "haproxy",
  "behind an HAProxy, which says nothing of itself, what the doctor advises helps too",
  {
    "the one in docs/deploying.md is well": { config: haproxy() },
    "one that compresses is well: it heeds what the stream says": {
      config: haproxy("filter compression\n  compression algo gzip\n  compression type text/event-stream text/html"),
    },
    "one that strips a path which the server knows is well": {
      path: "/chat",
      known: true,
      config: haproxy("http-request replace-path /chat(/.*)? \\1"),
    },
    "one that leaves a path which the server knows is well": { path: "/chat", known: true, config: haproxy() },
    "one that changes Host leaves no page that can talk": {
      off: [/The page can't connect: .* in HAProxy take out http-request set-header Host\.$/],
      config: haproxy("http-request set-header Host inside"),
    },
    "one that takes upgrades away is seen": {
      off: [/does not pass WebSocket upgrades: .* In nginx .+; in Caddy .+; in HAProxy /],
      config: haproxy("http-request del-header Upgrade"),
    },
    "one that asks by HTTP/2 passes no upgrades": {
      off: [/answered the socket's request itself, with 502: .* take out proto h2/],
      config: haproxy("", "proto h2"),
    },
    "one that waits for whole answers holds streams back": {
      off: [/An event stream .* holds it back\. .* in HAProxy take out http-response wait-for-body\.$/],
      config: haproxy("http-response wait-for-body time 10s if { res.hdr(content-type) -m beg text/event-stream }"),
    },
    "one that waits too short ends idle sockets": {
      off: [/A socket was cut after .* in HAProxy set timeout tunnel 1h for sockets, /],
      seconds: LONGER,
      config: haproxy(`timeout tunnel ${IDLE}s`),
    },
    "one that waits too short ends idle streams": {
      off: [/An event stream was cut after .* in HAProxy .* timeout server 1m for streams\.$/],
      seconds: LONGER,
      config: (port, target) =>
        haproxy("use_backend streams if { path_end /events }")(port, target) +
        `backend streams\n  timeout server ${IDLE}s\n  server one 127.0.0.1:${target}\n`,
    },
  },
);
