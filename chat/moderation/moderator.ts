import { ADDRESS_WANTED } from "./bans.ts";
import type { Clock } from "../clock.ts";
import type { Ban, Engine, RoomSettings } from "../storage.ts";
import type { Lobby } from "../chat.ts";
import type { MessageDeleted } from "../protocol.ts";
import { Refusal } from "../errors.ts";
import type { RoomList } from "../rooms/directory.ts";

/** Who deleted, where a moderator did. No person's id is as short as this. */
export const MODERATOR = "moderator";
/** The longest ban, minutes: ten years. */
export const BAN_MINUTES_LIMIT = 10 * 365 * 24 * 60;
/** Code points that the reason of a ban may have: a sentence or three, for other moderators. */
export const REASON_LIMIT = 500;

/** What a moderator may do. All of it is kept by the engine, and told to whom it concerns, here and elsewhere. */
export class Moderator {
  readonly #engine: Engine;
  readonly #lobby: Lobby;
  readonly #rooms: RoomList;
  readonly #clock: Clock;

  constructor(engine: Engine, lobby: Lobby, rooms: RoomList) {
    this.#engine = engine;
    this.#lobby = lobby;
    this.#rooms = rooms;
    this.#clock = lobby.clock;
  }

  /** Deletes anybody's message. @throws {Refusal} `not_found`, `unavailable`, `rate_limited` */
  async deleteMessage(room: string, target: number): Promise<MessageDeleted> {
    const draft = { action: "delete_message", room, target, user: MODERATOR, moderator: true } as const;
    const outcome = await this.#lobby.append(draft);
    if ("entry" in outcome) return outcome.entry as MessageDeleted;
    throw new Refusal("not_found", "There is no such message any more. Nothing was changed.");
  }

  /** @returns the settings as they are now @throws {Refusal} `unavailable` */
  async changeRoom(room: string, change: Partial<RoomSettings>): Promise<RoomSettings> {
    const settings = await this.#engine.changeRoom(room, change);
    this.#lobby.roomHeld(room)?.refreshSettings();
    this.#rooms.outdate();
    this.#engine.signal({ kind: "room_changed", room, settings });
    return settings;
  }

  /**
   * Sends a person away from everything but reading, in place of a ban that they had.
   * @param address whether the address from which they come is banned too: the one that they have now or, if they are
   *   gone, the one from which they next try
   * @throws {Refusal} `unavailable`
   */
  async ban({ user, minutes, reason, address }: {
    user: string;
    minutes: number;
    reason: string;
    address: boolean;
  }): Promise<Ban> {
    const date = this.#clock.now();
    const ban: Ban = { user, date, until: date + Math.ceil(minutes * 60_000), reason };
    if (address) ban.address = this.#addressOf(user) ?? ADDRESS_WANTED;
    await this.#engine.ban(ban);
    await this.#tellBans();
    return ban;
  }

  /** @throws {Refusal} `not_found`, `unavailable` */
  async unban(user: string): Promise<void> {
    if (!await this.#engine.unban(user)) throw new Refusal("not_found", "This person is not banned.");
    await this.#tellBans();
  }

  /** The bans that are not over, the latest first. @throws {Refusal} `unavailable` */
  bans(): Promise<Ban[]> {
    return this.#engine.bans(this.#clock.now());
  }

  #addressOf(user: string): string | undefined {
    const sessions = [...this.#lobby.people.find(user)?.sessions ?? []];
    return sessions.map(({ address }) => this.#lobby.bans.hashed(address)).findLast((hash) => hash !== undefined);
  }

  /** When this resolves they hold here. */
  async #tellBans(): Promise<void> {
    this.#engine.signal({ kind: "bans_changed" });
    await this.#lobby.bans.refresh();
  }
}
