import type { Arrived } from "../controller.ts";
import type { Strings } from "../i18n/locale.ts";
import { find } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { attention, type State } from "../state.ts";

/**
 * What waits for the reader where they don't look: not in the room that can be seen, where the page itself shows it.
 * The title, the icon and the app's badge show the mentions if there are any, otherwise the unread messages.
 */
export function unseen(state: State): ReturnType<typeof attention> {
  const { visible, room, rooms } = state;
  return attention(visible ? { ...state, rooms: rooms.filter((other) => other.room !== room.name) } : state);
}

/** All that reaches someone who does not look at the page. */
export interface Away {
  /** Messages that the reader has not seen. */
  arrived(arrived: readonly Arrived[]): void;
  /** Opens the dialog about notifications. */
  open(): void;
  render(state: State): void;
}

export interface Bell extends Pick<Away, "arrived" | "render"> {
  /** Loads what it stands for. */
  load(): void;
}

/**
 * The bell in the page's header. The first screen has no more of it: the rest is loaded later, or when it is needed.
 * @param load is called once
 * @param failed is called when someone clicks the bell and the rest can't be loaded
 */
export function createBell(
  strings: Strings,
  load: (bell: HTMLButtonElement) => Promise<Away>,
  failed: () => void,
): Bell {
  const bell = find("bell", HTMLButtonElement);
  let loading: Promise<Away> | null = null;
  let away: Away | null = null;
  let state: State | null = null;

  bell.ariaLabel = bell.title = strings.notifications;
  bell.append(icon("bell"));
  bell.onclick = () => void loaded().then((away) => away.open(), failed);

  function loaded(): Promise<Away> {
    return loading ??= load(bell).then((it) => {
      if (state) it.render(state);
      return away = it;
    });
  }

  return {
    load: () => void loaded().catch(() => {/* only who clicks the bell misses it */}),
    arrived: (arrived) => void loaded().then((away) => away.arrived(arrived), () => {}),
    render(next) {
      state = next;
      bell.hidden = next.room.name === "";
      away?.render(next);
    },
  };
}
