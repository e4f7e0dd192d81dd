import type { Clock } from "../../chat/clock.ts";
import {
  GIVEN_NAME_MEMORY,
  type HeldName,
  type NameClaim,
  type NameHolder,
  type NameRegistry,
} from "../../chat/storage.ts";
import { NAMES, type RedisConnection } from "./connection.ts";

/** Names held in one call: some milliseconds of Redis, in which nobody else is answered. */
const HOLDS_A_CALL = 500;

/** Who is called what, in Redis. */
export class RedisNames implements NameRegistry {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;

  constructor(connection: RedisConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async claim({ user, key, name, chosen, until, now }: NameClaim): Promise<HeldName | NameHolder> {
    const args = [now, GIVEN_NAME_MEMORY, user, key, name, chosen ? 1 : 0, until];
    const [result, who, more] = await this.#connection.call<[string, string, string]>("claim", NAMES, args);
    return result === "taken" ? { holder: who, until: Number(more) } : { name: who, chosen: more === "1" };
  }

  async hold(holds: readonly { user: string; until: number }[]): Promise<void> {
    for (let from = 0; from < holds.length; from += HOLDS_A_CALL) {
      const some = holds.slice(from, from + HOLDS_A_CALL).flatMap(({ user, until }) => [user, until]);
      await this.#connection.call("hold", NAMES, [this.#clock.now(), GIVEN_NAME_MEMORY, ...some]);
    }
  }
}
