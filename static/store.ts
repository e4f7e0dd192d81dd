/**
 * How the page's state changes: `apply(state, event)` gives the next state and touches nothing else.
 * Time and chance come in with the events; what a state means to do (send, keep, show) is read off it by others.
 */
import type { Entry, ErrorFrame, Member, ServerFrame, Typing } from "../chat/protocol.ts";
import { isMuted } from "./lib/mutes.ts";
import * as outboxes from "../client/outbox.ts";
import { applyEntry, joined, trim, withOlder } from "./room_log.ts";
import { emptyRoom, type Event, inRoom, type RoomState, type State, type Typist } from "./state.ts";

/** Milliseconds for which someone counts as typing: two of their signals (3 s apart), less the hurry. */
export const TYPING_SHOWN = 5_000;

/** The state after `event`. The same object comes back when the event changes nothing. */
export function apply(state: State, event: Event): State {
  switch (event.kind) {
    case "frames":
      return trim(
        event.frames.reduce(
          (next, frame) => noteStore(applyFrame(next, frame, event.now, event.jitter), frame),
          state,
        ),
      );
    case "status":
      if (event.status.kind === "connected") return { ...state, status: event.status };
      return {
        ...inRoom(state, { joined: false, hasGap: false, typing: [] }),
        status: event.status,
        storeFails: false,
        outbox: outboxes.disconnected(state.outbox),
      };
    case "online":
      return { ...state, online: event.online };
    case "entered":
      return {
        ...state,
        room: { ...emptyRoom(event.room), problem: event.problem ?? null },
        notice: null,
        following: true,
        unread: 0,
      };
    case "room_refused":
      return inRoom(state, { problem: event.problem });
    case "history_requested":
      return inRoom(state, { history: "loading", pending: [] });
    case "history_loaded":
      return inRoom(state, withOlder(state.room, event.messages, event.seq, event.more));
    case "history_failed":
      return inRoom(state, { history: "failed", pending: [] });
    case "outbox":
      return { ...state, outbox: event.outbox };
    case "reading": {
      const { visible, following } = event;
      if (visible === state.visible && following === state.following) return state;
      return trim({ ...state, visible, following, unread: visible && following ? 0 : state.unread });
    }
    case "time": {
      const typing = state.room.typing.filter((typist) => typist.until > event.now);
      return typing.length === state.room.typing.length ? state : inRoom(state, { typing });
    }
    case "notice":
      return { ...state, notice: event.notice };
    case "muted": {
      const typing = state.room.typing.filter(({ user }) => !isMuted(event.muted, user));
      return { ...inRoom(state, { typing }), muted: event.muted };
    }
    case "moderation":
      return { ...state, moderation: event.moderation };
  }
}

function applyFrame(state: State, frame: ServerFrame, now: number, jitter: number): State {
  const { room } = state;
  switch (frame.action) {
    case "welcome":
      return { ...state, me: { user: frame.user, name: frame.name }, limits: frame.limits };
    case "receive_message":
    case "message_edited":
    case "message_deleted":
      return applyEntry(acknowledge(state, frame), frame);
    case "room_joined":
      return frame.room === room.name ? joined(frame.messages.reduce(acknowledge, state), frame) : state;
    case "name_changed":
      return renamed(state, { user: frame.user, name: frame.name });
    case "error":
      return refused(state, frame, now, jitter);
    case "pong":
      return state;
  }
  if (frame.room !== room.name) return state;
  switch (frame.action) {
    case "room_left":
      return inRoom(state, { joined: false });
    case "member_joined": {
      if (room.members.some((member) => member.user === frame.user)) return state;
      const members = [...room.members, { user: frame.user, name: frame.name }];
      return inRoom(state, { members, count: room.count + 1 });
    }
    case "member_left": {
      const members = room.members.filter((member) => member.user !== frame.user);
      const typing = room.typing.filter((typist) => typist.user !== frame.user);
      return inRoom(state, { members, typing, count: Math.max(members.length, room.count - 1) });
    }
    case "room_count":
      return inRoom(state, { count: frame.count });
    case "room_changed":
      return inRoom(state, { locked: frame.locked, slowSeconds: frame.slow_seconds });
    case "typing":
      if (frame.user === state.me?.user || isMuted(state.muted, frame.user)) return state;
      return inRoom(state, { typing: typists(room, frame, now) });
  }
}

/** Only the server's own words say that its store fails (a lost request has none), and an entry that it is back. */
function noteStore(state: State, frame: ServerFrame): State {
  const fails = frame.action === "error" && frame.code === "unavailable" && frame.message !== "";
  const storeFails = fails || (state.storeFails && !("seq" in frame));
  return storeFails === state.storeFails ? state : { ...state, storeFails };
}

/** Our own copy of an action has come back: it is kept, and no longer ours to send. */
function acknowledge(state: State, entry: Entry): State {
  if (entry.user !== state.me?.user) return state;
  const outbox = outboxes.remove(state.outbox, entry.id);
  return outbox === state.outbox ? state : { ...state, outbox };
}

function refused(state: State, error: ErrorFrame, now: number, jitter: number): State {
  // A frame that could not even be read is answered without its id. Only what a person wrote can be so.
  const unread = ["bad_json", "bad_frame", "frame_too_large"].includes(error.code);
  const item = outboxes.itemWith(state.outbox, error.id ?? (unread ? state.outbox.inFlight?.id : undefined));
  if (!item) return state;
  const { id, action } = item.frame;
  // Deleting what is gone already is as good as deleting it.
  const outbox = action === "delete_message" && error.code === "not_found"
    ? outboxes.remove(state.outbox, id)
    : outboxes.refuse(state.outbox, id, error, now, jitter);
  return { ...state, outbox };
}

function renamed(state: State, member: Member): State {
  const rename = <T extends Member>(other: T): T =>
    other.user === member.user ? { ...other, name: member.name } : other;
  const next = inRoom(state, { members: state.room.members.map(rename), typing: state.room.typing.map(rename) });
  return { ...next, me: state.me && rename(state.me) };
}

function typists(room: RoomState, frame: Typing, now: number): Typist[] {
  const others = room.typing.filter((typist) => typist.user !== frame.user);
  return [...others, { user: frame.user, name: frame.name, until: now + TYPING_SHOWN }];
}
