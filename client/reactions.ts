/**
 * One's own reactions that the server has not confirmed yet. They are shown at once. Those who tap twice want the last
 * state, so that each emoji of a message has one request on its way, and the next one only if that asked for another
 * state. Requests are absolute: after a lost connection they are sent again. They are not stored, as messages are:
 * nobody loses words with one.
 */
import { reaction } from "../chat/entries/reaction.ts";
import type { Entry, ErrorFrame, React, ReactedFrame, Reaction } from "../chat/protocol.ts";
import { ANSWER_TIMEOUT, isTemporary, retryDelay } from "./outbox.ts";
import type { HeldMessage } from "./room/room_state.ts";

/** Reactions that may wait, as while there is no connection. */
export const REACTIONS_WAITING = 100;

type Subject = Pick<React, "room" | "target" | "emoji">;

export interface PendingReaction extends Subject {
  /** What the person wants. */
  readonly on: boolean;
  /** The request on its way; null: none. */
  readonly request: { readonly id: string; readonly on: boolean } | null;
  /** When it is sent, or sent again, in milliseconds since 1970. */
  readonly dueAt: number;
  /** Whether an entry has brought what the request asked for. */
  readonly isTold: boolean;
  /** Whether the server has stored what the person wants. Only the entry is still to come, by another way. */
  readonly isStored: boolean;
}

export type PendingReactions = readonly PendingReaction[];

/**
 * With what a person wants now.
 * @param isSo whether it is so as far as the client knows
 * @returns null if too many wait
 */
export function want(pending: PendingReactions, subject: Subject, on: boolean, isSo: boolean): PendingReactions | null {
  const before = pending.find((other) => isAbout(other, subject));
  const others = pending.filter((other) => other !== before);
  if (isSo && !before?.request) return before ? others : pending;
  if (!before && pending.length >= REACTIONS_WAITING) return null;
  const { room, target, emoji } = subject;
  const fresh = { room, target, emoji, request: null, dueAt: 0, isTold: false };
  return [...others, { ...before ?? fresh, on, isStored: false }];
}

/** Those to be sent now. */
export function due(pending: PendingReactions, now: number): PendingReaction[] {
  return pending.filter(({ dueAt, isStored }) => !isStored && dueAt <= now);
}

/** After a request was sent. */
export function sent(pending: PendingReactions, one: PendingReaction, id: string, now: number): PendingReactions {
  return replaced(pending, one, { ...one, request: { id, on: one.on }, dueAt: now + ANSWER_TIMEOUT, isTold: false });
}

/** When to look again for what is due; null when nothing waits. */
export function wakeAt(pending: PendingReactions): number | null {
  const times = pending.filter(({ isStored }) => !isStored).map(({ dueAt }) => dueAt);
  return times.length === 0 ? null : Math.min(...times);
}

/** After the server has answered that it is stored. @param message that it is about, if it is there */
export function answered(
  pending: PendingReactions,
  { id }: ReactedFrame,
  message: HeldMessage | undefined,
): PendingReactions {
  const one = withRequest(pending, id);
  if (!one) return pending;
  if (one.request!.on !== one.on) return replaced(pending, one, { ...one, request: null, dueAt: 0 });
  const isShown = !message || message.deleted || has(message, one.emoji) === one.on;
  return replaced(pending, one, one.isTold || isShown ? null : { ...one, request: null, isStored: true });
}

/** After an entry, which may be what was asked for. */
export function told(pending: PendingReactions, entry: Entry, me: string | undefined): PendingReactions {
  if (pending.length === 0) return pending;
  if (entry.action === "message_deleted") {
    return pending.filter(({ room, target }) => room !== entry.room || target !== entry.target);
  }
  if (entry.action !== "message_reacted") return pending;
  const { room, target } = entry;
  return entry.changes.filter(({ user }) => user === me).reduce((before, { emoji, on }) => {
    const one = before.find((other) => isAbout(other, { room, target, emoji }));
    if (!one) return before;
    if (one.isStored) return replaced(before, one, null);
    return one.request?.on === on ? replaced(before, one, { ...one, isTold: true }) : before;
  }, pending);
}

/**
 * After an error: sent again later, or no longer wanted.
 * @param jitter from 0 to 1
 */
export function failed(pending: PendingReactions, error: ErrorFrame, now: number, jitter: number): PendingReactions {
  const one = withRequest(pending, error.id);
  if (!one) return pending;
  const dueAt = now + retryDelay(error, jitter);
  return replaced(pending, one, isTemporary(error) ? { ...one, request: null, dueAt } : null);
}

/** Whether the error is about a request, and the server will not take it later either. */
export function isRefusal(pending: PendingReactions, error: ErrorFrame): boolean {
  return withRequest(pending, error.id) !== undefined && !isTemporary(error);
}

/** What is on its way may be lost. What is stored comes with the next join. */
export function disconnected(pending: PendingReactions): PendingReactions {
  if (pending.length === 0) return pending;
  return pending.filter(({ isStored }) => !isStored).map((one) => ({ ...one, request: null, dueAt: 0 }));
}

/** A reaction as it is shown. */
export interface ShownReaction extends Reaction {
  /** Whether it is one's own too. */
  readonly mine: boolean;
}

/** The reactions of a message with those that one wants. @param wanted those about this message */
export function shownReactions(message: HeldMessage, wanted: PendingReactions, me: string): ShownReaction[] {
  const changes = wanted.filter(({ emoji, on }) => has(message, emoji) !== on).map(({ emoji, on }) => (
    { user: me, from: "", emoji, on }
  ));
  const { reactions = [] } = changes.length === 0
    ? message
    : reaction.apply!({ reactions: message.reactions }, { ...NO_ENTRY, changes });
  const others = (message.reacted ?? []).filter((emoji) => !changes.some((change) => change.emoji === emoji));
  const own = new Set([...others, ...changes.filter(({ on }) => on).map(({ emoji }) => emoji)]);
  return reactions.map((each) => ({ ...each, mine: own.has(each.emoji) }));
}

const NO_ENTRY = { action: "message_reacted", room: "", seq: 0, target: 0, date: 0 } as const;

export function has({ reacted = [] }: HeldMessage, emoji: string): boolean {
  return reacted.includes(emoji);
}

function isAbout(one: Subject, { room, target, emoji }: Subject): boolean {
  return one.room === room && one.target === target && one.emoji === emoji;
}

function withRequest(pending: PendingReactions, id: string | undefined): PendingReaction | undefined {
  return id === undefined ? undefined : pending.find(({ request }) => request?.id === id);
}

function replaced(
  pending: PendingReactions,
  one: PendingReaction,
  next: PendingReaction | null,
): PendingReactions {
  return pending.flatMap((other) => other !== one ? other : next ?? []);
}
