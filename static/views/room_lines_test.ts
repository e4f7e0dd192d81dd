import assert from "node:assert/strict";
import { initialClientState } from "../../client/client_state.ts";
import { emptyRoom } from "../../client/room/room_state.ts";
import { me, message } from "../../testing/clients/frames.ts";
import { keep, markRead, setMuted } from "../lib/kept_rooms.ts";
import { initialState, type State } from "../state.ts";
import { roomLines } from "./room_lines.ts";

const collator = new Intl.Collator("en", { numeric: true });
const position = { epoch: "e1", seq: 9 };

/** Somebody reads room 10, and has read nothing of room 2. */
function reading(): State {
  const rooms = ["room-10", "room-2"].reduce(
    (kept, room) => markRead(keep(kept, room, 0), room, { ...position, seq: 1 }),
    keep([], "a", 0),
  );
  const client = { ...initialClientState("room-10"), me };
  const messages = [message(9, { room: "room-10" })];
  const other = { ...emptyRoom("room-2"), position, messages: [message(8, { room: "room-2" })] };
  return {
    ...initialState({ ...client, room: { ...client.room, position, messages }, others: new Map([["room-2", other]]) }),
    rooms,
    listed: [{ room: "open", count: 3, date: 1 }, { room: "a", count: 3, date: 1 }],
  };
}

Deno.test("rooms that one has been in come first, by name, then those open to everyone, each once", () => {
  const lines = roomLines(reading(), collator);
  assert.deepEqual(lines.map(({ room, kept, unread, isCurrent }) => [room, kept, unread, isCurrent]), [
    ["a", true, 0, false],
    ["room-2", true, 1, false],
    ["room-10", true, 0, true],
    ["open", false, 0, false],
  ]);
});

Deno.test("the room that one looks at has no number, until one looks elsewhere; a muted room says that it is", () => {
  const away = { ...reading(), visible: false };
  assert.equal(roomLines(away, collator).find(({ isCurrent }) => isCurrent)?.unread, 1);
  const muted = { ...away, rooms: setMuted(away.rooms, "room-2", true) };
  assert.equal(roomLines(muted, collator).find(({ room }) => room === "room-2")?.muted, true);
});

Deno.test("where one wishes it, the room in which something was said last comes first", () => {
  const lines = roomLines({ ...reading(), newestRoomFirst: true }, collator);
  assert.deepEqual(lines.map(({ room }) => room), ["room-10", "room-2", "a", "open"]);
  assert.deepEqual(lines[1].by, []);
});
