/**
 * The rows of the log: messages grouped by author, days, a mark where messages may be missing and one where new
 * messages begin, and one row in place of a muted person's messages.
 */
import type { OutboxItem } from "../../client/outbox.ts";
import { isMuted } from "../lib/mutes.ts";
import { type State, waitingIn } from "../state.ts";
import type { Span } from "./slice.ts";

/** Milliseconds within which messages of one author share one name. */
export const GROUP_SPAN = 5 * 60_000;
const MINUTE = 60_000;

export interface MessageRow {
  readonly kind: "message";
  /** The same for our message before and after the server has it, so that its element stays. */
  readonly key: string;
  /** Null until the server has it. */
  readonly seq: number | null;
  readonly user: string;
  readonly author: string;
  /** One's own edit shows before the server has it. */
  readonly text: string;
  readonly date: number;
  readonly edited: boolean;
  readonly deleted: boolean;
  readonly mine: boolean;
  /** Whether the reader is a moderator. */
  readonly moderated: boolean;
  /** Whether it is the first of its author's group. */
  readonly first: boolean;
  /** Whether it is the first of its minute. Only that one shows the time. */
  readonly timed: boolean;
  /** The action on it that the server has not acknowledged. */
  readonly item: OutboxItem | null;
  /** Whether that action was sent and is not answered. Unless it was sent, it waits for its turn or a connection. */
  readonly inFlight: boolean;
}

/** Consecutive messages of one muted person. */
interface MutedRow {
  readonly kind: "muted";
  readonly key: string;
  /** Of the first of them. */
  readonly seq: number | null;
  readonly user: string;
  readonly author: string;
  readonly count: number;
}

export type Row =
  | MessageRow
  | MutedRow
  | { readonly kind: "day"; readonly key: string; readonly date: number }
  | { readonly kind: "missing" | "new"; readonly key: string };

/**
 * The rows of the room, oldest first. Days are those of the browser's time zone.
 * @param span only rows of these messages, as they are among all rows. It must not cut a muted person's run.
 */
export function rowsOf(state: State, span: Span = { from: 0, to: state.room.messages.length }): Row[] {
  const { room, me, outbox, muted, newAfter } = state;
  const { missingAfter } = room;
  const moderated = state.moderation !== null;
  const rows: Row[] = [];
  const before = room.messages[span.from - 1];
  let previous: { user: string; name: string; date: number; day: string; seq: number } | null = before
    ? { user: before.user, name: before.from, date: before.date, day: day(before.date), seq: before.seq }
    : null;

  /** Whether a row with this `seq` is the first after another one. */
  const isFirstAfter = (other: number | null, seq: number) =>
    other !== null && seq > other && (previous?.seq ?? -1) <= other;

  const addRow = (row: Omit<MessageRow, "first" | "timed" | "moderated" | "inFlight">) => {
    const { user } = row;
    const today = day(row.date);
    let first = previous?.user !== user || previous.name !== row.author || row.date - previous.date > GROUP_SPAN;
    if (previous?.day !== today) {
      rows.push({ kind: "day", key: `day ${today}`, date: row.date });
      first = true;
    }
    if (isFirstAfter(missingAfter, row.seq ?? Infinity)) {
      rows.push({ kind: "missing", key: "missing" });
      first = true;
    }
    if (isFirstAfter(newAfter, row.seq ?? -1)) {
      rows.push({ kind: "new", key: "new" });
      first = true;
    }
    const timed = !previous || Math.floor(previous.date / MINUTE) !== Math.floor(row.date / MINUTE);
    const above = rows.at(-1);
    if (!isMuted(muted, user)) {
      const inFlight = row.item !== null && row.item.frame.id === outbox.inFlight?.id;
      rows.push({ ...row, moderated, first, timed, inFlight });
    } else if (above?.kind === "muted" && above.user === user) {
      rows[rows.length - 1] = { ...above, author: row.author, count: above.count + 1 };
    } else rows.push({ kind: "muted", key: `muted ${row.key}`, seq: row.seq, user, author: row.author, count: 1 });
    previous = { user, name: row.author, date: row.date, day: today, seq: row.seq ?? Infinity };
  };

  const waiting = waitingIn(state);
  for (const message of room.messages.slice(span.from, span.to)) {
    const mine = message.user === me?.user;
    const change = waiting.changes.get(message.seq);
    const deleted = message.deleted === true;
    addRow({
      kind: "message",
      user: message.user,
      key: mine && message.id ? `own ${message.id}` : `seq ${message.seq}`,
      seq: message.seq,
      author: message.from,
      text: (deleted ? null : change?.text) ?? message.text ?? "",
      date: message.date,
      edited: message.edited !== undefined && !deleted,
      deleted,
      mine,
      item: change?.item ?? null,
    });
  }
  if (span.to < room.messages.length) return rows;
  // Waiting messages come last, whatever the clocks say. While the newest messages are left out, so are these.
  let date = room.messages.at(-1)?.date ?? 0;
  for (const { item, text } of room.truncated ? [] : waiting.messages) {
    date = Math.max(date, item.date);
    addRow({
      kind: "message",
      user: me?.user ?? "",
      key: `own ${item.frame.id}`,
      seq: null,
      author: me?.name ?? "",
      text,
      date,
      edited: false,
      deleted: false,
      mine: true,
      item,
    });
  }
  if (isFirstAfter(missingAfter, Infinity)) rows.push({ kind: "missing", key: "missing" });
  return rows;
}

/** Whether two rows look the same. */
export function sameRow(one: Row, other: Row): boolean {
  if (one.kind !== other.kind) return false;
  const [left, right] = [one, other] as Record<keyof MessageRow, unknown>[];
  return (Object.keys(one) as (keyof MessageRow)[]).every((key) => left[key] === right[key]);
}

function day(date: number): string {
  const local = new Date(date);
  return `${local.getFullYear()}-${local.getMonth() + 1}-${local.getDate()}`;
}
