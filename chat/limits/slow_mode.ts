import type { Clock } from "../clock.ts";
import type { Draft, Outcome } from "../storage.ts";
import type { SendMessage } from "../protocol.ts";
import { Refusal } from "../errors.ts";

/** The slowest that a room can be made, seconds: for how long it has to be remembered who spoke. */
export const SLOW_SECONDS_LIMIT = 60 * 60;

/**
 * Keeps people in slow rooms from speaking too often. It goes by this isolate's own memory: whoever is connected to two
 * may speak twice as often, and a restart forgets it. A shared one would cost a write for each message.
 */
export class SlowMode {
  readonly #clock: Clock;
  readonly #append: (draft: Draft) => Promise<Outcome>;
  /** When each person last spoke in each room, the latest last; milliseconds of the clock's `monotonic`. */
  readonly #spoke = new Map<string, number>();
  readonly #undecided = new Map<string, Promise<void>>();

  constructor(clock: Clock, append: (draft: Draft) => Promise<Outcome>) {
    this.#clock = clock;
    this.#append = append;
  }

  /**
   * Has a message kept if it is its author's turn to speak. What was kept before is answered at any time.
   * @param seconds least time between two messages of one person
   * @throws {Refusal} `rate_limited`, and what appending throws
   */
  append(draft: SendMessage & { user: string; from: string }, seconds: number): Promise<Outcome> {
    const key = `${draft.room} ${draft.user}`;
    // What became of the message before decides whose turn it is.
    const outcome = (this.#undecided.get(key) ?? Promise.resolve()).then(() => this.#appendInTurn(key, draft, seconds));
    const decided = outcome.then(() => {}, () => {}).then(() => {
      if (this.#undecided.get(key) === decided) this.#undecided.delete(key);
    });
    this.#undecided.set(key, decided);
    return outcome;
  }

  async #appendInTurn(
    key: string,
    draft: SendMessage & { user: string; from: string },
    seconds: number,
  ): Promise<Outcome> {
    const wait = this.#take(key, seconds);
    if (wait > 0) {
      const outcome = draft.id === undefined ? undefined : await this.#append({ ...draft, again: true });
      if (outcome && "entry" in outcome) return outcome;
      throw new Refusal(
        "rate_limited",
        `This room is slow: one message every ${seconds} s. Send it again later.`,
        wait,
      );
    }
    let spoke = false;
    try {
      const outcome = await this.#append(draft);
      spoke = "entry" in outcome && !outcome.repeated;
      return outcome;
    } finally {
      if (!spoke) this.#spoke.delete(key);
    }
  }

  /** @returns whole seconds that are to be waited, or 0: then the turn is taken */
  #take(key: string, seconds: number): number {
    const now = this.#clock.monotonic();
    const wait = (this.#spoke.get(key) ?? -Infinity) + seconds * 1_000 - now;
    if (wait > 0) return Math.ceil(wait / 1_000);
    this.#spoke.delete(key);
    this.#spoke.set(key, now);
    for (const [oldest, spoke] of this.#spoke) {
      if (spoke > now - SLOW_SECONDS_LIMIT * 1_000) break;
      this.#spoke.delete(oldest);
    }
    return 0;
  }
}
