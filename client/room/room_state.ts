/** What a client knows of a room that it is in. */
import type { Entry, Member, Position, ReceiveMessage } from "../../chat/protocol.ts";
import type { ActionError } from "../outbox.ts";

export interface Typist extends Member {
  /** Milliseconds since 1970. */
  readonly until: number;
}

/** A message in its present state. */
export interface HeldMessage extends ReceiveMessage {
  /** The emoji that one has given it oneself. Absent: none. */
  readonly reacted?: readonly string[];
}

/** Consecutive messages, in their present state, by `seq`, ascending. */
export interface Stretch {
  readonly messages: readonly HeldMessage[];
  /** Older messages exist than the first of `messages`. */
  readonly more: boolean;
}

/** The answers to a message, from the first one on; `more`: there are newer ones. */
export interface Thread extends Stretch {
  readonly request: PageRequest;
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
  /** Entries that changed messages while something was loading. That may have been read before them. */
  readonly pending: readonly Entry[];
  /** Requests besides those for pages that are not answered yet. What a missing one brings may be out of date. */
  readonly reads: ReadonlySet<symbol>;
  /**
   * Messages that came with a page which was ahead of `position`, by `seq`: what the entries up to this one have changed
   * is in them already, wherever they are held. To count a reaction or an answer twice would be wrong for ever.
   */
  readonly ahead: ReadonlyMap<number, number>;
  /** Messages that others answer, and that are not among those above; null where the server has none any more. */
  readonly quoted: ReadonlyMap<number, HeldMessage | null>;
  /** Threads that somebody looks at, by the message that is answered. */
  readonly threads: ReadonlyMap<number, Thread>;
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

const NONE: ReadonlySet<symbol> = new Set();

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
    reads: NONE,
    ahead: new Map(),
    quoted: new Map(),
    threads: new Map(),
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
export function newestMessages({ newest, messages }: RoomState): readonly HeldMessage[] {
  return newest?.messages ?? messages;
}

/** The message with this `seq` in a list by `seq`. */
export function messageAt(messages: readonly HeldMessage[], seq: number): HeldMessage | undefined {
  const message = messages[indexOf(messages, seq)];
  return message?.seq === seq ? message : undefined;
}

/** The list with another state of the message with this `seq`; the same list if there is none, or it stays the same. */
export function withMessage(
  messages: readonly HeldMessage[],
  seq: number,
  change: (message: HeldMessage) => HeldMessage,
): readonly HeldMessage[] {
  const at = indexOf(messages, seq);
  const message = messages[at];
  if (message?.seq !== seq) return messages;
  const next = change(message);
  return next === message ? messages : messages.with(at, next);
}

/** The index of the first message from this `seq` on, in a list by `seq`. */
export function indexOf(messages: readonly { readonly seq: number }[], seq: number): number {
  let [low, high] = [0, messages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (messages[middle].seq < seq) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A message, wherever it is held: null if the server has none any more, undefined if that is not known. */
export function heldMessage(room: RoomState, seq: number): HeldMessage | null | undefined {
  const found = messageAt(room.messages, seq) ?? messageAt(room.newest?.messages ?? [], seq);
  return found ?? room.quoted.get(seq);
}

/** Changes messages wherever they are held: some are in several places. */
export function inAllPlaces(
  room: RoomState,
  change: (messages: readonly HeldMessage[]) => readonly HeldMessage[],
): RoomState {
  const { messages, newest, quoted, threads } = room;
  const apart = [...quoted].map(([seq, message]) => [seq, message && change([message])[0]] as const);
  return {
    ...room,
    messages: change(messages),
    newest: newest && { ...newest, messages: change(newest.messages) },
    quoted: apart.some(([seq, message]) => message !== quoted.get(seq)) ? new Map(apart) : quoted,
    threads: threads.size === 0 ? threads : new Map(
      [...threads].map(([parent, thread]) => [parent, { ...thread, messages: change(thread.messages) }]),
    ),
  };
}
