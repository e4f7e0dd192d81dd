import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";

/** Milliseconds of reading, after which everything else that waits for this isolate comes first: one page of long texts. */
const TURN = 1;

/**
 * The same storage, whose pages are read in turns: however many ask at once, messages are stored and told between them.
 * A page that nobody else waits for is read at once.
 */
export function readInTurns(storage: Storage, clock: Clock): Storage {
  const turns = new ReadTurns(clock);
  return new Proxy(storage, {
    get(target, operation) {
      if (operation === "history" || operation === "read") {
        return (...parameters: unknown[]) => turns.run(() => Reflect.apply(target[operation], target, parameters));
      }
      const member = Reflect.get(target, operation, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

/** Runs what reads, in the order in which it comes, and no more in one turn of the loop than `TURN`. */
class ReadTurns {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  /** Milliseconds that reading has taken in this turn of the loop. */
  #spent = 0;
  #nextIsSet = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length === 0 && this.#spent < TURN) return this.#read(read);
    return new Promise((resolve, reject) => this.#waiting.push(() => this.#read(read).then(resolve, reject)));
  }

  #read<Result>(read: () => Promise<Result>): Promise<Result> {
    if (!this.#nextIsSet) this.#clock.soon(() => this.#next());
    this.#nextIsSet = true;
    const start = this.#clock.monotonic();
    try {
      return read();
    } finally {
      this.#spent += this.#clock.monotonic() - start;
    }
  }

  #next(): void {
    this.#nextIsSet = false;
    this.#spent = 0;
    let done = 0;
    while (done < this.#waiting.length && this.#spent < TURN) this.#waiting[done++]();
    this.#waiting.splice(0, done);
  }
}
