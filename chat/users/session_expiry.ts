import type { Clock } from "../clock.ts";
import { CLOSE } from "../protocol.ts";
import { ChatError } from "../errors.ts";
import type { Session } from "../session.ts";

/** What somebody's account elsewhere says of them. */
export interface ExternalIdentity {
  /** What they are called there; nothing else can be chosen here. */
  name?: string;
  /** Until when it holds, milliseconds since 1970. */
  until: number;
}

/** Who is known by an account can't pass for somebody else here. */
export function nameIsExternal(): ChatError {
  return new ChatError("forbidden", "Your name comes from your account. Change it there, and come back.");
}

/** How often it is looked for sessions whose time is over, milliseconds: a token's end is a whole second. */
const CHECK_INTERVAL = 1_000;

/** Sends sessions away to renew their token when it ends, with one timer for all of them. */
export class SessionExpiry {
  readonly #clock: Clock;
  readonly #until = new Map<Session, number>();
  #stopLooking: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(session: Session, until: number): void {
    this.#until.set(session, until);
    this.#stopLooking ??= this.#clock.after(CHECK_INTERVAL, () => this.#look());
  }

  delete(session: Session): void {
    this.#until.delete(session);
  }

  dispose(): void {
    this.#stopLooking?.();
  }

  #look(): void {
    this.#stopLooking = undefined;
    const now = this.#clock.now();
    for (const [session, until] of this.#until) {
      if (until <= now) session.connection.close(CLOSE.renewToken, "Your token has ended. Renew it and come back.");
    }
    if (this.#until.size > 0) this.#stopLooking = this.#clock.after(CHECK_INTERVAL, () => this.#look());
  }
}
