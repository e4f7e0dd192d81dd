/**
 * What a client knows of the server and of its room, and how it changes. The functions are pure: time and chance come
 * in as arguments, and the same object comes back when nothing changes.
 */
import { kindAskedBy } from "../chat/entries/kinds.ts";
import {
  type Entry,
  type ErrorFrame,
  type HistoryPage,
  type InitialData,
  type Limits,
  type Member,
  NAME_LIMIT,
  PING_SECONDS,
  type ServerFrame,
  TEXT_LIMIT,
} from "../chat/protocol.ts";
import type { ConnectionStatus } from "./connection.ts";
import * as outboxes from "./outbox.ts";
import { memberJoined, memberLeft, renameMember, startedTyping } from "./room/people.ts";
import * as pending from "./reactions.ts";
import type { PendingReactions } from "./reactions.ts";
import { messageOf } from "./room/answers.ts";
import { applyEntry, applyJoin, isEntry, withoutOwn, withReacted } from "./room/room_log.ts";
import { emptyRoom, type RoomState } from "./room/room_state.ts";

export interface ClientState {
  readonly me: Member | null;
  readonly limits: Limits;
  readonly status: ConnectionStatus;
  /** The server answers, but its store failed when it was last needed. */
  readonly storeFails: boolean;
  /** The room that is read. */
  readonly room: RoomState;
  /** The other rooms that one is in, or is about to join, by name. The one that was read last is the last. */
  readonly others: ReadonlyMap<string, RoomState>;
  readonly outbox: outboxes.Outbox;
  /** One's own reactions that the server has not confirmed. */
  readonly reactions: PendingReactions;
}

export interface FrameContext {
  /** Milliseconds since 1970, by this computer's clock. */
  readonly now: number;
  /** From 0 to 1. */
  readonly jitter: number;
}

/** @param session who one is, if that is known before the server says `welcome` */
export function initialClientState(
  room: string,
  outbox = outboxes.emptyOutbox,
  session?: InitialData["session"],
): ClientState {
  return {
    me: session ? { user: session.user, name: session.name } : null,
    limits: session?.limits ??
      { text: TEXT_LIMIT, name: NAME_LIMIT, frame: 64 * 1024, rooms: 50, ping_seconds: PING_SECONDS },
    status: { kind: "connecting", again: false, refusal: null },
    storeFails: false,
    room: emptyRoom(room),
    others: new Map(),
    outbox,
    reactions: [],
  };
}

/** What is known of a room that one is in, or is about to join. */
export function roomOf({ room, others }: ClientState, name: string): RoomState | undefined {
  return room.name === name ? room : others.get(name);
}

/** The state with another room to read. The one before is among the others, if it can be joined. */
export function entered(state: ClientState, room: RoomState): ClientState {
  if (room.name === state.room.name) return { ...state, room };
  const others = new Map(state.others);
  others.delete(room.name);
  if (state.room.name !== "" && state.room.problem === null) others.set(state.room.name, state.room);
  return { ...state, room, others };
}

/** The state without one of the other rooms. */
export function without(state: ClientState, room: string): ClientState {
  const others = new Map(state.others);
  const reactions = state.reactions.filter((one) => one.room !== room);
  return others.delete(room) ? { ...state, others, reactions } : state;
}

/** All rooms that one is in or is about to join: the one that is read comes first, then from the last one read. */
export function allRooms({ room, others }: ClientState): RoomState[] {
  return [room, ...[...others.values()].reverse()];
}

/**
 * The state after a frame. A frame that this client doesn't know changes nothing, unless it is an entry of the room's
 * log.
 */
export function applyFrame(state: ClientState, frame: ServerFrame, context: FrameContext): ClientState {
  return noteStore(applyAction(state, frame, context), frame);
}

