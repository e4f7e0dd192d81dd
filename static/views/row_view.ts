import type { Locale } from "../i18n/locale.ts";
import { button, element, setText } from "../lib/dom.ts";
import { createMessageView, type MessageActions, type MessageView } from "./message_view.ts";
import type { Row } from "./timeline.ts";

export interface RowActions extends MessageActions {
  unmute(user: string): void;
  jumpToDate(): void;
}

/** The element of a row: a message, or a line between messages. */
export interface RowView {
  readonly row: Row;
  readonly element: HTMLLIElement;
  readonly message: MessageView | null;
  update(row: Row): void;
}

/** Returns the function that makes the element of a row. */
export function createRowViews(locale: Locale, actions: RowActions): (row: Row) => RowView {
  const { strings, tag } = locale;
  const times = {
    short: format(tag, { hour: "numeric", minute: "2-digit" }),
    full: format(tag, { dateStyle: "full", timeStyle: "medium" }),
  };
  const days = format(tag, { weekday: "long", month: "long", day: "numeric" });
  const daysOfOtherYears = format(tag, { dateStyle: "full" });

  function create(row: Row): RowView {
    const message = row.kind === "message" ? createMessageView(locale, times, actions) : null;
    const view = {
      row,
      element: message?.element ?? lineOf(row),
      message,
      update(next: Row) {
        view.row = next;
        if (next.kind === "message") message?.update(next);
        else setText(view.element.firstElementChild!, textOf(next));
      },
    };
    view.update(row);
    return view;
  }

  function lineOf(row: Row): HTMLLIElement {
    return row.kind === "muted" ? mutedLine(row.user) : row.kind === "day" ? dayLine() : line(row.kind);
  }

  /** Whoever looks for something looks at the day first. */
  function dayLine(): HTMLLIElement {
    const jump = button("", "", actions.jumpToDate);
    jump.title = strings.jumpToDate;
    jump.ariaHasPopup = "dialog";
    jump.tabIndex = -1;
    return element("li", { className: "day" }, jump);
  }

  function line(className: string): HTMLLIElement {
    return element("li", { className }, element("span"));
  }

  function mutedLine(user: string): HTMLLIElement {
    const unmute = button(strings.unmute, "link", () => actions.unmute(user));
    unmute.tabIndex = -1;
    const item = line("muted");
    item.ariaLive = "off";
    item.tabIndex = -1;
    item.append(" ", unmute);
    return item;
  }

  function textOf(row: Exclude<Row, { kind: "message" }>): string {
    if (row.kind === "day") return dayName(row.date);
    if (row.kind === "muted") return strings.mutedMessages(row.count, row.author);
    return row.kind === "missing" ? strings.missing : strings.newFromHere;
  }

  function dayName(date: number): string {
    const [then, now] = [new Date(date), new Date()];
    const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
    if (then.toDateString() === now.toDateString()) return strings.today;
    if (then.toDateString() === yesterday.toDateString()) return strings.yesterday;
    return (then.getFullYear() === now.getFullYear() ? days : daysOfOtherYears)(then);
  }

  return create;
}

/** Formats dates. The formatter is made for the first one: that takes longer than to use it, and some are never used. */
function format(tag: string, options: Intl.DateTimeFormatOptions): (date: Date) => string {
  let formatter: Intl.DateTimeFormat | undefined;
  return (date) => (formatter ??= new Intl.DateTimeFormat(tag, options)).format(date);
}
