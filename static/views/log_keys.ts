/**
 * What is reached in the log by key and by touch. The whole log is one stop of Tab, and arrow keys do the rest, as in a
 * "layout grid" of the ARIA Authoring Practices: a message is a row, its links and actions are the cells. The roles are
 * those of a log and of a list, because a grid would not be announced.
 */

/** Where a key leads. */
export type Direction = "oldest" | "newest" | "before" | "after";

const DIRECTIONS: Record<string, Direction> = { ArrowUp: "before", ArrowDown: "after", Home: "oldest", End: "newest" };
const MESSAGES = ".message, .muted";
/** What arrows up and down lead to: also the day, which leads to others, and what loads more where that is not by itself. */
const ITEMS = `${MESSAGES}, .day button, #top button, #bottom button`;
/** What can have the focus inside of a message. */
const CONTROLS = "a[href], button, summary, [tabindex]";
/** What is open in a message has its own keys and its own stops of Tab, and so has what an empty room shows. */
const OWN_STOPS = ".editor, .question, .offer, #empty";

export interface LogKeysOptions {
  log: HTMLElement;
  list: HTMLElement;
  /** Brings the message into the page, where there is one. Before and after are those beside what is there. */
  bring(direction: Direction): void;
  leave(): void;
  /** Begins an answer to a message. */
  answer(message: HTMLElement): void;
}

/**
 * Arrows up and down, Home and End move the focus over the messages, arrows left and right over what is in one of them.
 * Enter answers the message.
 * Tab comes to the message that had the focus last, otherwise to the newest that can be seen, and leaves the log.
 */
export function createLogKeys({ log, list, bring, leave, answer }: LogKeysOptions): void {
  /** What Tab comes to: the log, or what has the focus in it. */
  let stop = log;
  let last: HTMLElement | null = null;
  /** A key is down, and may be what moves the focus. */
  let isByKey = false;

  // Before Tab moves the focus: only then it matters what can be reached, and new messages cost nothing until then. WebKit
  // on Linux does not name Tab where Shift is held, so that this is for all keys that write nothing.
  document.addEventListener("keydown", (event) => {
    isByKey = event.key.length > 1;
    if (!isByKey) return;
    // The element with the focus may have gone, which not all browsers tell.
    if (!log.contains(document.activeElement)) setStop(log);
    for (const control of log.querySelectorAll<HTMLElement>(CONTROLS)) {
      // A browser scrolls only what can have the focus: code with long lines stays a stop of its own.
      const isStop = control.tabIndex >= 0 && control.tagName !== "PRE" && !control.closest(OWN_STOPS);
      if (isStop && control !== stop) control.tabIndex = -1;
    }
  }, { capture: true });
  for (const end of ["keyup", "pointerdown"]) document.addEventListener(end, () => isByKey = false, { capture: true });
  log.addEventListener("focusin", come);
  log.addEventListener("focusout", (event) => log.contains(event.relatedTarget as Node | null) || setStop(log));
  log.addEventListener("keydown", moveByKey);
  log.addEventListener("click", showTools);

  function setStop(next: HTMLElement) {
    stop.tabIndex = -1;
    stop = next;
    stop.tabIndex = 0;
  }

  function come(event: FocusEvent) {
    const target = event.target as HTMLElement;
    if (target === log) {
      setStop(log);
      // Whoever clicks beside the messages, or whose message has gone, stays in the log.
      const from = event.relatedTarget as Node | null;
      if (isByKey && from && !log.contains(from)) landing()?.focus();
      return;
    }
    last = target.closest<HTMLElement>(MESSAGES) ?? last;
    setStop(target.closest(OWN_STOPS) ? log : target);
  }

  /** The message that Tab comes to. Nothing is scrolled for it, unless one has read elsewhere. */
  function landing(): HTMLElement | undefined {
    if (last && list.contains(last)) return last;
    const { top, bottom } = log.getBoundingClientRect();
    const all = messages();
    return all.findLast((item) => {
      const box = item.getBoundingClientRect();
      return box.bottom <= bottom + 1 && box.bottom > top;
    }) ?? all.at(-1);
  }

  function moveByKey(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || target.closest(OWN_STOPS)) return;
    const item = target.closest<HTMLElement>(ITEMS);
    if (target !== log && !item) return;
    if (event.key === "Enter" && target === item && item.matches(".message") && !event.isComposing) {
      event.preventDefault();
      return answer(item);
    }
    const next = event.key === "Escape"
      ? item && target !== item ? item : null
      : event.key === "ArrowLeft" || event.key === "ArrowRight"
      ? item && beside(item, target, event.key)
      : DIRECTIONS[event.key] && itemAt(item, DIRECTIONS[event.key]);
    if (event.key === "Escape" && next === null) return leave();
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  const messages = () => [...list.querySelectorAll<HTMLElement>(MESSAGES)];
  const items = () => [...log.querySelectorAll<HTMLElement>(ITEMS)];

  /** What lies in a direction. From the log itself, arrows lead to either end. */
  function itemAt(from: HTMLElement | null, direction: Direction): HTMLElement | undefined {
    if (direction === "before" || direction === "after") {
      return from ? neighbour(from, direction) : outermost(direction === "before" ? "newest" : "oldest");
    }
    return outermost(direction);
  }

  function outermost(direction: "oldest" | "newest"): HTMLElement | undefined {
    bring(direction);
    return messages().at(direction === "oldest" ? 0 : -1);
  }

  function neighbour(from: HTMLElement, direction: "before" | "after"): HTMLElement | undefined {
    const step = direction === "before" ? -1 : 1;
    const next = (all: HTMLElement[]): HTMLElement | undefined => all[all.indexOf(from) + step];
    // First, because the line of a day stands before what is the first message only until others come.
    if (from === messages().at(direction === "before" ? 0 : -1)) bring(direction);
    return next(items());
  }

  /** What stands before or after this in the message, which itself is the first. */
  function beside(item: HTMLElement, from: HTMLElement, key: "ArrowLeft" | "ArrowRight"): HTMLElement | undefined {
    const isForward = (key === "ArrowRight") === (getComputedStyle(log).direction === "ltr");
    // Long lines of code are read first.
    if (from !== item && canScroll(from, key === "ArrowRight" ? 1 : -1)) return;
    const inside = [...item.querySelectorAll<HTMLElement>(CONTROLS)].filter((control) => control.checkVisibility());
    const all = [item, ...inside];
    return all[all.indexOf(from) + (isForward ? 1 : -1)];
  }

  /** On a touch screen nothing hovers: touching a message shows its buttons. */
  function showTools(event: Event) {
    const target = event.target as HTMLElement;
    // While more is loaded, the button is not there.
    if (target.closest("#top button, #bottom button")) return log.focus({ preventScroll: true });
    const message = target.closest<HTMLElement>(".message");
    if (message && !target.closest("a, button, textarea") && getSelection()?.isCollapsed) {
      message.focus({ preventScroll: true });
    }
  }
}

function canScroll({ scrollWidth, clientWidth, scrollLeft }: HTMLElement, step: number): boolean {
  const most = scrollWidth - clientWidth;
  const at = Math.abs(scrollLeft);
  return most > 1 && (step > 0 ? at < most - 1 : at > 1);
}
