import { withTimeout } from "../async.ts";
import type { Clock } from "../clock.ts";
import type { CommandBase } from "../entries/kind.ts";
import { isMessage, kindAskedBy } from "../entries/kinds.ts";
import { ChatError } from "../errors.ts";
import type { AppendResult } from "../rulebook.ts";
import type { Command, MessageLog } from "../storage.ts";
import type { Counters } from "./counters.ts";
import { LONGEST_WAIT } from "./pacer.ts";

/**
 * New commands are refused while more wait than were stored within this time, milliseconds: an author would rather know
 * than wait longer, and when the load stops the rest is stored within this time.
 */
export const LONGEST_QUEUE = 300;
/**
 * This many commands may always wait, but no more than so many flush cycles can send, which take about `LONGEST_QUEUE`;
 * and any number while none has waited longer than `EXPLAINED_WAIT`.
 */
export const SHORT_QUEUE = 100;
const SHORT_QUEUE_CYCLES = 3;
/** Milliseconds that a command may wait because of the pace. */
const EXPLAINED_WAIT = LONGEST_WAIT + 50;
/** Seconds after which a refused author may try again. */
const OVERLOAD_RETRY = 1;
/**
 * Bytes that one flush cycle may send to all members together, but at least one message: about what a machine sends in
 * a hundred milliseconds. A message counts as its text and `FRAME_OVERHEAD`; to clients that get each message as a frame
 * of its own, it costs about as much as `FRAME_COST` more bytes, whatever its length.
 */
const CYCLE_BYTES = 16 * 1024 * 1024;
const FRAME_OVERHEAD = 200;
const FRAME_COST = 3_000;
/** UTF-16 units of text in one cycle, but at least one message: a frame stays far below what makes a slow reader. */
const CYCLE_LENGTH = 32 * 1024;
/**
 * Commands that become one entry, at most: what they keep together fits into one value of every store, however long
 * people's names are.
 */
const MERGED_LIMIT = 100;
/**
 * Milliseconds between two entries that merge and are about the same message: whoever comes meanwhile is in the next
 * one. A lone reaction waits for nothing, and a crowd costs each connection ten frames a second at most.
 */
export const MERGE_INTERVAL = 100;
/**
 * How long a flush cycle waits for the store, milliseconds. A file or a Redis nearby takes a few; a store in another
 * region must not delay what there is to send meanwhile.
 */
export const STORE_TIMEOUT = 20;

interface Waiting {
  command: Command;
  /** By the clock's `monotonic`. */
  since: number;
  resolve(result: AppendResult): void;
  reject(reason: unknown): void;
}

/** What the write queue works on. */
interface WriteQueueDeps {
  log: MessageLog;
  clock: Clock;
  counters: Counters;
  /** How many connections a message in this room goes to, and how many of them get it as a frame of its own. */
  recipientsIn(room: string): { all: number; plain: number };
  /** Called when there is something to do that no flush cycle waits for: what was stored late, or has waited long. */
  due(): void;
}

/** Commands that wait to be stored or are being stored: one batch of a room at a time, to keep its order. */
export class WriteQueue {
  readonly #deps: WriteQueueDeps;
  #waiting: Waiting[] = [];
  #shortQueue = SHORT_QUEUE;
  #isBehind = false;
  /** By room, resolved when its batch is stored. */
  readonly #inFlight = new Map<string, Promise<void>>();
  readonly #answers: (() => void)[] = [];
  /** By message, until when what merges waits for more of it, by the clock's `monotonic`. The next one comes first. */
  readonly #gathering = new Map<string, number>();
  /** Resolved when the next of them is over; undefined if nothing waits for that. */
  #gathered: Promise<void> | undefined;
  #window = { from: 0, stored: 0, before: 0 };

  constructor(deps: WriteQueueDeps) {
    this.#deps = deps;
  }

