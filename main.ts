/**
 * Parley: a chat room that anyone can own. This file reads the settings, chooses the storage, builds the app, serves it
 * and shuts it down; nothing else.
 */
import config from "./deno.json" with { type: "json" };
import { withTimeout } from "./chat/async.ts";
import { type Clock, systemClock } from "./chat/clock.ts";
import type { Storage } from "./chat/storage.ts";
import { RateLimiter } from "./chat/limits/rate_limiter.ts";
import { Chat } from "./chat/chat.ts";
import { KV_TEXT_LIMIT, KvStorage } from "./storage/kv/kv.ts";
import { MemoryStorage } from "./storage/memory.ts";
import { readInTurns } from "./storage/shared/read_turns.ts";
import { secretFile } from "./storage/shared/secret.ts";
import { SqliteStorage } from "./storage/sqlite/sqlite.ts";
import { timed } from "./storage/shared/timed.ts";
import { limitsOf, outsideOf, ratesOf, readSettings, type Settings } from "./settings.ts";
import { help, misspelt } from "./settings_help.ts";
import { TrustedProxies } from "./web/transport/client_address.ts";
import { addressHash } from "./web/auth/address_hash.ts";
import { createApp } from "./web/app.ts";
import { loadAssets } from "./web/routes/assets.ts";
import { PageFiles } from "./web/routes/page_files.ts";
import { BasePath } from "./web/base_path.ts";
import { SessionCookies } from "./web/auth/cookies.ts";
import { Streams } from "./web/transport/sse.ts";
import { createHandler } from "./web/handler.ts";
import { HttpServer } from "./web/transport/http_server.ts";
import { writeLogLines } from "./web/observability/json_console.ts";
import type { AppServices } from "./web/services.ts";
import { Sessions } from "./web/auth/sessions.ts";
import { AuditLog } from "./web/observability/audit_log.ts";
import { Metrics } from "./web/observability/metrics.ts";
import { JwtIssuer } from "./web/auth/jwt_issuer.ts";
import { Sockets } from "./web/transport/websocket.ts";
import { serveAsWorker, type Server, startWorkers, workerNumber } from "./workers.ts";

/** How long leaving may take, milliseconds: Deno Deploy kills after 5 s, and a stalled reader never lets go. */
const SHUTDOWN_DEADLINE = 4_000;
/** How long the runtime may take to end what is still open, milliseconds. */
const SERVER_STOP_TIMEOUT = 1_000;
/**
 * Connections that the system keeps until they are taken (fewer where it allows fewer). Whoever finds no place asks
 * again after a second, then after three: of 10,000 who come back at once a tenth would, with the usual 511.
 */
const CONNECTING_AT_ONCE = 4_096;

/**
 * Starts serving; resolves once it listens.
 * @param failed called when it can't listen any more, through no wish of ours: this isolate is of no use then
 */
