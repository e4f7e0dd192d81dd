import type { Clock } from "../../chat/clock.ts";
import {
  GIVEN_NAME_MEMORY,
  type HeldName,
  type NameClaim,
  type NameHolder,
  type NameOffer,
  type NameRegistry,
} from "../../chat/storage.ts";
import { NAMES, type RedisConnection } from "./connection.ts";

/** Names held or given in one call: some milliseconds of Redis, in which nobody else is answered. */
const NAMES_A_CALL = 500;

/** Who is called what, in Redis. */
export class RedisNames implements NameRegistry {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;

  constructor(connection: RedisConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async claim({ user, key, name, until, now }: NameClaim): Promise<HeldName | NameHolder> {
    const args = [now, GIVEN_NAME_MEMORY, until, user, key, name];
    const taken = await this.#connection.call<[string, string] | null>("claim", NAMES, args);
    return taken ? { holder: taken[0], until: Number(taken[1]) } : { name, chosen: true };
  }

  async give(offers: readonly NameOffer[], until: number, now: number): Promise<(HeldName | undefined)[]> {
    const given: (HeldName | undefined)[] = [];
    for (let from = 0; from < offers.length; from += NAMES_A_CALL) {
      const some = offers.slice(from, from + NAMES_A_CALL)
        .map(({ user, candidates }) => [user, ...candidates.flatMap(({ key, name }) => [key, name])]);
      const args = [now, GIVEN_NAME_MEMORY, until, JSON.stringify(some)];
      const names = await this.#connection.call<([string, string] | null)[]>("give", NAMES, args);
      given.push(...names.map((name) => name ? { name: name[0], chosen: name[1] === "1" } : undefined));
    }
    return given;
  }

  async hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (let from = 0; from < holds.length; from += NAMES_A_CALL) {
      const some = holds.slice(from, from + NAMES_A_CALL).flatMap(({ user, until }) => [user, until]);
      await this.#connection.call("hold", NAMES, [this.#clock.now(), GIVEN_NAME_MEMORY, ...some]);
    }
  }
}
