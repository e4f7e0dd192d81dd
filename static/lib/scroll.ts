/** The scroll position: a reader at the newest message stays there, and one up in the history is not moved. */

/** Pixels from the end within which the reader counts as being there: less than a line, more than a rounding error. */
const NEAR_END = 32;

export interface Scroll {
  /** Changes the list so that the visible messages stay where they are. */
  keepPlace(change: () => void): void;
  /** Scrolls to the end, and stays there. */
  follow(): void;
}

/**
 * @param view the element that scrolls
 * @param content the element inside it
 * @param list has one element for each row
 * @param changed is called when the reader reaches the end or leaves it
 */
export function createScroll(
  view: HTMLElement,
  content: HTMLElement,
  list: HTMLElement,
  changed: (following: boolean) => void,
): Scroll {
  let following = true;

  view.addEventListener("scroll", () => {
    const value = view.scrollHeight - view.clientHeight - view.scrollTop < NEAR_END;
    if (value === following) return;
    following = value;
    changed(following);
  }, { passive: true });

  // The end stays visible when a keyboard slides in, the composer grows or an editor opens.
  const observer = new ResizeObserver(() => following && toEnd());
  observer.observe(view);
  observer.observe(content);

  function toEnd() {
    view.scrollTop = view.scrollHeight;
  }

  /** The first row that is at least partly visible. */
  function firstVisible(): Element | undefined {
    const top = view.getBoundingClientRect().top;
    return [...list.children].find((row) => row.getBoundingClientRect().bottom > top);
  }

  return {
    keepPlace(change) {
      // Not all browsers anchor by themselves. `overflow-anchor` is off, so that all of them do it here.
      const anchor = following ? undefined : firstVisible();
      const before = anchor?.getBoundingClientRect().top ?? 0;
      change();
      if (following) toEnd();
      else if (anchor?.isConnected) view.scrollTop += anchor.getBoundingClientRect().top - before;
    },
    follow() {
      toEnd();
      if (following) return;
      following = true;
      changed(true);
    },
  };
}
