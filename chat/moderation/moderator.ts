import { ADDRESS_PENDING, type Bans } from "./bans.ts";
import type { Clock } from "../clock.ts";
import type { AppendResult } from "../rulebook.ts";
import type { Ban, Command, RoomSettings, Storage } from "../storage.ts";
import type { MessageDeleted } from "../protocol.ts";
import { ChatError } from "../errors.ts";
import type { RoomDirectory } from "../rooms/directory.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Users } from "../users/users.ts";

/** The user of deletions by moderators. No person's id is as short as this. */
export const MODERATOR = "moderator";
/** The longest ban, minutes: ten years. */
export const BAN_MINUTES_LIMIT = 10 * 365 * 24 * 60;
/** Most code points of a ban's reason: a few sentences for other moderators. */
export const REASON_LIMIT = 500;

/** What moderation works on. */
interface ModeratorDeps {
  storage: Storage;
  clock: Clock;
  users: Users;
  bans: Bans;
  rooms: RoomRegistry;
  directory: RoomDirectory;
  append(command: Command): Promise<AppendResult>;
}

/** What a moderator may do. The store keeps all of it, and everyone concerned is told, on every isolate. */
export class Moderator {
  readonly #deps: ModeratorDeps;

  constructor(deps: ModeratorDeps) {
    this.#deps = deps;
  }

  /** Deletes anybody's message. @throws {ChatError} `not_found`, `unavailable`, `rate_limited` */
  async deleteMessage(room: string, target: number): Promise<MessageDeleted> {
    const author = { user: MODERATOR, from: MODERATOR, moderator: true } as const;
    const result = await this.#deps.append({ action: "delete_message", room, target, ...author });
    if ("entry" in result) return result.entry as MessageDeleted;
    throw new ChatError("not_found", "There is no such message any more. Nothing was changed.");
  }

  /** @returns the settings as they are now @throws {ChatError} `unavailable` */
  async changeRoom(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const settings = await this.#deps.storage.moderation.change(room, change);
    this.#deps.rooms.find(room)?.refreshSettings();
    this.#deps.directory.invalidate();
    this.#deps.storage.publish({ kind: "room_changed", room, settings });
    return settings;
  }

  /**
   * Keeps a person out of everything but reading, in place of a ban that they had.
   * @param address whether their address is banned too: the one that they have now or, if they are gone, their next one
   * @throws {ChatError} `unavailable`
   */
  async ban({ user, minutes, reason, address }: {
    user: string;
    minutes: number;
    reason: string;
    address: boolean;
  }): Promise<Ban> {
    const date = this.#deps.clock.now();
    const ban: Ban = { user, date, until: date + Math.ceil(minutes * 60_000), reason };
    if (address) ban.address = this.#addressOf(user) ?? ADDRESS_PENDING;
    await this.#deps.storage.moderation.ban(ban);
    await this.#broadcastBans();
    return ban;
  }

  /** @throws {ChatError} `not_found`, `unavailable` */
  async unban(user: string): Promise<void> {
    if (!await this.#deps.storage.moderation.unban(user)) {
      throw new ChatError("not_found", "This person is not banned.");
    }
    await this.#broadcastBans();
  }

  /** The bans that are not over, the latest first. @throws {ChatError} `unavailable` */
  bans(): Promise<Ban[]> {
    return this.#deps.storage.moderation.bans(this.#deps.clock.now());
  }

  #addressOf(user: string): string | undefined {
    const sessions = [...this.#deps.users.find(user)?.sessions ?? []];
    return sessions.map(({ address }) => this.#deps.bans.hashed(address)).findLast((hash) => hash !== undefined);
  }

  /** Tells the other isolates that the bans have changed. They are in force here when this resolves. */
  async #broadcastBans(): Promise<void> {
    this.#deps.storage.publish({ kind: "bans_changed" });
    await this.#deps.bans.refresh();
  }
}
