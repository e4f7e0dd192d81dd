import type { Locale } from "../i18n/locale.ts";
import { button, element, find, setText } from "../lib/dom.ts";
import { createScroll } from "../lib/scroll.ts";
import type { State } from "../state.ts";
import { createMessageView, type MessageActions, type MessageView } from "./message_view.ts";
import { type Row, rowsOf, sameRow } from "./timeline.ts";

/** Pixels from the top at which older messages are requested: about a screen, so that few readers see them load. */
const LOAD_AHEAD = 600;
/** New messages at once that a screen reader announces; nobody could follow more of them. */
const ANNOUNCED_AT_ONCE = 5;

export interface LogActions extends MessageActions {
  loadOlder(): void;
  copyLink(): void;
  unmute(user: string): void;
  /** Whether the reader is at the newest message. */
  following(following: boolean): void;
}

export interface LogView {
  render(state: State): void;
  /** Scrolls to the newest message. */
  toLatest(): void;
  /** Opens an editor in the message with this `seq`. */
  edit(seq: number): void;
}

interface Shown {
  row: Row;
  element: HTMLLIElement;
  message: MessageView | null;
}

/**
 * The room's messages. Elements are kept by key, so the cost of a change depends on what is new, not on all messages.
 */
export function createLogView(locale: Locale, actions: LogActions): LogView {
  const { strings, tag } = locale;
  const log = find("log", HTMLElement);
  const list = find("rows", HTMLOListElement);
  const top = find("top", HTMLElement);
  const empty = find("empty", HTMLElement);
  const latest = find("to-latest", HTMLButtonElement);
  const scroll = createScroll(log, find("column", HTMLElement), list, actions.following);
  const times = {
    short: new Intl.DateTimeFormat(tag, { hour: "numeric", minute: "2-digit" }),
    full: new Intl.DateTimeFormat(tag, { dateStyle: "full", timeStyle: "medium" }),
  };
  const days = new Intl.DateTimeFormat(tag, { weekday: "long", month: "long", day: "numeric" });
  const daysOfOtherYears = new Intl.DateTimeFormat(tag, { dateStyle: "full" });
  let shown = new Map<string, Shown>();
  let room = "";
  let state: State;

  setText(find("log-help", HTMLElement), strings.logHelp);
  latest.onclick = toLatest;
  log.addEventListener("scroll", loadAhead, { passive: true });
  log.addEventListener("keydown", moveByKey);
  list.addEventListener("click", showTools);
  list.addEventListener("focusin", (event) => reachTools(event, 0));
  list.addEventListener("focusout", (event) => reachTools(event, -1));
  empty.append(
    element("h2", { textContent: strings.emptyTitle }),
    element("p", { textContent: strings.emptyText }),
    button(strings.copyLink, "outlined", actions.copyLink),
  );

  function render(next: State) {
    state = next;
    log.ariaLabel = strings.log(state.room.name);
    if (room !== state.room.name) {
      room = state.room.name;
      scroll.follow();
    }
    scroll.keepPlace(() => {
      renderRows(rowsOf(state));
      renderTop();
    });
    empty.hidden = !state.room.joined || state.room.problem !== null || shown.size > 0;
    latest.hidden = state.following;
    setText(latest, state.unread > 0 ? strings.newMessages(state.unread) : strings.latest);
    loadAhead();
  }

  function renderRows(rows: Row[]) {
    const before = shown;
    shown = new Map();
    log.ariaLive = isAnnounced(rows, before) ? "polite" : "off";
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, gone] of before) if (!keys.has(key)) gone.element.remove();
    let next = list.firstElementChild;
    for (const row of rows) {
      const existing = before.get(row.key);
      const entry = existing ?? create(row);
      if (!existing || !sameRow(existing.row, row) || row.kind === "day") update(entry, row);
      if (entry.element === next) next = next.nextElementSibling;
      else list.insertBefore(entry.element, next);
      shown.set(row.key, entry);
    }
  }

  /** Only a few new messages at the end are announced: not a page of history, a room just entered, or a flood. */
  function isAnnounced(rows: Row[], before: Map<string, Shown>): boolean {
    const added = rows.filter((row) => !before.has(row.key)).length;
    if (added === 0 || added > ANNOUNCED_AT_ONCE) return added === 0 && log.ariaLive !== "off";
    return before.size > 0 && rows.slice(-added).every((row) => !before.has(row.key));
  }

  function create(row: Row): Shown {
    if (row.kind === "muted") {
      const unmute = button(strings.unmute, "link", () => {
        log.focus({ preventScroll: true });
        actions.unmute(row.user);
      });
      unmute.tabIndex = -1;
      const line = element("li", { className: "muted", ariaLive: "off", tabIndex: -1 }, element("span"), " ", unmute);
      return { row, element: line, message: null };
    }
    if (row.kind !== "message") {
      return { row, element: element("li", { className: row.kind }, element("span")), message: null };
    }
    const message = createMessageView(locale, times, actions);
    return { row, element: message.element, message };
  }

  function update(entry: Shown, row: Row) {
    entry.row = row;
    if (row.kind === "message") entry.message?.update(row);
    else setText(entry.element.firstElementChild ?? entry.element, lineOf(row));
  }

  function lineOf(row: Exclude<Row, { kind: "message" }>): string {
    if (row.kind === "day") return dayName(row.date);
    if (row.kind === "muted") return strings.mutedMessages(row.count, row.author);
    return row.kind === "missing" ? strings.missing : strings.newFromHere;
  }

  function dayName(date: number): string {
    const [then, now] = [new Date(date), new Date()];
    const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
    if (then.toDateString() === now.toDateString()) return strings.today;
    if (then.toDateString() === yesterday.toDateString()) return strings.yesterday;
    return (then.getFullYear() === now.getFullYear() ? days : daysOfOtherYears).format(then);
  }

  /** Above the oldest message: the room's beginning, or a way to older messages. */
  function renderTop() {
    const { more, history, position, messages, name } = state.room;
    const kind = !position || messages.length === 0 && !more ? "" : more ? history : "beginning";
    if (top.dataset.kind === `${kind} ${name}`) return;
    top.dataset.kind = `${kind} ${name}`;
    const parts: Record<string, () => (Node | string)[]> = {
      beginning: () => [element("p", { textContent: strings.beginning(name) })],
      idle: () => [button(strings.earlier, "link", actions.loadOlder)],
      loading: () => [element("p", { textContent: strings.loading })],
      failed: () => [
        element("p", { role: "alert", textContent: strings.loadFailed }),
        button(strings.tryAgain, "link", actions.loadOlder),
      ],
    };
    top.replaceChildren(...parts[kind]?.() ?? []);
  }

  function loadAhead() {
    const { more, history } = state.room;
    if (more && history === "idle" && log.scrollTop < LOAD_AHEAD && !state.following) actions.loadOlder();
    // A page of short messages may not fill a tall window: then the reader can't scroll to request more.
    else if (more && history === "idle" && log.scrollHeight <= log.clientHeight) actions.loadOlder();
  }

  function toLatest() {
    scroll.follow();
    actions.leave();
  }

  function moveByKey(event: KeyboardEvent) {
    const target = event.target as HTMLElement;
    if (target !== log && target.parentElement !== list) return;
    const steps: Record<string, (items: HTMLElement[], index: number) => HTMLElement | undefined> = {
      ArrowUp: (items, index) => items[index < 0 ? items.length - 1 : index - 1],
      ArrowDown: (items, index) => items[index + 1],
      Home: (items) => items[0],
      End: (items) => items.at(-1),
    };
    if (event.key === "Escape") return actions.leave();
    const step = steps[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey) return;
    const items = [...list.querySelectorAll<HTMLElement>(".message, .muted")];
    const goal = step(items, items.indexOf(target));
    if (!goal) return;
    event.preventDefault();
    goal.focus();
  }

  /** On a touch screen nothing hovers: touching a message shows its buttons. */
  function showTools(event: Event) {
    const target = event.target as HTMLElement;
    const message = target.closest<HTMLElement>(".message");
    if (message && !target.closest("a, button, textarea") && getSelection()?.isCollapsed) {
      message.focus({ preventScroll: true });
    }
  }

  /** Only the buttons of the focused message are reachable by Tab, since there may be hundreds of messages. */
  function reachTools(event: Event, tabIndex: number) {
    const line = (event.target as HTMLElement).closest(".message, .muted");
    for (const tool of line?.querySelectorAll<HTMLElement>(".tools button, :scope > button") ?? []) {
      tool.tabIndex = tabIndex;
    }
  }

  return {
    render,
    toLatest,
    edit: (seq) => [...shown.values()].find(({ row }) => row.kind === "message" && row.seq === seq)?.message?.edit(),
  };
}
