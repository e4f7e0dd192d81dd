import * as v from "valibot";
import type { Rates } from "./chat/limits/token_bucket.ts";
import { PAGE_BYTES } from "./chat/storage.ts";
import { type Limits, NAME_LIMIT, PING_SECONDS, TEXT_LIMIT } from "./chat/protocol.ts";
import { hostName } from "./web/transport/host.ts";
import type { OutsideSettings } from "./web/auth/jwt_issuer.ts";

/** Where the words are kept. */
export type Database =
  | { kind: "memory" }
  | { kind: "sqlite"; path: string }
  /** Without a path: what Deno Deploy, or else Deno itself, keeps for the program. */
  | { kind: "kv"; path?: string }
  | { kind: "redis"; url: string; prefix: string; mayLoseASecond: boolean };

/**
 * Most a text may be set to, code points: even all in JSON escapes (12 bytes) it stays below what makes a slow reader.
 */
const TEXT_LIMIT_LIMIT = 20_000;
/** Most isolates on one machine: all of them write to one file, one at a time. */
const WORKERS_LIMIT = 64;
/**
 * Bytes of a frame for each code point of a text: the longest JSON escape is 12, and the rest of the frame is small.
 */
const FRAME_BYTES_PER_CODE_POINT = 16;
/**
 * Bytes of a frame unless a text needs more, and the most it may be set to: one that is parsed in some milliseconds.
 */
const FRAME_LIMIT = 65_536;
const FRAME_LIMIT_LIMIT = 1024 * 1024;
/** New people from one address in a minute: a school comes in within one, a flood of names takes hours. */
const NEWCOMERS_PER_MINUTE = 60;
/**
 * For each connection that an address may have, a page of history may wait to be taken by it; for so many in any case.
 */
const PAGES_UNDER_WAY = 20;
/** Seconds: what so many minutes would bring may come at once, so that a reconnect with many rooms goes through. */
const BURST_SECONDS = 120;
/** Settings whose values may hold a password, and are not repeated. */
const CONFIDENTIAL = ["DATABASE_URL", "SECRET", "AUTH_JWT_SECRET", "ADMIN_TOKEN", "METRICS_TOKEN"];

const wholeNumber = (least: number, most: number) => {
  const must = `must be a whole number from ${least} to ${most}`;
  return v.pipe(
    v.string(),
    v.regex(/^\d{1,15}$/, must),
    v.transform(Number),
    v.minValue(least, must),
    v.maxValue(most, must),
  );
};

/** Nothing counts how often it is guessed at, so it must be too long to guess. */
const token = v.pipe(v.string(), v.minLength(16, "must have at least 16 characters"));

const origins = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((origin) => origin.trim()).filter((origin) => origin !== "")),
  v.check(
    (list) => list.every((origin) => URL.parse(origin)?.origin === origin),
    "must be origins such as https://example.com, with commas between them",
  ),
);

const hosts = v.pipe(
  v.string(),
  v.transform((text) => text.split(",").map((host) => host.trim()).filter((host) => host !== "").map(hostName)),
  v.check(
    (list) => list.length > 0 && !list.includes(undefined),
    "must be host names without scheme, port or path, such as chat.example.com,localhost,[::1]",
  ),
  v.transform((list) => list.filter((host) => host !== undefined)),
);

/**
 * How paths of the chat's own begin, some of them kept for what is to come: below one nobody could tell which is meant.
 */
const OWN_PATHS =
  /^\/(?:api|asyncapi\.json|client\.js|connect|docs|embed\.js|favicon\.ico|files|healthz|hooks|mcp|metrics|openapi\.json|r|readyz|service-worker\.js|static)(?:\/|$)/;

const basePath = v.pipe(
  v.string(),
  v.regex(/^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*\/?$/, "must be a path such as /chat"),
  v.transform((path) => path.replace(/\/$/, "")),
  v.check((path) => !OWN_PATHS.test(path), "must be another path than those that the chat itself has"),
);

const url = v.pipe(
  v.string(),
  v.check((text) => /^https?:$/.test(URL.parse(text)?.protocol ?? ""), "must be an address that begins with https://"),
);

