/** What somebody has not read in a room. */
import type { Member, Position, ReceiveMessage } from "../../chat/protocol.ts";
import { heldMessage, newestMessages, type RoomState } from "../../client/room/room_state.ts";
import { mentions } from "./mentions.ts";
import { isMuted } from "./mutes.ts";

export interface Unread {
  /** Messages of others. */
  readonly count: number;
  /** Those of them that mention the reader. */
  readonly mentions: number;
  /** Who mentioned the reader, the last one first: at most `MENTIONERS` names. */
  readonly by: readonly string[];
  /** There are more of them than are loaded. */
  readonly more: boolean;
}

export const NOTHING_UNREAD: Unread = { count: 0, mentions: 0, by: [], more: false };
const MENTIONERS = 2;

/** Who reads, and whom they have muted. */
export interface Reader {
  readonly me: Member | null;
  readonly muted: readonly Member[];
}

interface Counted {
  readonly read: Position | null;
  readonly reader: Reader;
  readonly unread: Unread;
}
/** What was counted last in a state of a room. Every frame of the screen asks, and most rooms have not changed. */
const counted = new WeakMap<RoomState, Counted>();

/** @param read the last entry that was read; null for a room in which everything counts as read */
export function unreadIn(room: RoomState, read: Position | null, { me, muted }: Reader): Unread {
  const before = counted.get(room);
  if (before?.read === read && before.reader.me === me && before.reader.muted === muted) return before.unread;
  const unread = countIn(room, read, { me, muted });
  counted.set(room, { read, reader: { me, muted }, unread });
  return unread;
}

function countIn(room: RoomState, read: Position | null, reader: Reader): Unread {
  if (read === null || room.position?.epoch !== read.epoch) return NOTHING_UNREAD;
  const messages = newestMessages(room);
  const by = new Set<string>();
  let [unread, mentioned] = [0, 0];
  for (let index = messages.length - 1; index >= 0 && messages[index].seq > read.seq; index--) {
    const message = messages[index];
    if (!isNews(message, reader)) continue;
    unread++;
    if (!isMention(message, reader, room)) continue;
    mentioned++;
    by.add(message.from);
  }
  const isOlderMissing = (room.newest?.more ?? room.more) && (messages[0]?.seq ?? Infinity) > read.seq + 1;
  return { count: unread, mentions: mentioned, by: [...by].slice(0, MENTIONERS), more: unread > 0 && isOlderMissing };
}

/** Whether a message can be unread: one's own can't, nor what the reader doesn't see. */
export function isNews({ user, deleted }: ReceiveMessage, { me, muted }: Reader): boolean {
  return user !== me?.user && !deleted && !isMuted(muted, user);
}

/**
 * Whether a message mentions the reader by the name that they have now, or answers a message of theirs, as far as its
 * room is known to have that.
 */
export function isMention({ text, reply_to }: ReceiveMessage, { me }: Reader, room: RoomState): boolean {
  if (me === null || text === undefined) return false;
  if (reply_to !== undefined && heldMessage(room, reply_to)?.user === me.user) return true;
  return text.includes("@") && mentions(text, me.name);
}
