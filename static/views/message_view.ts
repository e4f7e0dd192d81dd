import type { Member } from "../../chat/protocol.ts";
import { button, element, setText } from "../lib/dom.ts";
import { linkedText } from "../lib/linked_text.ts";
import type { MessageRow } from "./timeline.ts";
import { errorText, type Locale } from "../i18n/locale.ts";
import { enterSubmits, grow, length, sendable } from "./text_entry.ts";

/** What a reader can do to a message: of their own, of others, and as a moderator. */
export interface MessageActions {
  edit(seq: number, text: string): boolean;
  remove(seq: number): boolean;
  retry(id: string): void;
  discard(id: string): void;
  mute(author: Member): void;
  /** Shows what can be done about its author. */
  openPerson(author: Member): void;
  /** Deletes somebody else's. @returns why it could not, or null */
  moderate(seq: number): Promise<string | null>;
  /** Code points. */
  textLimit(): number;
  /** Where the keyboard goes when an edit is over. */
  leave(): void;
}

export interface MessageView {
  readonly element: HTMLLIElement;
  update(row: MessageRow): void;
  edit(): void;
}

/** One message: who, what, when, and for its author the ways to change it. */
export function createMessageView(locale: Locale, times: TimeFormats, actions: MessageActions): MessageView {
  const { strings } = locale;
  const author = element("bdi");
  const you = element("span", { className: "you" });
  const text = element("div", { className: "text", dir: "auto" });
  const mark = element("span", { className: "mark" });
  const trouble = element("div", { className: "trouble", hidden: true });
  const time = element("time");
  const content = element("div", { className: "content" }, text, trouble);
  const byline = element("p", { className: "byline" }, author, you);
  const tools = element("div", { className: "tools", hidden: true });
  const item = element("li", { className: "message", tabIndex: -1 }, byline, content, time, tools);
  let row: MessageRow;
  let over: (() => void) | null = null;

  function update(next: MessageRow) {
    const before = row as MessageRow | undefined;
    row = next;
    item.classList.toggle("first", row.first);
    item.classList.toggle("timed", row.timed);
    item.classList.toggle("mine", row.mine);
    item.classList.toggle("waiting", row.item !== null && row.item.error === null);
    item.classList.toggle("deleted", row.deleted);
    // Its author knows what it says; those who hear the page need not hear it again.
    if (row.mine) item.setAttribute("aria-live", "off");
    setText(author, row.author);
    setText(you, row.mine ? ` (${strings.you})` : "");
    if (!before || before.text !== row.text || before.deleted !== row.deleted || before.edited !== row.edited) {
      text.replaceChildren(...(row.deleted ? [strings.deleted] : linkedText(row.text)));
      setText(mark, `(${strings.edited})`);
      if (row.edited) text.append(" ", mark);
    }
    showTime();
    showTrouble();
    showTools(before);
    if (row.deleted) over?.();
  }

  function showTools(before: MessageRow | undefined) {
    tools.hidden = row.seq === null || row.item !== null || (row.mine && row.deleted);
    if (before?.mine === row.mine && before.moderated === row.moderated && before.deleted === row.deleted) return;
    const author = () => ({ user: row.user, name: row.author });
    const remove = button(strings.delete, "link", askToDelete);
    const others = [
      ...(row.moderated && !row.deleted ? [remove] : []),
      row.moderated
        ? button(strings.banOrMute, "link", () => actions.openPerson(author()))
        : button(strings.mute, "link", () => {
          // The message goes, and with it the place where the keyboard is.
          item.closest<HTMLElement>("[role=log]")?.focus({ preventScroll: true });
          actions.mute(author());
        }),
    ];
    tools.replaceChildren(...(row.mine ? [button(strings.edit, "link", edit), remove] : others));
    for (const tool of tools.querySelectorAll("button")) tool.tabIndex = item.matches(":focus-within") ? 0 : -1;
  }

  function showTime() {
    const date = new Date(row.date);
    time.dateTime = date.toISOString();
    time.title = times.full.format(date);
    setText(time, row.item && !row.item.error ? waitingFor() : times.short.format(date));
  }

  function waitingFor(): string {
    const action = row.item?.frame.action;
    if (!row.underWay) return strings.queued;
    return action === "edit_message"
      ? strings.saving
      : action === "delete_message"
      ? strings.deleting
      : strings.sending;
  }

  function showTrouble() {
    const refused = row.item?.error ? row.item : null;
    trouble.hidden = refused === null;
    if (!refused?.error) return trouble.replaceChildren();
    const { id, action } = refused.frame;
    const what = action === "edit_message"
      ? strings.notSaved
      : action === "delete_message"
      ? strings.notDeleted
      : strings.notSent;
    trouble.replaceChildren(
      element("strong", { textContent: what }),
      ` ${errorText(strings, refused.error)} `,
      button(strings.tryAgain, "link", () => actions.retry(id)),
      button(strings.discard, "link", () => actions.discard(id)),
    );
  }

  /** Puts `instead` in the place of the words until it is over. */
  function replaceText(instead: HTMLElement) {
    over?.();
    const shown = instead.classList.contains("editor") ? text : tools;
    shown.replaceWith(instead);
    item.classList.add("busy");
    over = () => {
      over = null;
      const focused = item.contains(document.activeElement);
      instead.replaceWith(shown);
      item.classList.remove("busy");
      if (focused) actions.leave();
    };
    instead.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      over?.();
    });
  }

  function edit() {
    if (row.seq === null || row.deleted) return;
    const field = element("textarea", {
      value: row.text,
      rows: 1,
      enterKeyHint: "done",
      ariaLabel: strings.editLabel,
    });
    const problem = element("span", { className: "problem", role: "status" });
    const save = () => {
      const words = sendable(field.value);
      const excess = length(words) - actions.textLimit();
      if (words.trim() === "") setText(problem, strings.errors.text_empty);
      else if (excess > 0) setText(problem, strings.over(excess));
      else if (words === row.text || row.seq === null || actions.edit(row.seq, words)) over?.();
    };
    field.addEventListener("input", () => grow(field));
    enterSubmits(field, save);
    replaceText(element(
      "div",
      { className: "editor" },
      field,
      element(
        "p",
        {},
        button(strings.save, "link strong", save),
        button(strings.cancel, "link", () => over?.()),
        element("span", { className: "help", textContent: strings.editHelp }),
        problem,
      ),
    ));
    grow(field);
    field.focus();
    field.setSelectionRange(field.value.length, field.value.length);
  }

  function askToDelete() {
    const keep = button(strings.keep, "link", () => over?.());
    const problem = element("span", { className: "problem", role: "status" });
    const confirm = button(strings.delete, "link danger", async () => {
      if (row.seq === null) return;
      if (row.mine) return void (actions.remove(row.seq) && over?.());
      confirm.disabled = true;
      const why = await actions.moderate(row.seq);
      confirm.disabled = false;
      if (why === null) over?.();
      else setText(problem, why);
    });
    const question = element("span", { textContent: strings.deleteQuestion });
    replaceText(
      element(
        "div",
        { className: "question", role: "group", ariaLabel: strings.deleteQuestion },
        question,
        confirm,
        keep,
        problem,
      ),
    );
    keep.focus();
  }

  return { element: item, update, edit };
}

/** How a message's time is written: beside it, and in full. */
export interface TimeFormats {
  short: Intl.DateTimeFormat;
  full: Intl.DateTimeFormat;
}
