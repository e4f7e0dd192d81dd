import type { Locale } from "../i18n/locale.ts";
import { roomNamed } from "../lib/address.ts";
import { button, element } from "../lib/dom.ts";
import type { ListedRoom } from "../lib/moderator.ts";
import { roomNameProblem } from "../lib/room_name_fault.ts";
import { createFieldDialog } from "./field_dialog.ts";

export interface RoomDialogOptions {
  /** Null when they can't be loaded now. */
  listRooms: () => Promise<readonly ListedRoom[] | null>;
  /** The address of a room, without its host. */
  pathOf: (room: string) => string;
  goTo: (room: string) => void;
  /** Asks for the name of a room of one's own. */
  newRoom: () => void;
}

/** Changes the room: by a name, or by choosing one of the listed rooms. */
export function createRoomDialog({ strings, tag }: Locale, { listRooms, pathOf, goTo, newRoom }: RoomDialogOptions) {
  const list = element("ul", { role: "list" });
  const listed = element(
    "div",
    { className: "rooms", hidden: true },
    element("h3", { textContent: strings.rooms }),
    list,
  );
  const ownRoom = button(strings.newRoom, "quiet", () => {
    dialog.close();
    newRoom();
  });
  const dialog = createFieldDialog(strings, {
    title: strings.changeRoom,
    label: strings.roomField,
    hint: strings.roomHint,
    submit: strings.go,
    preview: goal,
  }, (value) => {
    const name = roomNamed(value);
    if (name === null) return roomNameProblem(strings, value);
    dialog.close(); // first, because it returns the focus
    goTo(name);
    return null;
  }, listed);
  dialog.foot.prepend(ownRoom);
  const ago = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });

  /** Where a name leads, if it is not where everyone would expect it. */
  function goal(value: string): string {
    const name = roomNamed(value);
    return name === null || name === value.trim() ? "" : strings.roomGoal(decodeURI(pathOf(name)));
  }

  function line({ room, count, date }: ListedRoom): HTMLLIElement {
    const go = button("", "room", () => {
      dialog.close();
      goTo(room);
    });
    const about = [count > 0 ? strings.peopleCount(count) : "", date > 0 ? since(date) : ""];
    go.append(
      element("bdi", { textContent: room }),
      element("span", { className: "help", textContent: about.filter((part) => part !== "").join(" · ") }),
    );
    return element("li", {}, go);
  }

  function since(date: number): string {
    const minutes = Math.round((date - Date.now()) / 60_000);
    if (minutes >= 0) return strings.justNow;
    if (minutes > -60) return ago.format(minutes, "minute");
    const hours = Math.round(minutes / 60);
    return hours > -24 ? ago.format(hours, "hour") : ago.format(Math.round(hours / 24), "day");
  }

  return {
    async open(value: string) {
      dialog.open(value);
      const rooms = await listRooms() ?? [];
      list.replaceChildren(...rooms.map(line));
      listed.hidden = rooms.length === 0;
    },
  };
}
