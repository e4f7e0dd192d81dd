import type { Entry, Member, ReceiveMessage } from "../../chat/protocol.ts";
import { type Clock, systemClock } from "../../client/clock.ts";
import { peopleIn } from "../composer/people.ts";
import type { Controller } from "../controller.ts";
import { errorText, type Locale } from "../i18n/locale.ts";
import { button, element, find, setProperties, setText } from "../lib/dom.ts";
import { icon, type IconName } from "../lib/icons.ts";
import { isMuted } from "../lib/mutes.ts";
import type { ReadingPlace } from "../lib/places.ts";
import { displayName } from "../lib/room_name.ts";
import type { State } from "../state.ts";
import { hasScreenKeyboard, INPUT_METHOD_KEY_CODE } from "../views/text_entry.ts";
import { createFilters } from "./filters.ts";
import type { SearchBox } from "./opener.ts";
import { createResultView, datesIn, type ResultView } from "./result_view.ts";
import { createSearchField } from "./search_field.ts";
import { type Findings, Searcher, type SearcherOptions } from "./searcher.ts";

/** Milliseconds after which it says that it is still searching. */
const SLOW = 400;

export interface SearchBoxOptions {
  controller: Controller;
  read: SearcherOptions["read"];
  /** Scrolls to the newest message. */
  toLatest(): void;
  clock?: Clock;
}

/**
 * Where one searches the room that is read: beside the conversation, or over it where there is no place beside it. There
 * it becomes a bar above the conversation once a result is chosen.
 */
