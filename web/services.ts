import type { Hono } from "hono";
import type { Chat } from "../chat/chat.ts";
import type { MessageLog } from "../chat/storage.ts";
import type { TrustedProxies } from "./transport/client_address.ts";
import type { PageFiles } from "./routes/page_files.ts";
import type { BasePath } from "./base_path.ts";
import type { Streams } from "./transport/sse.ts";
import type { Sessions } from "./auth/sessions.ts";
import type { AuditLog } from "./observability/audit_log.ts";
import type { Metrics } from "./observability/metrics.ts";
import type { Sockets } from "./transport/websocket.ts";

/** The routes. `c.env` is what `Deno.serve` tells of a request: `proxies.addressKey(c.req.raw, c.env.remoteAddr)`. */
export type App = Hono<{ Bindings: Deno.ServeHandlerInfo }>;

/** What the routes work with. */
export interface AppServices {
  /** The version of Parley. */
  version: string;
  files: PageFiles;
  basePath: BasePath;
  identities: Sessions;
  chat: Chat;
  log: MessageLog;
  /** The token of moderators; undefined: there are none. */
  adminToken: string | undefined;
  sockets: Sockets;
  streams: Streams;
  metrics: Metrics;
  /** The token for reading the metrics; undefined: only this machine may. */
  metricsToken: string | undefined;
  allowedOrigins: readonly string[];
  /** The host names that are served, as `hostName` gives them; empty: all. */
  hosts: readonly string[];
  proxies: TrustedProxies;
  auditLog: AuditLog;
  /** Whether the store answers. */
  storeAnswers(): Promise<boolean>;
}
