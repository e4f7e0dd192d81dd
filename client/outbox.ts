/**
 * Actions that the server has not acknowledged. They wait in order, one in flight at a time, and survive a reload.
 * Sending the same `id` again never makes a second message, so an action whose answer was lost is simply sent again.
 */
import type { EntryFrame } from "../chat/entries/kinds.ts";
import { type ErrorCode, type ErrorFrame, ID_LIMIT, type React } from "../chat/protocol.ts";
import type { KeyValueStorage } from "./storage.ts";

/**
 * Actions that may wait. A person types some 10 a minute: ten minutes offline, and 100 × 4,000 characters fit in
 * storage.
 */
export const OUTBOX_LIMIT = 100;
/** Milliseconds without an answer on a working connection after which the action in flight is sent again. */
export const ANSWER_TIMEOUT = 15_000;
/** Milliseconds to wait after a temporary error when the server names no time. */
export const RETRY_DELAY = 3_000;
/** Milliseconds, at most, added to any such wait, so that a crowd does not come back in step. */
export const RETRY_JITTER = 1_000;

const STORAGE_KEY = "parley.outbox";
/** Errors after which the same action may succeed later. */
const TEMPORARY: readonly ErrorCode[] = ["rate_limited", "unavailable"];

/** A frame that asks for an entry. Reactions don't wait here: they are absolute, and nobody loses words with one. */
export type OutboxFrame = Exclude<EntryFrame, React> & { id: string };

/** Why the server refused an action. */
export interface ActionError {
  readonly code: ErrorCode;
  readonly message: string;
}

export interface OutboxItem {
  readonly frame: OutboxFrame;
  /** When it was written, by this computer's clock. */
  readonly date: number;
  /** Why the server refused it; null while it waits. */
  readonly error: ActionError | null;
}

export interface Outbox {
  readonly items: readonly OutboxItem[];
  /** The action that was sent on this connection and is not answered yet. */
  readonly inFlight: { readonly id: string; readonly sentAt: number } | null;
  /** Nothing is sent before this time. */
  readonly holdUntil: number;
  /** Which action the server has made wait until then, and why; null when it is sent again, or none is. */
  readonly held: { readonly id: string; readonly error: ActionError } | null;
  /**
   * Actions that another version of the page has stored and this one can't read. They wait for a page that can: this
   * one could show neither what they are nor why the server refuses them. They don't count against the limit.
   */
  readonly unread: readonly unknown[];
}

export const emptyOutbox: Outbox = { items: [], inFlight: null, holdUntil: 0, held: null, unread: [] };

/** The outbox with one more action at its end, or null when it is full: then the text stays where it was typed. */
export function add(outbox: Outbox, frame: OutboxFrame, date: number): Outbox | null {
  if (outbox.items.length >= OUTBOX_LIMIT) return null;
  return { ...outbox, items: [...outbox.items, { frame, date, error: null }] };
}

/** The item with this id, waiting or refused. */
export function itemWith(outbox: Outbox, id: string | undefined): OutboxItem | undefined {
  return id === undefined ? undefined : outbox.items.find((item) => item.frame.id === id);
}

/** Removes an action that the server has kept, or that its author discarded. */
export function remove(outbox: Outbox, id: string | undefined): Outbox {
  if (!itemWith(outbox, id)) return outbox;
  return { ...answered(outbox, id), items: outbox.items.filter((item) => item.frame.id !== id) };
}

/**
 * What an error means for the action that it answers: hold everything and repeat it, or mark it and go on with the
 * next.
 */
export function refuse(outbox: Outbox, id: string, error: ErrorFrame, now: number, jitter: number): Outbox {
  const reason: ActionError = { code: error.code, message: error.message };
  if (!isTemporary(error)) return { ...answered(outbox, id), items: withError(outbox, id, reason) };
  return { ...answered(outbox, id), holdUntil: now + retryDelay(error, jitter), held: { id, error: reason } };
}

export function isTemporary(error: ActionError): boolean {
  return TEMPORARY.includes(error.code);
}

/**
 * Milliseconds to wait before an action is repeated after a temporary error.
 * @param jitter from 0 to 1
 */
export function retryDelay(error: ErrorFrame, jitter: number): number {
  const delay = error.retry_after === undefined ? RETRY_DELAY : error.retry_after * 1_000;
  return delay + jitter * RETRY_JITTER;
}

/** Lets a refused action wait again, in its old place. */
export function retry(outbox: Outbox, id: string): Outbox {
  return { ...outbox, items: withError(outbox, id, null) };
}

/** Lets a refused answer wait again as a message that answers none. */
export function retryPlain(outbox: Outbox, id: string): Outbox {
  const plain = ({ frame }: OutboxItem): OutboxFrame => {
    if (frame.action !== "send_message") return frame;
    const { reply_to: _, ...rest } = frame;
    return rest;
  };
  const items = outbox.items.map((item) => item.frame.id === id ? { ...item, frame: plain(item), error: null } : item);
  return { ...outbox, items };
}

/** A lost connection has nothing in flight; the next one starts with the oldest action. */
export function disconnected(outbox: Outbox): Outbox {
  return outbox.inFlight === null ? outbox : { ...outbox, inFlight: null };
}

