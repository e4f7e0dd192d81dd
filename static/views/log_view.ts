import type { Locale } from "../i18n/locale.ts";
import { button, element, find, setProperties, setText } from "../lib/dom.ts";
import { isMuted } from "../lib/mutes.ts";
import { displayName } from "../lib/room_name.ts";
import { createScroll } from "../lib/scroll.ts";
import { onLateTexts } from "../lib/text/message_text.ts";
import { indexOf, newestMessages } from "../../client/room/room_state.ts";
import type { ReadingPlace } from "../lib/places.ts";
import { type Goal, isKnownEmpty, isLineNew, isThere, type State } from "../state.ts";
import { createLatestButton } from "./latest_button.ts";
import { createLogKeys, type Direction } from "./log_keys.ts";
import { createLogBottom, createLogTop } from "./log_top.ts";
import { createLogRows } from "./log_rows.ts";
import type { RowActions, RowView } from "./row_view.ts";
import { around, fitted, newest, sliceOf, type Span, spanOf, STAYING, wholeRuns } from "./slice.ts";
import { hasScreenKeyboard } from "./text_entry.ts";
import { rowsOf } from "./timeline.ts";

/** Pixels from the top at which older messages are requested: about a screen, so that few readers see them load. */
const LOAD_AHEAD = 600;
/** New messages at once beyond which the older ones go while following: nobody sees them pass. */
const SKIP_BEYOND = 50;
/** Screens below the reader with fewer of which newer messages are requested, where the newest are elsewhere. */
const LOAD_BELOW = 1;
/** Milliseconds for which a message is shown as the one to which a link or a date led. */
const LINKED_SHOWN = 3_000;
/** Where the line "New" stands on entry, as a share of the height: what was read last is above it. */
const RETURN_AT = 0.6;
/** Pixels of a message that are enough to see it. */
const SEEN = 48;
/** Pixels above a message to which one goes, so that it is seen where it begins. */
const ABOVE = 12;

export interface LogActions extends RowActions {
  /** The page's state now, which may be newer than what is rendered. */
  state(): State;
  loadOlder(): void;
  loadNewer(): void;
  /** Opens the ways to give others the room's link. */
  share(): void;
  /** Whether the reader is at the newest message. */
  following(following: boolean): void;
  /** Where the reader is, null at the newest message, and the `seq` of the last message in view. */
  reads(place: ReadingPlace | null, seen: number): void;
  goToNew(): void;
  /** Comes back to the answer that the reader has left for what it answers. */
  backToAnswer(): void;
  /** The reader is at the first of the new messages. */
  newVisited(): void;
  /** Loads a message that others answer. */
  loadQuoted(seq: number): void;
  /** The goal is shown; not exactly where its message is not there any more. */
  reached(exactly: boolean): void;
}

export interface LogView {
  render(state: State): void;
  /** Scrolls to the newest message. */
  toLatest(): void;
  /** Opens an editor in the message with this `seq`. */
  edit(seq: number): void;
  /** Whether a message can be answered now, and the beginning of an answer to it. */
  isAnswerable(message: HTMLElement): boolean;
  answer(message: HTMLElement): void;
  /** Shows for a moment which message this is. @returns false if it can't be seen now */
  point(seq: number): boolean;
}

