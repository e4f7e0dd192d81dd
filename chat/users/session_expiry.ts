import { interval } from "../async.ts";
import type { Clock } from "../clock.ts";
import { ChatError } from "../errors.ts";
import { CLOSE, SENTENCES } from "../protocol.ts";
import type { Subscriber } from "../subscriber.ts";

/** What a token of an external issuer says about a person. */
export interface ExternalIdentity {
  /** Their name there; they can choose no other one here. */
  name?: string;
  /** When the token expires, milliseconds since 1970. */
  until: number;
}

/** Refuses a new name to a person with an external account: they can't pass for somebody else. */
export function nameIsExternal(): ChatError {
  return new ChatError("forbidden", SENTENCES.nameIsExternal);
}

/** How often expired sessions are swept, milliseconds: a token expires at a whole second. */
const SWEEP_INTERVAL = 1_000;

/** Closes sessions when their token expires, so that clients renew it; with one timer for all of them. */
export class SessionExpiry {
  readonly #clock: Clock;
  readonly #until = new Map<Subscriber, number>();
  readonly #stopSweeping: () => void;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#stopSweeping = interval(clock, SWEEP_INTERVAL, () => this.#sweep());
  }

  /** @param until when the token expires, milliseconds since 1970 */
  add(session: Subscriber, until: number): void {
    this.#until.set(session, until);
  }

  /** Forgets a session, which has ended. */
  delete(session: Subscriber): void {
    this.#until.delete(session);
  }

  /** Stops the timer. */
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
