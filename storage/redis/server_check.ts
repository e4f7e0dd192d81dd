/** What a Redis server is and promises. */
interface ServerCheck {
  /** An id that is another one after every start and on every server. */
  run: string;
  /** Whether everything acknowledged is there after a restart. */
  isDurable: boolean;
  /** What the operator should know, a sentence each. */
  warnings: string[];
}

/** Has Redis do a command. */
type Ask = (...command: string[]) => Promise<unknown>;

/**
 * Asks a server what it is and promises.
 * @param mayLoseASecond no warning about `appendfsync everysec`: the operator knows what it means
 * @throws {Error} one sentence, if Parley can't use this server
 */
export async function checkServer(ask: Ask, mayLoseASecond: boolean): Promise<ServerCheck> {
  const info = Object.fromEntries(
    String(await ask("INFO")).split("\r\n").map((line) => line.split(/:(.*)/s).slice(0, 2)),
  ) as Record<string, string | undefined>;
  if (info.cluster_enabled === "1") {
    throw new Error("Redis is in cluster mode, which Parley does not support. Name a single server.");
  }
  if (parseInt(info.redis_version ?? "0") < 7) {
    throw new Error(`Redis ${info.redis_version} is too old. Parley needs Redis 7, or Valkey.`);
  }
  const flush = await ask("CONFIG", "GET", "appendfsync").then(
    (answer) => info.aof_enabled === "1" ? (answer as Record<string, string>).appendfsync : "off",
    () => "unknown",
  );
  // A replica that was promoted may lack what the one before it had acknowledged, however often that wrote to its disk.
  const wasPromoted = Number(info.second_repl_offset ?? -1) !== -1;
  const warnings = [];
  if (flush !== "always" && !(flush === "everysec" && mayLoseASecond)) {
    warnings.push(DURABILITY[flush] ?? DURABILITY.no);
  }
  if (info.maxmemory !== "0" && info.maxmemory_policy !== "noeviction") {
    warnings.push(
      `Redis throws keys away when it is full (${info.maxmemory_policy}). Set maxmemory-policy noeviction.`,
    );
  }
  return { run: info.run_id ?? "unknown", isDurable: flush === "always" && !wasPromoted, warnings };
}

const HOW = "Set appendonly yes and appendfsync always to keep all that was acknowledged";
const DURABILITY: Record<string, string> = {
  off: `Redis keeps no append-only file: a crash takes back what was said since its last snapshot. ${HOW}.`,
  no: `Redis lets the system decide when messages reach the disk: a crash may take them back. ${HOW}.`,
  everysec: `Redis writes to the disk once a second: a crash may take back the last second of what was said. ${HOW}, ` +
    "or add may_lose=1s to DATABASE_URL if that is all right.",
  unknown: "Redis does not tell what its appendfsync is. Unless it is always, a crash may take back what was said.",
};

/**
 * Why Redis at this host can't be used, in a sentence without the password.
 * @param error one without a message: Redis did not answer in time
 */
export function whyNot(error: unknown, host: string): string {
  const { message, code } = error as Error & { code?: string };
  if (/WRONGPASS|NOAUTH|invalid password/i.test(message)) {
    return `Redis at ${host} does not know this user or password.`;
  }
  if (/NOPERM/.test(message)) return `Redis at ${host} does not let this user do all that Parley needs: ${message}.`;
  if (/DB index|invalid DB/i.test(message)) return `Redis at ${host} has no database of this number.`;
  if (/CERT|SIGNATURE/.test(code ?? "")) {
    return `Redis at ${host} shows a certificate that is not trusted (${code}). Name who signed it in DENO_CERT.`;
  }
  if (code !== undefined || message === "") {
    return `Redis at ${host} can't be reached (${code ?? "no answer"}). Is it up?`;
  }
  return `Redis at ${host}: ${message.replace(/\.?$/, ".")}`;
}
