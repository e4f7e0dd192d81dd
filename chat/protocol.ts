/**
 * The wire: every frame that a client may send and every frame that it may get, with the numbers that both sides share.
 * It imports nothing, because browsers load this file too (with its types stripped).
 *
 * Units: a `date` is milliseconds since 1970 by the server's clock, a `seq` counts from 1 in its room, and what is in
 * seconds says so.
 */

/** Sub-protocol of clients that take several objects in one frame, as a JSON array. The page speaks it. */
export const BATCH_PROTOCOL = "chat.batch.v1";
/** Sub-protocol with one JSON object per frame. Clients that offer none speak it too, for short scripts. */
export const PLAIN_PROTOCOL = "chat.v1";
/** A token may travel as an offered sub-protocol `bearer.TOKEN`, because browsers can set no header on a socket. */
export const BEARER_PREFIX = "bearer.";

/** The room of a socket that names none. */
export const DEFAULT_ROOM = "general";
/** Code points a message may have, unless `TEXT_LIMIT` says otherwise. */
export const TEXT_LIMIT = 4_000;
/** Code points a name may have. */
export const NAME_LIMIT = 32;
/** Code points a room's name may have. */
export const ROOM_NAME_LIMIT = 64;
/** What a normalised room's name is made of. */
export const ROOM_NAME = /^[\p{L}\p{M}\p{Nd}_-]+$/u;
/** Variation selectors and fillers: Unicode counts them as marks and letters, and they are invisible. */
const UNSEEN_IN_ROOM_NAMES =
  /[\u034F\u115F\u1160\u17B4\u17B5\u180B-\u180D\u180F\u3164\uFE00-\uFE0F\uFFA0\u{13441}\u{13442}\u{16FE4}\u{E0100}-\u{E01EF}]/gu;

/** The form in which a room's name is kept and compared. It may still be no valid name. */
export function normaliseRoom(name: string): string {
  // Lower case may leave NFC again (U+0130), hence twice.
  return name.replaceAll(UNSEEN_IN_ROOM_NAMES, "").normalize("NFC").toLowerCase().normalize("NFC");
}

/** UTF-16 units an action's `id` may have. */
export const ID_LIMIT = 64;
/** Messages in a page of history if the client does not say, and the most it may ask for. */
export const PAGE_SIZE = 50;
export const PAGE_SIZE_LIMIT = 200;
/** Most entries of a resume; after a longer gap the client gets the newest page instead. */
export const RESUME_LIMIT = 1_000;
/** Different emoji that one message may have as reactions. */
export const REACTIONS_LIMIT = 20;
/** Users named with a reaction in pages of history: the first ones who reacted with it. */
export const REACTION_USERS = 5;
/** Seconds between two `ping` of a batch client; its socket is closed after two that did not come. */
export const PING_SECONDS = 30;
/** Most members in a `room_joined`; with more, `room_count` replaces `member_joined` and `member_left`. */
export const MEMBERS_LISTED = 100;
/** Least seconds between two `typing` of one person. */
export const TYPING_SECONDS = 3;

/** Why a socket was closed. Clients reconnect after 4000–4099, 1001, 1006, 1011 and 1012, and not after 4400–4499. */
export const CLOSE = {
  silent: 4000,
  restarting: 1012,
  renewToken: 4001,
  tooSlow: 4008,
  tooManyConnections: 4009,
  flooding: 4029,
  badToken: 4401,
  notAllowed: 4403,
} as const;

export type ErrorCode =
  | "bad_json"
  | "bad_frame"
  | "unknown_action"
  | "bad_room"
  | "text_empty"
  | "text_too_long"
  | "bad_emoji"
  | "too_many_reactions"
  | "bad_name"
  | "name_taken"
  | "not_found"
  | "forbidden"
  | "rate_limited"
  | "frame_too_large"
  | "too_many_rooms"
  | "bad_query"
  | "unavailable";

/**
 * What the server says with `forbidden` and `not_found`, codes that stand for many reasons. A client in another
 * language translates these; any other sentence that comes with such a code is a kind's own and is shown as it is.
 */
