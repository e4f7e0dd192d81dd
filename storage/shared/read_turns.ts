import type { Clock } from "../../chat/clock.ts";
import type { Storage } from "../../chat/storage.ts";

/** Milliseconds of reading after which everything else that waits comes first: about one page of long texts. */
const TURN = 1;

/** What reads parts of a log, and takes the longer the more there is. */
const READING: ReadonlySet<string | symbol> = new Set<keyof Storage>(["history", "read", "keys", "listKeys"]);

/**
 * The same storage, but pages are read in turns: however many are asked for at once, messages are stored and sent
 * between them. If no other page waits, a page is read at once.
 */
export function readInTurns(storage: Storage, clock: Clock): Storage {
  const turns = new ReadTurns(clock);
  return new Proxy(storage, {
    get(target, operation) {
      const member = Reflect.get(target, operation, target);
      if (typeof member !== "function") return member;
      if (!READING.has(operation)) return member.bind(target);
      return (...parameters: unknown[]) => turns.run<unknown>(() => Reflect.apply(member, target, parameters));
    },
  });
}

/** Reads in the order in which it is asked to, for about `TURN` in each turn of the event loop. */
class ReadTurns {
  readonly #clock: Clock;
  #waiting: (() => void)[] = [];
  /** Milliseconds that reading has taken in this turn of the event loop. */
  #spent = 0;
  #isNextSet = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  run<Result>(read: () => Promise<Result>): Promise<Result> {
    if (this.#waiting.length === 0 && this.#spent < TURN) return this.#read(read);
    return new Promise((resolve, reject) => this.#waiting.push(() => this.#read(read).then(resolve, reject)));
  }

  #read<Result>(read: () => Promise<Result>): Promise<Result> {
    if (!this.#isNextSet) this.#clock.soon(() => this.#next());
    this.#isNextSet = true;
    const start = this.#clock.monotonic();
    try {
      return read();
    } finally {
      this.#spent += this.#clock.monotonic() - start;
    }
  }

  #next(): void {
    this.#isNextSet = false;
    this.#spent = 0;
    let done = 0;
    while (done < this.#waiting.length && this.#spent < TURN) this.#waiting[done++]();
    this.#waiting.splice(0, done);
  }
}
