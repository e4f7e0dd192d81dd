import type { Locale } from "../i18n/locale.ts";
import { roomNamed } from "../lib/address.ts";
import { button, element } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { displayName } from "../lib/room_name.ts";
import type { ListedRoom } from "../lib/moderator.ts";
import { roomNameProblem } from "../lib/room_name_fault.ts";
import { type State, unreadOf } from "../state.ts";
import { createFieldDialog } from "./field_dialog.ts";
import { findRooms } from "./room_search.ts";

export interface RoomDialogOptions {
  state: () => State;
  /** Loads the rooms that are listed for everyone, which `state` has then. */
  loadListed: () => Promise<void>;
  goTo: (room: string) => void;
  /** Asks for the name of a room of one's own. */
  newRoom: () => void;
}

/** One that can be chosen: a room that one has been in or that is listed, or the one with the name that is typed. */
interface Choice {
  readonly room: string;
  readonly about: string;
}

/** Changes the room by typing a part of its name, or the whole name of any other. */
export function createRoomDialog({ strings, tag }: Locale, options: RoomDialogOptions) {
  const { state, loadListed, goTo, newRoom } = options;
  const list = element("ul", { id: "room-choices", role: "listbox", ariaLabel: strings.yourRooms });
  const ownRoom = button(strings.newRoom, "quiet", () => {
    dialog.close();
    newRoom();
  });
  const dialog = createFieldDialog(strings, {
    title: strings.findRoom,
    label: strings.roomField,
    hint: strings.roomHint,
    submit: strings.go,
  }, (value) => {
    const room = choices[at]?.room;
    if (room === undefined) return roomNameProblem(strings, value);
    choose(room);
    return null;
  }, element("div", { className: "rooms" }, list));
  const { input } = dialog;
  const ago = new Intl.RelativeTimeFormat(tag, { numeric: "auto" });
  let choices: Choice[] = [];
  /** The marked choice. */
  let at = 0;

  dialog.foot.prepend(ownRoom);
  input.role = "combobox";
  input.ariaAutoComplete = "list";
  input.ariaExpanded = "true";
  input.setAttribute("aria-controls", list.id);
  input.addEventListener("input", () => {
    at = 0;
    show();
  });
  input.addEventListener("keydown", (event) => {
    const step = event.isComposing ? 0 : event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step === 0 || choices.length === 0) return;
    event.preventDefault();
    at = (at + step + choices.length) % choices.length;
    mark();
  });
  list.addEventListener("click", (event) => {
    const item = (event.target as Element).closest("li");
    const choice = choices[[...list.children].indexOf(item!)];
    if (choice) choose(choice.room);
  });

  function choose(room: string) {
    dialog.close(); // first, because it returns the focus
    goTo(room);
  }

  function show() {
    choices = choicesFor(input.value);
    list.replaceChildren(...choices.map(({ room, about }, index) => {
      const { name: title, isUnlisted } = displayName(room);
      const name = element("bdi", { textContent: title });
      if (isUnlisted) name.append(" ", icon("link", "unlisted"));
      const help = element("span", { className: "help", textContent: about });
      return element("li", { role: "option", id: `room-choice-${index}`, className: "room" }, name, help);
    }));
    mark();
  }

  function mark() {
    for (const [index, item] of [...list.children].entries()) item.ariaSelected = String(index === at);
    if (choices[at]) input.setAttribute("aria-activedescendant", `room-choice-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  function choicesFor(typed: string): Choice[] {
    const { rooms, listed, room } = state();
    const names = new Set([...rooms.map(({ room }) => room), ...listed.map(({ room }) => room)]);
    names.delete(room.name);
    const found = findRooms(typed, [...names].map((room) => ({ room, about: aboutRoom(room) })));
    const named = roomNamed(typed);
    if (named === null || found[0]?.room === named) return found;
    const other = { room: named, about: names.has(named) || named === room.name ? "" : strings.roomOpens };
    return [...found.filter(({ room }) => room !== named), other];
  }

  function aboutRoom(name: string): string {
    const { count, mentions } = unreadOf(state(), name);
    if (count > 0) return strings.roomLine("", count, mentions, false);
    const listed = state().listed.find(({ room }) => room === name);
    return listed ? aboutListed(listed) : "";
  }

  function aboutListed({ count, date }: ListedRoom): string {
    const about = [count > 0 ? strings.peopleCount(count) : "", date > 0 ? since(date) : ""];
    return about.filter((part) => part !== "").join(" · ");
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
      at = 0;
      show();
      await loadListed();
      show();
    },
  };
}
