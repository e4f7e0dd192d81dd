import { DEFAULT_ROOM } from "../../chat/protocol.ts";
import type { Controller } from "../controller.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, setProperties, setText } from "../lib/dom.ts";
import { keptRoom } from "../lib/kept_rooms.ts";
import { displayName } from "../lib/room_name.ts";
import { createSheet } from "./sheet.ts";

export interface RoomActionsOptions {
  controller: Controller;
  goTo: (room: string) => void;
  jumpToDate: () => void;
}

/** What one can do with a room: mute it, leave it, and in the one that is read go to a day. */
export function createRoomActions({ strings }: Locale, { controller, goTo, jumpToDate }: RoomActionsOptions) {
  const sheet = createSheet(strings, strings.yourRooms);
  const name = element("bdi");
  const mute = button("", "outlined", () => {
    controller.muteRoom(room, !isMuted());
    sheet.close();
  });
  const date = button(strings.jumpToDate, "outlined", () => {
    sheet.close();
    jumpToDate();
  });
  const leave = button(strings.leaveRoom, "outlined danger", () => {
    sheet.close();
    const { rooms, room: { name } } = controller.state;
    // Somebody who leaves the room that they read is in another one then.
    if (name === room) goTo(rooms.find((kept) => kept.room !== room)?.room ?? DEFAULT_ROOM);
    controller.leaveRoom(room);
  });
  let room = "";

  const isMuted = () => keptRoom(controller.state.rooms, room)?.muted ?? false;
  sheet.title.append(name);
  sheet.body.append(
    element("p", { className: "actions" }, date),
    element("p", { className: "actions" }, mute),
    element("p", { className: "help", textContent: strings.muteRoomHelp }),
    element("p", { className: "actions" }, leave),
    element("p", { className: "help", textContent: strings.leaveRoomHelp }),
  );

  return {
    open(chosen: string) {
      room = chosen;
      setText(name, displayName(room).name);
      setText(mute, isMuted() ? strings.unmuteRoom : strings.muteRoom);
      const { rooms, room: read } = controller.state;
      setProperties(date, { hidden: read.name !== room });
      // The room at the top of the chat is where somebody goes who has left all others.
      setProperties(leave, { hidden: room === DEFAULT_ROOM && rooms.length < 2 });
      sheet.open();
    },
  };
}
