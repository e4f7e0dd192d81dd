/** The rows that have elements in the page. Those are kept by key: the cost of a change depends on what is new. */
import type { Locale } from "../i18n/locale.ts";
import { setProperties } from "../lib/dom.ts";
import { createRowViews, type RowActions, type RowView } from "./row_view.ts";
import { type Row, sameRow } from "./timeline.ts";

/** New messages at once that a screen reader announces; nobody could follow more of them. */
const ANNOUNCED_AT_ONCE = 5;

/** Rows by their indexes, `end` exclusive. */
interface RowRange {
  readonly start: number;
  readonly end: number;
}

export interface LogRows {
  /** In their order. */
  readonly views: readonly RowView[];
  /** Whether these rows are shown already. */
  areShown(rows: readonly Row[]): boolean;
  /** The elements that go when these rows are shown. */
  goingFor(rows: readonly Row[]): ReadonlySet<HTMLElement>;
  /** Shows these rows and no others. */
  show(rows: readonly Row[]): void;
  /** Has a screen reader announce the rows that are shown next, if they are news: messages that come after `known`. */
  announce(rows: readonly Row[], known: number): void;
  /** Whether the reader has opened something in a row, or selected some of its text. */
  isBusy(): boolean;
  /** From the first row that stays, however far away it is, to the last one; null if there is none. */
  held(): RowRange | null;
}

export function createLogRows(log: HTMLElement, list: HTMLElement, locale: Locale, actions: RowActions): LogRows {
  const createRow = createRowViews(locale, actions);
  let shown = new Map<string, RowView>();
  let views: RowView[] = [];

  function areShown(rows: readonly Row[]): boolean {
    // Today becomes yesterday, and nothing else has changed.
    for (const view of views) if (view.row.kind === "day") view.update(view.row);
    return rows.length === views.length && rows.every((row, index) => sameRow(row, views[index].row));
  }

  function goingFor(rows: readonly Row[]): ReadonlySet<HTMLElement> {
    const keys = new Set(rows.map(({ key }) => key));
    return new Set(views.filter(({ row }) => !keys.has(row.key)).map(({ element }) => element));
  }

  function show(rows: readonly Row[]) {
    const going = [...goingFor(rows)];
    // Keys still work from there.
    if (going.some((element) => element.matches(":focus-within"))) log.focus({ preventScroll: true });
    for (const element of going) element.remove();
    const before = shown;
    shown = new Map();
    let next = list.firstElementChild;
    for (const row of rows) {
      const existing = before.get(row.key);
      const view = existing ?? createRow(row);
      if (existing && !sameRow(existing.row, row)) existing.update(row);
      if (view.element === next) next = next.nextElementSibling;
      else list.insertBefore(view.element, next);
      shown.set(row.key, view);
    }
    views = [...shown.values()];
  }

  /** Not those that come back, a room just entered, or a flood. */
  function announce(rows: readonly Row[], known: number) {
    const added = rows.filter((row) => !shown.has(row.key));
    if (added.length === 0) return;
    const messages = added.filter((row) => "seq" in row);
    const isNews = shown.size > 0 && added.length <= ANNOUNCED_AT_ONCE && messages.length > 0 &&
      messages.every(({ seq }) => (seq ?? Infinity) > known);
    setProperties(log, { ariaLive: isNews ? "polite" : "off" });
  }

  function held(): RowRange | null {
    const isHeldAt = [...list.children].map(isHeld);
    const start = isHeldAt.indexOf(true);
    return start < 0 ? null : { start, end: isHeldAt.lastIndexOf(true) + 1 };
  }

  return {
    get views() {
      return views;
    },
    areShown,
    goingFor,
    show,
    announce,
    isBusy: () => [...list.children].some(isInUse),
    held,
  };
}

/** Whether a row stays, however far away it is. Whoever only touched a message and went on has left it. */
function isHeld(row: Element): boolean {
  return isInUse(row) || row.matches(":focus-within:not(:focus)");
}

/** Whether the reader has opened an editor or a question in a row, or selected some of its text. */
function isInUse(row: Element): boolean {
  const selection = getSelection();
  return row.classList.contains("busy") || selection?.isCollapsed === false && selection.containsNode(row, true);
}