export function createSearchBox(locale: Locale, { controller, read, toLatest, clock }: SearchBoxOptions): SearchBox {
  const { strings, tag } = locale;
  const texts = strings.search;
  const page = find("page", HTMLElement);
  const field = createSearchField({
    strings,
    typed(pause) {
      isAsked = false;
      ask(pause);
    },
    choosePerson: (name) => filters.choosePerson(name),
  });
  const place = button("", "place", backToResults);
  place.title = texts.backToResults;
  const older = iconButton(texts.older, "up", () => step(1));
  const newer = iconButton(texts.newer, "down", () => step(-1));
  const close = iconButton(texts.close, "close", () => leave(false));
  const filters = createFilters({ strings, people, changed: () => ask(0) });
  const status = element("p", { role: "status" });
  const retry = button(strings.tryAgain, "link", () => searcher.retry());
  const told = element("div", { id: "search-status" }, status, retry);
  const hint = element("p", { className: "help", textContent: texts.hint });
  const list = element("ol", { role: "list", ariaLabel: texts.results });
  const more = button("", "outlined", () => searcher.further());
  const results = element("div", { id: "search-results" }, hint, list, more);
  const entry = element("div", { id: "search-entry" }, icon("search"), field);
  const steps = element(
    "div",
    { id: "search-steps", hidden: true },
    element("span", { ariaLive: "polite" }, place),
    older,
    newer,
  );
  const box = element("section", { id: "search", role: "search", hidden: true });
  const dateText = datesIn(tag);
  const days = new Intl.DateTimeFormat(tag, { dateStyle: "long" });
  const searcher = new Searcher({
    read,
    findByDate: (date) => controller.chat.findByDate(date),
    clock: clock ?? systemClock,
    changed: show,
  });
  /** The results by their messages, of which those are shown that nobody muted. */
  let views = new Map<number, ResultView>();
  let shown: readonly ReceiveMessage[] = [];
  /** The result to which one has gone last. */
  let current: number | null = null;
  /** Where one was, and what had the focus, when the box was opened. */
  let before: { place: ReadingPlace | null; focused: Element | null } | null = null;
  /** Somebody has pressed Enter on what can't be searched for: then they are told. */
  let isAsked = false;
  let room = "";
  let isConnected = true;
  /** What is marked in the results. */
  let phrases: readonly string[] = [];
  let slow: ReturnType<typeof setTimeout> | undefined;
  let muted: State["muted"] = [];

  box.append(entry, steps, close, filters.element, told, results);
  page.append(box);
  field.setAttribute("aria-describedby", hint.id = "search-hint");
  field.addEventListener("focus", () => box.classList.remove("going"));
  box.addEventListener("keydown", onKey);

  function ask(pause: number) {
    const { user, until } = filters;
    searcher.ask({ room: controller.state.room.name, text: field.value, user, until }, pause);
  }

  function onKey(event: KeyboardEvent) {
    if (event.isComposing || event.keyCode === INPUT_METHOD_KEY_CODE) return;
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const { key, shiftKey, target } = event;
    if (key === "Escape") {
      event.preventDefault();
      return leave(true);
    }
    if (target === field && key === "Enter") {
      event.preventDefault();
      return enter(shiftKey);
    }
    const buttons = shown.map(({ seq }) => views.get(seq)!.button);
    const at = buttons.indexOf(target as HTMLButtonElement);
    const next = target === field
      ? key === "ArrowDown" ? buttons[0] : undefined
      : at < 0
      ? undefined
      : key === "ArrowDown"
      ? buttons[at + 1] ?? (more.hidden ? undefined : more)
      : key === "ArrowUp"
      ? buttons[at - 1] ?? field
      : key === "Home"
      ? buttons[0]
      : key === "End"
      ? buttons.at(-1)
      : undefined;
    if (target === more && key === "ArrowUp") buttons.at(-1)?.focus();
    else if (!next) return;
    event.preventDefault();
    next?.focus();
  }

  /** Searches at once; where that is done, goes from result to result. */
  function enter(isBack: boolean) {
    ask(0);
    const { phase, query } = searcher.findings;
    isAsked = query === null;
    if (isAsked) return show(searcher.findings);
    if (hasScreenKeyboard()) return field.blur();
    if (phase === "done") step(isBack ? -1 : 1);
  }

  /** Goes to the next result, older ones are after newer ones. Behind the last one are those that are not found yet. */
  async function step(by: 1 | -1) {
    const at = shown.findIndex(({ seq }) => seq === current);
    if (at < 0) return shown[0] && choose(shown[0].seq);
    if (at + by >= shown.length && searcher.findings.more) await searcher.further();
    const next = shown[at + by];
    if (next) choose(next.seq);
  }

  function choose(seq: number) {
    current = seq;
    const hadFocus = results.contains(document.activeElement);
    box.classList.add("going");
    show(searcher.findings);
    views.get(seq)?.element.scrollIntoView({ block: "nearest" });
    // Under the conversation, nothing of the list can have the focus.
    if (hadFocus && !results.checkVisibility()) older.focus();
    controller.enter({ room: controller.state.room.name, seq });
  }

  /** Shows the results again, where the conversation is in their place. */
  function backToResults() {
    box.classList.remove("going");
    views.get(current!)?.button.focus();
  }

  function show({ query, phase, refusal, found, outdated, more: isMore, back }: Findings) {
    shown = found.filter(({ user }) => user === filters.user || !isMuted(muted, user));
    const next = new Map<number, ResultView>();
    for (const { seq } of shown) next.set(seq, views.get(seq) ?? createResultView(locale, dateText, seq, choose));
    views = next;
    const elements = shown.map(({ seq }) => views.get(seq)!.element);
    if (elements.length !== list.children.length || elements.some((each, at) => each !== list.children[at])) {
      list.replaceChildren(...elements);
    }
    if (!outdated) phrases = query?.phrases ?? [];
    for (const message of shown) views.get(message.seq)!.show(message, phrases, message.seq === current);
    setProperties(list, { hidden: shown.length === 0, ariaBusy: String(phase === "waiting" || phase === "searching") });
    if (!outdated) box.classList.remove("outdated");
    setProperties(hint, { hidden: shown.length > 0 || phase !== "idle" });
    setText(status, statusText());
    clearTimeout(slow);
    // Most answers are there before one could read that they are awaited.
    if (phase === "searching" && back === null) slow = setTimeout(showSlow, SLOW);
    setProperties(retry, { hidden: phase !== "failed" });
    setText(more, shown.length > 0 ? texts.moreResults : texts.further);
    setProperties(more, { hidden: !isMore || phase !== "done" });
    const at = shown.findIndex(({ seq }) => seq === current);
    setText(place, at < 0 ? "" : texts.place(at + 1, shown.length, isMore));
    setProperties(steps, { hidden: at < 0 });
    // What has the focus keeps it.
    setProperties(newer, { ariaDisabled: String(at === 0) });
    setProperties(older, { ariaDisabled: String(at === shown.length - 1 && !isMore) });

    function showSlow() {
      setText(status, texts.searching);
      box.classList.toggle("outdated", outdated);
    }

    function statusText(): string {
      if (phase === "idle") {
        return isAsked && refusal !== null ? errorText(strings, refusal as Exclude<typeof refusal, "offline">) : "";
      }
      if (phase === "failed") return refusal === "offline" ? strings.noConnection : errorText(strings, refusal!);
      if (phase !== "done") {
        return back === null ? status.textContent ?? "" : texts.searchedBack(days.format(back));
      }
      if (shown.length > 0) return texts.count(shown.length, isMore);
      return isMore && back !== null ? texts.nothingBackTo(days.format(back)) : texts.none;
    }
  }

  /** Everyone whom one may mean: who wrote last, then who is here, then whose messages were found, and oneself. */
  function people(): readonly Member[] {
    const { me } = controller.state;
    const known = new Map(peopleIn(controller.state).map((member) => [member.user, member]));
    for (const { user, from } of searcher.findings.found) {
      if (!known.has(user)) known.set(user, { user, name: from });
    }
    if (me) known.set(me.user, { user: me.user, name: me.name });
    return [...known.values()];
  }

  function open(words?: string) {
    if (box.hidden) {
      before = { place: controller.place, focused: document.activeElement };
      current = null;
      box.hidden = false;
      page.classList.add("searching");
      controller.follow((entries: readonly Entry[]) => searcher.arrived(entries));
      // What was said since the last time is found too.
      if (words === undefined) searcher.again();
    }
    if (words !== undefined) {
      field.value = words;
      ask(0);
    }
    box.classList.remove("going");
    field.focus();
    field.select();
  }

  /** @param isBack whether one comes back to where one was, if one has gone elsewhere since */
  function leave(isBack: boolean) {
    const { place, focused } = before ?? { place: null, focused: null };
    hide();
    if (isBack && current !== null) {
      if (place) controller.returnTo(place);
      else toLatest();
    }
    const opener = find("open-search", HTMLButtonElement);
    const isThere = focused instanceof HTMLElement && focused !== document.body && focused.checkVisibility();
    if (isThere && focused.isConnected) focused.focus({ preventScroll: true });
    else opener.focus();
  }

  function hide() {
    box.hidden = true;
    before = null;
    page.classList.remove("searching");
    controller.follow(null);
  }

  function render(next: State) {
    const wasConnected = isConnected;
    isConnected = next.status.kind === "connected";
    if (next.room.name !== room) {
      room = next.room.name;
      if (!box.hidden) hide();
      field.value = "";
      current = null;
      filters.clear();
      searcher.clear();
      setProperties(box, { ariaLabel: texts.open(displayName(room).name) });
    }
    if (next.muted !== muted) {
      muted = next.muted;
      show(searcher.findings);
    }
    // What was changed meanwhile was not told.
    if (isConnected && !wasConnected && !box.hidden) searcher.again();
  }

  function iconButton(label: string, drawing: IconName, onclick: () => void): HTMLButtonElement {
    const made = button("", "quiet", onclick);
    setProperties(made, { ariaLabel: label, title: label });
    made.append(icon(drawing));
    return made;
  }

  return { element: box, open, render };
}
