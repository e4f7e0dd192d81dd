import type { Log } from "../chat/log.ts";
import type { People } from "../chat/people.ts";
import type { Asset } from "./assets.ts";
import type { Identities } from "./identity.ts";
import type { Sockets } from "./socket.ts";

/** What the doors lead to. */
export interface House {
  assets: ReadonlyMap<string, Asset>;
  identities: Identities;
  log: Log;
  people: People;
  sockets: Sockets;
  allowedOrigins: readonly string[];
  /** Proxies in front whose `X-Forwarded-Proto` may be believed. */
  trustProxy: number;
  /** Whether the store answers and nobody is being sent away. */
  ready(): Promise<boolean>;
}
