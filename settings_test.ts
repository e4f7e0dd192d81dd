import assert from "node:assert/strict";
import { RateLimiter } from "./chat/limits/rate_limiter.ts";
import { isUnlimited, type Rate } from "./chat/limits/token_bucket.ts";
import { FakeClock } from "./testing/clock.ts";
import { outsideOf, ratesOf, readSettings, SETTING_NAMES } from "./settings.ts";
import { help, misspelt } from "./settings_help.ts";

const read = (env: Record<string, string>) => readSettings((name) => env[name]);

Deno.test("without settings everything has a value that works", () => {
  const { PORT, HOST, TEXT_LIMIT, ALLOWED_ORIGINS } = read({});
  assert.deepEqual({ PORT, HOST, TEXT_LIMIT, ALLOWED_ORIGINS }, {
    PORT: 8000,
    HOST: "0.0.0.0",
    TEXT_LIMIT: 4_000,
    ALLOWED_ORIGINS: [],
  });
});

Deno.test("words are kept in a file unless another place is named", () => {
  assert.deepEqual(read({}).DATABASE_URL, { kind: "sqlite", path: "data/chat.db" });
  assert.deepEqual(read({ DATABASE_URL: "sqlite:/var/lib/x y.db" }).DATABASE_URL, {
    kind: "sqlite",
    path: "/var/lib/x y.db",
  });
  assert.deepEqual(read({ DATABASE_URL: "memory:" }).DATABASE_URL, { kind: "memory" });
});

Deno.test("a Redis address may name a user, a password, a database, a prefix and what may be lost", () => {
  assert.deepEqual(read({ DATABASE_URL: "redis://localhost" }).DATABASE_URL, {
    kind: "redis",
    url: "redis://localhost",
    prefix: "parley",
    mayLoseASecond: false,
  });
  assert.deepEqual(read({ DATABASE_URL: "rediss://u:p%40@host:6380/3?prefix=chat:2&may_lose=1s" }).DATABASE_URL, {
    kind: "redis",
    url: "rediss://u:p%40@host:6380/3",
    prefix: "chat:2",
    mayLoseASecond: true,
  });
});

Deno.test("on Deno Deploy words are kept in its store unless another place is named", () => {
  assert.deepEqual(read({ DENO_DEPLOYMENT_ID: "x" }).DATABASE_URL, { kind: "kv", path: undefined });
  assert.deepEqual(read({ DENO_DEPLOYMENT_ID: "x", DATABASE_URL: "memory:" }).DATABASE_URL, { kind: "memory" });
  assert.deepEqual(read({ DATABASE_URL: "kv:data/chat.kv" }).DATABASE_URL, { kind: "kv", path: "data/chat.kv" });
});

Deno.test("an empty setting counts as not set", () => {
  assert.equal(read({ PORT: "" }).PORT, 8000);
});

Deno.test("origins stand with commas between them", () => {
  assert.deepEqual(read({ ALLOWED_ORIGINS: "https://a.example, http://b.example:81" }).ALLOWED_ORIGINS, [
    "https://a.example",
    "http://b.example:81",
  ]);
});

Deno.test("the path below which the chat is may end with a slash, and none is the top", () => {
  for (
    const [value, path] of [["", ""], ["/", ""], ["/chat", "/chat"], ["/a-b/c.d/", "/a-b/c.d"], ["/apis", "/apis"]]
  ) {
    assert.equal(read({ BASE_PATH: value }).BASE_PATH, path);
  }
});

Deno.test("hosts stand with commas between them, and are compared in one form", () => {
  assert.equal(read({}).HOSTS, undefined);
  assert.deepEqual(read({ HOSTS: "Chat.Example., bücher.example,[::1]" }).HOSTS, [
    "chat.example",
    "xn--bcher-kva.example",
    "[::1]",
  ]);
});

