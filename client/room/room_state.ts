/** What a client knows of the room that it is in. */
import type { Entry, Member, Position, ReceiveMessage } from "../../chat/protocol.ts";
import type { ActionError } from "../outbox.ts";

export interface Typist extends Member {
  /** Milliseconds since 1970. */
  readonly until: number;
}

export interface RoomState {
  readonly name: string;
  /** Why one can't be in this room. */
  readonly problem: ActionError | null;
  /** Whether the server counts us as a member, on this connection. */
  readonly joined: boolean;
  /** The last entry received; null before the first page. */
  readonly position: Position | null;
  /** In their present state, by `seq`, ascending. */
  readonly messages: readonly ReceiveMessage[];
  /** Older messages exist than the first of `messages`. */
  readonly more: boolean;
  readonly history: "idle" | "loading" | "failed";
  /** Entries that changed messages while an older page was loading. The page may have been read before them. */
  readonly pending: readonly Entry[];
  /** Messages after this `seq` may be missing; 0 when no earlier one is known; null when none are missing. */
  readonly missingAfter: number | null;
  /**
   * Newer messages exist than the last of `messages`. They were left out while the reader was far up in the history.
   */
  readonly truncated: boolean;
  /** An entry came that does not follow `position`: join again from there. */
  readonly hasGap: boolean;
  readonly members: readonly Member[];
  readonly count: number;
  readonly typing: readonly Typist[];
  readonly locked: boolean;
  readonly slowSeconds: number;
}

/** A room before the server has sent anything about it. */
export function emptyRoom(name: string, problem: ActionError | null = null): RoomState {
  return {
    name,
    problem,
    joined: false,
    position: null,
    messages: [],
    more: false,
    history: "idle",
    pending: [],
    missingAfter: null,
    truncated: false,
    hasGap: false,
    members: [],
    count: 0,
    typing: [],
    locked: false,
    slowSeconds: 0,
  };
}
