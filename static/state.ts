/** Everything the page knows: what any client knows, and what only a page has. How it changes: `store.ts`. */
import { CLOSE, type Member, type ReceiveMessage } from "../chat/protocol.ts";
import type { ClientState } from "../client/client_state.ts";
import type { Typist } from "../client/room/room_state.ts";
import type { SessionRefusal } from "../client/session_answer.ts";
import type { Moderation } from "./lib/moderator.ts";
import { isMuted } from "./lib/mutes.ts";

/** A sentence at the foot of the page, about a problem that can't be shown where it occurred. */
export type Notice =
  | { readonly kind: "outbox_full" }
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

/** The newest of one's own messages that can be edited: not deleted, and with no change in the outbox. */
export function lastOwn({ room, outbox, me }: State): ReceiveMessage | undefined {
  const changing = new Set<number>();
  for (const { frame } of outbox.items) {
    if (frame.action !== "send_message" && frame.room === room.name) changing.add(frame.target);
  }
  return room.messages.findLast(({ seq, user, deleted }) => user === me?.user && !deleted && !changing.has(seq));
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

/** Why the server gives the page no session, where it has said so. A ban is something else: see `isBanned`. */
export function refusalOf({ status }: State): SessionRefusal | null {
  return status.kind === "waiting" || status.kind === "connecting" ? status.refusal : null;
}

/** A moderator has banned this person. */
export function isBanned({ status }: State): boolean {
  return status.kind === "stopped" && status.code === CLOSE.notAllowed;
}
