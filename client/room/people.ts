/** Who is in a room, and who types there. */
import type { Member, MemberJoined, MemberLeft, Typing } from "../../chat/protocol.ts";
import type { RoomState, Typist } from "./room_state.ts";

/** Milliseconds for which someone counts as typing: almost two of their signals, which come every 3 s. */
export const TYPING_SHOWN = 5_000;

export function memberJoined(room: RoomState, { user, name }: MemberJoined): RoomState {
  if (room.members.some((member) => member.user === user)) return room;
  return { ...room, members: [...room.members, { user, name }], count: room.count + 1 };
}

export function memberLeft(room: RoomState, { user }: MemberLeft): RoomState {
  const members = room.members.filter((member) => member.user !== user);
  const typing = room.typing.filter((typist) => typist.user !== user);
  return { ...room, members, typing, count: Math.max(members.length, room.count - 1) };
}

export function startedTyping(room: RoomState, { user, name }: Typing, now: number): RoomState {
  const others = room.typing.filter((typist) => typist.user !== user);
  const typist: Typist = { user, name, until: now + TYPING_SHOWN };
  return { ...room, typing: [...others, typist] };
}

/** Without those who have not typed for a while. */
export function expireTyping(room: RoomState, now: number): RoomState {
  const typing = room.typing.filter((typist) => typist.until > now);
  return typing.length === room.typing.length ? room : { ...room, typing };
}

export function renameMember(room: RoomState, member: Member): RoomState {
  const rename = <T extends Member>(other: T): T =>
    other.user === member.user ? { ...other, name: member.name } : other;
  return { ...room, members: room.members.map(rename), typing: room.typing.map(rename) };
}
