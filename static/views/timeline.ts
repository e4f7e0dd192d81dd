/**
 * The rows of the log: messages grouped by author, days, a mark where messages may be missing and one where new
 * messages begin, and one row in place of a muted person's messages.
 */
import { type OutboxItem, waitOf } from "../../client/outbox.ts";
import type { Member, ReceiveMessage } from "../../chat/protocol.ts";
import { type ShownReaction, shownReactions } from "../../client/reactions.ts";
import { type HeldMessage, heldMessage, type Thread } from "../../client/room/room_state.ts";
import { isMuted } from "../lib/mutes.ts";
import { isMention } from "../lib/unread.ts";
import { actionIn } from "../lib/text/message_text.ts";
import { canWrite, type State, waitingIn } from "../state.ts";
import type { Span } from "./slice.ts";

/** Milliseconds within which messages of one author share one name, and after which a time is shown again. */
export const GROUP_SPAN = 5 * 60_000;

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
  /** Whether it mentions the reader, or answers a message of theirs. */
  readonly mention: boolean;
  /** The message that it answers. */
  readonly replyTo: number | null;
  /** The same, where it is known; null where the server has it no more. */
  readonly answered: ReceiveMessage | null | undefined;
  /** Whether the reader has muted whom it answers. */
  readonly answersMuted: boolean;
  /** How many messages answer it. */
  readonly replies: number;
  /** Whether its answers are shown below it, and those that are loaded. */
  readonly unfolded: boolean;
  readonly thread: Thread | null;
  /** Whose answers are not shown there. */
  readonly threadWithout: readonly Member[];
  /** Whether one may answer it now. */
  readonly answerable: boolean;
  /** Whether the reader is a moderator. */
  readonly moderated: boolean;
  /** The same array as long as nothing in it changes. */
  readonly reactions: readonly ShownReaction[];
  /** Whether the reader may give reactions. One's own may be taken off in a locked room too. */
  readonly reactable: boolean;
  /** Whether it is the first of its author's group. */
  readonly first: boolean;
  /** Whether it shows its time: the first of a group, and each one that five minutes have passed before. */
  readonly timed: boolean;
  /** The action on it that the server has not acknowledged. */
  readonly item: OutboxItem | null;
  /** Whether that action was sent and is not answered. Unless it was sent, it waits. */
  readonly inFlight: boolean;
  /** What it waits for, where there is more to say than that others are before it. */
  readonly waitsFor: WaitReason | null;
  /** When it is sent again, if that is known. */
  readonly waitsUntil: number | null;
}

/** `slow`: the room takes a message of each person only so often. `store`: the server can't keep messages now. */
export type WaitReason = "connection" | "fast" | "slow" | "store";

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

const NOBODY: readonly Member[] = [];

/**
 * The rows of the room, oldest first. Days are those of the browser's time zone.
 * @param span only rows of these messages, as they are among all rows. It must not cut a muted person's run.
 */
export function rowsOf(state: State, span: Span = { from: 0, to: state.room.messages.length }): Row[] {
  const { room, me, outbox, muted, newRun, unfolded } = state;
  const { missingAfter } = room;
  const moderated = state.moderation !== null;
  const marks = [missingAfter, newRun?.after ?? null];
  const rows: Row[] = [];
  let previous = contextBefore(room.messages, span.from, marks);

  const reactable = canWrite(state);
  const addRow = (
    row: Omit<MessageRow, "first" | "timed" | "moderated" | "reactable" | "inFlight" | "waitsFor" | "waitsUntil">,
  ) => {
    const { user, author, date, text } = row;
    const seq = row.seq ?? Infinity;
    const next = follow(previous, { user, author, date, seq, text }, marks);
    if (previous?.day !== next.day) rows.push({ kind: "day", key: `day ${next.day}`, date });
    if (isFirstAfter(missingAfter, seq, previous)) rows.push({ kind: "missing", key: "missing" });
    // What waits to be sent is not new.
    if (row.seq !== null && isFirstAfter(newRun?.after ?? null, seq, previous)) rows.push({ kind: "new", key: "new" });
    const above = rows.at(-1);
    if (!isMuted(muted, user)) {
      const inFlight = row.item !== null && row.item.frame.id === outbox.inFlight?.id;
      const { first, timed } = next;
      rows.push({ ...row, moderated, reactable, first, timed, inFlight, ...waitFor(state, row.item) });
    } else if (above?.kind === "muted" && above.user === user) {
      rows[rows.length - 1] = { ...above, author, count: above.count + 1 };
    } else rows.push({ kind: "muted", key: `muted ${row.key}`, seq: row.seq, user, author, count: 1 });
    previous = next;
  };

  const waiting = waitingIn(state);
  const mayAnswer = canWrite(state);
  const answering = (replyTo: number | undefined) => {
    const answered = replyTo === undefined ? undefined : heldMessage(room, replyTo);
    return { replyTo: replyTo ?? null, answered, answersMuted: answered ? isMuted(muted, answered.user) : false };
  };
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
      mention: !mine && isMention(message, state, room),
      ...answering(message.reply_to),
      replies: message.replies ?? 0,
      unfolded: unfolded.includes(message.seq),
      thread: unfolded.includes(message.seq) ? room.threads.get(message.seq) ?? null : null,
      threadWithout: unfolded.includes(message.seq) ? muted : NOBODY,
      answerable: mayAnswer && !deleted,
      reactions: reactionsTo(message, state),
      item: change?.item ?? null,
    });
  }
  if (span.to < room.messages.length) return rows;
  // Waiting messages come last, whatever the clocks say. While the newest messages are left out, so are these.
  let date = room.messages.at(-1)?.date ?? 0;
  for (const { item, text } of room.newest ? [] : waiting.messages) {
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
      mention: false,
      ...answering(item.frame.action === "send_message" ? item.frame.reply_to : undefined),
      replies: 0,
      unfolded: false,
      thread: null,
      threadWithout: NOBODY,
      answerable: false,
      reactions: NO_REACTIONS,
      item,
    });
  }
  if (isFirstAfter(missingAfter, Infinity, previous)) rows.push({ kind: "missing", key: "missing" });
  return rows;
}

