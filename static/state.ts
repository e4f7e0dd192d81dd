/** Everything the page knows: what any client knows, and what only a page has. How it changes: `store.ts`. */
import { CLOSE, type Member, type ReceiveMessage } from "../chat/protocol.ts";
import type { ClientState } from "../client/client_state.ts";
import type { ActionError, OutboxItem } from "../client/outbox.ts";
import type { Typist } from "../client/room/room_state.ts";
import type { SessionRefusal } from "../client/session_answer.ts";
import { type KeptRoom, keptRoom } from "./lib/kept_rooms.ts";
import type { ListedRoom, Moderation } from "./lib/moderator.ts";
import { isMuted } from "./lib/mutes.ts";
import { isNews, NOTHING_UNREAD, type Unread, unreadIn } from "./lib/unread.ts";

/** A sentence at the foot of the page, about a problem that can't be shown where it occurred. */
export type Notice =
  | { readonly kind: "outbox_full" }
  /** Code that is loaded later did not come. */
  | { readonly kind: "not_loaded" }
  /** A link leads to a message that is not there, or nothing was said from that day on. */
  | { readonly kind: "no_message" }
  /** The place that somebody asks for could not be loaded. */
  | { readonly kind: "no_place" }
  | { readonly kind: "name_lost"; readonly name: string }
  /** One's own reaction is undone. */
  | { readonly kind: "reaction_refused"; readonly error: ActionError };

/** New messages, above which the line "New" stands. */
export interface NewRun {
  /** They come after this `seq`. */
  readonly after: number;
  /** The reader has been at the first of them. */
  readonly visited: boolean;
}

/** A place in the room to which the reader is about to come. */
export interface Goal {
  /** The message; for `read` and `new`, the last one above the line "New". */
  readonly seq: number;
  /**
   * What is there: `read` is where the reader stopped, with the line "New" low in the view; `new` is that line, `link`
   * a message to which a link leads, `answer` one to which an answer leads or back to it, and `date` the first one of a
   * day. A number puts the message so many pixels below the top of the view.
   */
  readonly at: "read" | "new" | "link" | "answer" | "date" | number;
}

export interface State extends ClientState {
  /** Whether the browser believes that there is a network. */
  readonly online: boolean;
  /** The room that an address without a room may have meant. */
  readonly meant: string | null;
  readonly notice: Notice | null;
  /** People whose messages are hidden here, the latest last. */
  readonly muted: readonly Member[];
  /** What moderators see; null for everyone else. */
  readonly moderation: Moderation | null;
  /** Whether the page can be seen. */
  readonly visible: boolean;
  /** Whether the reader is at the newest message. */
  readonly following: boolean;
  /** The rooms that one has been in, the last one entered first. */
  readonly rooms: readonly KeptRoom[];
  /** The rooms that are listed for everyone, as far as they are known. */
  readonly listed: readonly ListedRoom[];
  /** Whether the room in which something was said last is the first at the side. */
  readonly newestRoomFirst: boolean;
  readonly newRun: NewRun | null;
  /** It is not decided yet whether there is a new run: nothing is known of the room that was entered. */
  readonly isFresh: boolean;
  readonly goal: Goal | null;
  /** The answer from which the reader has gone to what it answers, and to which they may want to come back. */
  readonly leftAnswer: number | null;
  /** The messages whose answers are shown below them, the last one unfolded at the end. */
  readonly unfolded: readonly number[];
}

export function initialState(client: ClientState): State {
  return {
    ...client,
    online: true,
    meant: null,
    notice: null,
    muted: [],
    moderation: null,
    visible: true,
    following: true,
    rooms: [],
    listed: [],
    newestRoomFirst: false,
    newRun: null,
    isFresh: true,
    goal: null,
    leftAnswer: null,
    unfolded: [],
  };
}

/** Whether a goal is the line "New", and not a message. */
export function isLineNew({ at }: Goal): boolean {
  return at === "read" || at === "new";
}

/** Messages above the line "New" that are loaded with it: one comes back to what one has read. */
const CONTEXT = 15;

