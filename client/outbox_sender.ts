import type { ClientFrame } from "../chat/protocol.ts";
import { type ClientState, roomOf } from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import { next, type Outbox, wakeAt } from "./outbox.ts";

export interface OutboxSenderOptions {
  clock: Clock;
  state: () => ClientState;
  send: (frame: ClientFrame) => void;
  /** Takes the outbox with an action in flight. */
  changed: (outbox: Outbox) => void;
}

/** Sends what is in the outbox, one action at a time, also to rooms that one has left. */
export class OutboxSender {
  readonly #options: OutboxSenderOptions;
  readonly #timers: Timers<"next">;
  /** Rooms that we joined only because something for them was in the outbox: sending to a room joins it. */
  readonly #visits = new Set<string>();

  constructor(options: OutboxSenderOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** Sends what may be sent now, and sets a timer for when more may be. To be called whenever the state has changed. */
  send(): void {
    const { clock, state, send, changed } = this.#options;
    const { status, room, outbox } = state();
    if (status.kind !== "connected" || !(room.joined || room.problem)) return;
    const due = next(outbox, clock.now());
    if (due) {
      send(due.frame);
      changed(due.outbox);
    }
    const wake = wakeAt(state().outbox);
    if (wake !== null) this.#timers.set("next", Math.max(0, wake - clock.now()), () => this.send());
    this.#endVisits();
  }

  /** The server has joined us to a room that we are not in otherwise. */
  visiting(room: string): void {
    this.#visits.add(room);
    this.send();
  }

  disconnected(): void {
    this.#visits.clear();
  }

  /** Leaves the rooms for which nothing waits any more. */
  #endVisits(): void {
    const state = this.#options.state();
    for (const visited of this.#visits) {
      if (state.outbox.items.some((item) => item.frame.room === visited && item.error === null)) continue;
      this.#visits.delete(visited);
      if (!roomOf(state, visited)) this.#options.send({ action: "leave_room", room: visited });
    }
  }
}
