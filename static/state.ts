/** Everything the page knows, and what can happen to it. How the one changes the other: `store.ts`. */
import {
  CLOSE,
  type Limits,
  type Member,
  type MessageDeleted,
  type MessageEdited,
  NAME_LIMIT,
  PING_SECONDS,
  type Position,
  type ReceiveMessage,
  type ServerFrame,
  TEXT_LIMIT,
} from "../chat/protocol.ts";
import type { ConnectionStatus } from "../client/connection.ts";
import type { Moderation } from "./lib/moderator.ts";
import { type ActionError, emptyOutbox, type Outbox } from "../client/outbox.ts";
import type { SessionRefusal } from "../client/session_answer.ts";

export interface Message {
  readonly seq: number;
  readonly user: string;
  readonly from: string;
  /** Empty when `deleted`. */
  readonly text: string;
  readonly date: number;
  readonly id: string | undefined;
  readonly edited: boolean;
  readonly deleted: boolean;
}

export interface Typist extends Member {
  readonly until: number;
}

/** A sentence at the foot of the page, about something that went wrong elsewhere than where it could be shown. */
export type Notice =
  | { readonly kind: "outbox_full" }
  | { readonly kind: "name_lost"; readonly name: string }
  | { readonly kind: "address"; readonly url: string };

/** Why one cannot be in a room. */
export interface RoomProblem extends ActionError {
  /** The room that the address may have meant. */
  readonly meant?: string | null;
}

export interface RoomState {
  readonly name: string;
  readonly problem: RoomProblem | null;
  /** Whether the server counts us in, on this connection. */
  readonly joined: boolean;
  /** The last place seen; null before the first page. */
  readonly position: Position | null;
  /** By `seq`, ascending. */
  readonly messages: readonly Message[];
  /** Older ones exist than the first of `messages`. */
  readonly more: boolean;
  readonly history: "idle" | "loading" | "failed";
  /** Edits and deletions that came while an older page was on its way, which may have been read before them. */
  readonly pending: readonly (MessageEdited | MessageDeleted)[];
  /** Messages after this `seq` may be missing; 0 when nothing before is known at all. */
  readonly missingAfter: number | null;
  /** Messages after this `seq` came while nobody looked, the last time that this was so; null when there were none. */
  readonly newAfter: number | null;
  /** Newer messages exist than the last of `messages`, left out because the reader is elsewhere. */
  readonly truncated: boolean;
  /** An entry came that does not follow `position`: join again from there. */
  readonly hasGap: boolean;
  readonly members: readonly Member[];
  readonly count: number;
  readonly typing: readonly Typist[];
  readonly locked: boolean;
  readonly slowSeconds: number;
}

export interface State {
  readonly me: Member | null;
  readonly limits: Limits;
  readonly status: ConnectionStatus;
  /** What the browser thinks of the network. */
  readonly online: boolean;
  /** The server is there, and its store was not when it was last asked for something. */
  readonly storeFails: boolean;
  readonly room: RoomState;
  readonly outbox: Outbox;
  readonly notice: Notice | null;
  /** People whose words are not shown here, the latest last. */
  readonly muted: readonly Member[];
  /** What moderators see; null for everyone else. */
  readonly moderation: Moderation | null;
  /** The page can be seen. */
  readonly visible: boolean;
  /** The newest message is in sight, or would be. */
  readonly following: boolean;
  /** Other people's messages since both were last so. */
  readonly unread: number;
}

export type Event =
  /** `now` is this browser's time, `jitter` a number from 0 to 1. */
  | { kind: "frames"; frames: readonly ServerFrame[]; now: number; jitter: number }
  | { kind: "status"; status: ConnectionStatus }
  | { kind: "online"; online: boolean }
  | { kind: "entered"; room: string; problem?: RoomProblem }
  | { kind: "room_refused"; problem: ActionError }
  | { kind: "history_requested" }
  | { kind: "history_loaded"; messages: readonly ReceiveMessage[]; seq: number; more: boolean }
  | { kind: "history_failed" }
  | { kind: "outbox"; outbox: Outbox }
  | { kind: "reading"; visible: boolean; following: boolean }
  | { kind: "time"; now: number }
  | { kind: "muted"; muted: readonly Member[] }
  | { kind: "moderation"; moderation: Moderation | null }
  | { kind: "notice"; notice: Notice | null };

export function initialState(room: string, outbox = emptyOutbox): State {
  return {
    me: null,
    limits: { text: TEXT_LIMIT, name: NAME_LIMIT, frame: 64 * 1024, rooms: 1, ping_seconds: PING_SECONDS },
    status: { kind: "connecting", again: false, refusal: null },
    online: true,
    storeFails: false,
    room: emptyRoom(room),
    outbox,
    notice: null,
    muted: [],
    moderation: null,
    visible: true,
    following: true,
    unread: 0,
  };
}

/** A room as one enters it, before the server has said anything. */
export function emptyRoom(name: string): RoomState {
  return {
    name,
    problem: null,
    joined: false,
    position: null,
    messages: [],
    more: false,
    history: "idle",
    pending: [],
    missingAfter: null,
    newAfter: null,
    truncated: false,
    hasGap: false,
    members: [],
    count: 0,
    typing: [],
    locked: false,
    slowSeconds: 0,
  };
}

/** The newest of one's own messages that can be edited: not deleted, and no change to it under way. */
export function lastOwn({ room, outbox, me }: State): Message | undefined {
  const changing = new Set<number>();
  for (const { frame } of outbox.items) {
    if (frame.action !== "send_message" && frame.room === room.name) changing.add(frame.target);
  }
  return room.messages.findLast(({ seq, user, deleted }) => user === me?.user && !deleted && !changing.has(seq));
}

/** The state with something else about its room. */
export function inRoom(state: State, change: Partial<RoomState>): State {
  return { ...state, room: { ...state.room, ...change } };
}

/** Has to sign in before there is anyone to speak as. Whose token ends later goes on writing, and it waits. */
export function isStranger({ status, me }: State): boolean {
  return status.kind === "signed_out" && me === null;
}

/** There is nothing to read in the room, not even what waits to be sent. */
export function isEmpty({ room, outbox }: State): boolean {
  return room.messages.length === 0 && !outbox.items.some(({ frame }) => frame.room === room.name);
}

/** Why the server does not let the page in, where it has said so. A ban is none of these: see `isBanned`. */
export function refusalOf({ status }: State): SessionRefusal | null {
  return status.kind === "waiting" || status.kind === "connecting" ? status.refusal : null;
}

/** A moderator keeps the person out. */
export function isBanned({ status }: State): boolean {
  return status.kind === "stopped" && status.code === CLOSE.notAllowed;
}