/** The room's messages near the reader, and where the reader is among them. */
export function createLogView(locale: Locale, actions: LogActions): LogView {
  const { strings } = locale;
  const log = find("log", HTMLElement);
  const list = find("rows", HTMLOListElement);
  const empty = find("empty", HTMLElement);
  const emptyText = element("p");
  const top = createLogTop(locale, actions.loadOlder);
  const bottom = createLogBottom(locale, actions.loadNewer);
  const latest = createLatestButton(locale, {
    goToNew: actions.goToNew,
    toLatest,
    backToAnswer: actions.backToAnswer,
  });
  const rows = createLogRows(log, list, locale, {
    ...actions,
    unfold(seq, open) {
      // Whoever looks into a thread wants that to stay where it is, and not the newest message.
      if (open && scroll.isFull()) scroll.unfollow();
      actions.unfold(seq, open);
      // Without the thread the reader may be at the end again, although nothing has scrolled.
      if (!open) requestAnimationFrame(() => log.dispatchEvent(new Event("scroll")));
    },
  });
  const scroll = createScroll({
    view: log,
    content: find("column", HTMLElement),
    list,
    isComplete: () => isComplete,
    changed: actions.following,
    moved() {
      fit();
      report();
    },
  });
  /** What is in the page: as places, which hold while messages come and go, and as indexes into `state`'s. */
  let slice = sliceOf([], { from: 0, to: 0 });
  let span: Span = { from: 0, to: 0 };
  /** Whether the span ends with the newest message. */
  let isComplete = true;
  /** The newest message when the room was last rendered; what comes after it is news. */
  let known = Infinity;
  let state: State | undefined;

  setText(find("log-help", HTMLElement), strings.logHelp);
  onLateTexts((change) => scroll.keepPlace(change, new Set()));
  createLogKeys({ log, list, bring: bringNext, leave: actions.leave, answer });
  empty.append(
    element("h2", { textContent: strings.emptyTitle }),
    emptyText,
    button(strings.share, "outlined", actions.share),
  );

  function render(next: State) {
    const edges = edgesOf(state);
    const { name, messages } = next.room;
    const entered = state?.room.name !== name;
    state = next;
    if (entered) {
      log.ariaLabel = strings.log(displayName(name).name);
      scroll.follow();
    }
    let there = spanOf(messages, slice);
    const isLost = there.from === there.to && messages.length > 0;
    const { goal } = state;
    if (isLost && !goal) scroll.follow();
    if (entered || isLost) known = Infinity;
    if (scroll.following || isLost) {
      const skips = messages.length - there.to > SKIP_BEYOND && !rows.held();
      there = entered || isLost || skips
        ? newest(messages)
        : { from: fitted(messages, there, scroll.screensAround(), staying).from, to: messages.length };
    }
    if (goal && isThere(state, goal) && messages.length > 0) showGoal(goal, there);
    else show(there);
    bottom.render(state.room);
    setText(emptyText, state.room.locked ? strings.locked : strings.emptyText);
    setProperties(empty, { hidden: !isKnownEmpty(state) || rows.views.length > 0 });
    if (edgesOf(state) !== edges) fit();
    known = newestMessages(state.room).at(-1)?.seq ?? 0;
    report();
  }

  /** What decides, besides the reader's place, whether more messages come into the page. */
  function edgesOf(state: State | undefined): string {
    if (!state) return "";
    const { messages, more, older, newer, newest } = state.room;
    return `${messages[0]?.seq} ${messages.at(-1)?.seq} ${more} ${older} ${newer} ${newest === null} ${isComplete}`;
  }

  /** Shows the message of a goal, or the one behind it where it is not there any more. */
  function showGoal(goal: Goal, there: Span) {
    const { messages } = state!.room;
    const { seq, at } = goal;
    const isLine = isLineNew(goal);
    const index = Math.min(indexOf(messages, isLine ? seq + 1 : seq), messages.length - 1);
    const isExact = messages[index].seq === seq;
    scroll.unfollow();
    known = Infinity;
    show(around(messages, there, index, rows.isBusy()));
    const { views } = rows;
    const view = isLine
      ? views.find(({ row }) => row.kind === "new")
      : views.findLast((view) => (seqOf(view) ?? Infinity) <= messages[index].seq);
    if (view) {
      const offset = at === "read" ? RETURN_AT * scroll.height() : typeof at === "number" && isExact ? at : ABOVE;
      const middle = at === "link" || at === "answer" ? (scroll.height() - view.element.clientHeight) / 3 : offset;
      // Whoever asks for a day sees which one it is.
      const above = views[views.indexOf(view) - 1];
      const placed = at === "date" && above?.row.kind === "day" ? above : view;
      scroll.scrollTo(placed.element, middle);
      fit();
      scroll.scrollTo(placed.element, middle); // what was missing around it has come
      if (at === "link" || at === "date" || at === "answer") showAsLinked(view.element);
      if (at === "answer") takeFocus(view.element);
    }
    if (at === "new") actions.newVisited();
    actions.reached(isExact);
  }

  /** Keys go on from there. Not where a finger leads, which would have the message show its buttons. */
  function takeFocus(element: HTMLElement) {
    if (!hasScreenKeyboard()) element.focus({ preventScroll: true });
  }

  function point(seq: number): boolean {
    const { start, end } = scroll.within(0);
    const view = rows.views.slice(start, end).find(({ row }) => row.kind === "message" && row.seq === seq);
    if (!view) return false;
    const offset = scroll.offsetOf(view.element);
    if (offset < 0 || offset + Math.min(view.element.clientHeight, SEEN) > scroll.height()) return false;
    showAsLinked(view.element);
    takeFocus(view.element);
    return true;
  }

  function showAsLinked(element: HTMLElement) {
    element.classList.add("linked");
    setTimeout(() => element.classList.remove("linked"), LINKED_SHOWN);
  }

  /** Tells where the reader is, and shows the way to where they are not. */
  function report() {
    if (!state || log.clientHeight === 0 || actions.state().goal || actions.state().room.name !== state.room.name) {
      return;
    }
    const inView = scroll.within(0);
    const hasSeq = (view: RowView) => seqOf(view) !== null;
    const first = rows.views.slice(inView.start).find(hasSeq);
    const last = rows.views.slice(0, inView.end).findLast(hasSeq);
    actions.reads(
      scroll.following || !first ? null : { seq: seqOf(first)!, offset: scroll.offsetOf(first.element) },
      last ? seqOf(last)! : 0,
    );
    latest.render(actions.state(), lineNew(inView));
  }

  /** Where the line "New" is: above or below what is in view, or within it. */
  function lineNew(inView: { start: number; end: number }): "above" | "below" | "within" {
    const { views } = rows;
    const index = views.findIndex(({ row }) => row.kind === "new");
    if (index < 0) {
      const first = views.find(({ row }) => "seq" in row);
      return first && (seqOf(first) ?? 0) > (state!.newRun?.after ?? 0) ? "above" : "below";
    }
    if (index < inView.start) return "above";
    if (index >= inView.end) return "below";
    const isRead = scroll.following || scroll.offsetOf(views[index].element) < scroll.height() / 2;
    if (isRead && state!.visible) actions.newVisited();
    return "within";
  }

  /** Changes the page so that it has the messages of this span. */
  function show(wanted: Span) {
    const { room, muted } = state!;
    const { messages } = room;
    span = wholeRuns(messages, wanted, (user) => isMuted(muted, user));
    slice = sliceOf(messages, span);
    isComplete = span.to === messages.length && room.newest === null;
    const next = rowsOf(state!, span);
    for (const row of next) {
      if (row.kind === "message" && row.replyTo !== null && row.answered === undefined) actions.loadQuoted(row.replyTo);
    }
    if (rows.areShown(next) && top.isFor(room, span.from === 0)) return;
    rows.announce(next, known);
    scroll.keepPlace(() => {
      rows.show(next);
      top.render(room, span.from === 0);
    }, rows.goingFor(next));
  }

  /**
   * Brings in messages near the reader and releases those far away, a step at a time: what a step changes leads to the
   * next one, in another task. Only a window that is not full yet is filled at once.
   */
  function fit() {
    if (!state || log.clientHeight === 0) return;
    do {
      const next = fitted(state.room.messages, span, scroll.screensAround(), staying);
      // What goes while new messages come goes together with them: the page is laid out once.
      if (scroll.following) next.from = Math.min(next.from, span.from);
      if (next.from === span.from && next.to === span.to) break;
      show(next);
    } while (!scroll.isFull());
    loadAhead();
  }

  /** The messages that stay although much is far away: near ones, and all up to one that is held. */
  function staying(): Span {
    const near = scroll.within(STAYING);
    const { start, end } = rows.held() ?? near;
    return { from: messageAt(Math.min(near.start, start)), to: messageAt(Math.max(near.end, end)) };
  }

  /** The index of the first message in the rows from this one on. */
  function messageAt(index: number): number {
    const { messages } = state!.room;
    const first = rows.views.slice(index).find(({ row }) => "seq" in row);
    const seq = first && seqOf(first);
    return seq == null ? messages.length : indexOf(messages, seq);
  }

  function loadAhead() {
    const { messages, more, older, newer, newest } = state!.room;
    // A page of short messages may not fill a tall window: then the reader can't scroll to request more.
    const wantsOlder = !scroll.isFull() || log.scrollTop < LOAD_AHEAD && !scroll.following;
    if (more && older === "idle" && span.from === 0 && wantsOlder) actions.loadOlder();
    const isAtEnd = newest !== null && span.to === messages.length;
    if (isAtEnd && newer === "idle" && scroll.screensAround().below < LOAD_BELOW) actions.loadNewer();
  }

  /** Brings a loaded message into the page. */
  function bring(index: number) {
    const { messages } = state!.room;
    if (!messages[index] || index >= span.from && index < span.to) return;
    scroll.unfollow();
    show(around(messages, span, index, rows.isBusy()));
  }

  function bringNext(direction: Direction) {
    if (direction === "newest" && state!.room.newest) return follow();
    const newest = state!.room.messages.length - 1;
    bring({ oldest: 0, before: span.from - 1, after: span.to, newest }[direction]);
  }

  /** Goes to the newest message, which may be elsewhere than the messages that are read. */
  function follow() {
    scroll.follow();
    state = actions.state();
    const { messages } = state.room;
    show(around(messages, spanOf(messages, slice), messages.length - 1, rows.isBusy()));
  }

  function toLatest() {
    follow();
    actions.leave();
  }

  /** The `seq` of a message that can be answered now. */
  function answerable(message: HTMLElement): number | null {
    const row = rows.views.find(({ element }) => element === message)?.row;
    return row?.kind === "message" && row.answerable && row.item === null ? row.seq : null;
  }

  function answer(message: HTMLElement) {
    const seq = answerable(message);
    if (seq !== null) actions.answer(seq);
  }

  function edit(seq: number) {
    bring(indexOf(state!.room.messages, seq));
    rows.views.find(({ row }) => row.kind === "message" && row.seq === seq)?.message?.edit();
  }

  return { render, toLatest, edit, point, answer, isAnswerable: (message) => answerable(message) !== null };
}

/** Null for a line between messages, and for a message that the server does not have yet. */
function seqOf({ row }: RowView): number | null {
  return "seq" in row ? row.seq : null;
}
