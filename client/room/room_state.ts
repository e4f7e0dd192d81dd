/** What a client knows of a room that it is in. */
import type { Entry, Member, Position, ReceiveMessage } from "../../chat/protocol.ts";
import type { ActionError } from "../outbox.ts";

export interface Typist extends Member {
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** Consecutive messages, in their present state, by `seq`, ascending. */
export interface Stretch {
  readonly messages: readonly ReceiveMessage[];
  /** Older messages exist than the first of `messages`. */
  readonly more: boolean;
}

/** `messages` are those around the reader. */
export interface RoomState extends Stretch {
  readonly name: string;
  /** Why one can't be in this room. */
  readonly problem: ActionError | null;
  /** Whether the server counts us as a member, on this connection. */
  readonly joined: boolean;
  /** The last entry received; null before the first page. */
  readonly position: Position | null;
  /** The newest messages, while the reader is among older ones. Null while `messages` end with the newest. */
  readonly newest: Stretch | null;
  /** Whether the reader is at the newest message. Elsewhere nothing is released, however many come. */
  readonly atNewest: boolean;
  /** The request for older messages, and the one for newer messages. */
  readonly older: PageRequest;
  readonly newer: PageRequest;
  /** Entries that changed messages while a page was loading. The page may have been read before them. */
  readonly pending: readonly Entry[];
  /** Messages after this `seq` may be missing; 0 when no earlier one is known; null when none are missing. */
  readonly missingAfter: number | null;
  /** An entry came that does not follow `position`: join again from there. */
  readonly hasGap: boolean;
  readonly members: readonly Member[];
  readonly count: number;
  readonly typing: readonly Typist[];
  readonly locked: boolean;
  readonly slowSeconds: number;
}

export type PageRequest = "idle" | "loading" | "failed";

/**
 * A room before the server has sent anything about it.
 * @param position where one was the last time: what came after it is requested
 */
export function emptyRoom(
  name: string,
  problem: ActionError | null = null,
  position: Position | null = null,
): RoomState {
  return {
    name,
    problem,
    joined: false,
    position,
    messages: [],
    more: position !== null,
    newest: null,
    atNewest: true,
    older: "idle",
    newer: "idle",
    pending: [],
    missingAfter: null,
    hasGap: false,
    members: [],
    count: 0,
    typing: [],
    locked: false,
    slowSeconds: 0,
  };
}

/** The newest messages that are there, wherever the reader is. */
export function newestMessages({ newest, messages }: RoomState): readonly ReceiveMessage[] {
  return newest?.messages ?? messages;
}