/** Whether the message of a goal is loaded, or would be if it existed. */
export function isThere({ room }: State, goal: Goal): boolean {
  const { messages, more, newest } = room;
  if (messages.length === 0) return !more;
  const context = messages[Math.min(isLineNew(goal) ? CONTEXT : 0, messages.length - 1)];
  return (goal.seq >= context.seq || !more) && (goal.seq <= messages.at(-1)!.seq || newest === null);
}

/** What is unread in one of the rooms that one is in. */
export function unreadOf(state: State, name: string): Unread {
  const room = state.room.name === name ? state.room : state.others.get(name);
  return room ? unreadIn(room, keptRoom(state.rooms, name)?.read ?? null, state) : NOTHING_UNREAD;
}

/**
 * What waits for the reader in all rooms: messages in those that are not muted, and what mentions them in any.
 */
export function attention(state: State): { unread: number; mentions: number } {
  let [unread, mentions] = [0, 0];
  for (const { room, muted } of state.rooms) {
    const found = unreadOf(state, room);
    if (!muted) unread += found.count;
    mentions += found.mentions;
  }
  return { unread, mentions };
}

/** The messages of the new run, as far as they are there. */
export function newCount(state: State): { count: number; more: boolean } {
  const { newRun, room } = state;
  if (!newRun) return { count: 0, more: false };
  const messages = [...room.messages, ...room.newest?.messages ?? []];
  const count = messages.filter((message) => message.seq > newRun.after && isNews(message, state)).length;
  return { count, more: room.newest !== null || room.more && (messages[0]?.seq ?? 0) > newRun.after + 1 };
}

/** An action in the outbox, with the words that it gives to its message; null if it gives none. */
export interface Waiting<Text extends string | null = string | null> {
  readonly item: OutboxItem;
  readonly text: Text;
}

/** What the room shows of the outbox: new messages, and the last change of each message, by its `seq`. */
export function waitingIn({ room, outbox }: State): { messages: Waiting<string>[]; changes: Map<number, Waiting> } {
  const messages: Waiting<string>[] = [];
  const changes = new Map<number, Waiting>();
  for (const item of outbox.items) {
    const { frame } = item;
    if (frame.room !== room.name) continue;
    switch (frame.action) {
      case "send_message":
        messages.push({ item, text: frame.text });
        break;
      case "edit_message":
        changes.set(frame.target, { item, text: frame.text });
        break;
      case "delete_message":
        changes.set(frame.target, { item, text: null });
        break;
      default:
        frame satisfies never;
    }
  }
  return { messages, changes };
}

/** The newest of one's own messages that can be edited: not deleted, and with no change in the outbox. */
export function lastOwn(state: State): ReceiveMessage | undefined {
  const { room, me } = state;
  const { changes } = waitingIn(state);
  return room.messages.findLast(({ seq, user, deleted }) => user === me?.user && !deleted && !changes.has(seq));
}

/** Who is shown as typing. */
export function shownTypists({ room, muted }: State): Typist[] {
  return room.typing.filter(({ user }) => !isMuted(muted, user));
}

/** The person has to sign in before the first message. Someone whose session ends later can go on writing: it waits. */
export function isStranger({ status, me }: State): boolean {
  return status.kind === "signed_out" && me === null;
}

/** Whether the person may write in the room, as far as the page knows. */
export function canWrite(state: State): boolean {
  return !state.room.locked && !isBanned(state) && !isStranger(state);
}

/** There is nothing to read in the room, not even messages that wait to be sent. */
export function isEmpty({ room, outbox }: State): boolean {
  return room.messages.length === 0 && !outbox.items.some(({ frame }) => frame.room === room.name);
}

/**
 * The room is empty as far as anybody can tell: it is joined, or the page that has just come says so and the connection
 * is on its way.
 */
export function isKnownEmpty(state: State): boolean {
  const { status, room } = state;
  const opens = status.kind === "connected" ||
    status.kind === "connecting" && !status.again && status.refusal === null;
  return isEmpty(state) && room.problem === null && (room.joined || room.position !== null && opens);
}

/** Why the server gives the page no session, where it has said so. A ban is something else: see `isBanned`. */
export function refusalOf({ status }: State): SessionRefusal | null {
  return status.kind === "waiting" || status.kind === "connecting" ? status.refusal : null;
}

/** A moderator has banned this person. */
export function isBanned({ status }: State): boolean {
  return status.kind === "stopped" && status.code === CLOSE.notAllowed;
}
