import type { RoomState } from "../../client/room/room_state.ts";
import type { Locale } from "../i18n/locale.ts";
import { button, element, find, setProperties, setText } from "../lib/dom.ts";
import { displayName } from "../lib/room_name.ts";

export interface LogTop {
  /** Whether it shows what it has to show. */
  isFor(room: RoomState, beginsWithOldest: boolean): boolean;
  /** @param beginsWithOldest whether the first message in the page is the oldest that is loaded */
  render(room: RoomState, beginsWithOldest: boolean): void;
}

/** Above the oldest message: the room's beginning, or a way to older messages. Nothing above any other message. */
export function createLogTop({ strings }: Locale, loadOlder: () => void): LogTop {
  const top = find("top", HTMLElement);

  function kindOf({ more, older, position, messages }: RoomState, beginsWithOldest: boolean) {
    const isThere = beginsWithOldest && position && (messages.length > 0 || more);
    return isThere ? more ? older : "beginning" : "none";
  }

  function isFor(room: RoomState, beginsWithOldest: boolean) {
    return top.dataset.kind === `${kindOf(room, beginsWithOldest)} ${room.name}`;
  }

  function render(room: RoomState, beginsWithOldest: boolean) {
    if (isFor(room, beginsWithOldest)) return;
    const kind = kindOf(room, beginsWithOldest);
    top.dataset.kind = `${kind} ${room.name}`;
    const parts: Record<typeof kind, () => Node[]> = {
      none: () => [],
      beginning: () => [element("p", { textContent: strings.beginning(displayName(room.name).name) })],
      idle: () => [button(strings.earlier, "link", loadOlder)],
      loading: () => [element("p", { textContent: strings.loading })],
      failed: () => [
        element("p", { role: "alert", textContent: strings.loadFailed }),
        button(strings.tryAgain, "link", loadOlder),
      ],
    };
    top.replaceChildren(...parts[kind]());
  }

  return { isFor, render };
}

/** Below the newest message that is loaded, where newer ones could not be loaded. */
export function createLogBottom({ strings }: Locale, loadNewer: () => void): { render(room: RoomState): void } {
  const bottom = find("bottom", HTMLElement);
  const text = element("p", { role: "alert" });
  bottom.append(text, button(strings.tryAgain, "link", loadNewer));

  function render({ newer, newest }: RoomState) {
    const failed = newest !== null && newer === "failed";
    setProperties(bottom, { hidden: !failed });
    setText(text, failed ? strings.newerFailed : "");
  }

  return { render };
}
