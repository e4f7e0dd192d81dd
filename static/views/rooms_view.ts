import type { Locale } from "../i18n/locale.ts";
import { isApple, isCommand } from "../lib/command_key.ts";
import { button, element, find, modal, setProperties, setText } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { displayName } from "../lib/room_name.ts";
import { attention, type State } from "../state.ts";
import { type RoomLine, roomLines, sameLine } from "./room_lines.ts";

export interface RoomsActions {
  /** Goes to a room. */
  enter(room: string): void;
  /** Opens what one can do with a room: mute it, leave it. */
  openRoom(room: string): void;
  /** Opens the dialog in which one finds a room. */
  findRoom(): void;
  newRoom(): void;
  openSettings(): void;
  /** The list is about to be seen. */
  opened(): void;
  /** The address of a room. */
  pathOf(room: string): string;
}

export interface RoomsView {
  render(state: State): void;
}

/** The rooms that one has been in, and those open to everyone: at the side, or in a drawer on a narrow screen. */
export function createRoomsView(locale: Locale, actions: RoomsActions): RoomsView {
  const { strings, tag } = locale;
  const side = find("rooms", HTMLElement);
  const opener = find("show-rooms", HTMLButtonElement);
  const dialog = modal(
    "drawer",
    strings.yourRooms,
    element("p", { className: "product", textContent: strings.product }),
  );
  const collator = new Intl.Collator(tag, { numeric: true });
  const numbers = new Intl.NumberFormat(tag);
  const badge = element("span", { className: "badge", hidden: true });
  const list = element("ul", { role: "list" });
  const openList = element("ul", { role: "list" });
  const open = element("section", { hidden: true }, element("h2", { textContent: strings.rooms }), openList);
  const finder = button(strings.findRoom, "finder", () => {
    dialog.close();
    actions.findRoom();
  });
  const create = button(strings.newRoom, "quiet", () => {
    dialog.close();
    actions.newRoom();
  });
  const settings = button(strings.settings, "quiet", () => {
    dialog.close();
    actions.openSettings();
  });
  const foot = element("div", { id: "rooms-foot" }, create, settings);
  const panel = element("div", { className: "rooms-panel" }, finder, list, open, foot);
  const views = new Map<string, LineView>();
  let state: State;
  /** The room that was read when this was last rendered. */
  let current: string | undefined;

  settings.id = "open-settings";
  settings.ariaHasPopup = "dialog";
  side.ariaLabel = strings.yourRooms;
  side.append(panel);
  opener.append(icon("menu"), badge);
  finder.append(element("kbd", { textContent: isApple() ? "⌘K" : "Ctrl K" }));
  // There is one panel, which moves to where it can be seen.
  opener.onclick = () => {
    dialog.append(panel);
    actions.opened();
    dialog.showModal();
    showCurrent();
  };
  dialog.onclose = () => side.append(panel);
  matchMedia("(width >= 60rem)").addEventListener("change", () => dialog.close());
  document.addEventListener("keydown", onKey);

  function render(next: State) {
    state = next;
    const { unread, mentions } = attention(state);
    setProperties(badge, { hidden: unread + mentions === 0 });
    badge.classList.toggle("mention", mentions > 0);
    setText(badge, numbers.format(mentions || unread));
    setProperties(opener, { ariaLabel: strings.showRooms(unread, mentions), title: strings.yourRooms });
    const lines = roomLines(state, collator);
    show(list, lines.filter(({ kept }) => kept));
    const others = lines.filter(({ kept }) => !kept);
    show(openList, others);
    setProperties(open, { hidden: others.length === 0 });
    if (current === state.room.name) return;
    current = state.room.name;
    showCurrent();
  }

  /** A long list scrolls to the room that is read. */
  function showCurrent() {
    panel.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest" });
  }

  /** Shows these lines, in this order; an element is only moved or changed where something differs. */
  function show(list: HTMLUListElement, lines: readonly RoomLine[]) {
    const rooms = new Set(lines.map(({ room }) => room));
    for (const item of [...list.children] as HTMLElement[]) if (!rooms.has(item.dataset.room!)) item.remove();
    let next = list.firstElementChild;
    for (const line of lines) {
      const view = views.get(line.room) ?? createLine(line.room);
      views.set(line.room, view);
      view.update(line);
      if (view.element === next) next = next.nextElementSibling;
      else list.insertBefore(view.element, next);
    }
  }

  interface LineView {
    element: HTMLLIElement;
    update(line: RoomLine): void;
  }

  function createLine(room: string): LineView {
    const { name: title, isUnlisted } = displayName(room);
    const name = element("bdi", { textContent: title });
    const count = element("span", { className: "count" });
    const by = element("span", { className: "by" });
    const link = element(
      "a",
      { className: "room", href: actions.pathOf(room) },
      element("span", {}, name, by),
      // Two rooms that only people with their links can find may be called the same.
      ...isUnlisted ? [icon("link", "unlisted")] : [],
      count,
    );
    const more = button("", "more", () => actions.openRoom(room));
    more.append(icon("dots"));
    more.ariaLabel = strings.roomActions(title);
    more.ariaHasPopup = "dialog";
    const item = element("li", {}, link, more);
    item.dataset.room = room;
    link.onclick = (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab or window
      event.preventDefault();
      dialog.close();
      actions.enter(room);
    };
    let shown: RoomLine | undefined;
    return {
      element: item,
      update(line) {
        if (shown && sameLine(shown, line)) return;
        shown = line;
        const { unread, mentions } = line;
        item.classList.toggle("unread", unread > 0 && !line.muted);
        item.classList.toggle("mention", mentions > 0);
        item.classList.toggle("muted-room", line.muted);
        link.ariaCurrent = line.isCurrent ? "page" : null;
        more.hidden = !line.kept;
        setText(by, line.by.length > 0 ? strings.mentionedBy(line.by) : "");
        const said = by.textContent ? `, ${by.textContent}` : "";
        link.ariaLabel = strings.roomLine(title, unread, mentions, line.muted) + said;
        const shownCount = mentions > 0 ? mentions : line.muted ? 0 : unread;
        setText(count, shownCount > 0 ? `${numbers.format(shownCount)}${line.more ? "+" : ""}` : "");
      },
    };
  }

  function onKey(event: KeyboardEvent) {
    const { altKey, shiftKey, key } = event;
    if (isCommand(event, "k")) {
      event.preventDefault();
      dialog.close();
      if (!document.querySelector("dialog[open]")) actions.findRoom();
      return;
    }
    if (!altKey || event.ctrlKey || event.metaKey || (key !== "ArrowUp" && key !== "ArrowDown")) return;
    event.preventDefault();
    if (document.querySelector("dialog[open]")) return;
    const lines = roomLines(state, collator).filter(({ kept }) => kept);
    const room = neighbour(lines, key === "ArrowUp" ? -1 : 1, shiftKey);
    if (room !== undefined) actions.enter(room);
  }

  return { render };
}

/** The next room in the list, around its ends; with `onlyUnread` the next one with something unread. */
function neighbour(lines: readonly RoomLine[], step: 1 | -1, onlyUnread: boolean): string | undefined {
  const start = lines.findIndex(({ isCurrent }) => isCurrent);
  for (let count = 1; count < lines.length; count++) {
    const line = lines.at((start + step * count) % lines.length)!;
    if (!onlyUnread || line.mentions > 0 || line.unread > 0 && !line.muted) return line.room;
  }
}