/** The action to send now, and the outbox with it in flight; null when there is nothing to send at this time. */
export function next(outbox: Outbox, now: number): { outbox: Outbox; frame: OutboxFrame } | null {
  if (now < outbox.holdUntil) return null;
  if (outbox.inFlight && now < outbox.inFlight.sentAt + ANSWER_TIMEOUT) return null;
  const item = outbox.items.find((candidate) => candidate.error === null);
  if (!item) return null;
  return { outbox: { ...outbox, inFlight: { id: item.frame.id, sentAt: now }, held: null }, frame: item.frame };
}

/** Why an action waits, and until when if that is known. */
export type Wait =
  /** Others are before it, or it is about to be sent. */
  | { readonly kind: "turn" }
  | { readonly kind: "connection" }
  /** The server is asked again at that time. */
  | { readonly kind: "held"; readonly error: ActionError; readonly until: number };

/**
 * Why the action with this id is not sent at once; null when it is not in the outbox, is in flight or was refused. Only
 * the first of those that wait has a reason of its own.
 */
export function waitOf(outbox: Outbox, id: string, connected: boolean): Wait | null {
  if (outbox.inFlight?.id === id || itemWith(outbox, id)?.error !== null) return null;
  const first = outbox.items.find((item) => item.error === null)!;
  if (first.frame.id !== id) return { kind: "turn" };
  if (!connected) return { kind: "connection" };
  const { held, holdUntil } = outbox;
  return held?.id === id ? { kind: "held", error: held.error, until: holdUntil } : { kind: "turn" };
}

/** When to call `next` again even if nothing happens; null when nothing waits. */
export function wakeAt(outbox: Outbox): number | null {
  if (!outbox.items.some((item) => item.error === null)) return null;
  return Math.max(outbox.holdUntil, outbox.inFlight ? outbox.inFlight.sentAt + ANSWER_TIMEOUT : 0);
}

/**
 * An item as it is stored. `refusal` is the older word for `error`: an outbox survives an update of the page, both
 * ways.
 */
interface StoredItem {
  frame: OutboxFrame;
  date: number;
  refusal: ActionError | null;
}

/** Stores the outbox for the next run. */
export function save(storage: KeyValueStorage, outbox: Outbox): void {
  const items = outbox.items.map(({ frame, date, error }): StoredItem => ({ frame, date, refusal: error }));
  // Whatever this page takes from now on comes after them.
  storage.write(STORAGE_KEY, JSON.stringify([...outbox.unread, ...items]));
}

/** Reads what an earlier run left unsent. */
export function load(storage: KeyValueStorage): Outbox {
  try {
    const stored: unknown = JSON.parse(storage.read(STORAGE_KEY) ?? "[]");
    if (!Array.isArray(stored)) return emptyOutbox;
    const items = stored.filter(isReadable).map(({ frame, date, refusal }) => ({ frame, date, error: refusal }));
    const unread = stored.filter((item) => isItem(item) && !isReadable(item));
    // Each page that had a share in them has kept to the limit.
    return { ...emptyOutbox, items, unread };
  } catch {
    return emptyOutbox; // not JSON: something else wrote it
  }
}

function answered(outbox: Outbox, id: string | undefined): Outbox {
  return outbox.inFlight?.id === id ? { ...outbox, inFlight: null } : outbox;
}

function withError(outbox: Outbox, id: string, error: ActionError | null): OutboxItem[] {
  return outbox.items.map((item) => item.frame.id === id ? { ...item, error } : item);
}

/**
 * Whether the fields of a stored action are all there, apart from its room and id. The compiler asks for every kind.
 */
const IS_COMPLETE: {
  [Action in OutboxFrame["action"]]: (frame: Partial<Extract<OutboxFrame, { action: Action }>>) => boolean;
} = {
  send_message: ({ text, reply_to }) => typeof text === "string" && (reply_to === undefined || isSeq(reply_to)),
  edit_message: ({ target, text }) => typeof target === "number" && typeof text === "string",
  delete_message: ({ target }) => typeof target === "number",
};

/** Whether some version of the page has stored this, and not something else. */
function isItem(value: unknown): value is { frame: { action: string; id: string } } & Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const { frame } = value as { frame?: Partial<OutboxFrame> | null };
  return typeof frame === "object" && typeof frame?.action === "string" && typeof frame.id === "string";
}

/** Whether this version of the page can read it. */
function isReadable(value: unknown): value is StoredItem {
  if (!isItem(value)) return false;
  const { frame, date, refusal } = value as Partial<StoredItem>;
  if (!isDate(date) || !isRefusal(refusal) || typeof frame?.room !== "string" || !isAnswerable(frame.id)) return false;
  return Object.hasOwn(IS_COMPLETE, frame.action) && IS_COMPLETE[frame.action](frame as never);
}

/** Whether the server would take it for a place in a room. */
function isSeq(value: unknown): boolean {
  return Number.isSafeInteger(value) && value as number > 0;
}

/** Whether it can be shown: a number that no calendar has would end the page. */
function isDate(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(new Date(value).getTime());
}

function isRefusal(value: unknown): boolean {
  if (value === null) return true;
  const { code, message } = Object(value) as Partial<ActionError>;
  return typeof code === "string" && typeof message === "string";
}

/**
 * Whether the server's answer would have this id. Without one the action would be sent for ever, and what follows
 * never.
 */
function isAnswerable(id: string): boolean {
  return id !== "" && id.length <= ID_LIMIT && id.isWellFormed() && !id.includes("\0");
}
