import type { Hono } from "hono";
import type { Chat } from "../chat/chat.ts";
import type { MessageLog } from "../chat/storage.ts";
import type { TrustedProxies } from "./transport/client_address.ts";
import type { Asset } from "./routes/assets.ts";
import type { BasePath } from "./base_path.ts";
import type { Streams } from "./transport/sse.ts";
import type { Sessions } from "./auth/sessions.ts";
import type { AuditLog } from "./observability/audit_log.ts";
import type { Metrics } from "./observability/metrics.ts";
import type { Sockets } from "./transport/websocket.ts";

/** The routes. `c.env` is what `Deno.serve` tells of a request: `proxies.addressKey(c.req.raw, c.env.remoteAddr)`. */
export type App = Hono<{ Bindings: Deno.ServeHandlerInfo }>;

/** What the doors lead to. */
export interface AppServices {
  /** Of Parley. */
  version: string;
  assets: ReadonlyMap<string, Asset>;
  /** Where all this is on its host. */
  basePath: BasePath;
  identities: Sessions;
  chat: Chat;
  log: MessageLog;
  /** What lets one moderate; undefined: nobody can. */
  adminToken: string | undefined;
  sockets: Sockets;
  streams: Streams;
  metrics: Metrics;
  /** What lets one read the metrics; undefined: only from this machine. */
  metricsToken: string | undefined;
  allowedOrigins: readonly string[];
  /** The names that are answered to, as `hostName` gives them; none: any. */
  hosts: readonly string[];
  /** Tells where a request comes from, and whether by TLS. */
  proxies: TrustedProxies;
  /** Where refusals are written down. */
  auditLog: AuditLog;
  /** Whether the store answers. */
  storeAnswers(): Promise<boolean>;
}