Deno.test("a value that makes no sense is told in one line that names the setting", () => {
  const bad = {
    PORT: ["abc", "65536", "-1", "1.5", "0x10", " 80", "1e3"],
    ALLOWED_ORIGINS: ["example.com", "https://a.example/", "https://a.example/path", "*", "null"],
    HOSTS: ["https://chat.example", "chat.example:8000", "a b", "[::", "*.chat.example", ",", " "],
    BASE_PATH: [
      "chat",
      "/static",
      "/files",
      "/mcp/x",
      "/asyncapi.json",
      "/a b",
      "//",
      "/a//b",
      "/..",
      "/a/../b",
      "/%61",
      "https://a.example/chat",
      "/api",
      "/r/chat/",
    ],
    TRUST_PROXY: ["yes", "-1", "11"],
    TEXT_LIMIT: ["0", "many", "20001"],
    HISTORY_MESSAGES: ["-1", "all"],
    HISTORY_DAYS: ["x"],
    MESSAGE_RATE: ["-1", "fast"],
    ROOMS_PER_CONNECTION: ["0"],
    FRAME_LIMIT: ["10", "1048577"],
    AUTH_JWKS_URL: ["accounts.example", "file:///etc/passwd"],
    AUTH_LOGIN_URL: ["javascript:alert(1)"],
  };
  for (const [name, values] of Object.entries(bad)) {
    for (const value of values) {
      assert.throws(() => read({ [name]: value }), ({ message }: Error) => {
        assert.ok(
          message.startsWith(`${name} must be `) && message.endsWith(`, not ${JSON.stringify(value)}.`),
          message,
        );
        return !message.includes("\n");
      });
    }
  }
});

Deno.test("a value that may hold a password is not repeated", () => {
  const bad = [
    "mysql://x",
    "memory",
    "sqlite",
    "sqlite:",
    "redis:",
    "redis://user:password@host/name",
    "redis://user:password@host?colour=red",
    "redis://user:password@host?may_lose=all",
    "redis://user:password@host?prefix=a%20b",
  ];
  for (const value of bad) {
    assert.throws(() => read({ DATABASE_URL: value }), ({ message }: Error) => {
      return /^DATABASE_URL must be memory:, sqlite:PATH, kv:, kv:PATH or redis:\/\/\S+\.$/.test(message) &&
        !message.includes("password@");
    });
  }
});

Deno.test("accounts elsewhere need a key, an issuer and an audience, and one key only", () => {
  const secret = "a secret of at least thirty-two characters";
  const whole = { AUTH_JWT_SECRET: secret, AUTH_ISSUER: "https://accounts.example", AUTH_AUDIENCE: "parley" };
  assert.equal(outsideOf(read(whole))?.issuer, "https://accounts.example");
  assert.equal(outsideOf(read({})), undefined);
  for (const name of Object.keys(whole)) {
    assert.throws(() => read({ ...whole, [name]: "" }), ({ message }: Error) => message.startsWith(`${name} `), name);
  }
  const both = { ...whole, AUTH_JWKS_URL: "https://accounts.example/jwks.json" };
  assert.throws(
    () => read(both),
    ({ message }: Error) => message.includes("AUTH_JWKS_URL") && !message.includes(secret),
  );
  const short = { ...whole, AUTH_JWT_SECRET: "short" };
  assert.throws(() => read(short), { message: "AUTH_JWT_SECRET must have at least 32 characters." });
});

Deno.test("a token that could be guessed stops the start, and is not repeated", () => {
  for (const name of ["ADMIN_TOKEN", "METRICS_TOKEN"]) {
    const read = (value: string) => readSettings((asked) => asked === name ? value : undefined);
    assert.throws(() => read("letmein"), { message: `${name} must have at least 16 characters.` });
    assert.equal(read("0123456789abcdef")[name as "ADMIN_TOKEN"], "0123456789abcdef");
  }
});

Deno.test("who lifts the limits by address lifts all of them", () => {
  assert.equal(ratesOf(read({})).newcomers.burst, 120);
  assert.equal(ratesOf(read({ CONNECTIONS_PER_IP: "0" })).newcomers.burst, 0);
  assert.equal(ratesOf(read({ CONNECTIONS_PER_IP: "0", NEWCOMERS_PER_MINUTE: "5" })).newcomers.burst, 10);
});

