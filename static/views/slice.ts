/**
 * Which of the room's messages have elements in the page: those near the reader, without a hole (windowing). The borders
 * are held as `seq`s, since older and newer messages come, and the oldest are released.
 */
import type { ReceiveMessage } from "../../chat/protocol.ts";
import { indexOf } from "../../client/room/room_state.ts";

/** Messages that come in at once. So few that a slow processor shows them within a frame or two. */
export const STEP = 20;
/** Screens above and below the reader: with fewer, more messages come in; past `FAR`, those beyond `STAYING` go. */
export const NEAR = 2;
export const STAYING = 3;
export const FAR = 4;

/** The `seq` of the first message and of the last. */
export interface Slice {
  readonly first: number;
  readonly last: number;
}

/** The same as indexes into the messages, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

type Messages = readonly Pick<ReceiveMessage, "seq" | "user">[];

/** The messages of a slice that are there now. */
export function spanOf(messages: Messages, { first, last }: Slice): Span {
  return { from: indexOf(messages, first), to: indexOf(messages, last + 1) };
}

/** The span, and all of a muted person's messages in a row of which it has one. */
export function wholeRuns(messages: Messages, { from, to }: Span, isMuted: (user: string) => boolean): Span {
  const isWithin = (index: number) =>
    messages[index - 1]?.user === messages[index]?.user && isMuted(messages[index].user);
  while (from > 0 && from < messages.length && isWithin(from)) from--;
  while (to > 0 && to < messages.length && isWithin(to)) to++;
  return { from, to };
}

export function sliceOf(messages: Messages, { from, to }: Span): Slice {
  return from < to ? { first: messages[from].seq, last: messages[to - 1].seq } : { first: 0, last: 0 };
}

/** The newest messages. */
export function newest({ length }: Messages): Span {
  return { from: Math.max(0, length - STEP), to: length };
}

/**
 * The span that fits the reader's place: longer where the reader comes near its end, shorter where much is far away.
 * @param around screens of messages above and below what is visible
 * @param staying the messages within `STAYING` screens
 */
export function fitted(
  { length }: Messages,
  { from, to }: Span,
  around: { above: number; below: number },
  staying: () => Span,
): { from: number; to: number } {
  return {
    from: around.above < NEAR ? Math.max(0, from - STEP) : around.above > FAR ? staying().from : from,
    to: around.below < NEAR ? Math.min(length, to + STEP) : around.below > FAR ? staying().to : to,
  };
}

/** The span with the message at `index`: longer if that is near or `stays` is set, otherwise somewhere else. */
export function around({ length }: Messages, { from, to }: Span, index: number, stays: boolean): Span {
  const there = { from: Math.max(0, index - STEP), to: Math.min(length, index + STEP) };
  const isNear = there.from <= to && from <= there.to;
  return isNear || stays ? { from: Math.min(from, there.from), to: Math.max(to, there.to) } : there;
}
