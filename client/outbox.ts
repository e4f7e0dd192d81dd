/**
 * Words that the server has not acknowledged. They wait in order, one under way at a time, and outlive a reload.
 * Sending the same `id` again never makes a second message, so whatever is in doubt is simply sent again.
 */
import type { DeleteMessage, EditMessage, ErrorCode, ErrorFrame, SendMessage } from "../chat/protocol.ts";
import type { Memory } from "./storage.ts";

/** Actions that may wait. A person types some 10 a minute: ten minutes offline, and 100 × 4,000 characters fit in storage. */
export const OUTBOX_LIMIT = 100;
/** Milliseconds without an answer on a live connection after which the action under way is sent again. */
export const ANSWER_TIMEOUT = 15_000;
/** Milliseconds to wait after `rate_limited` or `unavailable` when the server names no time. */
export const RETRY_DELAY = 3_000;
/** Milliseconds, at most, added to any such wait, so that a crowd does not come back in step. */
export const RETRY_JITTER = 1_000;

const STORAGE_KEY = "parley.outbox";
/** What the server may take later, though not now. */
const PASSING: readonly ErrorCode[] = ["rate_limited", "unavailable"];

export type OutboxFrame = (SendMessage | EditMessage | DeleteMessage) & { id: string };

export interface Refusal {
  code: ErrorCode;
  message: string;
}

export interface Item {
  readonly frame: OutboxFrame;
  /** When it was written, by this browser's clock. */
  readonly date: number;
  /** Why the server will not have it; null while it waits. */
  readonly refusal: Refusal | null;
}

export interface Outbox {
  readonly items: readonly Item[];
  /** What was sent on this connection and not answered yet. */
  readonly flight: { readonly id: string; readonly sentAt: number } | null;
  /** Nothing is sent before this time. */
  readonly holdUntil: number;
}

export const emptyOutbox: Outbox = { items: [], flight: null, holdUntil: 0 };

/** The outbox with one more action at its end, or null when it is full: then the words stay where they were typed. */
export function add(outbox: Outbox, frame: OutboxFrame, date: number): Outbox | null {
  if (outbox.items.length >= OUTBOX_LIMIT) return null;
  return { ...outbox, items: [...outbox.items, { frame, date, refusal: null }] };
}

/** The item with this id, waiting or refused. */
export function itemWith(outbox: Outbox, id: string | undefined): Item | undefined {
  return id === undefined ? undefined : outbox.items.find((item) => item.frame.id === id);
}

/** Takes out what the server has kept, or what its author gave up. */
export function remove(outbox: Outbox, id: string | undefined): Outbox {
  if (!itemWith(outbox, id)) return outbox;
  return { ...land(outbox, id), items: outbox.items.filter((item) => item.frame.id !== id) };
}

/** What an error means for the action it answers: wait and repeat, or mark it and go on with those behind it. */
export function refuse(outbox: Outbox, id: string, error: ErrorFrame, now: number, jitter: number): Outbox {
  if (PASSING.includes(error.code)) {
    const delay = error.retry_after === undefined ? RETRY_DELAY : error.retry_after * 1_000;
    return { ...land(outbox, id), holdUntil: now + delay + jitter * RETRY_JITTER };
  }
  const refusal = { code: error.code, message: error.message };
  return { ...land(outbox, id), items: replace(outbox, id, refusal) };
}

/** Puts a refused action back in the row, where it stood. */
export function retry(outbox: Outbox, id: string): Outbox {
  return { ...outbox, items: replace(outbox, id, null) };
}

/** Nothing is under way on a connection that is gone; the next one starts with the oldest action. */
export function disconnected(outbox: Outbox): Outbox {
  return outbox.flight === null ? outbox : { ...outbox, flight: null };
}

/** What to send now, and the outbox that knows it is under way; null when there is nothing to do at this time. */
export function next(outbox: Outbox, now: number): { outbox: Outbox; frame: OutboxFrame } | null {
  if (now < outbox.holdUntil) return null;
  if (outbox.flight && now < outbox.flight.sentAt + ANSWER_TIMEOUT) return null;
  const item = outbox.items.find((candidate) => candidate.refusal === null);
  if (!item) return null;
  return { outbox: { ...outbox, flight: { id: item.frame.id, sentAt: now } }, frame: item.frame };
}

/** When `next` should be asked again though nothing happens; null when there is nothing to wait for. */
export function wakeAt(outbox: Outbox): number | null {
  if (!outbox.items.some((item) => item.refusal === null)) return null;
  return Math.max(outbox.holdUntil, outbox.flight ? outbox.flight.sentAt + ANSWER_TIMEOUT : 0);
}

/** Writes the outbox down for the next life of this tab. */
export function save(memory: Memory, outbox: Outbox): void {
  memory.write(STORAGE_KEY, JSON.stringify(outbox.items));
}

/** Reads what an earlier life of this tab left unsent. */
export function load(memory: Memory): Outbox {
  try {
    const items: unknown = JSON.parse(memory.read(STORAGE_KEY) ?? "[]");
    return Array.isArray(items) ? { ...emptyOutbox, items: items.filter(isItem).slice(0, OUTBOX_LIMIT) } : emptyOutbox;
  } catch {
    return emptyOutbox; // not JSON: written by someone else
  }
}

function land(outbox: Outbox, id: string | undefined): Outbox {
  return outbox.flight?.id === id ? { ...outbox, flight: null } : outbox;
}

function replace(outbox: Outbox, id: string, refusal: Refusal | null): Item[] {
  return outbox.items.map((item) => item.frame.id === id ? { ...item, refusal } : item);
}

/** An older version of the page may have written what is stored: only what is still understood comes back. */
function isItem(value: unknown): value is Item {
  if (typeof value !== "object" || value === null) return false;
  const { frame, date, refusal } = value as Partial<Item>;
  if (typeof frame !== "object" || frame === null || typeof date !== "number" || refusal === undefined) return false;
  if (typeof frame.id !== "string" || typeof frame.room !== "string") return false;
  if (frame.action === "send_message") return typeof frame.text === "string";
  if (frame.action === "edit_message") return typeof frame.text === "string" && typeof frame.target === "number";
  return frame.action === "delete_message" && typeof frame.target === "number";
}
