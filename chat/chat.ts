import { withTimeout } from "./async.ts";
import type { Clock } from "./clock.ts";
import { Cluster } from "./cluster/cluster.ts";
import { RemotePresence } from "./cluster/remote_presence.ts";
import type { RateLimiter } from "./limits/rate_limiter.ts";
import { SlowMode } from "./limits/slow_mode.ts";
import { type BannedVisit, Bans } from "./moderation/bans.ts";
import { Moderator } from "./moderation/moderator.ts";
import { Pipeline } from "./pipeline/pipeline.ts";
import { CLOSE, type Limits } from "./protocol.ts";
import { RoomDirectory } from "./rooms/directory.ts";
import { RoomRegistry } from "./rooms/registry.ts";
import type { Services } from "./services.ts";
import { Session } from "./session.ts";
import type { Storage } from "./storage.ts";
import type { Connection } from "./subscriber.ts";
import { SessionExpiry } from "./users/session_expiry.ts";
import { Users } from "./users/users.ts";

/** How long a stopping server waits for a store that does not answer, milliseconds: it has five seconds in all. */
export const DRAIN_TIMEOUT = 1_500;

/** What a chat is made of. */
interface ChatOptions {
  storage: Storage;
  limits: Limits;
  clock: Clock;
  /** In [0, 1). */
  random: () => number;
  rateLimiter: RateLimiter;
  /** The form in which a banned address is kept; undefined for one that is never banned. */
  hashAddress: (addressKey: string) => string | undefined;
  /** Called each time that a ban keeps somebody out. */
  auditBan: (visit: BannedVisit) => void;
}

/** The chat on one isolate: makes its parts, begins a session for each connection, and ends them all. */
export class Chat {
  readonly services: Services;
  readonly directory: RoomDirectory;
  readonly moderator: Moderator;
  readonly #presence: RemotePresence;
  readonly #sessions = new Set<Session>();
  #draining = false;

  constructor(options: ChatOptions) {
    const { storage, limits, clock, random, rateLimiter, hashAddress, auditBan } = options;
    const users = new Users(storage.names, clock, random);
    const rooms: RoomRegistry = new RoomRegistry({
      storage,
      clock,
      rateLimiter,
      requestFlush: (room) => pipeline.requestFlush(room),
      presence: {
        opened: (name, members) => presence.opened(name, members),
        closed: (name) => presence.closed(name),
        changed: (name, user) => presence.changed(name, user),
        mayHaveMissed: (name) => presence.mayHaveMissed(name),
      },
    });
    const presence = new RemotePresence(storage, clock, rooms);
    const pipeline = new Pipeline(storage, rooms, clock);
    const bans = new Bans({
      storage,
      clock,
      hashAddress,
      changed: () => this.#endBanned(),
      audit: auditBan,
    });
    const cluster = new Cluster({ storage, clock, rooms, users, presence, bansChanged: () => void bans.refresh() });
    this.#presence = presence;
    this.services = {
      clock,
      limits,
      rateLimiter,
      slowMode: new SlowMode(clock, (command) => pipeline.append(command)),
      users,
      sessionExpiry: new SessionExpiry(clock),
      rooms,
      pipeline,
      bans,
      cluster,
      isDraining: () => this.#draining,
    };
    this.directory = new RoomDirectory(storage, clock, (names) => cluster.countsIn(names));
    this.moderator = new Moderator({
      storage,
      clock,
      users,
      bans,
      rooms,
      directory: this.directory,
      append: (command) => pipeline.append(command),
    });
  }

  /** How many connections are open, sockets and event streams together. */
  get connections(): number {
    return this.#sessions.size;
  }

  /**
   * Begins a session for a connection that has just opened.
   * @param address the key of its address
   */
  enter(connection: Connection, address?: string): Session {
    const session = new Session(this.services, connection, address, () => this.#sessions.delete(session));
    this.#sessions.add(session);
    return session;
  }

  /** Whether the server is stopping and takes nothing new. */
  get draining(): boolean {
    return this.#draining;
  }

  /** Resolves when everything said so far is stored and delivered; under constant load that may be never. */
  settled(): Promise<void> {
    return this.services.pipeline.settled();
  }

  /**
   * Takes nothing new, waits up to `DRAIN_TIMEOUT` until everything taken is stored and delivered, and closes every
   * connection in such a way that its client comes back.
   */
  async drain(): Promise<void> {
    this.#draining = true;
    await withTimeout(this.services.clock, DRAIN_TIMEOUT, this.settled(), () => {});
    for (const { connection } of [...this.#sessions]) connection.close(CLOSE.restarting, "Restarting. Come back.");
  }

  /** Ends every session and every timer. Other isolates count the people here as members a little longer. */
  close(): void {
    const { rooms, users, bans, sessionExpiry } = this.services;
    this.#presence.leave();
    for (const session of this.#sessions) session.end();
    rooms.dispose();
    users.dispose();
    bans.dispose();
    sessionExpiry.dispose();
  }

  #endBanned(): void {
    for (const session of this.#sessions) session.endIfBanned();
  }
}
