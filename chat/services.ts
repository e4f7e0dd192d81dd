import type { Clock } from "./clock.ts";
import type { Cluster } from "./cluster/cluster.ts";
import type { RateLimiter } from "./limits/rate_limiter.ts";
import type { SlowMode } from "./limits/slow_mode.ts";
import type { Bans } from "./moderation/bans.ts";
import type { Pipeline } from "./pipeline/pipeline.ts";
import type { Limits } from "./protocol.ts";
import type { RoomRegistry } from "./rooms/registry.ts";
import type { SessionExpiry } from "./users/session_expiry.ts";
import type { Users } from "./users/users.ts";

/** What sessions and commands work with. `Chat` makes it once. */
export interface Services {
  readonly clock: Clock;
  readonly limits: Limits;
  readonly rateLimiter: RateLimiter;
  readonly slowMode: SlowMode;
  readonly users: Users;
  readonly sessionExpiry: SessionExpiry;
  readonly rooms: RoomRegistry;
  readonly pipeline: Pipeline;
  readonly bans: Bans;
  readonly cluster: Cluster;
  /** Whether the server is stopping and takes nothing new. */
  isDraining(): boolean;
}