export async function start(
  settings: Settings,
  clock: Clock = systemClock,
  failed: (error: Error) => void = () => {},
): Promise<Server> {
  const worker = workerNumber();
  const metrics = new Metrics(clock, config.version, worker ? { worker, of: settings.WORKERS } : undefined);
  const storage = readInTurns(
    timed(await openStorage(settings, clock), clock, metrics.storeAnswered.bind(metrics)),
    clock,
  );
  const secret = await storage.secret();
  const auditLog = new AuditLog(clock, (line) => console.warn(line));
  const rateLimiter = new RateLimiter(
    ratesOf(settings),
    clock,
    ({ limit, ...who }) => auditLog.refused({ why: limit, ...who }),
  );
  const chat = new Chat({
    storage,
    limits: limitsOf(settings),
    clock,
    random: Math.random,
    hashAddress: addressHash(secret),
    rateLimiter,
    auditBan: (visit) => auditLog.refused({ why: "banned", ...visit }),
  });
  metrics.watch(chat, storage);
  const outside = outsideOf(settings);
  const basePath = new BasePath(settings.BASE_PATH);
  const identities = new Sessions(
    secret,
    rateLimiter,
    outside && new JwtIssuer(outside, secret),
    new SessionCookies(basePath.path),
  );
  const sockets = new Sockets(chat, identities, settings.ALLOWED_ORIGINS, auditLog);
  const streams = new Streams(chat, Math.random);
  let asking: Promise<boolean> | undefined;
  const services: AppServices = {
    version: config.version,
    files: new PageFiles(await loadAssets(new URL("./", import.meta.url)), basePath),
    basePath,
    identities,
    chat,
    log: storage,
    adminToken: settings.ADMIN_TOKEN,
    sockets,
    streams,
    metrics,
    auditLog,
    metricsToken: settings.METRICS_TOKEN,
    allowedOrigins: settings.ALLOWED_ORIGINS,
    hosts: settings.HOSTS ?? [],
    proxies: new TrustedProxies(settings.TRUST_PROXY, (sentence) => console.warn(sentence)),
    // Anyone may ask, as often as they like: those who ask at the same time hear the same answer.
    storeAnswers: () => asking ??= storage.check().then(() => true, () => false).finally(() => asking = undefined),
  };
  const handler = createHandler(createApp(services), services);
  const listen = (port: number) =>
    // Isolates that share a port are given connections in turn.
    Deno.serve({
      port,
      hostname: settings.HOST,
      reusePort: settings.WORKERS > 1,
      tcpBacklog: CONNECTING_AT_ONCE,
      onListen() {},
    }, handler);
  const server = listening(settings, ({ port }) => new HttpServer(port, clock, listen, failed));

  return {
    port: server.port,
    async stop() {
      await chat.drain();
      await Promise.all([sockets.gone(), streams.gone()]);
      chat.close();
      metrics.stop();
      auditLog.close();
      // Whoever has stalled would hold it for ever; the store is closed all the same.
      await withTimeout(clock, SERVER_STOP_TIMEOUT, server.stop(), () => {});
      await storage.close();
    },
  };
}

/** Several isolates of this module, each of which serves as `start` does. */
function startSeveral(settings: Settings, clock: Clock = systemClock): Promise<Server> {
  // Sockets that share a port would share it with another server's too: nobody may be there.
  listening(settings, (address) => Deno.listen(address).close());
  return startWorkers(import.meta.url, settings.WORKERS, settings.PORT, clock);
}

/** @throws {Error} one sentence that says why nobody can listen there */
function listening<Result>(
  { PORT, HOST }: Settings,
  listen: (address: { port: number; hostname: string }) => Result,
): Result {
  try {
    return listen({ port: PORT, hostname: HOST });
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Error(`PORT ${PORT} is in use. Stop what runs there or set another PORT.`);
    }
    throw new Error(`HOST ${HOST} can't be listened on: ${(error as Error).message}.`);
  }
}

/** Messages that a room keeps in memory when nothing else is said; a file keeps everything. */
const MEMORY_MESSAGES = 10_000;

/**
 * Opens the store that the settings name.
 * @throws {Error} one sentence that says what is wrong with it
 */
export async function openStorage(settings: Settings, clock: Clock = systemClock): Promise<Storage> {
  const { DATABASE_URL: database, SECRET: secret, HISTORY_MESSAGES: messages, HISTORY_DAYS: days } = settings;
  switch (database.kind) {
    case "memory": {
      const retention = { messages: messages ?? MEMORY_MESSAGES, days };
      return new MemoryStorage({ clock, retention, secret: secret ?? await secretFile("data/secret") });
    }
    case "sqlite":
      return await SqliteStorage.open(database.path, {
        clock,
        secret,
        retention: { messages: messages ?? 0, days },
        isolates: settings.WORKERS > 1,
      });
    case "kv":
      if (settings.TEXT_LIMIT > KV_TEXT_LIMIT) {
        throw new Error(`TEXT_LIMIT must be at most ${KV_TEXT_LIMIT} with DATABASE_URL kv:, where a value has 64 KiB.`);
      }
      return await KvStorage.open(database.path, { clock, secret, retention: { messages: messages ?? 0, days } });
    case "redis": {
      // Only who asks for it pays for its client.
      const { RedisStorage } = await import("./storage/redis/redis.ts");
      const storage = await RedisStorage.open(database, {
        clock,
        secret,
        retention: { messages: messages ?? 0, days },
      });
      for (const warning of storage.warnings) console.warn(warning);
      return storage;
    }
  }
}

