/** How many messages answer another one, which of them are shown as its thread, and what answers quote. */
import { isMessage, kindOf } from "../../chat/entries/kinds.ts";
import type { Entry, ReceiveMessage } from "../../chat/protocol.ts";
import {
  type HeldMessage,
  heldMessage,
  inAllPlaces,
  messageAt,
  type RoomState,
  type Thread,
  withMessage,
} from "./room_state.ts";

/** Messages that are held only because others answer them: far more than are in the page at once. */
export const QUOTED_LIMIT = 500;
/** Threads that are held. The one that was opened the longest ago goes. */
export const THREADS_LIMIT = 20;

type Messages = readonly HeldMessage[];

/** One answer more or less. */
interface Step {
  readonly parent: number;
  readonly by: 1 | -1;
}

/**
 * What an entry means for the number of answers of a message, if anything.
 * @param target the message that it is about, as it was before
 */
function stepOf(entry: Entry, target: ReceiveMessage | undefined): Step | null {
  const answer = isMessage(entry) ? entry : kindOf(entry)?.erases ? target : undefined;
  // A resume brings a message as it is now: one that is deleted was never counted here.
  if (answer?.reply_to === undefined || answer.deleted) return null;
  return { parent: answer.reply_to, by: answer === entry ? 1 : -1 };
}

function withStep(messages: Messages, { parent, by }: Step): Messages {
  return withMessage(messages, parent, ({ replies = 0, ...message }) => {
    const count = Math.max(0, replies + by);
    return count === 0 ? message : { ...message, replies: count };
  });
}

/** The room after an entry, before that has changed anything else: with the number of answers that it makes. */
export function counted(room: RoomState, entry: Entry): RoomState {
  const target = "target" in entry ? messageOf(room, entry.target) : undefined;
  // A page that was ahead has the answer without its words already, and others may still count it.
  const before = target && (room.ahead.get(target.seq) ?? 0) >= entry.seq ? present(target) : target;
  const step = stepOf(entry, before);
  if (!step || (room.ahead.get(step.parent) ?? 0) >= entry.seq) return room;
  return inAllPlaces(room, (messages) => withStep(messages, step));
}

/** The messages of a page after what came later than the page was read, as far as it makes answers more or fewer. */
export function countedLater(messages: Messages, page: Messages, later: readonly Entry[], room: RoomState): Messages {
  const targetOf = (entry: Entry) => {
    if (!("target" in entry)) return undefined;
    const isTarget = (other: Entry): other is ReceiveMessage => isMessage(other) && other.seq === entry.target;
    const shown = messageOf(room, entry.target);
    return later.find(isTarget) ?? messageAt(page, entry.target) ?? (shown && present(shown));
  };
  const steps = later.map((entry) => stepOf(entry, targetOf(entry))).filter((step) => step !== null);
  return steps.reduce(withStep, messages);
}

/** A message that is in the room or in one of its threads. */
export function messageOf(room: RoomState, seq: number): HeldMessage | undefined {
  for (const { messages } of room.threads.values()) {
    const found = messageAt(messages, seq);
    if (found) return found;
  }
  return heldMessage(room, seq) ?? undefined;
}

function present({ deleted: _, ...message }: ReceiveMessage): ReceiveMessage {
  return message;
}

/** With an answer behind the others of its thread, where those are all there. */
export function withAnswer(room: RoomState, answer: ReceiveMessage): RoomState {
  const thread = answer.reply_to === undefined ? undefined : room.threads.get(answer.reply_to);
  if (!thread || thread.more || (thread.messages.at(-1)?.seq ?? 0) >= answer.seq) return room;
  const threads = new Map(room.threads).set(answer.reply_to!, { ...thread, messages: [...thread.messages, answer] });
  return { ...room, threads };
}

/** With what the server has at a place that others answer. */
export function withQuoted(room: RoomState, seq: number, message: HeldMessage | null): RoomState {
  return { ...room, quoted: limited(new Map(room.quoted).set(seq, message), QUOTED_LIMIT) };
}

export function withThread(room: RoomState, parent: number, thread: Thread | null): RoomState {
  const threads = new Map(room.threads);
  if (thread) threads.set(parent, thread);
  else threads.delete(parent);
  return { ...room, threads: limited(threads, THREADS_LIMIT) };
}

function limited<Key, Value>(map: Map<Key, Value>, limit: number): Map<Key, Value> {
  for (const key of map.keys()) {
    if (map.size <= limit) break;
    map.delete(key);
  }
  return map;
}