export const SENTENCES = {
  locked: "This room is locked: it can be read, and nobody can send for now.",
  notAuthor: "Only its author can change a message.",
  gone: "There is no such message any more. Nothing was changed.",
  nameIsExternal: "Your name comes from your account. Change it there, and come back.",
} as const;

/** A place in a room's log. In another epoch, old positions mean nothing. */
export interface Position {
  epoch: string;
  seq: number;
}

/** Someone in a room. `user` is stable and opaque, `name` is what others see. */
export interface Member {
  user: string;
  name: string;
}

// ---- What a client sends. The `id` of an action comes back in its answer or its error.

export interface JoinRoom {
  action: "join_room";
  room: string;
  /** The last place that the client has seen; the server sends what came after it, if it still can. */
  since?: Position;
  limit?: number;
  id?: string;
}
export interface LeaveRoom {
  action: "leave_room";
  room: string;
  /** Over HTTP: only the event stream that was opened under this name, not all of this person's. */
  stream?: string;
  id?: string;
}
export interface SendMessage {
  action: "send_message";
  room: string;
  text: string;
  /** The message that this one answers. */
  reply_to?: number;
  /** The client's idempotency key: the same one again never makes a second message. */
  id?: string;
}
export interface EditMessage {
  action: "edit_message";
  room: string;
  target: number;
  text: string;
  id?: string;
}
export interface DeleteMessage {
  action: "delete_message";
  room: string;
  target: number;
  id?: string;
}
/** Absolute, so that sending it again changes nothing. */
export interface React {
  action: "react";
  room: string;
  target: number;
  /** One emoji of Unicode's RGI set. */
  emoji: string;
  on: boolean;
  /** Comes back in the answer, to the asker alone; it is no idempotency key. */
  id?: string;
}
export interface SetName {
  action: "set_name";
  name: string;
  id?: string;
}
export interface StartTyping {
  action: "typing";
  room: string;
  id?: string;
}
export interface Ping {
  action: "ping";
  id?: string;
}

export type ClientFrame =
  | JoinRoom
  | LeaveRoom
  | SendMessage
  | EditMessage
  | DeleteMessage
  | React
  | SetName
  | StartTyping
  | Ping;

// ---- What the log keeps, and everyone in the room gets.

/** A reaction to a message: how many people gave it, and the first of them. */
export interface Reaction {
  emoji: string;
  count: number;
  /** At most `REACTION_USERS`. */
  users: string[];
}
/** One person's reaction, given or taken back. `from` is the person's name at that time. */
export interface ReactionChange {
  user: string;
  from: string;
  emoji: string;
  on: boolean;
}

/**
 * A message. Pages of history have its present state: `edited` is when, a `deleted` one has no `text`, and only they
 * have `reactions` and `replies`.
 */
export interface ReceiveMessage {
  action: "receive_message";
  room: string;
  seq: number;
  user: string;
  /** The author's name at that time. */
  from: string;
  /** The message that it answers, which may be gone by now. */
  reply_to?: number;
  text?: string;
  date: number;
  /** The author's key, if there was one: by user and id authors find their own messages. */
  id?: string;
  edited?: number;
  deleted?: true;
  /** The first that was given comes first. Absent: none. */
  reactions?: Reaction[];
  /** How many messages answer it, deleted ones not counted. Absent: none. */
  replies?: number;
}
export interface MessageEdited {
  action: "message_edited";
  room: string;
  seq: number;
  target: number;
  user: string;
  /** The newest text, which may be newer than this entry; empty when the message has been deleted since. */
  text: string;
  date: number;
  id?: string;
}
export interface MessageDeleted {
  action: "message_deleted";
  room: string;
  seq: number;
  target: number;
  user: string;
  date: number;
  id?: string;
}

/** Reactions to a message, of one person or of several at once; empty when the message has been deleted since. */
export interface MessageReacted {
  action: "message_reacted";
  room: string;
  seq: number;
  target: number;
  changes: ReactionChange[];
  date: number;
}

