import { withTimeout } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { AppendResult, Command, MessageLog } from "../storage.ts";
import type { Counters } from "./counters.ts";
import { ChatError } from "../errors.ts";
import { LONGEST_WAIT } from "./pacer.ts";

/**
 * New drafts are refused while more wait than were kept within this time, milliseconds: whoever would wait longer would
 * rather know, and when the load stops what is left is done within this time.
 */
export const LONGEST_QUEUE = 500;
/** So many may always wait, and any number as long as none has waited longer than the pace explains, milliseconds. */
export const SHORT_QUEUE = 100;
const PATIENCE = LONGEST_WAIT + 50;
/** Seconds after which whoever was refused may try again. */
const OVERLOAD_RETRY = 1;
/**
 * Bytes that one turn may send, all members counted, with at least one message: about what a machine moves in the
 * hundred milliseconds that a turn may take. A message is taken for its text and `FRAME_OVERHEAD`.
 */
const TURN_BYTES = 16 * 1024 * 1024;
const FRAME_OVERHEAD = 200;
/** UTF-16 units of text that one turn keeps, at least one message, so that one frame is far below what makes a slow reader. */
const TURN_LENGTH = 32 * 1024;
/**
 * How long a turn waits for the store, milliseconds. A file or a near Redis takes a few; a store in another region must
 * not hold up what there is to pass on meanwhile.
 */
export const STORE_PATIENCE = 20;

interface Waiting {
  command: Command;
  /** By the clock's `monotonic`. */
  since: number;
  resolve(result: AppendResult): void;
  reject(reason: unknown): void;
}

/** What a lobby gives to be kept. */
export interface WriteQueueDeps {
  log: MessageLog;
  clock: Clock;
  counters: Counters;
  /** How many connections a message in this room goes to. */
  sizeOf(room: string): number;
  /** Something has been kept for which no turn waited. */
  keptLate(): void;
}

/** Drafts that wait to be kept, and those that are on their way: of one room one batch at a time, which keeps its order. */
export class WriteQueue {
  readonly #around: WriteQueueDeps;
  #commands: Waiting[] = [];
  readonly #onTheWay = new Map<string, Promise<void>>();
  readonly #answers: (() => void)[] = [];
  #window = { from: 0, kept: 0, before: 0 };

  constructor(around: WriteQueueDeps) {
    this.#around = around;
  }

  /**
   * Notes a draft, to be kept with the next turn.
   * @throws {ChatError} `rate_limited` when more is said than can be kept and passed on
   */
  add(command: Command): Promise<AppendResult> {
    const since = this.#around.clock.monotonic();
    const { length } = this.#commands;
    if (length >= SHORT_QUEUE && since - this.#commands[0].since > PATIENCE && length > this.#keptLately(since)) {
      throw new ChatError("rate_limited", "Too much is being said at once. Send it again in a moment.", OVERLOAD_RETRY);
    }
    return new Promise<AppendResult>((resolve, reject) => this.#commands.push({ command, since, resolve, reject }));
  }

  /** Whether a turn would find drafts to keep. */
  get canGoOn(): boolean {
    return this.#commands.some(({ command }) => !this.#onTheWay.has(command.room));
  }

  /** Whether somebody has not been answered yet. */
  get busy(): boolean {
    return this.#commands.length + this.#onTheWay.size + this.#answers.length > 0;
  }

  /** Has what waits kept. Resolves when it is, or when it takes the store too long to wait for. */
  async keepSome(): Promise<void> {
    const some = this.#take();
    if (some.length === 0) return;
    const rooms = new Set(some.map(({ command }) => command.room));
    let late = false;
    const kept = this.#keep(some).then(() => {
      for (const room of rooms) this.#onTheWay.delete(room);
      if (late) this.#around.keptLate();
    });
    for (const room of rooms) this.#onTheWay.set(room, kept);
    await withTimeout(this.#around.clock, STORE_PATIENCE, kept, () => {
      late = true;
    });
  }

  /** Tells those who wait what became of what they said. Members must have been told of it before. */
  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#onTheWay.values());
  }

  async #keep(some: Waiting[]): Promise<void> {
    try {
      const results = await this.#around.log.append(some.map(({ command }) => command));
      for (const result of results) {
        if ("entry" in result && !result.repeated && result.entry.action === "receive_message") {
          this.#around.counters.messagesIn++;
        }
      }
      this.#answers.push(() => some.forEach(({ resolve }, at) => resolve(results[at])));
    } catch (error) {
      this.#answers.push(() => some.forEach(({ reject }) => reject(error)));
    }
    this.#keptLately(this.#around.clock.monotonic());
    this.#window.kept += some.length;
  }

  /** How many drafts were kept in about the last `LONGEST_QUEUE`. */
  #keptLately(now: number): number {
    const { from, kept } = this.#window;
    if (now - from >= LONGEST_QUEUE) {
      this.#window = { from: now, kept: 0, before: now - from < 2 * LONGEST_QUEUE ? kept : 0 };
    }
    return Math.max(this.#window.before, this.#window.kept);
  }

  /** What one turn takes of the drafts that wait, but for rooms that something is on its way to. */
  #take(): Waiting[] {
    const some: Waiting[] = [];
    const rest: Waiting[] = [];
    let length = 0;
    let bytes = 0;
    let isFull = false;
    for (const waiting of this.#commands) {
      const { command } = waiting;
      const mustWait = this.#onTheWay.has(command.room);
      if (!isFull && !mustWait) {
        const text = "text" in command ? command.text.length : 0;
        length += text;
        bytes += (text + FRAME_OVERHEAD) * this.#around.sizeOf(command.room);
        isFull = some.length > 0 && (length > TURN_LENGTH || bytes > TURN_BYTES);
      }
      if (isFull || mustWait) rest.push(waiting);
      else some.push(waiting);
    }
    this.#commands = rest;
    return some;
  }
}