const database = v.pipe(
  v.string(),
  v.rawTransform<string, Database>(({ dataset, addIssue, NEVER }) => {
    if (dataset.value === "memory:") return { kind: "memory" };
    const path = /^sqlite:(.+)$/.exec(dataset.value)?.[1];
    if (path) return { kind: "sqlite", path };
    const kv = /^kv:(.*)$/.exec(dataset.value);
    if (kv) return { kind: "kv", path: kv[1] || undefined };
    const redis = redisPlace(dataset.value);
    if (redis) return redis;
    addIssue({
      message:
        "must be memory:, sqlite:PATH, kv:, kv:PATH or redis://[USER:PASSWORD@]HOST[:PORT][/NUMBER][?prefix=NAME]",
    });
    return NEVER;
  }),
);

/** A Redis address; `prefix` stands before every key, `may_lose=1s` accepts what `appendfsync everysec` means. */
function redisPlace(text: string): Database | undefined {
  const url = URL.parse(text);
  if (!url || !/^rediss?:$/.test(url.protocol) || url.hostname === "" || !/^(\/\d*)?$/.test(url.pathname)) {
    return undefined;
  }
  const { prefix = "parley", may_lose: mayLose, ...others } = Object.fromEntries(url.searchParams);
  if (!/^[\w.:-]{1,64}$/.test(prefix) || Object.keys(others).length > 0) return undefined;
  if (mayLose !== undefined && mayLose !== "1s") return undefined;
  url.search = "";
  return { kind: "redis", url: url.href, prefix, mayLoseASecond: mayLose === "1s" };
}

/** Each setting, how it is read and what it is when it is not set. `docs/settings.md` lists the same. */
const schema = v.object({
  PORT: v.optional(wholeNumber(0, 65_535), "8000"),
  HOST: v.optional(v.string(), "0.0.0.0"),
  WORKERS: v.optional(wholeNumber(1, WORKERS_LIMIT), "1"),
  /** Deno Deploy sets it. Nothing but its store outlives an isolate there. */
  DENO_DEPLOYMENT_ID: v.optional(v.string()),
  DATABASE_URL: v.optional(database, "sqlite:data/chat.db"),
  SECRET: v.optional(v.string()),
  ALLOWED_ORIGINS: v.optional(origins, ""),
  HOSTS: v.optional(hosts),
  BASE_PATH: v.optional(basePath, ""),
  TRUST_PROXY: v.optional(wholeNumber(0, 10), "0"),
  MESSAGE_RATE: v.optional(wholeNumber(0, 1e6), "5"),
  MESSAGE_BURST: v.optional(wholeNumber(0, 1e6), "30"),
  JOINS_PER_MINUTE: v.optional(wholeNumber(0, 1e6), "120"),
  RENAMES_PER_MINUTE: v.optional(wholeNumber(0, 1e6), "10"),
  SIGNALS_PER_MINUTE: v.optional(wholeNumber(0, 1e6), "120"),
  READS_PER_MINUTE: v.optional(wholeNumber(0, 1e6), "600"),
  MALFORMED_PER_MINUTE: v.optional(wholeNumber(0, 1e6), "30"),
  NEWCOMERS_PER_MINUTE: v.optional(wholeNumber(0, 1e6)),
  CONNECTIONS_PER_IP: v.optional(wholeNumber(0, 1e6), "200"),
  ROOMS_PER_CONNECTION: v.optional(wholeNumber(1, 10_000), "50"),
  ROOMS_IN_MEMORY: v.optional(wholeNumber(0, 1e9), "10000"),
  FRAME_LIMIT: v.optional(wholeNumber(1_024, FRAME_LIMIT_LIMIT)),
  TEXT_LIMIT: v.optional(wholeNumber(1, TEXT_LIMIT_LIMIT), String(TEXT_LIMIT)),
  HISTORY_MESSAGES: v.optional(wholeNumber(0, 1e9)),
  HISTORY_DAYS: v.optional(wholeNumber(0, 36_500), "0"),
  ADMIN_TOKEN: v.optional(token),
  METRICS_TOKEN: v.optional(token),
  AUTH_JWT_SECRET: v.optional(v.pipe(v.string(), v.minLength(32, "must have at least 32 characters"))),
  AUTH_JWKS_URL: v.optional(url),
  AUTH_ISSUER: v.optional(v.string()),
  AUTH_AUDIENCE: v.optional(v.string()),
  AUTH_LOGIN_URL: v.optional(url),
});

