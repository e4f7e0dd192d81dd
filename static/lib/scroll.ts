/** The scroll position: a reader at the newest message stays there, and one up in the history is not moved. */

/** Pixels from the end within which the reader counts as being there: less than a line, more than a rounding error. */
const NEAR_END = 32;
/** Pixels that count as a screen where the view is lower, as above the keyboard of a phone. */
const LEAST_SCREEN = 480;

export interface Scroll {
  readonly following: boolean;
  /** Changes the list so that the visible rows stay where they are, but for those that go. */
  keepPlace(change: () => void, going: ReadonlySet<Element>): void;
  /** Scrolls to the end, and stays there. */
  follow(): void;
  /** Stays at the end no longer. */
  unfollow(): void;
  /** Whether there is more than can be seen at once. */
  isFull(): boolean;
  /** Scrolls so that the element is this many pixels below the top of the view, or as near to that as can be. */
  scrollTo(element: Element, offset: number): void;
  /** Pixels from the top of the view down to that of the element. */
  offsetOf(element: Element): number;
  /** The height of what can be seen, in pixels. */
  height(): number;
  /** Screens above and below what can be seen. */
  screensAround(): { above: number; below: number };
  /** The indexes of the first row within so many screens of what can be seen, and of the first row below those. */
  within(screens: number): { start: number; end: number };
}

export interface ScrollOptions {
  /** The element that scrolls. */
  view: HTMLElement;
  /** The element inside it. */
  content: HTMLElement;
  /** Has one element for each row. */
  list: HTMLElement;
  /** Whether the last row is the newest message. */
  isComplete: () => boolean;
  /** The reader reaches the end or leaves it. */
  changed: (following: boolean) => void;
  /** Something else can be seen than before: the reader scrolls, or sizes have changed. */
  moved: () => void;
}

export function createScroll({ view, content, list, isComplete, changed, moved }: ScrollOptions): Scroll {
  let following = true;
  let scheduled = false;
  /** The view's height when it was last scrolled to the end. */
  let height = 0;

  view.addEventListener("scroll", () => {
    // A view that has just become lower is scrolled to the end by the observer, which comes after this.
    if (!following || view.clientHeight >= height) set(isAtEnd());
    moved();
  }, { passive: true });

  // A text in the place of another one makes its field low for a moment. That scrolls here, and nobody has left the end.
  view.ownerDocument.addEventListener("input", () => following && toEnd());

  // The end stays visible when a keyboard slides in, the composer grows or an editor opens.
  const observer = new ResizeObserver(() => {
    if (!following && view.scrollHeight <= view.clientHeight && isComplete()) set(true);
    if (following) toEnd();
    if (scheduled) return;
    scheduled = true;
    // What changes sizes must not run in here.
    requestAnimationFrame(() => {
      scheduled = false;
      moved();
    });
  });
  observer.observe(view);
  observer.observe(content);

  function isAtEnd(): boolean {
    return view.scrollHeight - view.clientHeight - view.scrollTop < NEAR_END && isComplete();
  }

  function set(value: boolean) {
    if (value === following) return;
    following = value;
    changed(following);
  }

  function toEnd() {
    view.scrollTop = view.scrollHeight;
    height = view.clientHeight;
  }

  /** The index of the first row with this edge below `y`. To measure every row would take too long. */
  function firstBelow(y: number, edge: "top" | "bottom"): number {
    const rows = list.children;
    return firstIndex(rows.length, (index) => rows[index].getBoundingClientRect()[edge] > y);
  }

  const offsetOf = (element: Element) => element.getBoundingClientRect().top - view.getBoundingClientRect().top;

  const screen = () => Math.max(view.clientHeight, LEAST_SCREEN);

  return {
    get following() {
      return following;
    },
    keepPlace(change, going) {
      if (following) {
        change();
        return toEnd();
      }
      // Not all browsers anchor by themselves. `overflow-anchor` is off, so that all of them do it here.
      const { top, bottom } = view.getBoundingClientRect();
      let anchor: Element | null = list.children[firstBelow(top, "bottom")] ?? null;
      // What grows in a row that is cut off above is better lost there than pushed into what is read.
      const next = anchor?.nextElementSibling;
      const isCut = anchor !== null && anchor.getBoundingClientRect().top < top;
      if (isCut && next && next.getBoundingClientRect().top < (top + bottom) / 2) anchor = next;
      while (anchor && going.has(anchor)) anchor = anchor.nextElementSibling;
      const before = anchor?.getBoundingClientRect().top ?? 0;
      change();
      if (anchor) view.scrollTop += anchor.getBoundingClientRect().top - before;
    },
    follow() {
      toEnd();
      set(true);
    },
    unfollow: () => set(false),
    scrollTo(element, offset) {
      view.scrollTop += offsetOf(element) - offset;
      set(isAtEnd());
    },
    offsetOf,
    height: () => view.clientHeight,
    isFull: () => view.scrollHeight > view.clientHeight,
    screensAround() {
      const above = view.scrollTop;
      const below = view.scrollHeight - view.clientHeight - above;
      return { above: above / screen(), below: below / screen() };
    },
    within(screens) {
      const { top, bottom } = view.getBoundingClientRect();
      const distance = screens * screen();
      return { start: firstBelow(top - distance, "bottom"), end: firstBelow(bottom + distance, "top") };
    },
  };
}

/** The first index for which `holds`, as it does for all after it; `length` if there is none. */
function firstIndex(length: number, holds: (index: number) => boolean): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
