/** Everything the page knows: what any client knows, and what only a page has. How it changes: `store.ts`. */
import { CLOSE, type Member, type ReceiveMessage } from "../chat/protocol.ts";
import type { ClientState } from "../client/client_state.ts";
import type { OutboxItem } from "../client/outbox.ts";
import type { Typist } from "../client/room/room_state.ts";
import type { SessionRefusal } from "../client/session_answer.ts";
import type { Moderation } from "./lib/moderator.ts";
import { isMuted } from "./lib/mutes.ts";

/** A sentence at the foot of the page, about a problem that can't be shown where it occurred. */
export type Notice =
  | { readonly kind: "outbox_full" }
  /** Code that is loaded later did not come. */
  | { readonly kind: "not_loaded" }
  | { readonly kind: "name_lost"; readonly name: string }
  | { readonly kind: "address"; readonly url: string };

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
  /** Other people's messages since the page was last visible and at the newest message. */
  readonly unread: number;
  /** Messages after this `seq` came in while nobody looked, the last time that any did; null when none did. */
  readonly newAfter: number | null;
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
    unread: 0,
    newAfter: null,
  };
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
