import type { ReceiveMessage, RoomJoined, Welcome } from "../../chat/protocol.ts";

/** Whom the made-up server takes the client for. */
export const me = { user: "u1", name: "User 101" };

export const welcome: Welcome = {
  action: "welcome",
  ...me,
  limits: { text: 4_000, name: 32, frame: 65_536, rooms: 50, ping_seconds: 30 },
};

/** A message of Mina's in `general`. */
export function message(seq: number, more: Partial<ReceiveMessage> = {}): ReceiveMessage {
  const text = `text ${seq}`;
  return { action: "receive_message", room: "general", seq, user: "u2", from: "Mina", text, date: seq, ...more };
}

/** An answer to a first join of `general`, which is empty. */
export function joined(more: Partial<RoomJoined> = {}): RoomJoined {
  return {
    action: "room_joined",
    room: "general",
    epoch: "e1",
    seq: 0,
    recovered: false,
    messages: [],
    more: false,
    members: [me],
    count: 1,
    locked: false,
    slow_seconds: 0,
    ...more,
  };
}
