import { Serializer } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { AppendResult } from "../rulebook.ts";
import type { Command } from "../storage.ts";
import { ChatError } from "../errors.ts";

/** The longest interval that a room can have, seconds: it is remembered that long who spoke. */
export const SLOW_SECONDS_LIMIT = 60 * 60;

/**
 * Keeps people in slow rooms from speaking too often. Each isolate counts for itself: a person who is connected to two
 * may speak twice as often, and a restart forgets everything. Sharing the counts would cost a write per message.
 */
export class SlowMode {
  readonly #clock: Clock;
  readonly #append: (command: Command) => Promise<AppendResult>;
  /** When each person last spoke in each room, the latest last; milliseconds of the clock's `monotonic`. */
  readonly #spoke = new Map<string, number>();
  /** One message of a person at a time in a room: its result decides whether the next one may be stored. */
  readonly #inOrder = new Serializer<string>();

  constructor(clock: Clock, append: (command: Command) => Promise<AppendResult>) {
    this.#clock = clock;
    this.#append = append;
  }

  /**
   * Stores a message if its author may speak again. A repeated one gets its first answer at any time.
   * @param seconds least time between two messages of one person
   * @throws {ChatError} `rate_limited`, and what appending throws
   */
  append(command: Command, seconds: number): Promise<AppendResult> {
    const key = `${command.room} ${command.user}`;
    return this.#inOrder.run(key, () => this.#appendIfDue(key, command, seconds));
  }

  async #appendIfDue(key: string, command: Command, seconds: number): Promise<AppendResult> {
    const wait = this.#take(key, seconds);
    if (wait > 0) {
      const result = command.id === undefined ? undefined : await this.#append({ ...command, lookupOnly: true });
      if (result && "entry" in result) return result;
      throw new ChatError(
        "rate_limited",
        `This room is slow: one message every ${seconds} s. Send it again later.`,
        wait,
      );
    }
    let spoke = false;
    try {
      const result = await this.#append(command);
      spoke = "entry" in result && !result.repeated;
      return result;
    } finally {
      if (!spoke) this.#spoke.delete(key);
    }
  }

  /** @returns whole seconds to wait, or 0: then it counts as spoken */
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
