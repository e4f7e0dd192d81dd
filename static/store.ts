/**
 * What can happen to the page, and how its state changes: `apply(state, event)` returns the next state and touches nothing
 * else. Time and chance come in with the events; the controller reads off the state what there is to send and to store.
 */
import type { Entry, Member, ServerFrame } from "../chat/protocol.ts";
import type { ConnectionStatus } from "../client/connection.ts";
import type { ActionError, Outbox } from "../client/outbox.ts";
import { applyFrame, applyStatus, withRoom } from "../client/client_state.ts";
import { effectOf } from "../client/room/entries.ts";
import type { Moderation } from "./lib/moderator.ts";
import { isMuted } from "./lib/mutes.ts";
import { expireTyping } from "../client/room/people.ts";
import {
  arrivals,
  historyFailed,
  historyLoaded,
  type HistoryPage,
  historyRequested,
  trim,
} from "../client/room/room_log.ts";
import { emptyRoom } from "../client/room/room_state.ts";
import type { Notice, State } from "./state.ts";

export type Event =
  /** `now` is this browser's time, `jitter` a number from 0 to 1. */
  | { kind: "frames"; frames: readonly ServerFrame[]; now: number; jitter: number }
  | { kind: "status"; status: ConnectionStatus }
  | { kind: "online"; online: boolean }
  /** `meant`: the room that an address without a room may have meant. */
  | { kind: "entered"; room: string; problem?: ActionError; meant?: string | null }
  | { kind: "room_refused"; problem: ActionError }
  | { kind: "history_requested" }
  | { kind: "history_loaded"; page: HistoryPage }
  | { kind: "history_failed" }
  | { kind: "outbox"; outbox: Outbox }
  | { kind: "reading"; visible: boolean; following: boolean }
  | { kind: "time"; now: number }
  | { kind: "muted"; muted: readonly Member[] }
  | { kind: "moderation"; moderation: Moderation | null }
  | { kind: "notice"; notice: Notice | null };

/** The state after `event`. The same object comes back when the event changes nothing. */
export function apply(state: State, event: Event): State {
  switch (event.kind) {
    case "frames":
      return event.frames.reduce((next, frame) => receive(next, frame, event.now, event.jitter), state);
    case "status":
      return applyStatus(state, event.status);
    case "online":
      return { ...state, online: event.online };
    case "entered": {
      const { room, problem, meant = null } = event;
      const entered = { room: emptyRoom(room, problem), meant, notice: null };
      return { ...state, ...entered, following: true, unread: 0, newAfter: null };
    }
    case "room_refused":
      return withRoom(state, { ...state.room, problem: event.problem });
    case "history_requested":
      return withRoom(state, historyRequested(state.room));
    case "history_loaded":
      return withRoom(state, historyLoaded(state.room, event.page));
    case "history_failed":
      return withRoom(state, historyFailed(state.room));
    case "outbox":
      return { ...state, outbox: event.outbox };
    case "reading": {
      const { visible, following } = event;
      if (visible === state.visible && following === state.following) return state;
      const room = following ? trim(state.room) : state.room;
      return { ...state, room, visible, following, unread: visible && following ? 0 : state.unread };
    }
    case "time":
      return withRoom(state, expireTyping(state.room, event.now));
    case "notice":
      return { ...state, notice: event.notice };
    case "muted":
      return { ...state, muted: event.muted };
    case "moderation":
      return { ...state, moderation: event.moderation };
  }
}

function receive(state: State, frame: ServerFrame, now: number, jitter: number): State {
  const next = applyFrame(state, frame, { now, jitter, atNewest: state.following });
  const counted = arrivals(state.room, next.room, frame).reduce(countUnread, next);
  const oldEpoch = state.room.position?.epoch;
  const isNewEpoch = oldEpoch !== undefined && oldEpoch !== next.room.position?.epoch;
  return isNewEpoch ? { ...counted, newAfter: null } : counted;
}

function countUnread(state: State, entry: Entry): State {
  if (effectOf(entry).kind !== "adds") return state;
  const isOwn = entry.user === state.me?.user;
  // Whoever answers has read what came before.
  if (isOwn) return { ...state, newAfter: null };
  const isSeen = isMuted(state.muted, entry.user) || (state.visible && state.following);
  if (isSeen) return state;
  return { ...state, unread: state.unread + 1, newAfter: state.unread === 0 ? entry.seq - 1 : state.newAfter };
}