/**
 * Has the runtime send large frames as they are. Otherwise it copies each into a buffer, which then stays as large as the
 * largest frame for as long as the connection is open: some 3 KiB of 25 where people only listen. It reads this when the
 * first socket opens, and nobody who starts the server has to know.
 */
function writeFramesUncopied(): void {
  const name = "DENO_USE_WRITEV";
  if (Deno.permissions.querySync({ name: "env", variable: name }).state !== "granted") return;
  if (Deno.env.get(name) === undefined) Deno.env.set(name, "1");
}

/** As sentences, not as lines of a log: whoever starts a server that doesn't start reads them. */
const [tellWhoStarts, tellWhoAsks] = [console.error.bind(console), console.log.bind(console)];

/** None where the environment may be read by name only; in a terminal Deno would ask for more, and wait. */
function namesInEnvironment(): string[] {
  return Deno.permissions.querySync({ name: "env" }).state === "granted" ? Object.keys(Deno.env.toObject()) : [];
}

/** Serves until a signal asks it to stop, or nobody can connect any more. */
async function main(): Promise<void> {
  if (Deno.args.some((argument) => ["--help", "-h"].includes(argument))) return tellWhoAsks(help());
  if (Deno.args[0] === "--version") return tellWhoAsks(config.version);
  try {
    if (Deno.args.length > 0) {
      throw new Error(`it takes no argument ${Deno.args[0]}. Settings come from the environment: see --help.`);
    }
    const settings = readSettings((name) => Deno.env.get(name));
    for (const sentence of misspelt(namesInEnvironment())) console.warn(sentence);
    writeFramesUncopied();
    let leaving = false;
    const leave = (code: number) => {
      if (leaving) return;
      leaving = true;
      console.log("Parley is leaving: everyone is sent away to come back.");
      setTimeout(() => Deno.exit(code), SHUTDOWN_DEADLINE);
      server.stop().then(() => {
        console.log("Parley has stopped.");
        Deno.exit(code);
      }, (error) => {
        console.error("Parley did not stop as it should:", error);
        Deno.exit(1);
      });
    };
    const server = settings.WORKERS > 1 ? await startSeveral(settings) : await start(settings, systemClock, (error) => {
      console.error(
        "Nobody can connect any more, and listening again does not work. It ends, to be started again:",
        error,
      );
      leave(1);
    });
    Deno.addSignalListener("SIGINT", () => leave(0));
    // Windows has no such signal, and Deno throws there.
    if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", () => leave(0));
    const host = ["0.0.0.0", "::"].includes(settings.HOST) ? "localhost" : settings.HOST;
    // Last, so that whoever has read it can stop the server as it should be stopped.
    console.log(`Parley is open at http://${host}:${server.port}${settings.BASE_PATH}`);
  } catch (error) {
    tellWhoStarts(`Parley could not start: ${error instanceof Error ? error.message : error}`);
    Deno.exit(1);
  }
}

// The entrypoint of a Worker is its main module too.
if (import.meta.main) {
  const closeLog = writeLogLines(console, (output) => Deno[output].isTerminal(), systemClock);
  addEventListener("unload", closeLog);
  if (workerNumber() === undefined) await main();
  else {
    serveAsWorker((port, failed) =>
      start({ ...readSettings((name) => Deno.env.get(name)), PORT: port }, systemClock, failed)
    );
  }
}
