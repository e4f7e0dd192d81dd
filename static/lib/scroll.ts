/** Where the reader is: at the newest message, and then kept there; or up in the history, and then left in peace. */

/** Pixels from the end that still count as being there: less than a line, more than rounding. */
const NEAR_END = 32;

export interface Scroll {
  /** Makes a change to the list so that what the reader looks at stays where it is. */
  keepPlace(change: () => void): void;
  /** Goes to the end, and stays there. */
  follow(): void;
}

/**
 * @param view what scrolls
 * @param content what is scrolled
 * @param list holds one element a row
 * @param changed is told when the reader gets to the end or leaves it
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

  // A keyboard that slides in, a composer that grows, an edit that opens: the end stays in sight.
  const observer = new ResizeObserver(() => following && toEnd());
  observer.observe(view);
  observer.observe(content);

  function toEnd() {
    view.scrollTop = view.scrollHeight;
  }

  /** The first row of which something can be seen. */
  function firstVisible(): Element | undefined {
    const top = view.getBoundingClientRect().top;
    return [...list.children].find((row) => row.getBoundingClientRect().bottom > top);
  }

  return {
    keepPlace(change) {
      // Browsers anchor by themselves, but not all of them do: `overflow-anchor` is off, and this is the one way.
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