/** An entry of a kind that only a newer server knows: it takes its place and changes nothing. */
export interface UnknownEntry {
  action: "unknown_entry";
  room: string;
  seq: number;
  date: number;
}

/** One entry of a room's log. */
export type Entry = ReceiveMessage | MessageEdited | MessageDeleted | MessageReacted | UnknownEntry;

// ---- What the server sends beside the log.

export interface Limits {
  /** Code points of a message's text. */
  text: number;
  /** Code points of a name. */
  name: number;
  /** Bytes of one frame. */
  frame: number;
  /** Rooms that one connection may be in. */
  rooms: number;
  ping_seconds: number;
}
export interface Welcome {
  action: "welcome";
  user: string;
  name: string;
  /** Absent if the session cookie was used, which scripts in a page must not see. */
  token?: string;
  limits: Limits;
}
export interface RoomJoined {
  action: "room_joined";
  room: string;
  epoch: string;
  /** The log's head: everything up to here is in `messages`, in an older page, or known to the client. */
  seq: number;
  /** True: `messages` is exactly what came after `since`. False: it is the newest page, after a possible gap. */
  recovered: boolean;
  messages: Entry[];
  /** Whether there are messages older than these. */
  more: boolean;
  /** The emoji that the asker gave, by the `seq` of messages on a page; absent: none. */
  reacted?: Reacted;
  members: Member[];
  count: number;
  locked: boolean;
  slow_seconds: number;
  id?: string;
}
/** By the `seq` of a message, the emoji that one person gave it. */
export type Reacted = Record<number, string[]>;
/** A page of history, oldest first, in their present state. `seq` is the head. `more`: there are more beyond it. */
export interface HistoryPage extends Position {
  messages: ReceiveMessage[];
  more: boolean;
  /** What the asker gave, where it is known who asks; absent: nothing. */
  reacted?: Reacted;
}
/** Who gave a reaction. `people` are in the order of their ids. */
export interface ReactionPeople {
  emoji: string;
  count: number;
  people: { user: string; from: string }[];
}
/** What `GET /r/ROOM` has in the page, for the page alone. It is a beginning: the log goes on from its `seq`. */
export interface InitialData {
  session: Pick<Welcome, "user" | "name" | "limits">;
  /** Absent if the room did not answer in time, or can't exist. */
  history?: HistoryPage & { room: string };
}
/** The asker's reaction is stored, or was so before. */
export interface ReactedFrame {
  action: "reacted";
  room: string;
  target: number;
  emoji: string;
  on: boolean;
  id?: string;
}
export interface RoomLeft {
  action: "room_left";
  room: string;
  id?: string;
}
export interface MemberJoined {
  action: "member_joined";
  room: string;
  user: string;
  name: string;
}
export interface MemberLeft {
  action: "member_left";
  room: string;
  user: string;
  name: string;
}
export interface RoomCount {
  action: "room_count";
  room: string;
  count: number;
}
export interface RoomChanged {
  action: "room_changed";
  room: string;
  locked: boolean;
  slow_seconds: number;
}
export interface NameChanged {
  action: "name_changed";
  user: string;
  name: string;
  was: string;
  id?: string;
}
export interface Typing {
  action: "typing";
  room: string;
  user: string;
  name: string;
}
export interface Pong {
  action: "pong";
  id?: string;
}
export interface ErrorFrame {
  action: "error";
  code: ErrorCode;
  /** A sentence that says what to do. */
  message: string;
  room?: string;
  id?: string;
  /** Seconds. */
  retry_after?: number;
  /** With `name_taken`: when the name becomes free unless its holder comes back. Absent while that person is here. */
  held_until?: number;
}

export type ServerFrame =
  | Entry
  | Welcome
  | RoomJoined
  | ReactedFrame
  | RoomLeft
  | MemberJoined
  | MemberLeft
  | RoomCount
  | RoomChanged
  | NameChanged
  | Typing
  | Pong
  | ErrorFrame;
