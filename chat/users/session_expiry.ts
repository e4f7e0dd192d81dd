import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import { ChatError } from "../errors.ts";
import { CLOSE, SENTENCES } from "../protocol.ts";
import type { Subscriber } from "../subscriber.ts";

/** What somebody's account elsewhere says of them. */
export interface ExternalIdentity {
  /** Their name there, in place of which they can choose no other here. */
  name?: string;
  /** Until when it holds, milliseconds since 1970. */
  until: number;
}

/** Refuses a new name to whoever is known by an account: they can't pass for somebody else here. */
export function nameIsExternal(): ChatError {
  return new ChatError("forbidden", SENTENCES.nameIsExternal);
}

/** How often sessions whose time is over are swept, milliseconds: a token's end is a whole second. */
const SWEEP_INTERVAL = 1_000;

/** Closes sessions when their token ends, so that they renew it, with one timer for all of them. */
export class SessionExpiry {
  readonly #clock: Clock;
  readonly #until = new Map<Subscriber, number>();
  readonly #stopSweeping: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#stopSweeping = interval(clock, SWEEP_INTERVAL, () => this.#sweep());
  }

  /** @param until milliseconds since 1970 */
  add(session: Subscriber, until: number): void {
    this.#until.set(session, until);
  }

  delete(session: Subscriber): void {
    this.#until.delete(session);
  }

  dispose(): void {
    this.#stopSweeping();
  }

  #sweep(): void {
    const now = this.#clock.now();
    for (const [session, until] of this.#until) {
      if (until <= now) session.connection.close(CLOSE.renewToken, "Your token has ended. Renew it and come back.");
    }
  }
}