Deno.test("thirty people behind one address, who come, reload and talk all at once, feel no limit", async () => {
  const clock = new FakeClock();
  const rateLimiter = new RateLimiter(ratesOf(read({})), clock, (reached) => assert.fail(JSON.stringify(reached)));
  const classroom = "203.0.113.9";
  const users = Array.from({ length: 30 }, (_, at) => rateLimiter.person(`user${at}`));
  const address = rateLimiter.address(classroom);
  for (let lesson = 0; lesson < 2; lesson++) {
    for (const person of users) {
      if (lesson === 0) rateLimiter.admitNewcomer(classroom);
      // A laptop and a phone, both of which reload; three rooms each.
      const connections = Array.from({ length: 4 }, () => rateLimiter.connected(classroom));
      for (const connection of connections) assert.equal(rateLimiter.connectionsOver(connection), 0);
      for (let at = 0; at < 12; at++) assert.equal(rateLimiter.check(person, address, "joins"), undefined);
      assert.equal(rateLimiter.check(person, address, "renames"), undefined);
      for (const connection of connections.slice(0, 2)) rateLimiter.disconnected(connection);
    }
    for (let second = 0; second < 300; second++) {
      for (const person of users) {
        for (let at = 0; at < 3; at++) assert.equal(rateLimiter.check(person, address, "messages"), undefined);
        if (second % 3 === 0) assert.equal(rateLimiter.check(person, address, "signals"), undefined);
        if (second % 5 === 0) rateLimiter.admit(person.key, classroom, "reads");
      }
      await clock.advance(1_000);
    }
    for (let at = 0; at < 60; at++) rateLimiter.disconnected(address);
  }
});

Deno.test("a name that is nearly a setting's is told, with the one that is meant; names of others are not", () => {
  const meant = (...names: string[]) => misspelt(names).map((sentence) => /(\w+) may be meant/.exec(sentence)![1]);
  for (
    const [name, setting] of [
      ["TRUST_PROXYS", "TRUST_PROXY"],
      ["TRUST_PROXIES", "TRUST_PROXY"],
      ["PARLEY_BASE_PATH", "BASE_PATH"],
      ["SERCET", "SECRET"],
      ["PROT", "PORT"],
      ["PARLEY_PORT", undefined],
      ["RATE_LIMIT", undefined],
      ["BASE_URL", undefined],
      ["TRUSTPROXY", "TRUST_PROXY"],
      ["trust_proxy", "TRUST_PROXY"],
      ["DATABASE_URI", "DATABASE_URL"],
      ["ALLOWED_ORIGIN", "ALLOWED_ORIGINS"],
      ["WORKER", "WORKERS"],
      ["SECRETS", "SECRET"],
      ["port", "PORT"],
    ]
  ) assert.deepEqual(meant(name!), setting ? [setting] : [], name);
  assert.deepEqual(
    meant(
      "HOME",
      "HOSTNAME",
      "HOSTTYPE",
      "POST",
      "PATH",
      "LOGNAME",
      "TERM",
      "SHELL",
      "WORKERID",
      "DENO_DEPLOYMENT_IDS",
      "HOSTZ",
      "DENO_DIR",
      "_",
    ),
    [],
  );
  assert.deepEqual(meant(...SETTING_NAMES), []);
  assert.deepEqual(meant("port", "PORT"), [], "the right one is there too");
  const [sentence] = misspelt(["TRUST_PROXYS"]);
  assert.equal(sentence, "TRUST_PROXYS is no setting, and is ignored. TRUST_PROXY may be meant: see --help.");
});

Deno.test("--help lists every setting that is anyone's to set, with what it is unless set", () => {
  const unset: Record<string, unknown> = read({});
  for (const name of SETTING_NAMES) {
    const [, words] = new RegExp(`^  ${name} +(\\S.*)$`, "m").exec(help()) ?? [];
    if (name === "DENO_DEPLOYMENT_ID") assert.equal(words, undefined, "Deno Deploy sets it");
    else if (typeof unset[name] === "number") assert.match(words, new RegExp(`\\(${unset[name]}[;:)]`), name);
    else assert.ok(words, name);
  }
  assert.match(help(), /^ {2}DATABASE_URL .*\(sqlite:data\/chat\.db\)$/m);
});

/** Which limits these settings lift. Values that are refused lift none. */
function lifted(env: Record<string, string>): string[] {
  try {
    const isLifted = (limit: number | Rate) => typeof limit === "number" ? limit === 0 : isUnlimited(limit);
    return Object.entries(ratesOf(read(env))).filter(([, limit]) => isLifted(limit)).map(([name]) => name);
  } catch {
    return [];
  }
}

Deno.test("--help says that 0 is no limit where it is none, and only there", () => {
  assert.deepEqual(lifted({}), []);
  for (const [, name, words] of help().matchAll(/^ {2}([A-Z_]+) +(\S.*)$/gm)) {
    assert.equal(words.includes("0: no limit"), lifted({ [name]: "0" }).length > 0, name);
  }
});
