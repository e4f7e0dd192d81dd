import type { ClientFrame, ErrorFrame } from "../chat/protocol.ts";
import { type ClientState, roomOf } from "./client_state.ts";
import { type Clock, Timers } from "./clock.ts";
import { due, failed, isRefusal, type PendingReactions, sent, wakeAt } from "./reactions.ts";

export interface ReactionSenderOptions {
  clock: Clock;
  /** From 0 up to, not including, 1. */
  random: () => number;
  newId: () => string;
  state: () => ClientState;
  send: (frame: ClientFrame) => void;
  changed: (reactions: PendingReactions) => void;
  /** The server does not take a reaction. */
  onReactionRefused: (error: ErrorFrame) => void;
}

/** Sends one's own reactions, in the rooms that one is in. */
export class ReactionSender {
  readonly #options: ReactionSenderOptions;
  readonly #timers: Timers<"next">;

  constructor(options: ReactionSenderOptions) {
    this.#options = options;
    this.#timers = new Timers(options.clock);
  }

  /** Sends what may be sent now. To be called whenever the state has changed. */
  send(): void {
    const { clock, newId, state, send, changed } = this.#options;
    if (state().reactions.length === 0 || state().status.kind !== "connected") return;
    const now = clock.now();
    const isJoined = ({ room }: { room: string }) => roomOf(state(), room)?.joined === true;
    // Each change of the state comes here again, so that the others may have been sent meanwhile.
    for (let one; (one = due(state().reactions, now).find(isJoined));) {
      const { room, target, emoji, on } = one;
      const id = newId();
      send({ action: "react", room, target, emoji, on, id });
      changed(sent(state().reactions, one, id, now));
    }
    const wake = wakeAt(state().reactions.filter(isJoined));
    if (wake !== null) this.#timers.set("next", Math.max(0, wake - now), () => this.send());
  }

  /** An error that may answer one of them. */
  failed(error: ErrorFrame): void {
    const { clock, random, state, changed, onReactionRefused } = this.#options;
    const { reactions } = state();
    const isRefused = isRefusal(reactions, error);
    changed(failed(reactions, error, clock.now(), random()));
    if (isRefused) onReactionRefused(error);
  }
}
