import type { Clock } from "../clock.ts";
import type { RoomRegistry } from "../rooms/registry.ts";
import type { Room } from "../rooms/room.ts";
import type { AppendResult } from "../rulebook.ts";
import type { Command, MessageLog } from "../storage.ts";
import { Counters } from "./counters.ts";
import { Pacer } from "./pacer.ts";
import { WriteQueue } from "./write_queue.ts";

/**
 * Frames after which the runtime writes what it was given before it is given more: however many rooms have something to
 * send at the same time, little of it waits in memory.
 */
const FRAMES_A_TURN = 1_000;

/**
 * The way from a command to its recipients: what waits is stored together, then each room sends together what its log
 * brought, then authors get their answers. One such round is a flush cycle; the pacer says when the next one begins.
 */
export class Pipeline {
  readonly counters = new Counters();
  readonly #clock: Clock;
  readonly #rooms: RoomRegistry;
  readonly #writeQueue: WriteQueue;
  readonly #pacer: Pacer;
  /** Rooms that have something to send. */
  readonly #unflushed = new Set<Room>();

  constructor(log: MessageLog, rooms: RoomRegistry, clock: Clock) {
    this.#clock = clock;
    this.#rooms = rooms;
    this.#pacer = new Pacer(clock, () => this.#flushCycle());
    this.#writeQueue = new WriteQueue({
      log,
      clock,
      counters: this.counters,
      recipientsIn: (room) => rooms.find(room)?.recipientCount ?? { all: 0, plain: 0 },
      due: () => this.#pacer.request(),
    });
  }

  /**
   * Stores a command together with all others that wait. When this resolves, all members have been sent the entry, the
   * author among them.
   * @throws {ChatError} `unavailable`, or `rate_limited` if more is said than can be stored and sent
   */
  append(command: Command): Promise<AppendResult> {
    const result = this.#writeQueue.add(command);
    this.#pacer.request(this.#rooms.find(command.room)?.deferrable);
    return result;
  }

  /** Asks for `room.flush` to be called soon. */
  requestFlush(room: Room): void {
    this.#unflushed.add(room);
    this.#pacer.request(room.deferrable);
  }

  /** Resolves when everything said so far is stored and delivered; under constant load that may be never. */
  async settled(): Promise<void> {
    await new Promise<void>((resolve) => this.#clock.soon(resolve));
    do {
      await this.#writeQueue.settled();
      await this.#pacer.settled();
    } while (this.#writeQueue.isBusy);
  }

  async #flushCycle(): Promise<void> {
    const start = this.#clock.monotonic();
    const isDue = this.#pacer.isDue;
    await this.#writeQueue.store();
    let frames = 0;
    let unwritten = 0;
    for (const room of [...this.#unflushed]) {
      if (room.deferrable && !isDue) continue;
      if (unwritten >= FRAMES_A_TURN) {
        await this.#pacer.written();
        unwritten = 0;
      }
      this.#unflushed.delete(room);
      room.flush();
      unwritten += room.size;
      if (room.deferrable) frames += room.size;
    }
    // Authors are answered after all members have been told, which may wait for the pace.
    if (this.#unflushed.size === 0) this.#writeQueue.answer();
    if (this.#writeQueue.hasWork || this.#unflushed.size > 0) this.#pacer.request(true);
    if (frames > 0) await this.#pacer.keepPace(start, frames, this.#writeQueue.isBehind);
    this.counters.onFlushCycle(this.#clock.monotonic() - start);
  }
}