function applyAction(
  state: ClientState,
  frame: ServerFrame,
  { now, jitter }: FrameContext,
): ClientState {
  if (isEntry(frame)) {
    const room = roomOf(state, frame.room);
    const acknowledged = acknowledge(state, frame);
    // Before we have joined, it can only be from the time before we left.
    return room?.joined ? withRoom(acknowledged, applyEntry(room, frame, state.me?.user)) : acknowledged;
  }
  switch (frame.action) {
    case "welcome":
      return { ...welcomed(state, frame.user), me: { user: frame.user, name: frame.name }, limits: frame.limits };
    case "name_changed":
      return renamed(state, { user: frame.user, name: frame.name });
    case "error":
      return actionFailed(state, frame, now, jitter);
    case "pong":
      return state;
  }
  const room = roomOf(state, frame.room);
  if (!room) return state;
  switch (frame.action) {
    case "room_joined":
      return withRoom(
        frame.messages.reduce(acknowledge, state),
        applyJoin(room, frame, state.me?.user),
      );
    case "reacted":
      return { ...state, reactions: pending.answered(state.reactions, frame, messageOf(room, frame.target)) };
    case "room_left":
      return withRoom(state, { ...room, joined: false });
    case "member_joined":
      return withRoom(state, memberJoined(room, frame));
    case "member_left":
      return withRoom(state, memberLeft(room, frame));
    case "room_count":
      return withRoom(state, { ...room, count: frame.count });
    case "room_changed":
      return withRoom(state, { ...room, locked: frame.locked, slowSeconds: frame.slow_seconds });
    case "typing":
      return frame.user === state.me?.user ? state : withRoom(state, startedTyping(room, frame, now));
    default:
      frame satisfies never;
      return state; // a newer server's
  }
}

/** The state with a first page in its room, which goes on from there as soon as the room is joined. */
export function applyHistory(state: ClientState, { epoch, seq, messages, more, reacted }: HistoryPage): ClientState {
  const room = { ...state.room, position: { epoch, seq }, messages: withReacted(messages, reacted), more };
  return withRoom(messages.reduce(acknowledge, state), room);
}

export function applyStatus(state: ClientState, status: ConnectionStatus): ClientState {
  if (status.kind === "connected") return { ...state, status };
  const left = (room: RoomState): RoomState => ({ ...room, joined: false, hasGap: false, typing: [] });
  return {
    ...state,
    status,
    room: left(state.room),
    others: new Map([...state.others].map(([name, room]) => [name, left(room)])),
    storeFails: false,
    outbox: outboxes.disconnected(state.outbox),
    reactions: pending.disconnected(state.reactions),
  };
}

/** The state with another state of one of its rooms. */
export function withRoom(state: ClientState, room: RoomState): ClientState {
  if (room === roomOf(state, room.name)) return state;
  if (room.name === state.room.name) return { ...state, room };
  return { ...state, others: new Map(state.others).set(room.name, room) };
}

/**
 * Only an error with the server's own words shows that its store fails (a lost request has none); any entry, that it
 * works.
 */
function noteStore(state: ClientState, frame: ServerFrame): ClientState {
  const fails = frame.action === "error" && frame.code === "unavailable" && frame.message !== "";
  const storeFails = fails || (state.storeFails && !("seq" in frame));
  return storeFails === state.storeFails ? state : { ...state, storeFails };
}

/** What one gave as somebody else is not one's own. */
function welcomed(state: ClientState, user: string): ClientState {
  if (state.me === null || state.me.user === user) return state;
  const nobody: ClientState = { ...state, reactions: [] };
  return allRooms(state).reduce((next, room) => withRoom(next, withoutOwn(room)), nobody);
}

/** Our own entry has come back: the server has kept the action, and it leaves the outbox. */
function acknowledge(state: ClientState, entry: Entry): ClientState {
  const reactions = pending.told(state.reactions, entry, state.me?.user);
  if (reactions !== state.reactions) state = { ...state, reactions };
  if (!("user" in entry) || entry.user !== state.me?.user) return state;
  const outbox = outboxes.remove(state.outbox, entry.id);
  return outbox === state.outbox ? state : { ...state, outbox };
}

function actionFailed(state: ClientState, error: ErrorFrame, now: number, jitter: number): ClientState {
  // A frame that the server could not read is answered without its id. Only what a person wrote can be such a frame.
  const unread = ["bad_json", "bad_frame", "frame_too_large"].includes(error.code);
  const item = outboxes.itemWith(state.outbox, error.id ?? (unread ? state.outbox.inFlight?.id : undefined));
  if (!item) return state;
  const { id } = item.frame;
  // Deleting a message that is already gone counts as done.
  const outbox = kindAskedBy(item.frame)?.erases && error.code === "not_found"
    ? outboxes.remove(state.outbox, id)
    : outboxes.refuse(state.outbox, id, error, now, jitter);
  return { ...state, outbox };
}

function renamed(state: ClientState, member: Member): ClientState {
  const me = state.me?.user === member.user ? member : state.me;
  return { ...allRooms(state).reduce((next, room) => withRoom(next, renameMember(room, member)), state), me };
}