const NO_REACTIONS: readonly ShownReaction[] = [];
/** What a message shows with what the reader wants, as long as neither changes: rows are compared at every rendering. */
const shown = new WeakMap<HeldMessage, { wanted: string; reactions: readonly ShownReaction[] }>();

function reactionsTo(message: HeldMessage, { me, reactions }: State): readonly ShownReaction[] {
  const wanted = reactions.filter(({ room, target }) => room === message.room && target === message.seq);
  if (message.deleted || !message.reactions && wanted.length === 0) return NO_REACTIONS;
  const key = JSON.stringify([me?.user, ...wanted.map(({ emoji, on }) => [emoji, on])]);
  const before = shown.get(message);
  if (before?.wanted === key) return before.reactions;
  const next = { wanted: key, reactions: shownReactions(message, wanted, me?.user ?? "") };
  shown.set(message, next);
  return next.reactions;
}

interface Said {
  readonly user: string;
  readonly author: string;
  readonly date: number;
  /** Infinity until the server has it. */
  readonly seq: number;
  readonly text: string;
}

/** A message, and what it shows because of those before it. */
interface Context extends Said {
  readonly day: string;
  readonly first: boolean;
  readonly timed: boolean;
  /** The time that was shown last. */
  readonly timedAt: number;
}

/** @param marks a line stands below each of these places, and what comes after it is a new group */
function follow(before: Context | null, said: Said, marks: readonly (number | null)[]): Context {
  const today = day(said.date);
  const first = !before || before.day !== today || !isOneGroup(before, said, marks);
  const timed = first || said.date - before.timedAt >= GROUP_SPAN;
  return { ...said, day: today, first, timed, timedAt: timed ? said.date : before.timedAt };
}

/** An action ends its group: it has its author's name within, and none beside it. */
function isOneGroup(before: Said, said: Said, marks: readonly (number | null)[]): boolean {
  return actionIn(before.text) === null && before.user === said.user && before.author === said.author &&
    said.date - before.date <= GROUP_SPAN &&
    !marks.some((mark) => isFirstAfter(mark, said.seq, before));
}

/** Whether a message with this `seq` is the first after another one. */
function isFirstAfter(other: number | null, seq: number, before: Said | null): boolean {
  return other !== null && seq > other && (before?.seq ?? -1) <= other;
}

/** What the message before this index shows, which depends on the others of its group. */
function contextBefore(
  messages: State["room"]["messages"],
  index: number,
  marks: readonly (number | null)[],
): Context | null {
  const said = (at: number): Said => {
    const { user, from, date, seq, text = "" } = messages[at];
    return { user, author: from, date, seq, text };
  };
  if (index === 0) return null;
  let start = index - 1;
  while (start > 0 && isOneGroup(said(start - 1), said(start), marks)) start--;
  let context: Context | null = null;
  for (let at = start; at < index; at++) context = follow(context, said(at), marks);
  return context;
}

function waitFor(
  { outbox, status, online, room }: State,
  item: OutboxItem | null,
): Pick<MessageRow, "waitsFor" | "waitsUntil"> {
  const wait = item && waitOf(outbox, item.frame.id, online && status.kind === "connected");
  if (wait?.kind === "connection") return { waitsFor: "connection", waitsUntil: null };
  if (wait?.kind !== "held") return { waitsFor: null, waitsUntil: null };
  const isSlow = room.slowSeconds > 0 && item?.frame.action === "send_message";
  const reason = wait.error.code !== "rate_limited" ? "store" : isSlow ? "slow" : "fast";
  return { waitsFor: reason, waitsUntil: wait.until };
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
