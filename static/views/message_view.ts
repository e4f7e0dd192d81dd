import type { Member } from "../../chat/protocol.ts";
import type { ShownReaction } from "../../client/reactions.ts";
import { errorText, type Locale } from "../i18n/locale.ts";
import { createAvatar, isLongName } from "../lib/avatar.ts";
import { button, DONE_SHOWN, element, setProperties, setText } from "../lib/dom.ts";
import { icon, type IconName } from "../lib/icons.ts";
import { showText } from "../lib/text/message_text.ts";
import { type ChipActions, type Chips, createChips } from "../reactions/chips.ts";
import { type AnswerActions, createMessageAnswers } from "./message_answers.ts";
import { createDeleteQuestion, createEditor, type Form } from "./message_forms.ts";
import type { MessageRow } from "./timeline.ts";

/** What a reader can do with a message: one's own, someone else's, and as a moderator. */
export interface MessageActions extends AnswerActions {
  /** Gives a message a reaction, or takes one's own off. */
  react(seq: number, emoji: string, on: boolean): void;
  /** The reactions to choose from; null if their code can't be loaded. @param close closes what is shown */
  offerReactions(row: () => MessageRow, close: () => void): Promise<Form | null>;
  /** Says beside a chip who has given the reaction. */
  hintAt(chip: HTMLElement, seq: number, reaction: ShownReaction): void;
  /** Lists everybody who has given it. */
  listReacted(seq: number, emoji: string): void;
  edit(seq: number, text: string): boolean;
  remove(seq: number): boolean;
  retry(id: string): void;
  discard(id: string): void;
  /** Sends a refused answer as a message that answers none. */
  sendPlain(id: string): void;
  /** The address of a message. */
  linkOf(seq: number): string;
  /** Copies it, or shows it to be copied by hand. @returns whether it was copied */
  copyLink(seq: number): Promise<boolean>;
  /** Opens the card of its author. */
  openPerson(author: Member): void;
  /** Deletes someone else's message. @returns why that failed, or null */
  moderate(seq: number): Promise<string | null>;
  /** Code points. */
  textLimit(): number;
  /** Moves the focus when an edit is over. */
  leave(): void;
}

export interface MessageView {
  readonly element: HTMLLIElement;
  update(row: MessageRow): void;
  edit(): void;
}

/** It offers reactions to the message that has the focus. */
const REACTION_KEY = "+";