export type Settings = v.InferOutput<typeof schema>;
export const SETTING_NAMES: readonly string[] = Object.keys(schema.entries);

/**
 * Whose tokens are taken; undefined: nobody's, and anyone may come.
 * @throws {Error} one line that names the setting that is missing, or too many
 */
export function outsideOf(settings: Settings): OutsideSettings | undefined {
  const { AUTH_JWT_SECRET: secret, AUTH_JWKS_URL: jwksUrl, AUTH_LOGIN_URL: loginUrl } = settings;
  const { AUTH_ISSUER: issuer, AUTH_AUDIENCE: audience } = settings;
  const given = Object.entries(settings).find(([name, value]) => name.startsWith("AUTH_") && value !== undefined)?.[0];
  if (!given) return undefined;
  if (secret !== undefined && jwksUrl !== undefined) {
    throw new Error("AUTH_JWT_SECRET must be left out where AUTH_JWKS_URL is set: tokens are signed in one way.");
  }
  const key = secret !== undefined ? { secret } : jwksUrl !== undefined ? { jwksUrl } : undefined;
  if (!key) throw new Error(`AUTH_JWT_SECRET or AUTH_JWKS_URL must be set where ${given} is.`);
  if (issuer === undefined) throw new Error(`AUTH_ISSUER must be set where ${given} is: whose tokens are taken.`);
  if (audience === undefined) throw new Error(`AUTH_AUDIENCE must be set where ${given} is: for whom they are made.`);
  return { key, issuer, audience, loginUrl };
}

/** What a client is told of the limits that are no matter of time. */
export function limitsOf({ TEXT_LIMIT, FRAME_LIMIT: frame, ROOMS_PER_CONNECTION: rooms }: Settings): Limits {
  return {
    text: TEXT_LIMIT,
    name: NAME_LIMIT,
    frame: frame ?? Math.max(FRAME_LIMIT, FRAME_BYTES_PER_CODE_POINT * TEXT_LIMIT),
    rooms,
    ping_seconds: PING_SECONDS,
  };
}

export function ratesOf(settings: Settings): Rates {
  const aMinute = (number: number) => ({ perSecond: number / 60, burst: number * BURST_SECONDS / 60 });
  // Who lifts the limits by address means all of them.
  const newcomers = settings.CONNECTIONS_PER_IP === 0 ? 0 : NEWCOMERS_PER_MINUTE;
  return {
    messages: { perSecond: settings.MESSAGE_RATE, burst: settings.MESSAGE_BURST },
    joins: aMinute(settings.JOINS_PER_MINUTE),
    renames: aMinute(settings.RENAMES_PER_MINUTE),
    signals: aMinute(settings.SIGNALS_PER_MINUTE),
    reads: aMinute(settings.READS_PER_MINUTE),
    malformed: aMinute(settings.MALFORMED_PER_MINUTE),
    newcomers: aMinute(settings.NEWCOMERS_PER_MINUTE ?? newcomers),
    connections: settings.CONNECTIONS_PER_IP,
    answers: settings.CONNECTIONS_PER_IP && Math.max(settings.CONNECTIONS_PER_IP, PAGES_UNDER_WAY) * PAGE_BYTES,
    rooms: settings.ROOMS_IN_MEMORY,
  };
}

/**
 * Reads the settings; one that is empty counts as not set.
 * @param read as `Deno.env.get`
 * @throws {Error} one line that names the setting and says what it must be
 */
export function readSettings(read: (name: string) => string | undefined): Settings {
  const given = Object.fromEntries(SETTING_NAMES.map((name) => [name, read(name) || undefined]));
  if (given.DENO_DEPLOYMENT_ID !== undefined) given.DATABASE_URL ??= "kv:";
  const result = v.safeParse(schema, given);
  if (result.success) {
    if (result.output.WORKERS > 1 && result.output.DATABASE_URL.kind === "memory") {
      throw new Error("WORKERS must be 1 with DATABASE_URL memory:, which isolates can't share.");
    }
    outsideOf(result.output);
    return result.output;
  }
  const [issue] = result.issues;
  const name = String(issue.path![0].key);
  const value = CONFIDENTIAL.includes(name) ? "" : `, not ${JSON.stringify(given[name])}`;
  throw new Error(`${name} ${issue.message}${value}.`);
}
