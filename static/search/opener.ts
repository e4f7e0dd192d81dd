import type { Strings } from "../i18n/locale.ts";
import { isCommand } from "../lib/command_key.ts";
import { find, setProperties } from "../lib/dom.ts";
import { icon } from "../lib/icons.ts";
import { displayName } from "../lib/room_name.ts";
import type { State } from "../state.ts";

/** The box in which one searches. */
export interface SearchBox {
  readonly element: HTMLElement;
  /**
   * Shows it, with the focus in its field.
   * @param words what is searched for; absent: what was searched for last
   */
  open(words?: string): void;
  render(state: State): void;
}

export interface SearchOpener {
  /** Loads what it opens. */
  load(): void;
  open(words?: string): void;
  render(state: State): void;
}

/**
 * The button in the page's header, and the key. The box itself is loaded later, or when it is needed.
 * @param load is called once
 * @param failed is called when somebody wants to search and the rest can't be loaded
 */
export function createSearchOpener(strings: Strings, load: () => Promise<SearchBox>, failed: () => void): SearchOpener {
  const opener = find("open-search", HTMLButtonElement);
  let loading: Promise<SearchBox> | null = null;
  let box: SearchBox | null = null;
  let state: State | null = null;

  opener.append(icon("search"));
  opener.onclick = () => open();
  document.addEventListener("keydown", (event) => {
    if (!isCommand(event, "f") || opener.hidden || event.defaultPrevented) return;
    // The second time it is the browser's own search that is wanted.
    if (document.querySelector("dialog[open]") || box?.element.contains(document.activeElement)) return;
    event.preventDefault();
    open();
  });

  function open(words?: string) {
    loaded().then((box) => box.open(words), failed);
  }

  function loaded(): Promise<SearchBox> {
    return loading ??= load().then((it) => {
      if (state) it.render(state);
      return box = it;
    });
  }

  return {
    load: () => void loaded().catch(() => {/* only who searches misses it */}),
    open,
    render(next) {
      state = next;
      const label = strings.search.open(displayName(next.room.name).name);
      setProperties(opener, { hidden: next.room.name === "", ariaLabel: label, title: label });
      box?.render(next);
    },
  };
}
