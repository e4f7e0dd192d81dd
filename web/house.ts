import type { Hono } from "hono";
import type { Lobby } from "../chat/lobby.ts";
import type { Log } from "../chat/log.ts";
import type { Moderator } from "../chat/moderator.ts";
import type { People } from "../chat/people.ts";
import type { RoomList } from "../chat/room_list.ts";
import type { TrustedProxies } from "./address.ts";
import type { Asset } from "./assets.ts";
import type { BasePath } from "./base_path.ts";
import type { Streams } from "./events.ts";
import type { Identities } from "./identity.ts";
import type { Journal } from "./journal.ts";
import type { Metrics } from "./metrics.ts";
import type { Sockets } from "./socket.ts";

/** The routes. `c.env` is what `Deno.serve` tells of a request: `proxies.addressKey(c.req.raw, c.env.remoteAddr)`. */
export type App = Hono<{ Bindings: Deno.ServeHandlerInfo }>;

/** What the doors lead to. */
export interface House {
  /** Of Parley. */
  version: string;
  assets: ReadonlyMap<string, Asset>;
  /** Where all this is on its host. */
  basePath: BasePath;
  identities: Identities;
  lobby: Lobby;
  log: Log;
  people: People;
  rooms: RoomList;
  moderator: Moderator;
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
  journal: Journal;
  /** Whether everyone is being sent away, because the server is to stop. */
  isDraining(): boolean;
  /** Whether the store answers. */
  storeAnswers(): Promise<boolean>;
}