  /**
   * Queues a command for the next flush cycle.
   * @throws {ChatError} `rate_limited` if more is said than can be stored and sent
   */
  add(command: Command): Promise<AppendResult> {
    const since = this.#deps.clock.monotonic();
    const { length } = this.#waiting;
    const isTooLong = length >= this.#shortQueue && since - this.#waiting[0].since > EXPLAINED_WAIT;
    if (isTooLong && length > this.#storedLately(since)) {
      throw new ChatError("rate_limited", "Too much is being said at once. Send it again in a moment.", OVERLOAD_RETRY);
    }
    return new Promise<AppendResult>((resolve, reject) => this.#waiting.push({ command, since, resolve, reject }));
  }

  /** Whether a flush cycle would find commands to store. */
  get hasWork(): boolean {
    const now = this.#deps.clock.monotonic();
    return this.#waiting.some(({ command }) => !this.#inFlight.has(command.room) && !this.#isGathering(command, now));
  }

  /** Whether more waited than the last flush cycle could take. */
  get isBehind(): boolean {
    return this.#isBehind;
  }

  /** Whether somebody has not been answered yet. */
  get isBusy(): boolean {
    return this.#waiting.length + this.#inFlight.size + this.#answers.length > 0;
  }

  /** Stores what waits. Resolves when that is done, or after `STORE_TIMEOUT`. */
  async store(): Promise<void> {
    const batch = this.#takeBatch();
    if (batch.length === 0) return;
    const rooms = new Set(batch.map(({ command }) => command.room));
    let isLate = false;
    const stored = this.#append(batch).then(() => {
      for (const room of rooms) this.#inFlight.delete(room);
      if (isLate) this.#deps.due();
    });
    for (const room of rooms) this.#inFlight.set(room, stored);
    await withTimeout(this.#deps.clock, STORE_TIMEOUT, stored, () => {
      isLate = true;
    });
  }

  /** Answers the authors of what is stored. Members must have been told before. */
  answer(): void {
    for (const answer of this.#answers.splice(0)) answer();
  }

  /** Resolves when nothing is being stored any more. */
  async settled(): Promise<void> {
    await Promise.all([...this.#inFlight.values(), this.#gathered]);
  }

  async #append(batch: Waiting[]): Promise<void> {
    try {
      const groups = grouped(batch);
      const results = await this.#deps.log.append(groups.map(mergedCommand));
      for (const result of results) {
        if ("entry" in result && !result.repeated && isMessage(result.entry)) this.#deps.counters.messagesIn++;
      }
      this.#answers.push(() => {
        for (const [at, group] of groups.entries()) {
          const { refusals, ...result } = results[at];
          for (const [part, { resolve }] of group.entries()) resolve(refusals?.[part] ?? result);
        }
      });
    } catch (error) {
      this.#answers.push(() => batch.forEach(({ reject }) => reject(error)));
    }
    this.#storedLately(this.#deps.clock.monotonic());
    this.#window.stored += batch.length;
  }

  /** How many commands were stored in about the last `LONGEST_QUEUE`. */
  #storedLately(now: number): number {
    const { from, stored } = this.#window;
    if (now - from >= LONGEST_QUEUE) {
      this.#window = { from: now, stored: 0, before: now - from < 2 * LONGEST_QUEUE ? stored : 0 };
    }
    return Math.max(this.#window.before, this.#window.stored);
  }

  /** The commands of one flush cycle; those of a room that is storing a batch go on waiting. */
  #takeBatch(): Waiting[] {
    const now = this.#deps.clock.monotonic();
    const batch: Waiting[] = [];
    const rest: Waiting[] = [];
    let length = 0;
    let bytes = 0;
    let isFull = false;
    const merged = new Set<string>();
    for (const waiting of this.#waiting) {
      const { command } = waiting;
      const mustWait = this.#inFlight.has(command.room) || this.#isGathering(command, now);
      // What merges with another one is a part of the same frame.
      const isPart = merges(command) && merged.has(messageOf(command));
      if (!isFull && !mustWait && !isPart) {
        if (merges(command)) merged.add(messageOf(command));
        const text = "text" in command ? command.text.length : 0;
        length += text;
        const { all, plain } = this.#deps.recipientsIn(command.room);
        bytes += (text + FRAME_OVERHEAD) * all + FRAME_COST * plain;
        isFull = batch.length > 0 && (length > CYCLE_LENGTH || bytes > CYCLE_BYTES);
      }
      if (isFull || mustWait) rest.push(waiting);
      else batch.push(waiting);
    }
    this.#waiting = rest;
    this.#isBehind = isFull;
    this.#shortQueue = isFull ? Math.min(SHORT_QUEUE, SHORT_QUEUE_CYCLES * batch.length) : SHORT_QUEUE;
    this.#gatherFor(batch, now);
    return batch;
  }

  #isGathering(command: Command, now: number): boolean {
    return merges(command) && (this.#gathering.get(messageOf(command)) ?? now) > now;
  }

  /** What merges with one of these waits for a moment; and whatever waits for that is stored when it is over. */
  #gatherFor(batch: readonly Waiting[], now: number): void {
    for (const [message, until] of this.#gathering) {
      if (until > now) break;
      this.#gathering.delete(message);
    }
    for (const { command } of batch) if (merges(command)) this.#gathering.set(messageOf(command), now + MERGE_INTERVAL);
    const next = this.#waiting.filter(({ command }) => this.#isGathering(command, now))
      .map(({ command }) => this.#gathering.get(messageOf(command))!);
    if (next.length === 0 || this.#gathered) return;
    this.#gathered = new Promise((resolve) =>
      this.#deps.clock.after(Math.min(...next) - now, () => {
        this.#gathered = undefined;
        this.#deps.due();
        resolve();
      })
    );
  }
}

/** The commands by what becomes one entry: those of a kind that merges, with nothing else about their message between. */
function grouped(batch: readonly Waiting[]): Waiting[][] {
  const groups: Waiting[][] = [];
  /** By message, the last commands about it if others may be added to them. */
  const open = new Map<string, Waiting[]>();
  for (const waiting of batch) {
    const { action }: CommandBase = waiting.command;
    const message = messageOf(waiting.command);
    const group = open.get(message);
    if (group && group[0].command.action === action && group.length < MERGED_LIMIT) {
      group.push(waiting);
      continue;
    }
    const own = [waiting];
    groups.push(own);
    if (merges(waiting.command)) open.set(message, own);
    else open.delete(message);
  }
  return groups;
}

function merges(command: Command): boolean {
  return "target" in command && kindAskedBy(command)?.merge !== undefined;
}

/** The message that a command is about. */
function messageOf({ room, target }: CommandBase): string {
  return `${room} ${target}`;
}

function mergedCommand(group: readonly Waiting[]): Command {
  const [{ command }] = group;
  return group.length === 1 ? command : kindAskedBy(command)!.merge!(group.map((each) => each.command)) as Command;
}