/** One message: its author, text and time, and the buttons to change it. */
export function createMessageView(locale: Locale, times: TimeFormats, actions: MessageActions): MessageView {
  const { strings } = locale;
  const author = element("bdi");
  const authorButton = button("", "author", openAuthor);
  const you = element("span", { className: "you" });
  const text = element("div", { className: "text", dir: "auto" });
  const mark = element("span", { className: "mark" });
  const trouble = element("div", { className: "trouble", hidden: true });
  // A screen reader announces who said what, not when, and not what one can do about it.
  const time = element("time", { ariaLive: "off" });
  const content = element("div", { className: "content" }, text, trouble);
  const answers = createMessageAnswers(locale, content, actions);
  const byline = element("p", { className: "byline" });
  const tools = element("div", { className: "tools", hidden: true, ariaLive: "off" });
  const item = element("li", { className: "message", tabIndex: -1 }, byline, content, time, tools);
  let row: MessageRow;
  let over: (() => void) | null = null;
  let countdown: ReturnType<typeof setTimeout> | undefined;
  let isAction = false;
  /** Whether somebody has pointed at the message, or had the focus in it. */
  let isUsed = false;
  /** Whether the author's name is shown, and opens their card. */
  let isNamed = false;
  /** What the tools are for. */
  let shownTools = "";
  /** Made for the first reaction: most messages have none. */
  let chips: Chips | null = null;

  // Where somebody points or has the focus, and not for each message that passes.
  item.addEventListener("pointerenter", use);
  item.addEventListener("focusin", use);
  item.addEventListener("keydown", (event) => {
    if (event.key !== REACTION_KEY || event.target !== item || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    offerReactions();
  });

  function use() {
    isUsed = true;
    setProperties(time, { title: times.full(new Date(row.date)) });
    showTools();
  }

  function update(next: MessageRow) {
    const before = row as MessageRow | undefined;
    row = next;
    item.classList.toggle("first", row.first);
    item.classList.toggle("timed", row.timed);
    item.classList.toggle("mine", row.mine);
    item.classList.toggle("waiting", row.item !== null && row.item.error === null);
    item.classList.toggle("deleted", row.deleted);
    item.classList.toggle("reply", row.replyTo !== null);
    item.classList.toggle("mentions-me", row.mention);
    // Its author knows the text: a screen reader does not announce it.
    if (row.mine) setProperties(item, { ariaLive: "off" });
    const isNew = !before || before.text !== row.text || before.deleted !== row.deleted || before.edited !== row.edited;
    if (isNew || isAction && before.author !== row.author) {
      showText(text, row.deleted ? strings.deleted : row.text, row.author, strings);
      isAction = text.classList.contains("action");
      item.classList.toggle("acts", isAction);
      // The text has the name, and is read with it.
      byline.ariaHidden = isAction ? "true" : null;
      setText(mark, `(${strings.edited})`);
      if (row.edited) text.append(" ", mark);
    }
    answers.update(row);
    showAuthor(before);
    showReactions(before);
    showTime();
    showTrouble();
    showTools();
    if (row.deleted) over?.();
  }

  /** The first message of a group shows its author. Of the others only a screen reader is told. */
  function showAuthor(before: MessageRow | undefined) {
    setText(you, row.mine ? ` (${strings.you})` : "");
    const wasNamed = isNamed;
    // A person is nobody yet while a message of theirs waits for the first connection.
    isNamed = row.first && !isAction && row.user !== "";
    const isSame = wasNamed === isNamed && before?.author === row.author && before.user === row.user;
    if (isSame) return;
    setText(author, row.author);
    if (!isNamed) return byline.replaceChildren(author, you);
    authorButton.replaceChildren(author, createAvatar({ user: row.user, name: row.author }));
    authorButton.classList.toggle("long", isLongName(row.author));
    setProperties(authorButton, { title: row.author, ariaHasPopup: "dialog", tabIndex: tabIndex() });
    byline.replaceChildren(authorButton, you);
  }

  function showReactions(before: MessageRow | undefined) {
    const { reactions, reactable } = row;
    if (reactions === before?.reactions && reactable === before.reactable) return;
    if (!chips && reactions.length === 0) return;
    const hadFocus = chips?.element.contains(document.activeElement);
    if (!chips) {
      chips = createChips(strings, chipActions);
      text.after(chips.element);
    }
    chips.show(reactions, reactable);
    // The one that had it may have gone.
    if (hadFocus && !item.contains(document.activeElement)) item.focus({ preventScroll: true });
  }

  const chipActions: ChipActions = {
    toggle: (emoji, on) => row.seq !== null && actions.react(row.seq, emoji, on),
    hint: (chip, reaction) => row.seq !== null && actions.hintAt(chip, row.seq, reaction),
    list: (emoji) => row.seq !== null && actions.listReacted(row.seq, emoji),
  };

  async function offerReactions() {
    if (row.seq === null || row.deleted || !row.reactable || over) return;
    const form = await actions.offerReactions(() => row, () => over?.());
    if (form && !over && !row.deleted) replace(tools, form, () => item.focus({ preventScroll: true }));
  }

  function toolsFor({ mine, moderated, deleted, author, answerable, reactable }: MessageRow): HTMLElement[] {
    const made: HTMLElement[] = [];
    if (reactable && !deleted) {
      const react = tool(strings.react, "smile", offerReactions);
      react.classList.add("react");
      made.push(react);
    }
    if (answerable) made.push(tool(strings.answer, "answer", () => row.seq !== null && actions.answer(row.seq)));
    if (mine && !deleted) made.push(tool(strings.edit, "pencil", edit));
    if ((mine || moderated) && !deleted) made.push(tool(strings.delete, "bin", askToDelete));
    // Where the name is shown, it opens the same.
    if (!mine && !isNamed) {
      const person = tool(strings.openPerson(author), "person", openAuthor);
      person.ariaHasPopup = "dialog";
      made.push(person);
    }
    if (!deleted) made.push(messageLink());
    return made;
  }

  function tool(label: string, drawing: IconName, onclick: () => void): HTMLButtonElement {
    const made = button("", "", onclick);
    setProperties(made, { ariaLabel: label, title: label });
    made.append(icon(drawing));
    return made;
  }

  /** A link, so that a browser can also open it or copy it in its own way. A click copies it. */
  function messageLink(): HTMLAnchorElement {
    const label = strings.linkToMessage;
    const link = element("a", { href: "#", ariaLabel: label, title: label }, icon("link"));
    // Its place in the room is known once the server has the message.
    link.onpointerdown = link.onfocus = () => void (link.href = actions.linkOf(row.seq ?? 0));
    link.onclick = async (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // in another tab or window
      event.preventDefault();
      if (!await actions.copyLink(row.seq ?? 0)) return;
      link.replaceChildren(icon("tick"));
      setTimeout(() => link.replaceChildren(icon("link")), DONE_SHOWN);
    };
    return link;
  }

  function openAuthor() {
    actions.openPerson({ user: row.user, name: row.author });
  }

  /** Only what belongs to the focused message can be reached by Tab. */
  const tabIndex = () => item.matches(":focus-within") ? 0 : -1;

  function showTools() {
    if (!isUsed) return;
    const wanted = `${row.mine} ${row.moderated} ${row.deleted} ${row.answerable} ${row.reactable} ${
      isNamed || row.author
    }`;
    if (shownTools !== wanted) {
      shownTools = wanted;
      const made = toolsFor(row);
      tools.replaceChildren(...made);
      for (const tool of made) tool.tabIndex = tabIndex();
    }
    tools.hidden = row.seq === null || row.item !== null || tools.childElementCount === 0;
  }

  function showTime() {
    const date = new Date(row.date);
    setProperties(time, { dateTime: date.toISOString() });
    clearTimeout(countdown);
    if (!row.item || row.item.error) setText(time, times.short(date));
    else if (row.inFlight) setText(time, strings.underWay[row.item.frame.action]);
    else if (row.waitsUntil === null) setText(time, strings.queued);
    else count(row.waitsUntil);
  }

  /** Shows the seconds until it is sent again. They are not announced: one's own messages are silent. */
  function count(until: number) {
    const left = Math.max(0, until - Date.now());
    setText(time, strings.againIn(Math.ceil(left / 1_000)));
    if (left > 0) countdown = setTimeout(() => item.isConnected && count(until), left % 1_000 + 1);
  }

  function showTrouble() {
    const refused = row.item?.error ? row.item : null;
    const { waitsFor } = row;
    setProperties(trouble, {
      hidden: refused === null && waitsFor === null,
      className: waitsFor === null ? "trouble" : "trouble calm",
    });
    if (waitsFor !== null) return setText(trouble, strings.waits[waitsFor]);
    if (!refused?.error) return void (trouble.firstChild && trouble.replaceChildren());
    const { id, action } = refused.frame;
    // To send it again would be refused again: what it answers is gone.
    const isLost = row.replyTo !== null && action === "send_message" && refused.error.code === "not_found";
    trouble.replaceChildren(
      element("strong", { textContent: strings.notDone[action] }),
      ` ${isLost ? strings.answeredLost : errorText(strings, refused.error)} `,
      isLost
        ? button(strings.sendPlain, "link", () => actions.sendPlain(id))
        : button(strings.tryAgain, "link", () => actions.retry(id)),
      button(strings.discard, "link", () => actions.discard(id)),
    );
  }

  /** Shows a form in the place of the text or the tools until it is over. @param leave moves the focus then */
  function replace(shown: HTMLElement, form: Form, leave = actions.leave) {
    over?.();
    shown.replaceWith(form.element);
    item.classList.add("busy");
    over = () => {
      over = null;
      const focused = item.contains(document.activeElement);
      form.element.replaceWith(shown);
      item.classList.remove("busy");
      if (focused) leave();
    };
    form.element.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing) return;
      event.stopPropagation();
      over?.();
    });
    form.focus();
  }

  function edit() {
    if (row.seq === null || row.deleted) return;
    const save = (edited: string) => {
      if (edited === row.text || row.seq === null || actions.edit(row.seq, edited)) over?.();
    };
    replace(text, createEditor(strings, row.text, { textLimit: actions.textLimit, save, cancel: () => over?.() }));
  }

  function askToDelete() {
    const remove = () => row.seq !== null && (row.mine ? actions.remove(row.seq) : actions.moderate(row.seq));
    replace(tools, createDeleteQuestion(strings, remove, () => over?.()));
  }

  return { element: item, update, edit };
}

/** The formats of a message's time: beside it, and in full. */
export interface TimeFormats {
  short(date: Date): string;
  full(date: Date): string;
}
