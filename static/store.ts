/**
 * What can happen to the page, and how its state changes: `apply(state, event)` returns the next state and touches
 * nothing else.
 */
import { isMessage } from "../chat/entries/kinds.ts";
import type { Entry, Member } from "../chat/protocol.ts";
import type { ClientState } from "../client/client_state.ts";
import type { Moderation } from "./lib/moderator.ts";
import { isMuted } from "./lib/mutes.ts";
import type { Notice, State } from "./state.ts";

export type Event =
  /** The client's state has changed; `arrived` are the new entries of the room, in order. */
  | { kind: "client"; client: ClientState; arrived: readonly Entry[] }
  | { kind: "online"; online: boolean }
  /** Another room is about to be shown. `meant`: the room that an address without a room may have meant. */
  | { kind: "entered"; meant: string | null }
  | { kind: "reading"; visible: boolean; following: boolean }
  | { kind: "muted"; muted: readonly Member[] }
  | { kind: "moderation"; moderation: Moderation | null }
  | { kind: "notice"; notice: Notice | null };

/** The state after `event`. The same object comes back when the event changes nothing. */
export function apply(state: State, event: Event): State {
  switch (event.kind) {
    case "client": {
      const counted = event.arrived.reduce(countUnread, { ...state, ...event.client });
      return isNewEpoch(state, event.client) ? { ...counted, newAfter: null } : counted;
    }
    case "online":
      return { ...state, online: event.online };
    case "entered":
      return { ...state, meant: event.meant, notice: null, following: true, unread: 0, newAfter: null };
    case "reading": {
      const { visible, following } = event;
      if (visible === state.visible && following === state.following) return state;
      return { ...state, visible, following, unread: visible && following ? 0 : state.unread };
    }
    case "notice":
      return { ...state, notice: event.notice };
    case "muted":
      return { ...state, muted: event.muted };
    case "moderation":
      return { ...state, moderation: event.moderation };
  }
}

function countUnread(state: State, entry: Entry): State {
  if (!isMessage(entry)) return state;
  const isOwn = entry.user === state.me?.user;
  // Whoever answers has read what came before.
  if (isOwn) return { ...state, newAfter: null };
  const isSeen = isMuted(state.muted, entry.user) || (state.visible && state.following);
  if (isSeen) return state;
  return { ...state, unread: state.unread + 1, newAfter: state.unread === 0 ? entry.seq - 1 : state.newAfter };
}

/** The room's old positions mean nothing any more. */
function isNewEpoch(before: ClientState, after: ClientState): boolean {
  return before.room.position !== null && before.room.position.epoch !== after.room.position?.epoch;
}
